"""A file's measurements against what was asked: each thing that is wrong, with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator

from asyncflow_cli.protocol.verify import words
from asyncflow_cli.protocol.verify.findings import Finding, Limits
from asyncflow_cli.protocol.verify.sound import PAUSE, Sound, Span
from asyncflow_cli.protocol.verify.source import Source
from asyncflow_cli.protocol.verify.words import Said

NOISE = 0.15
"""Likeness below which it is no speech; even a long S at 8 kHz is but a part of a sentence."""

LOUD_NOISE = (-8.0, 0.8)
"""The same for what is louder than speech can be whose peaks are not cut off: μ-law read as 16-bit
samples has -5 dBFS, and a likeness of 0.7."""

_ABRUPT = 10.0
"""dB by which the end of speech is softer than speech, if it was not cut."""


def judge(source: Source, sound: Sound | None, limits: Limits, said: Said) -> tuple[Finding, ...]:
    """All that is wrong with the file, the gravest first."""
    return (*source.findings, *_declared(source, limits), *_heard(source, sound, limits, said))


def _declared(source: Source, limits: Limits) -> Iterator[Finding]:
    names = (
        ("CONTAINER_MISMATCH", "container", limits.container, source.container),
        ("ENCODING_MISMATCH", "encoding", limits.encoding, source.encoding),
        ("SAMPLE_RATE_MISMATCH", "sample rate", limits.sample_rate, source.sample_rate),
    )
    for code, what, declared, found in names:
        if declared is not None and found not in (None, declared):
            yield Finding(code=code, message=f"The {what} is {found}, not {declared} as declared")


def _heard(source: Source, sound: Sound | None, limits: Limits, said: Said) -> Iterator[Finding]:
    seconds = sound.seconds if sound is not None else source.seconds
    if seconds is not None:
        yield from _duration(seconds, limits)
    if sound is None:
        return
    if sound.broken is not None:
        message = "Samples are no numbers"
        yield Finding(code="AUDIO_DAMAGED", message=message, start=round(sound.broken, 3))
    if not any(sound.loud):
        if said.text is not None and not said.count:
            return  # of breaks alone
        yield Finding(
            code="SILENT",
            message=f"Nothing is heard in {sound.seconds:.2f} s",
            start=0.0,
            end=round(sound.seconds, 3),
            value=round(sound.seconds, 3),
        )
        return
    yield from _silences(sound, max(limits.max_silence, 1.25 * said.pause + PAUSE))
    yield from _loudness(sound, limits)
    yield from _nature(sound)
    yield from words.judge(said, sound, limits)


def _duration(seconds: float, limits: Limits) -> Iterator[Finding]:
    for code, less, limit in (
        ("TOO_SHORT", "less", limits.min_duration),
        ("TOO_LONG", "more", limits.max_duration),
    ):
        if limit is not None and (seconds < limit if less == "less" else seconds > limit):
            message = f"It lasts {seconds:.2f} s, {less} than {limit:g} s"
            yield Finding(code=code, message=message, value=round(seconds, 3), limit=limit)


def _silences(sound: Sound, limit: float) -> Iterator[Finding]:
    for span in sound.silences:
        if span.seconds > limit:
            yield Finding(
                code="DEAD_AIR",
                message=f"{span.seconds:.2f} s of silence{_where(span, sound)}, "
                f"more than {limit:g} s",
                start=round(span.start, 3),
                end=round(span.end, 3),
                value=round(span.seconds, 3),
                limit=limit,
            )


def _where(span: Span, sound: Sound) -> str:
    if span.start == 0:
        return " at the beginning"
    return " at the end" if span.end >= sound.seconds else ""


def _loudness(sound: Sound, limits: Limits) -> Iterator[Finding]:
    if sound.clips:
        yield Finding(
            code="CLIPPED",
            message=f"The wave is cut off at full scale {len(sound.clips)} times, "
            f"{1000 * sound.clipped:.1f} ms in all",
            start=round(sound.clips[0].start, 3),
            end=round(sound.clips[-1].end, 3),
            value=round(1000 * sound.clipped, 3),
            limit=0,
        )
    for code, less, limit in (
        ("TOO_QUIET", True, limits.min_level),
        ("TOO_LOUD", False, limits.max_level),
    ):
        if limit is not None and (sound.level < limit if less else sound.level > limit):
            message = (
                f"The level is {sound.level:.1f} dBFS, {'below' if less else 'above'} {limit:g}"
            )
            yield Finding(code=code, message=message, value=round(sound.level, 1), limit=limit)


def _nature(sound: Sound) -> Iterator[Finding]:
    limit = LOUD_NOISE[1] if sound.level > LOUD_NOISE[0] else NOISE
    if math.isfinite(sound.likeness) and abs(sound.likeness) < limit:
        yield Finding(
            code="NOISE",
            message=f"Samples are as unlike their neighbours ({sound.likeness:.2f} of 1) as those "
            "read in another encoding",
            value=round(sound.likeness, 3),
            limit=limit,
        )
    if sound.seconds > 0.5 and sound.end_level > sound.level - _ABRUPT:
        yield Finding(
            code="ENDS_ABRUPTLY",
            message=f"It ends at {sound.end_level:.1f} dBFS, in the midst of sound: "
            "the end may be missing",
            start=round(sound.seconds, 3),
            value=round(sound.end_level, 1),
            limit=round(sound.level - _ABRUPT, 1),
            defect=False,
        )
