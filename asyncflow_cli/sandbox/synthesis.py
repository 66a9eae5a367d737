"""The three operations that speak over HTTP: whole, with word times, and streamed.

https://docs.async.com/text-to-speech-18760785e0

Choices: what is refused is refused before the first byte of audio; a stream has no length, and is
cut if the voice fails in the middle of it; word times are whole milliseconds.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from asyncflow_cli.protocol.answers import Alignment, TimestampedSpeech
from asyncflow_cli.protocol.models import SpeechRequest
from asyncflow_cli.sandbox.answering import read_json
from asyncflow_cli.sandbox.engine import Samples, Spoken, Word, Words
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.refusal import Invalid
from asyncflow_cli.sandbox.speaker import Speaker, admit, check_language, check_model
from asyncflow_cli.sandbox.voices import LibraryVoice

CONTENT_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "raw": "application/octet-stream"}
"""Documented is `audio/mpeg` only; the others are choices that the vendor's own node accepts."""


class Synthesis:
    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._choices = speaker.choices

    async def whole(self, request: Request) -> Response:
        asked, voice = await self._asked(request, streamed=False)
        audio, _ = await self._file("text_to_speech", asked, voice)
        return Response(audio, media_type=CONTENT_TYPES[asked.output_format.container])

    async def with_timestamps(self, request: Request) -> Response:
        asked, voice = await self._asked(request, streamed=False)
        audio, words = await self._file("with_timestamps", asked, voice)
        return as_json(TimestampedSpeech(base64.b64encode(audio).decode(), _alignment(words)))

    async def streaming(self, request: Request) -> Response:
        asked, voice = await self._asked(request, streamed=True)
        pieces = self._pieces(asked, voice)
        first = await anext(pieces, b"")
        return StreamingResponse(_all(first, pieces), media_type="application/octet-stream")

    async def _asked(
        self, request: Request, *, streamed: bool
    ) -> tuple[SpeechRequest, LibraryVoice]:
        """What the request wants, and the voice that will speak it; or a refusal."""
        admit(request, request.headers.get("x-api-key"))
        asked = await read_json(request, SpeechRequest)
        models = self._choices.models if streamed else self._choices.whole_models
        check_model(asked.model_id, models, "body")
        _check_format(asked, streamed=streamed)
        if not asked.transcript.strip():
            raise Invalid("The transcript is empty", "body", "transcript")
        check_language(asked.language)
        return asked, self._speaker.library.find(asked.voice.id)

    async def _file(
        self, operation: str, asked: SpeechRequest, voice: LibraryVoice
    ) -> tuple[bytes, tuple[Word, ...]]:
        pcm, words = bytearray(), tuple[Word, ...]()
        async for piece in self._utter(asked, voice):
            match piece:
                case Samples():
                    pcm += piece.pcm
                case Words():
                    words = piece.words
        audio = await self._speaker.file(bytes(pcm), asked.output_format)
        self._speaker.remember(operation, voice, asked.transcript, asked.output_format, audio)
        return audio, words

    async def _pieces(self, asked: SpeechRequest, voice: LibraryVoice) -> AsyncGenerator[bytes]:
        encoder = self._speaker.encoder(asked.output_format)
        audio = bytearray()
        async with aclosing(self._utter(asked, voice)) as uttered:
            async for spoken in uttered:
                if isinstance(spoken, Samples) and (piece := encoder.feed(spoken.pcm)):
                    audio += piece
                    yield piece
        last = encoder.finish()
        audio += last
        # Remembered before it is all sent: whoever has heard the end may ask for it at once.
        self._speaker.remember(
            "streaming", voice, asked.transcript, asked.output_format, bytes(audio)
        )
        yield last

    def _utter(self, asked: SpeechRequest, voice: LibraryVoice) -> AsyncGenerator[Spoken]:
        return self._speaker.utter(
            asked.transcript,
            voice,
            model_id=asked.model_id,
            language=asked.language,
            speed_control=asked.speed_control,
        )


def _check_format(asked: SpeechRequest, *, streamed: bool) -> None:
    form = asked.output_format
    if streamed and form.container == "wav":
        raise Invalid("wav is not streamed", "body", "output_format", "container", kind="enum")
    if not streamed and form.encoding == "pcm_mulaw":
        raise Invalid(
            "pcm_mulaw is for streaming only", "body", "output_format", "encoding", kind="enum"
        )


async def _all(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            if piece:
                yield piece


def _alignment(words: tuple[Word, ...]) -> Alignment:
    return Alignment(
        words=[word.text for word in words],
        word_start_times_milliseconds=[round(1000 * word.start) for word in words],
        word_end_times_milliseconds=[round(1000 * word.end) for word in words],
    )
