"""What the speech operations answer in JSON: audio with its words' times, and text.

https://docs.async.com/text-to-speech-with-word-timestamps-18761064e0
"""

from __future__ import annotations

import msgspec


class Alignment(msgspec.Struct, frozen=True):
    """Three parallel arrays. The times may have fractions, and an end may be the next start."""

    words: list[str]
    word_start_times_milliseconds: list[float]
    word_end_times_milliseconds: list[float]


class TimestampedSpeech(msgspec.Struct, frozen=True):
    audio_base64: str
    """In the output format asked for."""
    alignment: Alignment


class Transcription(msgspec.Struct, frozen=True):
    text: str
