"""Events, told while they happen: a live view, a line each, or NDJSON."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.output.documents import Event, Format, View
from asyncflow_cli.output.progress import PATIENCE, Bar, Step
from asyncflow_cli.output.words import Words
from asyncflow_cli.streams import drop

if TYPE_CHECKING:
    from asyncflow_cli.output.live import LiveView

Clock: TypeAlias = Callable[[], float]

Failed: TypeAlias = Callable[[AsyncflowError, float], msgspec.Struct]
"""Makes the event that ends a stream from what failed, and when."""


class Telling(Words):
    """Something that goes on, told by somebody else than whoever does it."""

    _end_events: Callable[[AsyncflowError], None] | None = None
    """What a failure does to stdout, once an event is there."""

    @contextlib.contextmanager
    def events(
        self, failed: Failed, view: View[Any] | None = None, clock: Clock = time.monotonic
    ) -> Iterator[Callable[[Event], None]]:
        """Something to tell what happens, while it happens. It never waits, and never fails.

        People see the view of it where their terminal can show it, and a line each otherwise.
        For scripts there is nothing. In JSON each is a line on stdout, and once one is there, a
        failure of the command is the last. The document comes after them.
        """
        live = self._live(view, clock)
        people = self._tell_people if live is None else partial(self._show, live, clock)
        program = partial(self._tell_program, failed, clock) if self._pick is None else _mute
        tell = {Format.HUMAN: people, Format.JSON: program, Format.QUIET: _mute}[self.format]

        def told(event: Event) -> None:
            if event.warns:
                self.warning(event.words or "")
            tell(event)

        with self._told_beside(live):
            yield told

    @contextlib.contextmanager
    def progress(
        self, what: str, total: int, clock: Clock = time.monotonic
    ) -> Iterator[Callable[[], None]]:
        """Something to call when one of `total` pieces is done.

        People see how far it is, at a terminal, once it takes a second; nothing stays of it.
        """
        live = None
        if total > 1 and not os.environ.get("CI"):
            live = self._live(Bar(what, total), clock, PATIENCE)
        if live is None:
            yield lambda: None
            return
        began, done = clock(), itertools.count(1)

        def step(number: int) -> None:
            self._show(live, clock, Step(clock() - began, number))

        with self._told_beside(live):
            step(0)
            yield lambda: step(next(done))

    @contextlib.contextmanager
    def _told_beside(self, live: LiveView | None) -> Iterator[None]:
        """What is said meanwhile is said by a thread, above the view if there is one."""
        from asyncflow_cli.output.teller import Teller

        self._teller = Teller(None if live is None else live.draw)
        try:
            yield
        finally:
            if live is not None:
                self._teller.do(live.stop)
            teller, self._teller = self._teller, None
            teller.close()

    def _live(self, view: View[Any] | None, clock: Clock, patience: float = 0.0) -> LiveView | None:
        if view is None or self.format is not Format.HUMAN or not self._stderr.is_terminal:
            return None
        from asyncflow_cli.output.live import LiveView, can_show

        console = self._stderr.console
        if not can_show(console):
            return None
        return LiveView(console, view, self.redactor.clean, clock, patience)

    def _show(self, live: LiveView, clock: Clock, event: Event) -> None:
        assert self._teller is not None
        self._teller.do(partial(live.tell, event, clock()))

    def _tell_people(self, event: Event) -> None:
        if event.words and not event.warns:
            moment = f"{event.at:5.1f} s  "
            self._say(event.words, label=moment, hang=len(moment))

    def _tell_program(self, failed: Failed, clock: Clock, event: Event) -> None:
        began = clock() - event.at
        if self._end_events is None:
            self._end_events = lambda error: self._event(failed(error, round(clock() - began, 3)))
        assert self._teller is not None
        self._teller.do(partial(self._event, event))

    def _end_stream(self, error: AsyncflowError) -> None:
        if self._end_events is None:
            return
        try:
            self._end_events(error)
        except OSError:
            drop(self.stdout)  # stderr says what failed before this did

    def _event(self, event: Any) -> None:
        try:
            self._stdout.line(msgspec.json.encode(event).decode())
            self.stdout.flush()
        except BrokenPipeError:
            drop(self.stdout)  # who reads is gone; what is told of has to come to its end


def _mute(_event: Event) -> None:
    """Nobody wants to be told."""
