"""A stream takes as much memory as a chunk of it, however long it is."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.protocol.streamorder import StreamOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.streaming import stream_speech

MEGABYTE = 1 << 20
LENGTH = 60
REQUEST = SpeechRequest(
    model_id="async_flash_v1.0",
    transcript="",
    voice=VoiceSelector("e0f39dc4-f691-4e78-bba5-5c636692cc04"),
    output_format=OutputFormat(container="raw", encoding="pcm_s16le", sample_rate=8000),
)


class Service(NamedTuple):
    """One whose voices are known by their ids."""

    api: ApiClient
    settings: Settings = Settings()
    library: Any = None


class Silence(httpx.AsyncByteStream):
    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.megabytes * 16):
            yield bytes(MEGABYTE // 16)


def most_held(path: Path, megabytes: int) -> int:
    """Bytes that were allocated at most while so much was written to a file."""

    async def stream() -> None:
        answer = httpx.MockTransport(lambda _: httpx.Response(200, stream=Silence(megabytes)))
        api = ApiClient(Settings(api_key="sk_test"), transport=answer)
        order = StreamOrder(request=REQUEST, text="Hello.", transport="http")
        try:
            await stream_speech(Service(api), order, Destination(path=path))
        finally:
            await api.aclose()

    tracemalloc.start()
    try:
        asyncio.run(stream())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_stream_holds_no_more_than_a_short_one(tmp_path: Path) -> None:
    most_held(tmp_path / "first.raw", 1)  # which loads what is loaded once
    short, long = (most_held(tmp_path / f"{n}.raw", n) for n in (2, LENGTH))
    assert (tmp_path / f"{LENGTH}.raw").stat().st_size == LENGTH * MEGABYTE
    assert long < short + MEGABYTE
