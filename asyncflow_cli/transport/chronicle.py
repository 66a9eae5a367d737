"""What happens in a call, with its moment: told at once, watched, and kept for the report.

Decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from asyncflow_cli.protocol import callevents, media
from asyncflow_cli.protocol.actions import Action, Clear, Mark, Play, Reconnect
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.delivery import LEAD_IN
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.outcome import Timeline
from asyncflow_cli.protocol.phases import is_later
from asyncflow_cli.protocol.speechmessages import Audio
from asyncflow_cli.protocol.tracer import Watcher
from asyncflow_cli.transport.callbacks import CallStatus
from asyncflow_cli.transport.inbox import Event
from asyncflow_cli.transport.voice import Spoken

Tell: TypeAlias = Callable[[callevents.CallEvent], None]


class Chronicle:
    """Of one call, from when it is asked for. `tell` hears its events, `warn` what should not
    happen and stops nothing, in words."""

    __slots__ = ("_is_watched", "_warn", "_watcher", "attends", "tell", "times", "warnings")

    def __init__(self, warn: Callable[[str], None], watcher: Watcher | None) -> None:
        self.times = Timeline(began=time.monotonic())
        self.attends = True
        """Speech that comes and goes is of interest: where nobody watches, only the first is."""
        self.warnings: list[str] = []
        self.tell: Tell = lambda _event: None
        self._warn = warn
        self._is_watched = watcher is not None
        self._watcher = watcher or Watcher()

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self._warn(text)

    def say(
        self, kind: type[callevents.CallEvent], now: float | None = None, **fields: Any
    ) -> None:
        """Tell an event of this kind, of now if it is not said when."""
        self._pass_on(kind(at=round(self._at(now), 3), **fields))

    def pass_on_news(self, bridge: Bridge) -> None:
        for event in bridge.news.take():
            self._pass_on(event)

    def _pass_on(self, event: callevents.CallEvent) -> None:
        self.times.note(event)
        self._watcher.event(event)
        self.tell(event)

    def happened(self, event: Event, at: float) -> None:
        """Keep the moments that the report is reckoned from."""
        match event:
            case media.Start() if self.times.first_frame is None:
                self.times.started = at
            case Spoken(event=Audio()) if self.times.first_audio is None:
                self.times.first_audio = at
            case media.Mark(mark=media.MarkBody(name=name)):
                self._watcher.echo(name, self._at(at))
            case CallStatus(status="ringing") if self.times.ringing is None:
                self.times.ringing = at
            case _:
                pass

    def status(self, event: CallStatus, now: float) -> None:
        """What Twilio says of the call; callbacks may come in any order."""
        self.times.sip_code = event.sip_code or self.times.sip_code
        self.times.recording = event.recording or self.times.recording
        if is_later(event.status, self.times.status):
            self.times.status = event.status
            told: dict[str, Any] = {"status": event.status, "sip_code": event.sip_code or None}
            self.say(callevents.Status, now, **told)

    def ready(self, order: CallOrder, tunnel: str | None) -> None:
        """All is prepared, and the number is about to be dialled."""
        self.times.tunnel = tunnel
        since, heard = self.times.asked, self.times.first_audio
        self.say(
            callevents.Ready,
            to=order.to,
            from_=order.from_,
            tunnel=tunnel,
            first_audio_ms=round((heard - since) * 1000, 1) if since and heard else None,
        )

    # What goes to the phone, and comes from it

    def asked(self) -> None:
        """A text went to the speech service."""
        self.times.asked = self.times.asked or time.monotonic()

    def done(self, actions: list[Action]) -> None:
        """What was said to the phone, which must not wait for whoever watches."""
        at = self._at()
        for action in actions:
            match action:
                case Play(payload=payload):
                    self._watcher.sent(payload, at)
                    self._sent(payload)
                case Mark(name=name):
                    self._watcher.mark(name, at)
                case Clear() | Reconnect():
                    self._watcher.clear(at)
                case _:
                    pass
        times = self.times
        self.attends = self._is_watched or times.first_audio is None or times.first_frame is None

    def _sent(self, payload: str) -> None:
        times = self.times
        if times.first_frame is None and payload != LEAD_IN:
            times.first_frame = time.monotonic()
            since = times.started or times.first_frame
            after = round((times.first_frame - since) * 1000, 1)
            self.say(callevents.FirstFrame, after_start_ms=after)

    def callee(self, level: float) -> None:
        self._watcher.callee(level, self._at())

    def _at(self, now: float | None = None) -> float:
        """Seconds since the call was asked for."""
        return (time.monotonic() if now is None else now) - self.times.began
