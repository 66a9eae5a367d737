"""Text to speech while both are made: text comes in, audio goes out, and the clock is watched."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from asyncflow_cli.errors import IncompleteError, NetworkError
from asyncflow_cli.protocol.audio import insist_on_whole_samples, seconds
from asyncflow_cli.protocol.gauge import Gauge
from asyncflow_cli.protocol.models import SpeechRequest, VoiceSelector, known_id
from asyncflow_cli.protocol.speechmessages import Initialize, RanDry
from asyncflow_cli.protocol.streamorder import StreamOrder
from asyncflow_cli.protocol.transcript import no_text, stream_pieces
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.sinks import open_sink
from asyncflow_cli.transport.stdin import raw_stdin, read_text

if TYPE_CHECKING:
    from asyncflow_cli.protocol.reports import StreamReport
    from asyncflow_cli.protocol.verify.verdict import FileVerdict
    from asyncflow_cli.transport.api import ApiClient
    from asyncflow_cli.transport.library import VoiceLibrary


class Service(Protocol):
    """Who speaks. What is behind a name is made, and loaded, when it is first asked for: a voice
    that is known by its id, over the WebSocket, takes neither an API client nor a library."""

    @property
    def settings(self) -> Settings: ...

    @property
    def api(self) -> ApiClient: ...

    @property
    def library(self) -> VoiceLibrary: ...


def texts_of(text: str | None, flush_after: float | None) -> AsyncGenerator[str, None]:
    """A text that is there in pieces, the first one small; None is stdin, a sentence at a time."""
    if text is None:
        return batches(read_text(raw_stdin()), flush_after)
    return _each(stream_pieces(text))


async def _each(pieces: list[str]) -> AsyncGenerator[str, None]:
    for piece in pieces:
        yield piece


async def batches(
    texts: AsyncIterator[str], flush_after: float | None = None
) -> AsyncGenerator[str, None]:
    """Text as it comes, a sentence at a time, and never half a word.

    A writer that pauses for `flush_after` seconds has what it wrote so far spoken.
    """
    from asyncflow_cli.protocol.splitting import SentenceSplitter

    splitter = SentenceSplitter()
    coming = asyncio.ensure_future(anext(texts, None))
    patience = flush_after
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=patience)
            if not done:
                pieces, patience = [splitter.release()], None
            elif (chunk := coming.result()) is None:
                break
            else:
                pieces, patience = splitter.feed(chunk), flush_after
                coming = asyncio.ensure_future(anext(texts, None))
            for piece in pieces:
                if piece.strip():
                    yield piece
    finally:
        coming.cancel()
    if (rest := splitter.flush()).strip():
        yield rest


def stream_speech(
    service: Service, order: StreamOrder, destination: Destination
) -> Coroutine[Any, Any, StreamReport]:
    """Speak a text while it comes. UsageError, and nothing asked, if there is none.

    With `verify` GateError for a defect: then a file is not put in place. What has been played, or
    was written to a pipe, cannot be taken back.
    """
    if order.transport == "ws":
        # Before the loop runs, where the collector of cycles would look through it for 2 ms.
        import asyncflow_cli.transport.speech  # noqa: F401
    return _streamed(service, order, destination)


async def _streamed(service: Service, order: StreamOrder, destination: Destination) -> StreamReport:
    sink, sent = open_sink(order.request.output_format, destination)
    async with aclosing(texts_of(order.text, order.flush_after)) as texts:
        first = await anext(texts, None)
        if first is None:
            raise no_text()
        request = await _with_id(service, order.request)
        request = msgspec.structs.replace(request, output_format=sent)
        gauge, text = Gauge(time.monotonic()), _Counted(first, texts)
        if order.transport == "ws":
            spoken = _over_websocket(service.settings, request, text, gauge)
        else:
            spoken = _over_http(service.api, request, text)
        heard = bytearray() if order.verify else None
        async with sink as write, aclosing(spoken):
            n_bytes = await _deliver(spoken, write, gauge, heard)
            # Before the sink is left, which makes the file good, or waits for a player.
            length = _duration(n_bytes, request)
            arrival = gauge.arrival(time.monotonic(), length)
            verification = (
                None if heard is None else _verified(destination.name, bytes(heard), request, text)
            )
    from asyncflow_cli.protocol.reports import StreamReport

    report = StreamReport(
        output=destination.name,
        transport=order.transport,
        container=sent.container,
        encoding=sent.encoding,
        sample_rate=sent.sample_rate,
        bytes=n_bytes,
        seconds=round(length, 3),
        characters=text.characters,
        voice_id=request.voice.id,
        model_id=request.model_id,
        **msgspec.structs.asdict(arrival),
    )
    order.gates.check(arrival, report)
    return msgspec.structs.replace(report, verification=verification)


async def _with_id(service: Service, request: SpeechRequest) -> SpeechRequest:
    voice_id = known_id(request.voice.id, service.settings.aliases)
    if voice_id is None:
        return await service.library.with_id(request)
    return msgspec.structs.replace(request, voice=VoiceSelector(voice_id))


async def _deliver(
    spoken: AsyncIterator[bytes],
    write: Callable[[bytes], Awaitable[None]],
    gauge: Gauge,
    heard: bytearray | None,
) -> int:
    """Write the audio as it comes, keep it in `heard`, and count its bytes. IncompleteError if
    there are none."""
    n_bytes = 0
    async for audio in spoken:
        gauge.chunk(time.monotonic())
        n_bytes += len(audio)
        if heard is not None:
            heard += audio
        await write(audio)
    if not n_bytes:
        raise IncompleteError("The service sent no audio", code="AUDIO_EMPTY")
    return n_bytes


def _verified(
    output: str | None, audio: bytes, request: SpeechRequest, text: _Counted
) -> FileVerdict:
    from asyncflow_cli.transport.verifying import insist_on_sound

    said = msgspec.structs.replace(request, transcript="".join(text.spoken))
    return insist_on_sound(output, audio, said)


class _Counted:
    """The texts, the first of which was taken already, and what they were."""

    def __init__(self, first: str, rest: AsyncIterator[str]) -> None:
        self._first = first
        self._rest = rest
        self.spoken: list[str] = []

    @property
    def characters(self) -> int:
        return sum(map(len, self.spoken))

    async def __aiter__(self) -> AsyncIterator[str]:
        self.spoken.append(self._first)
        yield self._first
        async for text in self._rest:
            self.spoken.append(text)
            yield text


async def _over_websocket(
    settings: Settings, request: SpeechRequest, texts: _Counted, gauge: Gauge
) -> AsyncGenerator[bytes, None]:
    from asyncflow_cli.transport.speech import SpeechSession

    async with SpeechSession(settings, Initialize.for_request(request)) as session:
        gauge.connected(time.monotonic())
        heard = False
        try:
            # Closed before the session is, so that no text is sent into its end.
            async with aclosing(session.speak(aiter(texts))) as events:
                async for event in events:
                    if isinstance(event, RanDry):
                        raise IncompleteError(
                            "The service went silent without saying that it was done",
                            code="NO_FINAL",
                        )
                    if event.audio:
                        heard = True
                        yield base64.b64decode(event.audio)
        except NetworkError as error:
            if not heard:
                raise
            raise IncompleteError(error.message, code="BODY_CUT") from error


async def _over_http(
    api: ApiClient, request: SpeechRequest, texts: _Counted
) -> AsyncGenerator[bytes, None]:
    """A request for each piece: HTTP has no way to add to a text."""
    async for text in texts:
        async with api.stream(msgspec.structs.replace(request, transcript=text)) as chunks:
            async for chunk in chunks:
                yield chunk


def _duration(n_bytes: int, request: SpeechRequest) -> float:
    form = request.output_format
    if form.container == "mp3":
        return n_bytes * 8 / (form.bit_rate or 192_000)
    encoding = form.encoding or "pcm_s16le"
    insist_on_whole_samples(n_bytes, encoding)
    return seconds(n_bytes, encoding, form.sample_rate)
