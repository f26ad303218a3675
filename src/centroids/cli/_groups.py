"""Options that belong together, as one value.

A command takes a frozen dataclass where it would take ten options; typer sees its fields one by
one. The fields are written as typer's parameters are, and have a default each.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, cleandoc, signature
from typing import Any, get_type_hints

__all__ = ["expanded", "words_of"]


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the parameters of its groups in place of the groups."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @wraps(command)
    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{f.name: given.pop(f.name) for f in fields(kind)})
        command(**given)

    parameters: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        kind = groups.get(parameter.name)
        if kind is None:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
        else:
            parameters += _parameters_of(kind)
    parameters = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    # Lines within a paragraph are broken by the terminal, not where the source breaks them.
    run.__doc__ = re.sub(r"(?<!\n)\n(?!\n)", " ", cleandoc(command.__doc__ or ""))
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def words_of(*groups: Any) -> list[str]:
    """Write the options of groups as a user would: those that differ from their default."""
    words: list[str] = []
    for group in groups:
        for field in fields(group):
            value = getattr(group, field.name)
            if value != field.default:
                words += [f"--{field.name.replace('_', '-')}", shlex.quote(str(value))]
    return words


def _parameters_of(kind: type) -> list[Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(kind)
    ]
