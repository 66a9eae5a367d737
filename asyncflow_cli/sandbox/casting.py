"""From a script to a callee: clips are read, words are spoken, and all of it gets its time.

Choice: the keys that a callee presses are told of, and not to be heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.order import is_e164
from asyncflow_cli.sandbox.callee import EVERYBODY, Callee, Press, Words
from asyncflow_cli.sandbox.clip import sound_of
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.script import (
    Beep,
    Clip,
    HangUp,
    Keys,
    Script,
    Sound,
    Speak,
    Step,
    Wait,
    parse,
)
from asyncflow_cli.sandbox.stage import Voice
from asyncflow_cli.sandbox.tones import KEY_SECONDS, beep, silence


def rehearse(text: str) -> Script:
    """The script in `text`, its clips read. UsageError if a step or a clip is none."""
    script = parse(text)
    return replace(script, steps=tuple(map(_read, script.steps)))


def read_callees(written: Mapping[str, str] | Iterable[str]) -> dict[str, Script]:
    """Scripts by number. In a text the number stands before it, `+15551230001=busy`, or is `*`."""
    if isinstance(written, str):
        written = [written]
    pairs = written.items() if isinstance(written, Mapping) else map(_assigned, written)
    return {check_number(number): rehearse(text) for number, text in pairs}


def check_number(number: str) -> str:
    """UsageError unless it is one that can be dialled, or everybody's `*`."""
    if number != EVERYBODY and not is_e164(number):
        raise UsageError(f"No callee's number: {number}", hint="Write +15551230001, or *")
    return number


def _assigned(text: str) -> tuple[str, str]:
    found = re.match(r"\s*(\+\d+|\*)\s*=", text)
    return (found[1], text[found.end() :]) if found else (EVERYBODY, text)


def _read(step: Step) -> Step:
    if not isinstance(step, Clip):
        return step
    try:
        mulaw = sound_of(Path(step.path).expanduser().read_bytes())
    except OSError as error:
        raise UsageError(f"The callee cannot say {step.path}: {error.strerror}") from None
    except EngineMissing as error:
        text = f"{step.path} is no 8 kHz WAV. {error.message}"
        raise UsageError(text, hint=error.hint) from None
    if mulaw is None:
        raise UsageError(f"{step.path} is no audio that the sandbox can decode")
    return Sound(mulaw)


async def cast(script: Script, say: Voice) -> Callee:
    """Somebody who does what `script` says."""
    take = _Take()
    for step in script.steps:
        await _play(step, take, say)
    limits = [at for at in (take.hung_up, script.hangup_after) if at is not None]
    return Callee(
        outcome=script.outcome,
        ring_seconds=script.ring_seconds,
        hangup_after=min(limits, default=None),
        says=bytes(take.audio),
        presses=tuple(take.presses),
        sip_code=script.sip_code,
        nature=script.nature,
        words=tuple(take.words),
        beep_ends=take.beep_ends,
        hangs_up_when_cleared=script.hangs_up_when_cleared,
    )


@dataclass(slots=True)
class _Take:
    """What has been played so far."""

    audio: bytearray = field(default_factory=bytearray)
    presses: list[Press] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    beep_ends: float | None = None
    hung_up: float | None = None

    @property
    def now(self) -> float:
        return len(self.audio) / PHONE_RATE

    def be_silent(self, seconds: float) -> None:
        self.audio += silence(seconds)

    def speak(self, mulaw: bytes) -> None:
        began = self.now
        self.audio += mulaw
        self.words.append(Words(began, self.now))


async def _play(step: Step, take: _Take, say: Voice) -> None:
    match step:
        case Speak(text):
            take.speak(await say(text, None))
        case Sound(mulaw):
            take.speak(mulaw)
        case Keys(digits):
            for digit in digits:
                take.presses.append(Press(take.now, digit))
                take.be_silent(KEY_SECONDS)
        case Wait(seconds):
            take.be_silent(seconds)
        case Beep():
            take.audio += beep()
            take.beep_ends = take.now
        case HangUp() if take.hung_up is None:
            take.hung_up = take.now
