"""What a person may want to know of a call, told in the order in which it happened.

Decides nothing: the bridge says what has happened, and whoever shows the call takes the news.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from asyncflow_cli.protocol import callevents
from asyncflow_cli.protocol.script import Line


class News:
    """The events of a call that nobody has taken yet. Times are seconds since its first."""

    __slots__ = ("_once_more", "began", "events", "now")

    def __init__(self) -> None:
        self.events: list[callevents.CallEvent] = []
        self.began: float | None = None
        self.now = 0.0
        """The moment of what is told, and that of the first of it: the bridge says them."""
        self._once_more: list[Line] = []
        """Ends of the text behind which it is queued again, which nobody has heard yet."""

    def take(self) -> list[callevents.CallEvent]:
        """What is new since this was last called."""
        events, self.events = self.events, []
        return events

    def tell(self, kind: type[callevents.CallEvent], **fields: Any) -> None:
        at = round(self.now - (self.began or 0.0), 3)
        self.events.append(kind(at=at, **fields))

    def tell_sent(self, lines: Iterable[Line]) -> None:
        """Sentences whose last frame has gone out."""
        for line in lines:
            seconds = round(line.seconds, 3)
            self.tell(callevents.Sentence, index=line.number, text=line.text, seconds=seconds)

    def tell_heard(self, line: Line, seconds: float) -> None:
        """A sentence that was played to its end, after so many seconds of the call's speech."""
        heard = round(seconds, 3)
        self.tell(callevents.Heard, index=line.number, text=line.text, seconds_heard=heard)
        if line in self._once_more:
            self._once_more.remove(line)
            self.tell(callevents.Repeating, why="asked")

    def tell_repeat(self, why: Literal["asked", "key", "beep"], end: Line) -> None:
        """The text begins again: at once, or as asked for when its `end` has been heard."""
        if why == "asked" and not end.heard:
            self._once_more.append(end)
        else:
            self._once_more.clear()
            self.tell(callevents.Repeating, why=why)
