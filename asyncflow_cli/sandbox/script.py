"""A callee's script: the text in which somebody writes what a person at the phone does.

Steps are separated by `;` and happen in order, on the line's time:

    answer after 1.5s · busy · no answer · decline · failed · failed 404
    say "Hello?" · say clip.wav · press 12# · wait 2s · beep
    hang up · hang up after 20s · when cleared hang up
    human · machine · fax · unknown

Knows the grammar only: no clip is read here, and nothing is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from asyncflow_cli.errors import UsageError
from asyncflow_cli.settings import duration

Outcome = Literal["answer", "busy", "failed", "no-answer"]
Nature = Literal["human", "machine", "fax", "unknown"]

RING_SECONDS = 1.0

GRAMMAR = (
    "answer after 1.5s; busy; no answer; decline; failed 404; human; machine; fax; "
    'say "Hello?"; say clip.wav; press 12#; wait 2s; beep; hang up; hang up after 20s; '
    "when cleared hang up"
)


@dataclass(frozen=True, slots=True)
class Speak:
    """Words for the sandbox's own voice."""

    text: str


@dataclass(frozen=True, slots=True)
class Clip:
    """The path of an audio file."""

    path: str


@dataclass(frozen=True, slots=True)
class Sound:
    """μ-law, 8 kHz: a clip that has been read."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    digits: str


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone after which an answering machine records."""


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Step: TypeAlias = Speak | Clip | Sound | Keys | Wait | Beep | HangUp


@dataclass(frozen=True, slots=True)
class Script:
    """What a callee does, before it is known how long their words take."""

    outcome: Outcome = "answer"
    ring_seconds: float = RING_SECONDS
    sip_code: int = 200
    steps: tuple[Step, ...] = ()
    hangup_after: float | None = None
    """Seconds on the line, whatever else they are doing then."""
    hangs_up_when_cleared: bool = False
    nature: Nature = "human"
    text: str = ""
    """As it was written."""


def parse(text: str) -> Script:
    """The script that `text` writes; UsageError that names the step which is none."""
    script = Script(text=text.strip())
    for written in _steps(text):
        script = _read(script, written)
    if script.outcome != "answer" and script.steps:
        raise UsageError(
            f"Whoever does not answer does nothing: {text}", hint="Write busy, or steps"
        )
    return script


def _steps(text: str) -> Iterator[str]:
    """What stands between the semicolons; those in quotes are part of what is said."""
    for written in re.findall(r'(?:"[^"]*"|[^;"]|")+', text):
        if written.strip():
            yield written.strip()


def _read(script: Script, written: str) -> Script:
    for pattern, change in _GRAMMAR:
        if found := pattern.fullmatch(written):
            return replace(script, **change(script, found))
    raise UsageError(f"No step of a callee's script: {written}", hint=_instead(written))


def _instead(written: str) -> str:
    """`press 5 after 2s` leaves open after what; a wait does not."""
    timed = re.fullmatch(r"(.*\S) +after +(\S+)", written, re.IGNORECASE)
    if timed and any(pattern.fullmatch(timed[1]) for pattern, _ in _GRAMMAR):
        return f"Write: wait {timed[2]}; {timed[1]}"
    return f"There are: {GRAMMAR}"


Change: TypeAlias = Callable[[Script, re.Match[str]], dict[str, Any]]


def _answer(_script: Script, found: re.Match[str]) -> dict[str, Any]:
    return {"ring_seconds": _after(found, RING_SECONDS)}


def _refuse(_script: Script, found: re.Match[str]) -> dict[str, Any]:
    outcome, sip_code, ring = _REFUSALS[" ".join(found["how"].lower().split())]
    code = found["code"]
    return {
        "outcome": outcome,
        "sip_code": int(code) if code else sip_code,
        "ring_seconds": _after(found, ring),
    }


def _hang_up_after(_script: Script, found: re.Match[str]) -> dict[str, Any]:
    return {"hangup_after": duration(found["after"])}


def _after(found: re.Match[str], default: float) -> float:
    return duration(found["after"]) if found["after"] else default


def _step(make: Callable[[re.Match[str]], Step]) -> Change:
    return lambda script, found: {"steps": (*script.steps, make(found))}


_REFUSALS: dict[str, tuple[Outcome, int, float]] = {
    "busy": ("busy", 486, RING_SECONDS),
    "no answer": ("no-answer", 480, RING_SECONDS),
    "decline": ("failed", 603, RING_SECONDS),
    "failed": ("failed", 503, 0.2),
}
"""How the call ends, with which SIP code, and after how many seconds of ringing."""

_GRAMMAR: tuple[tuple[re.Pattern[str], Change], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), change)
    for pattern, change in (
        (r"answer(?: +after +(?P<after>\S+))?", _answer),
        (
            r"(?P<how>busy|no +answer|decline|failed)(?: +(?P<code>[3-6]\d\d))?"
            r"(?: +after +(?P<after>\S+))?",
            _refuse,
        ),
        (r'say +"(?P<text>[^"]+)"', _step(lambda found: Speak(found["text"]))),
        (r'say +(?P<path>[^"]+)', _step(lambda found: Clip(found["path"].strip()))),
        (r"press +(?P<digits>[0-9A-D*#]+)", _step(lambda found: Keys(found["digits"].upper()))),
        (r"wait +(?P<after>\S+)", _step(lambda found: Wait(duration(found["after"])))),
        (r"beep", _step(lambda _: Beep())),
        (r"hang +up +after +(?P<after>\S+)", _hang_up_after),
        (r"hang +up", _step(lambda _: HangUp())),
        (r"when +cleared +hang +up", lambda *_: {"hangs_up_when_cleared": True}),
        (
            r"(?P<nature>human|machine|fax|unknown)",
            lambda _, found: {"nature": found["nature"].lower()},
        ),
    )
)
