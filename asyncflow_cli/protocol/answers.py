"""What the speech operations answer in JSON: audio with its words' times, and text.

https://docs.async.com/text-to-speech-with-word-timestamps-18761064e0
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from asyncflow_cli.protocol.models import LANGUAGES, Model, unheard_of

TRANSCRIPTION_PATH = "/speech_to_text"

TRANSCRIPTION_MODEL = "async_asr_v1.0"
"""The one model that listens, as of July 2026."""


class Alignment(msgspec.Struct, frozen=True):
    """Three parallel arrays. The times may have fractions, and an end may be the next start."""

    words: list[str]
    word_start_times_milliseconds: list[float]
    word_end_times_milliseconds: list[float]


class TimestampedSpeech(msgspec.Struct, frozen=True):
    audio_base64: str
    """In the output format asked for."""
    alignment: Alignment


class TranscriptionRequest(Model, frozen=True):
    """The text fields of the form that `/speech_to_text` takes."""

    model_id: str = TRANSCRIPTION_MODEL
    language: str | None = None

    def doubts(self) -> Iterator[str]:
        """What the service may not do as asked, by all we know; it is asked all the same."""
        yield from unheard_of("Model", self.model_id, {TRANSCRIPTION_MODEL})
        yield from unheard_of("Language", self.language, LANGUAGES)


class Transcription(msgspec.Struct, frozen=True):
    text: str
