"""What is due when, without a clock: whoever has one asks."""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Timers(Generic[Name]):
    """At most one time for each name."""

    __slots__ = ("_at", "none_before")

    def __init__(self) -> None:
        self._at: dict[Name, float] = {}
        self.none_before = inf
        """Some are put off with every frame of a call, so which is first is seldom looked for."""

    def __contains__(self, name: Name) -> bool:
        return name in self._at

    def set(self, name: Name, at: float | None) -> None:
        """Due at `at`; None for never."""
        if at is None:
            self._at.pop(name, None)
        else:
            self._at[name] = at
            if at < self.none_before:
                self.none_before = at

    def cancel(self, *names: Name) -> None:
        for name in names:
            self._at.pop(name, None)

    def clear(self) -> None:
        self._at.clear()

    def due(self, now: float) -> Name | None:
        """The name whose time has come first, which is not due again; None if there is none.

        One at a time, because what is done about it may cancel the others.
        """
        if now < self.none_before:
            return None
        self.none_before = min(self._at.values(), default=inf)
        if now < self.none_before:
            return None
        name = min(self._at, key=self._at.__getitem__)
        self.cancel(name)
        return name
