"""Who answers the sandbox's telephones.

The last three digits of the number dialled are the SIP code with which its line answers, if
they stand in this table; everybody else answers after a second of ringing, listens, and says
nothing. A choice of the sandbox: Twilio has no such numbers.

    …404    failed      there is no such number
    …408    no-answer   rings, and nobody answers
    …410    completed   answers, and hangs up after two seconds on the line
    …480    no-answer   rings, and nobody answers
    …486    busy
    …503    failed      the carrier is out of order
    …603    failed      the callee declines (some carriers report busy instead)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from asyncflow_cli.protocol.audio import FRAME_BYTES
from asyncflow_cli.sandbox.clock import TICK
from asyncflow_cli.sandbox.line import SILENCE

Outcome = Literal["answer", "busy", "failed", "no-answer"]


@dataclass(frozen=True, slots=True)
class Press:
    """A key, `after` that many seconds on the line."""

    after: float
    digit: str


@dataclass(frozen=True, slots=True)
class Callee:
    """What the person at the other end does. Seconds are seconds of line time."""

    outcome: Outcome = "answer"
    ring_seconds: float = 1.0
    hangup_after: float | None = None
    """Seconds on the line, from the first thing there is to hear; None waits for us."""
    says: bytes = b""
    """μ-law, spoken from the first moment on the line."""
    presses: tuple[Press, ...] = ()
    sip_code: int = 200


CALLEES: dict[str, Callee] = {
    "404": Callee("failed", ring_seconds=0.2, sip_code=404),
    "408": Callee("no-answer", sip_code=408),
    "410": Callee(hangup_after=2.0),
    "480": Callee("no-answer", sip_code=480),
    "486": Callee("busy", sip_code=486),
    "503": Callee("failed", ring_seconds=0.2, sip_code=503),
    "603": Callee("failed", sip_code=603),
}

LISTENER = Callee()


def who_answers(number: str, registered: Mapping[str, Callee]) -> Callee:
    """The callee behind `number`; those registered by name come before the table."""
    return registered.get(number) or CALLEES.get(number[-3:], LISTENER)


class Handset:
    """A callee on the line: what they say, press and do, a frame at a time."""

    def __init__(self, callee: Callee) -> None:
        self._callee = callee
        self._ticks = 0
        self._presses = sorted(callee.presses, key=lambda press: press.after)

    @property
    def hung_up(self) -> bool:
        limit = self._callee.hangup_after
        return limit is not None and self._ticks >= round(limit / TICK)

    def tick(self) -> tuple[bytes, str]:
        """20 ms of the callee: 160 bytes of voice or silence, and the keys they press."""
        start = self._ticks * FRAME_BYTES
        said = self._callee.says[start : start + FRAME_BYTES]
        self._ticks += 1
        digits = ""
        while self._presses and round(self._presses[0].after / TICK) < self._ticks:
            digits += self._presses.pop(0).digit
        return said + SILENCE[len(said) :], digits
