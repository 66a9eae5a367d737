"""A recording as it is made: what was ordered, and the two sides of the line while it runs.

https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncflow_cli.protocol.audio import FRAME_BYTES, PHONE_RATE
from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.line import SILENCE
from asyncflow_cli.sandbox.mediafeed import Ticked

EVENTS = ("in-progress", "completed", "absent")

Source = Literal["OutboundAPI", "StartCallRecordingAPI"]

Pause = Literal["skip", "silence"]

_NEAR_SILENCE = bytes([0xFF, 0xFE, 0x7F, 0x7E])
"""The codes of samples from -8 to 8."""


@dataclass(frozen=True, slots=True)
class TapeOrder:
    """How to record."""

    source: Source
    channels: int = 1
    track: str = "both"
    trims: bool = False
    callback: str | None = None
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


def read_tape(form: Form, source: Source) -> TapeOrder:
    """What the form orders. A call that is recorded from its start is trimmed unless it says so."""
    trims = ("trim-silence", "do-not-trim")
    return TapeOrder(
        source=source,
        channels=1 + (form.choice("RecordingChannels", ("mono", "dual")) == "dual"),
        track=form.choice("RecordingTrack", ("both", "inbound", "outbound")),
        trims=form.choice("Trim", trims if source == "OutboundAPI" else trims[::-1])
        == "trim-silence",
        callback=form.url("RecordingStatusCallback"),
        method=form.method("RecordingStatusCallbackMethod"),
        events=_events(form),
    )


def _events(form: Form) -> frozenset[str]:
    # The field may be repeated, or hold several words.
    events = frozenset(" ".join(form.all("RecordingStatusCallbackEvent")).split())
    if unknown := sorted(events - set(EVENTS)):
        text = f"Invalid RecordingStatusCallbackEvent: {', '.join(unknown)}"
        raise ApiError(400, 20001, text)
    return events or frozenset({"completed"})


class Tape:
    """Listens to a leg: 20 ms of both sides at a time, unless it is paused."""

    def __init__(self, order: TapeOrder) -> None:
        self.order = order
        self.said = bytearray()
        """μ-law from the callee."""
        self.heard = bytearray()
        """μ-law to the callee."""
        self.paused: Pause | None = None

    def on_tick(self, tick: Ticked) -> None:
        if self.paused == "skip":
            return
        silent = self.paused == "silence"
        self.said += SILENCE if silent or self.order.track == "outbound" else tick.said
        self.heard += SILENCE if silent or self.order.track == "inbound" else tick.heard

    @property
    def seconds(self) -> float:
        return len(self.said) / PHONE_RATE

    def trim(self) -> None:
        """Cut off the silence at both ends, if that was ordered."""
        if not self.order.trims:
            return
        loud = [at for at in range(0, len(self.said), FRAME_BYTES) if self._is_loud(at)]
        first, last = (loud[0], loud[-1] + FRAME_BYTES) if loud else (0, 0)
        self.said, self.heard = self.said[first:last], self.heard[first:last]

    def _is_loud(self, at: int) -> bool:
        frames = (side[at : at + FRAME_BYTES] for side in (self.said, self.heard))
        return any(frame.strip(_NEAR_SILENCE) for frame in frames)
