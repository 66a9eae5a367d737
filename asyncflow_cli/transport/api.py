"""The Async Voice API over HTTP: what can be asked, and what comes of it.

https://docs.async.com/get-started-990331m0
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

import msgspec

from asyncflow_cli.errors import ServiceError
from asyncflow_cli.protocol.answers import (
    TRANSCRIPTION_PATH,
    TimestampedSpeech,
    Transcription,
    TranscriptionRequest,
)
from asyncflow_cli.protocol.models import (
    SPEECH_PATH,
    STREAMED_PATH,
    TIMED_PATH,
    ServiceStatus,
    SpeechRequest,
)
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.answers import decode, decode_result

if TYPE_CHECKING:
    import httpx

    from asyncflow_cli.protocol.reports import StatusReport
    from asyncflow_cli.transport.exchange import Content, Exchange


class ApiClient:
    """One service, one key. Close it in the loop that used it.

    Nothing is opened, nor httpx loaded, before something is asked: a stream over a WebSocket
    needs neither. `transport` is the seam for tests and recordings; `sleep` that for waiting.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._sleep = sleep

    @cached_property
    def _exchange(self) -> Exchange:
        from asyncflow_cli.transport.exchange import Exchange

        return Exchange(self._settings, transport=self._transport, sleep=self._sleep)

    @property
    def aliases(self) -> Mapping[str, str]:
        """The user's own names for voices."""
        return self._settings.aliases

    @property
    def base_url(self) -> str:
        """The address of those configured that is asked now."""
        return self._exchange.base_url

    async def aclose(self) -> None:
        if "_exchange" in self.__dict__:
            await self._exchange.aclose()

    async def status(self, *, retry: bool = True) -> StatusReport:
        """`GET /`: is the service up, which version, how fast. It needs no key.

        ServiceError if it says that it is not up.
        """
        from asyncflow_cli.protocol.reports import StatusReport

        began = time.perf_counter()
        response = await self.send("GET", "/", retry=retry)
        latency = time.perf_counter() - began
        status = decode(response.content, ServiceStatus)
        if not status.up:
            word = status.status or "down"
            raise ServiceError(f"The service is not up: {word}", code="SERVICE_DOWN")
        return StatusReport(
            status="up",
            version=status.version,
            base_url=self.base_url,
            latency_ms=round(latency * 1000, 1),
        )

    async def synthesize(self, request: SpeechRequest) -> bytes:
        """`POST /text_to_speech`: the whole audio in the format asked for."""
        audio = bytearray()
        await self.synthesize_into(audio.extend, request)
        return bytes(audio)

    async def synthesize_into(
        self, write: Callable[[bytes], object], request: SpeechRequest
    ) -> None:
        """The same for audio that may be long: written as it comes, and worth nothing if this
        fails."""
        from asyncflow_cli.protocol.failures import LONGEST, disguised

        start = b""
        async with self._begun(SPEECH_PATH, request) as (response, chunks):
            async for chunk in chunks:
                write(chunk)
                start += chunk[: LONGEST - len(start)]
        error = disguised(response.headers.get("content-type", ""), start)
        if error:
            raise error

    async def synthesize_with_timestamps(self, request: SpeechRequest) -> TimestampedSpeech:
        """`POST /text_to_speech/with_timestamps`: the audio, and when its words are heard."""
        response = await self.send("POST", TIMED_PATH, json=request)
        return decode_result(response.content, TimestampedSpeech)

    async def transcribe(
        self, name: str, content: bytes, request: TranscriptionRequest
    ) -> Transcription:
        """`POST /speech_to_text`: what is said in a recording."""
        fields: dict[str, str] = msgspec.to_builtins(request)
        files = {"file": (name, content)}
        response = await self.send("POST", TRANSCRIPTION_PATH, data=fields, files=files)
        return decode_result(response.content, Transcription)

    @contextlib.asynccontextmanager
    async def stream(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[bytes]]:
        """`POST /text_to_speech/streaming`: the audio as it is made.

        LimitError where the in-band quota marker stands, IncompleteError if the body breaks off.
        """
        async with self._begun(STREAMED_PATH, request) as (_, chunks):
            yield chunks

    @contextlib.asynccontextmanager
    async def _begun(
        self, path: str, request: SpeechRequest
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """A success, and the audio that is still to come of it."""
        from asyncflow_cli.transport.exchange import audio_of

        response = await self._exchange.begin(
            lambda: self._exchange.build("POST", path, json=request)
        )
        try:
            yield response, audio_of(response)
        finally:
            await response.aclose()

    async def send(
        self, method: str, path: str, *, retry: bool = True, **content: Unpack[Content]
    ) -> httpx.Response:
        """The answer, once it is a success."""
        return await self._exchange.send(method, path, retry=retry, **content)

    async def fetch(self, url: str) -> httpx.Response:
        """What lies at somebody else's address. Neither our key nor a header of ours goes there."""
        return await self._exchange.fetch(url)
