"""A view that is drawn over and over at the foot of a terminal, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from asyncflow_cli.output.documents import Event, View

EVERY = 0.1
"""Seconds from one frame to the next, at least."""

NARROWEST = 20


def can_show(console: Console) -> bool:
    """Whether lines can be drawn anew there."""
    able = console.file.isatty() and console.is_terminal and not console.is_dumb_terminal
    return able and console.width >= NARROWEST


class LiveView:
    """Everything here is done by one thread, and `stop` when that has ended.

    It is seen once `patience` seconds are over.
    """

    def __init__(
        self,
        console: Console,
        view: View[Any],
        clean: Callable[[str], str],
        clock: Callable[[], float],
        patience: float = 0.0,
    ) -> None:
        self._console = console
        self._view = view
        self._clean = clean
        self._clock = clock
        self._patience = patience
        self._began: float | None = None
        self._drawn = float("-inf")
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def tell(self, event: Event, at: float) -> None:
        """What happened, and when by our clock."""
        if self._began is None:
            self._began = at - event.at
        self._view.tell(event)
        self.draw()

    def draw(self) -> None:
        now = self._clock()
        if self._began is None or now - self._drawn < EVERY or now - self._began < self._patience:
            return
        self._drawn = now
        self._live.start()
        rows = self._view.frame(now - self._began, self._console.width)
        shown = (Text.assemble(*((self._clean(text), style) for text, style in r)) for r in rows)
        self._live.update(Group(*shown), refresh=True)

    def stop(self) -> None:
        self._live.stop()
