"""What a measured value has to be: `completed`, `< 2s`, `contains fox`, `matches ^The`.

A condition is read once, when the file is, so that a wrong one is found before a step runs.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.protocol.picking import bare

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_TIME = re.compile(r"(\d{1,9}(?:\.\d+)?) ?(ms|s|m|h|)")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_CONDITION = re.compile(r"(==|!=|<=|>=|<|>|contains\b|matches\b)\s*(.*)", re.S)

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """One comparison. `number` is there where it compares numbers."""

    operator: str
    wanted: str
    number: float | None
    text: str
    """As it stands in the file."""

    def holds(self, value: Any) -> bool:
        """Whether a value out of a JSON document, or a number of seconds, is as it has to be."""
        match self.operator:
            case "==":
                return self._is(value)
            case "!=":
                return not self._is(value)
            case "contains":
                return self._is_in(value)
            case "matches":
                return re.search(self.wanted, bare(value)) is not None
        return _is_number(value) and _ORDER[self.operator](value, self.number)

    def _is(self, value: Any) -> bool:
        if _is_number(value) and self.number is not None:
            return bool(value == self.number)
        return bare(value) == self.wanted

    def _is_in(self, value: Any) -> bool:
        if isinstance(value, list | Mapping):
            return any(bare(item) == self.wanted for item in value)
        return self.wanted in bare(value)


def read_conditions(wanted: Any, *, time: bool = False) -> tuple[Condition, ...]:
    """Of one condition or a list of them, all of which must hold.

    With `time`, numbers may carry ms, s, m or h, and are seconds. ValueError says what is wrong.
    """
    if isinstance(wanted, list):
        return tuple(_condition(each, time=time) for each in wanted)
    return (_condition(wanted, time=time),)


def _condition(wanted: Any, *, time: bool) -> Condition:
    text = bare(wanted)
    match = _CONDITION.fullmatch(text.strip()) if isinstance(wanted, str) else None
    name, value = (match[1], match[2].strip()) if match else ("==", text)
    number = seconds(value) if time else _number(value)
    if number is None and (name in _ORDER or (time and name in ("==", "!="))):
        kind = "duration, such as 400ms or 2s" if time else "number"
        raise ValueError(f"{value!r} is no {kind}")
    if name == "matches":
        _check_pattern(value)
    return Condition(name, value, number, text)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


def seconds(text: str) -> float | None:
    """Of `400ms`, `30s`, `2m` or `1h`; a bare number is seconds. None for anything else."""
    match = _TIME.fullmatch(text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else None


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
