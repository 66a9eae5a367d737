"""How far work is whose pieces are counted: a line with a bar."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from asyncflow_cli.columns import Row

LONGEST = 30
"""Columns of the bar."""

PATIENCE = 1.0
"""Seconds before it is shown: what is quick needs none."""


class Step(msgspec.Struct, frozen=True):
    """A piece is done; or the work has begun."""

    at: float
    done: int

    warns: ClassVar[bool] = False

    @property
    def words(self) -> None:
        return None


class Bar:
    """A View of `total` pieces."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0

    def tell(self, step: Step) -> None:
        self._done = step.done

    def frame(self, now: float, width: int) -> list[Row]:
        told = f"{now:5.1f} s  {self._done} of {self._total} {self._what}  "
        long = max(min(width - len(told), LONGEST), 0)
        full = long * self._done // self._total
        return [((told, ""), ("#" * full, "green"), ("." * (long - full), "dim"))]
