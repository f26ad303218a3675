"""Which columns of a table are used, and why the others are not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from centroids.rows.errors import InputError, UnknownColumnError
from centroids.rows.request import ReadRequest

__all__ = ["Roles", "did_you_mean", "find_columns", "split_columns"]

MAX_NAMES_SHOWN = 12


class Roles(NamedTuple):
    """Positions of columns: those to cluster, in the order asked for, and those with a meaning."""

    features: list[int]
    truth: int | None
    weight: int | None


def split_columns(path: object, names: Sequence[str], request: ReadRequest) -> Roles:
    """Turn the names a user gave into positions; without `columns`, all others are features."""
    special = {"truth": request.truth, "weight": request.weight}
    found = {
        role: None if name is None else find_columns(path, names, [name])[0]
        for role, name in special.items()
    }
    if request.truth is not None and request.truth == request.weight:
        raise InputError(f'column "{request.truth}" is named both as truth and as weight; drop one')
    if request.columns is None:
        unused = {*found.values(), *find_columns(path, names, request.leave_out)}
        others = [i for i in range(len(names)) if i not in unused]
        if not others:
            named = " and the ".join(role for role, name in special.items() if name is not None)
            left_out = "those that are left out" if request.leave_out else ""
            besides = " and ".join(filter(None, [named and f"the {named}", left_out]))
            raise InputError(f"{path} has no column besides {besides}; nothing to cluster")
        return Roles(others, found["truth"], found["weight"])
    if request.leave_out:
        raise InputError(
            "columns are named both to be used and to be left out; name the ones to use, or the "
            "ones to leave out"
        )
    for role, name in special.items():
        if name is not None and name in request.columns:
            raise InputError(f'column "{name}" is named both as {role} and as a feature; drop one')
    if not request.columns:
        raise InputError("no column is named; name at least one")
    return Roles(find_columns(path, names, request.columns), found["truth"], found["weight"])


def find_columns(path: object, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Find the positions of columns; a name that is not there is an error with a suggestion."""
    position = {name: i for i, name in enumerate(names)}
    for i, name in enumerate(wanted):
        if name in wanted[:i]:
            raise InputError(f'column "{name}" is named twice; name it once')
        if name not in position:
            hint = did_you_mean(name, names) or "; choose another"
            message = f'{path} has no column "{name}"{hint} (it has {_listed(names)})'
            raise UnknownColumnError(name, message)
    return [position[name] for name in wanted]


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Suggest the nearest of `names`; nothing if none is near."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    return f'; did you mean "{lower[near[0]]}"?' if near else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES_SHOWN
    return ", ".join(names[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
