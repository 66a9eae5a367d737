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

Three more are no SIP codes, and answer:

    …701    a human who says hello, and three seconds later talks over what is being said
    …702    a human who says hello, and two seconds later presses 1
    …801    an answering machine: a greeting, and a beep
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from asyncflow_cli.protocol.audio import FRAME_BYTES
from asyncflow_cli.sandbox.clock import TICK
from asyncflow_cli.sandbox.line import SILENCE, Line
from asyncflow_cli.sandbox.script import Nature, Outcome, Script, parse


@dataclass(frozen=True, slots=True)
class Press:
    """A key, `after` that many seconds on the line."""

    after: float
    digit: str


@dataclass(frozen=True, slots=True)
class Words:
    """When somebody speaks: seconds on the line."""

    begins: float
    ends: float


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
    nature: Nature = "human"
    """What answering-machine detection makes of them."""
    words: tuple[Words, ...] = ()
    """Where in `says` there is speech, for that detection."""
    beep_ends: float | None = None
    """When an answering machine's beep is over, in seconds on the line."""
    hangs_up_when_cleared: bool = False

    def handset(self) -> Handset:
        """Them on the line."""
        return Handset(self)


Actor: TypeAlias = Callee | Script
"""Somebody to ring; a script becomes a callee while it rings."""

CALLEES: dict[str, Actor] = {
    "404": Callee("failed", ring_seconds=0.2, sip_code=404),
    "408": Callee("no-answer", sip_code=408),
    "410": Callee(hangup_after=2.0),
    "480": Callee("no-answer", sip_code=480),
    "486": Callee("busy", sip_code=486),
    "503": Callee("failed", ring_seconds=0.2, sip_code=503),
    "603": Callee("failed", sip_code=603),
    "701": parse('human; say "Hello?"; wait 3s; say "Wait, who is this?"'),
    "702": parse('human; say "Hello?"; wait 2s; press 1'),
    "801": parse('machine; say "Please leave a message after the tone."; beep'),
}

LISTENER = Callee()


EVERYBODY = "*"
"""Stands for every number that has no callee of its own."""


def who_answers(number: str, registered: Mapping[str, Actor]) -> Actor:
    """The callee behind `number`; those registered come before the table."""
    found = registered.get(number) or registered.get(EVERYBODY)
    return found or CALLEES.get(number[-3:], LISTENER)


class Handset:
    """A callee on the line: what they say, press and do, a frame at a time."""

    def __init__(self, callee: Callee) -> None:
        self._callee = callee
        self._ticks = 0
        self._presses = sorted(callee.presses, key=lambda press: press.after)

    def hung_up(self, line: Line) -> bool:
        """Whether they have put the phone down, after what they have heard on `line`."""
        if line.times_cleared and self._callee.hangs_up_when_cleared:
            return True
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
