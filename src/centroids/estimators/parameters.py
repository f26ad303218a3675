"""Rules for parameters: a table per estimator, checked at the start of ``fit``, or per function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


class Rule(NamedTuple):
    """What a parameter may be, as a test and in words."""

    holds: Callable[[Any], bool]
    words: str


def check_parameters(estimator: Any, rules: Mapping[str, Rule]) -> None:
    """Raise a ValueError that names the first parameter which breaks its rule, and its value."""
    values = {name: getattr(estimator, name) for name in rules}
    check_arguments(type(estimator).__name__, values, rules)


def check_arguments(owner: str, values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Do the same for what was passed to the function (or estimator) of this name."""
    for name, rule in rules.items():
        if not rule.holds(values[name]):
            raise ValueError(
                f"The {name!r} parameter of {owner} must be {rule.words}. "
                f"Got {values[name]!r} instead."
            )


def is_integer(value: Any) -> bool:
    """Whether value is an integer, and not a bool."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def integer_from(minimum: int) -> Rule:
    """Return the rule for integers of at least ``minimum``."""
    return Rule(lambda v: is_integer(v) and v >= minimum, f"an int of at least {minimum}")


def one_of(*names: str | None) -> Rule:
    """Return the rule for one of these strings (or None)."""
    words = "one of " + ", ".join(repr(n) for n in names)
    return Rule(lambda v: (v is None or isinstance(v, str)) and v in names, words)


def either(*rules: Rule) -> Rule:
    """Return the rule that holds when one of ``rules`` does."""
    return Rule(
        lambda v: any(rule.holds(v) for rule in rules), " or ".join(rule.words for rule in rules)
    )


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


NOT_NEGATIVE = Rule(lambda v: _is_real(v) and v >= 0, "a number of at least 0")
POSITIVE = Rule(lambda v: _is_real(v) and v > 0, "a number above 0")
NONE = Rule(lambda v: v is None, "None")
CALLABLE = Rule(callable, "a callable")
ARRAY = Rule(lambda v: hasattr(v, "__len__") and not isinstance(v, str), "an array")
FLAG = Rule(lambda v: isinstance(v, (bool, np.bool_)), "True or False")
LEVEL = either(FLAG, integer_from(0))
N_JOBS = either(NONE, Rule(lambda v: is_integer(v) and v != 0, "an int other than 0"))
RANDOM_STATE = either(
    NONE,
    Rule(lambda v: is_integer(v) and 0 <= v < 2**32, "an int between 0 and 2**32 - 1"),
    Rule(lambda v: isinstance(v, np.random.RandomState), "a numpy.random.RandomState"),
)
