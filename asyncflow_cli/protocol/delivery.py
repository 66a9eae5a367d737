"""Speech on its way to the phone: how much is sent ahead, and what the marks prove.

Whole frames go out, a mark stands behind every sentence and every second, and the phone holds no
more than `lead` seconds ahead of what it plays. There is no pacing: it queues and plays in order.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from asyncflow_cli.protocol.actions import Action, Clear, Mark, Play
from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.protocol.frames import Framer, payloads, size
from asyncflow_cli.protocol.playout import Playout
from asyncflow_cli.protocol.script import Line, Script

LEAD_IN = base64.b64encode(MULAW_SILENCE * (PHONE_RATE // 5)).decode()
"""200 ms: the first syllable is lost on some lines otherwise."""

PAUSE = tuple(payloads(MULAW_SILENCE * PHONE_RATE))
"""A second between a text and its repetition."""

PROGRESS = PHONE_RATE
"""Bytes between two marks at the most: they tell how much was heard if the call is cut."""

REFILL = 0.5
"""Seconds played between two refills of the phone's queue, so that the sender wakes seldom."""

EARLY = 0.06
"""Seconds before the line runs dry, at which the last part of a frame is sent as it is."""


@dataclass(frozen=True)
class End:
    """The mark behind all there is to say was echoed."""

    line: Line | None
    """The last line, if no mark of its own said before that it was heard."""


@dataclass(slots=True)
class Delivery:
    """Sends a script. Generations tell echoes of marks from those that a `clear` released."""

    script: Script
    lead: float
    playout: Playout = field(default_factory=Playout)
    ended: list[Line] = field(default_factory=list)
    """Lines sent to their end since somebody last took note."""
    wake: float | None = None
    """When `pump` has something to do again."""
    _generation: int = 0
    _marks: int = 0
    _framer: Framer = field(default_factory=Framer)
    _lines: dict[str, Line] = field(default_factory=dict)
    """Lines by the mark behind them."""
    _owed: list[Line] = field(default_factory=list)
    """Lines whose last bytes are held until they fill a frame."""
    _end_mark: str | None = None
    _marked: int = 0
    """Where the last mark was."""
    _flowing: bool = False

    def open(self, now: float) -> list[Action]:
        """A stream has begun."""
        self.playout.open(now)
        return self._silence(LEAD_IN, now)

    def pause(self, now: float) -> list[Action]:
        """A second of silence behind all that was said. A mark on either side of it, or the clock
        would take it for speech."""
        actions = self.flush(now)
        owed, self._owed = self._owed, []
        actions += [self._mark(line, now) for line in owed]
        for payload in PAUSE:
            actions += self._silence(payload, now)
        return [*actions, self._mark(None, now)]

    def pump(self, now: float) -> list[Action]:
        """What can be sent now."""
        actions: list[Action] = []
        self.wake = None
        while (lead := self.playout.lead(now)) < self.lead:
            piece = self.script.next(self.playout.sent + self._framer.held)
            if piece is None:
                break
            if isinstance(piece, Line):
                actions += self._close(piece, now)
            else:
                for frame in self._framer.push(piece):
                    self._play(frame, size(frame), now, actions)
        else:
            self.wake = now + (lead - self.lead) + REFILL
        if self._owed and self._framer.held:
            actions += self._rest(now)
        return actions

    def _rest(self, now: float) -> list[Action]:
        """The last part of a sentence, which waits for the next one's first to fill its frame, but
        not longer than the line has something to play."""
        ahead = self.playout.lead(now) - EARLY
        if ahead <= 0:
            return self.flush(now)
        self.wake = min(now + ahead, self.wake or now + ahead)
        return []

    def end(self, now: float, *, assumed: bool) -> list[Action]:
        """Everything was sent: the mark whose echo says that it was heard."""
        owed, self._owed = self._owed, []
        actions = self.flush(now)
        mark = self._mark(
            owed[-1] if owed else None, now, f"dry{self._marks}" if assumed else "end"
        )
        self._end_mark, self._flowing = mark.name, False
        return [*actions, mark]

    def starve(self) -> None:
        """What comes next is not overdue: whoever writes the text takes their time."""
        self._flowing = False

    def resume(self, line: Line) -> None:
        """There is more of the line after all, so the mark behind it says nothing of its end."""
        self._end_mark = None
        self._lines = {name: marked for name, marked in self._lines.items() if marked is not line}

    def echo(self, name: str, now: float) -> Line | End | None:
        """What the echo proves: that a line, or all, was heard."""
        line = self._lines.pop(name, None)
        if not self.playout.echo(name, now):
            return None
        if line is not None:
            self.script.was_heard(line)
        return End(line) if name == self._end_mark else line

    def clear(self, now: float) -> list[Action]:
        self.forget(now)
        return [Clear()]

    def forget(self, now: float) -> None:
        """What the phone had queued is gone."""
        self.script.cut(self.playout.position(now))
        self.playout.drop(now)
        self._generation += 1
        self._framer = Framer()
        self._lines.clear()
        self._owed.clear()
        self._end_mark, self._flowing, self._marked = None, False, self.playout.sent

    def _silence(self, payload: str, now: float) -> list[Action]:
        self.playout.silence(size(payload), now)
        return [Play(payload)]

    def _play(self, frame: str, n_bytes: int, now: float, actions: list[Action]) -> None:
        self.playout.send(n_bytes, now, expected=self._flowing)
        self._flowing = True
        actions.append(Play(frame))
        if self._owed:
            actions += [self._mark(line, now) for line in self._owed]
            self._owed.clear()
        if self.playout.sent - self._marked >= PROGRESS:
            actions.append(self._mark(None, now))

    def _close(self, line: Line, now: float) -> list[Action]:
        self.ended.append(line)
        if self._framer.held or self.script.sent:
            self._owed.append(line)
            return []
        return [self._mark(line, now)] if line.size else []

    def flush(self, now: float) -> list[Action]:
        """The part of a frame that is held, filled up with silence."""
        actions: list[Action] = []
        n_bytes = self._framer.held
        if (frame := self._framer.flush()) is not None:
            self._play(frame, n_bytes, now, actions)
        return actions

    def _mark(self, line: Line | None, now: float, name: str | None = None) -> Mark:
        mark = Mark(f"g{self._generation}-{name or self._marks}")
        self._marks += 1
        self._marked = self.playout.sent
        self.playout.mark(mark.name, now)
        if line is not None:
            self._lines[mark.name] = line
        return mark
