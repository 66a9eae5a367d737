"""Answering-machine detection: what was ordered, and what it finds in a callee.

https://www.twilio.com/docs/voice/answering-machine-detection

The verdict is in the callee's script; when it comes follows from what they say. Choices where
Twilio does not tell: a human is known when their first words have ended, a machine four seconds
after it began to speak, a fax after two seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.script import Nature

NO_CALLBACK, BAD_TUNING = "21262", "21263"
"""https://www.twilio.com/docs/api/errors/21262, /21263"""

MACHINE_SECONDS, FAX_SECONDS = 4.0, 2.0

Mode = Literal["Enable", "DetectMessageEnd"]

_TUNING: dict[str, tuple[range, int, float]] = {
    "MachineDetectionTimeout": (range(3, 60), 1, 30.0),
    "MachineDetectionSpeechThreshold": (range(1000, 6001), 1000, MACHINE_SECONDS),
    "MachineDetectionSpeechEndThreshold": (range(500, 5001), 1000, 1.2),
    "MachineDetectionSilenceTimeout": (range(2000, 10001), 1000, 5.0),
}
"""The values allowed, how many of them make a second, and the default in seconds."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An order to find out who answered. Times are seconds."""

    mode: Mode
    asynchronous: bool = False
    callback: str | None = None
    method: str = "POST"
    tuning: dict[str, float] = field(default_factory=dict)
    warnings: tuple[tuple[str, str], ...] = ()
    """Codes and texts, to be logged once there is a call."""

    def seconds(self, name: str) -> float:
        return self.tuning.get(name, _TUNING[name][2])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answered, and how many seconds on the line it took to know."""

    answered_by: str
    after: float


def read_detection(form: Form) -> Detection | None:
    """What the form orders; ApiError 21234 if that is no mode."""
    mode = form.get("MachineDetection")
    if not mode:
        return None
    if mode not in ("Enable", "DetectMessageEnd"):
        text = f"MachineDetection must be Enable or DetectMessageEnd, not {mode}"
        raise ApiError(400, 21234, text)
    if form.get("SendDigits"):
        return None
    asynchronous, callback = form.flag("AsyncAmd"), form.url("AsyncAmdStatusCallback")
    tuning, warnings = _read_tuning(form)
    if asynchronous and callback is None:
        warnings.append((NO_CALLBACK, "AsyncAmd without an AsyncAmdStatusCallback tells nobody"))
    return Detection(
        mode="Enable" if mode == "Enable" else "DetectMessageEnd",
        asynchronous=asynchronous,
        callback=callback,
        method=form.method("AsyncAmdStatusCallbackMethod"),
        tuning=tuning,
        warnings=tuple(warnings),
    )


def _read_tuning(form: Form) -> tuple[dict[str, float], list[tuple[str, str]]]:
    tuning, warnings = dict[str, float](), []
    for name, (allowed, scale, _) in _TUNING.items():
        written = form.get(name)
        if written.isascii() and written.isdigit() and int(written) in allowed:
            tuning[name] = int(written) / scale
        elif written:
            bounds = f"{allowed.start} to {allowed.stop - 1}"
            text = f"{name} must be {bounds}, not {written}; the default is used"
            warnings.append((BAD_TUNING, text))
    return tuning, warnings


def verdict(detection: Detection, callee: Callee) -> Verdict:
    """What is found out about `callee`, and when; unknown if that takes too long."""
    found = _FINDINGS[callee.nature](detection, callee)
    timeout = detection.seconds("MachineDetectionTimeout")
    return found if found.after <= timeout else Verdict("unknown", timeout)


def _human(detection: Detection, callee: Callee) -> Verdict:
    pause = detection.seconds("MachineDetectionSpeechEndThreshold")
    ends = [
        before.ends
        for before, after in pairwise(callee.words)
        if after.begins - before.ends >= pause
    ]
    last = callee.words[-1].ends if callee.words else 0.0
    return Verdict("human", (ends[0] if ends else last) + pause)


def _machine(detection: Detection, callee: Callee) -> Verdict:
    threshold = detection.seconds("MachineDetectionSpeechThreshold")
    begins = callee.words[0].begins if callee.words else 0.0
    if detection.mode == "Enable":
        return Verdict("machine_start", begins + threshold)
    if callee.beep_ends is not None:
        return Verdict("machine_end_beep", callee.beep_ends)
    if callee.words:
        pause = detection.seconds("MachineDetectionSpeechEndThreshold")
        return Verdict("machine_end_silence", callee.words[-1].ends + pause)
    return Verdict("machine_end_other", threshold)


_FINDINGS: dict[Nature, Callable[[Detection, Callee], Verdict]] = {
    "human": _human,
    "machine": _machine,
    "fax": lambda *_: Verdict("fax", FAX_SECONDS),
    "unknown": lambda detection, _: Verdict(
        "unknown", detection.seconds("MachineDetectionSilenceTimeout")
    ),
}
