"""A whole file takes as much memory as a block of it, however long it is."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from asyncflow_cli.output import Output
from asyncflow_cli.protocol import mp3
from asyncflow_cli.protocol.audio import wav_header
from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.protocol.transcript import pieces
from asyncflow_cli.sandbox.encode import encode_whole
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.spool import SHORT
from asyncflow_cli.transport.synthesis import synthesize

MEGABYTE = 1 << 20
VOICE = VoiceSelector("e0f39dc4-f691-4e78-bba5-5c636692cc04")
RAW = OutputFormat(container="raw", encoding="pcm_s16le", sample_rate=8000)
WAV = OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=8000)
MP3 = OutputFormat(container="mp3", sample_rate=44_100, bit_rate=320_000)

SECOND = encode_whole(bytes(44_100), MP3)
FRAMES = b"".join(mp3.parse(SECOND).frames)
HEADS = {"raw": b"", "wav": wav_header("pcm_s16le", 8000, None), "mp3": b""}
BLOCKS = {"raw": bytes(MEGABYTE // 16), "wav": bytes(MEGABYTE // 16), "mp3": FRAMES}

LONG_TEXT = " ".join(
    f"This is sentence number {n} of a text that takes a while." for n in range(240)
)
PIECES = pieces(LONG_TEXT)


class Answer(httpx.AsyncByteStream):
    """A head and so many megabytes of a block, after a wait."""

    def __init__(
        self, block: bytes, megabytes: int, *, head: bytes = b"", begin: asyncio.Event | None = None
    ) -> None:
        self._head, self._block = head, block
        self._times = megabytes * MEGABYTE // len(block)
        self._begin = begin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._begin is not None:
            await self._begin.wait()
        yield self._head
        for _ in range(self._times):
            yield self._block


Serve = Callable[[httpx.Request], httpx.Response]


def most_held(serve: Serve, form: OutputFormat, destination: Destination, text: str) -> int:
    """Bytes that were allocated at most on the way of an answer to where it belongs."""
    request = SpeechRequest(
        model_id="async_flash_v1.0", transcript=text, voice=VOICE, output_format=form
    )

    async def speak() -> None:
        api = ApiClient(Settings(api_key="sk_test"), transport=httpx.MockTransport(serve))
        try:
            await synthesize(api, request, destination, Output(stderr=io.StringIO()), jobs=4)
        finally:
            await api.aclose()

    tracemalloc.start()
    try:
        asyncio.run(speak())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def whole(form: OutputFormat, megabytes: int) -> Serve:
    block, head = BLOCKS[form.container], HEADS[form.container]
    return lambda _: httpx.Response(200, stream=Answer(block, megabytes, head=head))


@pytest.mark.parametrize("form", [RAW, WAV, MP3], ids=lambda form: form.container)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
def test_a_long_answer_holds_no_more_than_a_short_one(
    tmp_path: Path, form: OutputFormat, piped: bool
) -> None:
    def held(name: str, megabytes: int) -> int:
        if not piped:
            path = tmp_path / name
            return most_held(whole(form, megabytes), form, Destination(path=path), "Hello.")
        with (tmp_path / name).open("wb") as stream:
            return most_held(whole(form, megabytes), form, Destination(stream=stream), "Hello.")

    held("first", 1)  # which loads what is loaded once
    short, long = held("short", 3), held("long", 24)
    assert (tmp_path / "long").stat().st_size > 23 * MEGABYTE
    assert long < short + MEGABYTE


def test_pieces_of_a_long_text_wait_on_disk_for_one_that_is_late(tmp_path: Path) -> None:
    """The first comes when seven others are there, all that may wait. Each is of its number."""

    def held(name: str, megabytes: int) -> int:
        asked, late = [], asyncio.Event()

        def serve(request: httpx.Request) -> httpx.Response:
            asked.append(msgspec.json.decode(request.content)["transcript"])
            number = PIECES.index(asked[-1])
            if len(asked) == 8:
                late.set()
            block = bytes([number]) * len(BLOCKS["raw"])
            begin = None if number else late
            return httpx.Response(200, stream=Answer(block, megabytes, begin=begin))

        return most_held(serve, RAW, Destination(path=tmp_path / name), LONG_TEXT)

    short, long = held("short", 2), held("long", 4)
    assert long < short + MEGABYTE
    made = (tmp_path / "long").read_bytes()
    assert made[:: 4 * MEGABYTE] == bytes(range(len(PIECES)))
    assert len(made) == 4 * MEGABYTE * len(PIECES)
    assert {path.name for path in tmp_path.iterdir()} == {"short", "long"}


def test_a_text_of_many_pieces_holds_no_more_than_one_of_few(tmp_path: Path) -> None:
    def held(text: str) -> int:
        return most_held(whole(RAW, 2), RAW, Destination(path=tmp_path / "out"), text)

    long_text = " ".join([LONG_TEXT] * 6)
    few, many = held(LONG_TEXT), held(long_text)
    assert (tmp_path / "out").stat().st_size == 2 * MEGABYTE * len(pieces(long_text))
    assert many < few + MEGABYTE


def test_what_is_short_needs_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with (tmp_path / "out").open("wb") as stream:
        most_held(whole(RAW, SHORT // MEGABYTE), RAW, Destination(stream=stream), "Hello.")
    assert (tmp_path / "out").stat().st_size == SHORT
