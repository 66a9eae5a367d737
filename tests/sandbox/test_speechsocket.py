"""The sandbox's speech WebSocket, spoken to in raw frames, as the clients of others do."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from asyncflow_cli.sandbox.engine import Engine
from asyncflow_cli.sandbox.serving import Server
from asyncflow_cli.sandbox.speaker import API_KEY, Speaker
from asyncflow_cli.sandbox.speechapi import routes
from asyncflow_cli.sandbox.store import Store
from tests.clock import pass_time
from tests.conftest import ServedSandbox
from tests.sandbox.far_ends import run

VOICE = "e0f39dc4-f691-4e78-bba5-5c636692cc04"
PATH = "/text_to_speech/websocket/ws"
INIT = {
    "model_id": "async_flash_v1.5",
    "voice": {"mode": "id", "id": VOICE},
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
}
EIGHTY = "This sentence has no end and is quite long enough to be spoken without being forced, "

Frames = list[dict[str, Any]]


class Client:
    """Somebody else's client: it sends JSON and keeps what comes."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, *frames: Any) -> None:
        for frame in frames:
            raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
            self._connection.send(raw)

    def receive(self) -> dict[str, Any]:
        text = self._connection.recv(timeout=10)
        assert isinstance(text, str)
        frame: dict[str, Any] = json.loads(text)
        return frame

    def until_final(self, context: str) -> Frames:
        frames = [self.receive()]
        while not (frames[-1]["final"] and frames[-1]["context_id"] == context):
            frames.append(self.receive())
        return frames

    def rest(self) -> tuple[Frames, int | None]:
        """All that still comes, and the code of the close."""
        frames: Frames = []
        with contextlib.suppress(ConnectionClosed):
            frames.extend(json.loads(text) for text in self._connection)
        return frames, self._connection.close_code


def audio_of(frames: Frames, context: str) -> bytes:
    pieces = (frame["audio"] for frame in frames if frame["context_id"] == context)
    return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)


def said(frames: Frames) -> list[str]:
    """Which contexts spoke, in order, each as often as it began anew."""
    names = [frame["context_id"] for frame in frames if not frame["final"]]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


Dial = Callable[..., Client]


@pytest.fixture
def dial(fast: ServedSandbox) -> Iterator[Dial]:
    with contextlib.ExitStack() as stack:

        def dial(
            *frames: Any, query: str = f"?api_key={API_KEY}&version=v1", **headers: str
        ) -> Client:
            url = fast.sandbox.url.replace("http", "ws") + PATH + query
            named = {name.replace("_dash_", "-"): value for name, value in headers.items()}
            made = connect(url, additional_headers=named, compression=None, proxy=None)
            client = Client(stack.enter_context(made))
            with contextlib.suppress(ConnectionClosed):
                client.send(*frames)
            return client

        yield dial


def text(transcript: str, context: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if context is None else {"context_id": context}
    return {"transcript": transcript, **named, **more}


def close(context: str) -> dict[str, Any]:
    return {"context_id": context, "close_context": True, "transcript": ""}


TERMINATE = {"terminate": True}


def test_the_documented_conversation(dial: Dial, fast: ServedSandbox) -> None:
    client = dial(INIT, text("Hello there. ", "c1", force=True), close("c1"))
    frames = client.until_final("c1")
    assert frames[-1] == {"context_id": "c1", "audio": "", "final": True}
    assert {tuple(sorted(frame)) for frame in frames} == {("audio", "context_id", "final")}
    assert [frame["final"] for frame in frames[:-1]] == [False] * (len(frames) - 1)
    speech = fast.sandbox.store.speeches()[-1]
    assert audio_of(frames, "c1") == speech.audio
    assert (speech.operation, speech.transcript) == ("websocket", "Hello there. ")
    client.send(TERMINATE)
    assert client.rest() == ([], 1000)


@pytest.mark.parametrize(
    ("query", "headers", "admitted"),
    [
        (f"?api_key={API_KEY}", {}, True),
        (f"?api_key={API_KEY}&version=v1", {"version": "v1"}, True),
        ("", {"api_key": API_KEY}, True),
        ("", {"x_dash_api_dash_key": API_KEY, "api_dash_version": "v1"}, True),
        ("", {}, False),
        ("?api_key=", {}, False),
        ("?api_key=sk_wrong_and_long", {}, False),
        ("?api_key=sk_wrong_and_long", {"api_key": API_KEY}, False),
    ],
)
def test_the_key_may_come_in_several_places(
    dial: Dial, query: str, headers: dict[str, str], admitted: bool
) -> None:
    frames, code = dial(INIT, TERMINATE, query=query, **headers).rest()
    if admitted:
        assert (frames, code) == ([], 1000)
        return
    (fault,) = frames
    assert (fault["error_code"], code) == ("INVALID_API_KEY", 1008)
    assert sorted(fault) == ["error_code", "extra", "message", "request_id"]
    assert fault["extra"]["api_key"] in ("", "sk_wr...")


@pytest.mark.parametrize(
    ("query", "headers"),
    [("&version=v2", {}), ("", {"version": "v2"}), ("", {"api_dash_version": "v2"})],
)
def test_there_is_one_version(dial: Dial, query: str, headers: dict[str, str]) -> None:
    frames, code = dial(INIT, query=f"?api_key={API_KEY}{query}", **headers).rest()
    assert ([frame["error_code"] for frame in frames], code) == (["VERSION_NOT_FOUND"], 1008)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"voice": {"mode": "id", "id": "nobody"}}, "VOICE_NOT_FOUND"),
        ({"language": "xx"}, "INVALID_LANGUAGE"),
        ({"model_id": "gpt"}, "SANDBOX_VALIDATION_ERROR"),
        ({"output_format": {"container": "wav", "sample_rate": 8000}}, "SANDBOX_VALIDATION_ERROR"),
        ({"output_format": {"container": "raw", "sample_rate": 1}}, "SANDBOX_PROTOCOL_ERROR"),
        ({"voice": {"mode": "id"}}, "SANDBOX_PROTOCOL_ERROR"),
        ({"voice": None}, "SANDBOX_PROTOCOL_ERROR"),
    ],
)
def test_an_init_that_cannot_be_served_ends_the_connection(
    dial: Dial, changes: Any, code: str
) -> None:
    frames, close_code = dial({**INIT, **changes}).rest()
    assert ([frame["error_code"] for frame in frames], close_code) == ([code], 1008)
    assert frames[0]["message"]


@pytest.mark.parametrize(
    "frames",
    [
        [text("Hello ")],
        [text("Hello ", "c1", force=True)],
        [close("c1")],
        [TERMINATE],
        [{"text": ""}],
        [INIT, INIT],
        [INIT, {"hello": 1}],
        [INIT, {}],
        [INIT, "{"],
        [INIT, "[]"],
        [INIT, b"{}"],
        [INIT, text(5)],  # type: ignore[arg-type]
        [INIT, text("a ", 5)],  # type: ignore[arg-type]
        [INIT, text("a ", "c1", force="yes")],
        [INIT, {"close_context": True, "transcript": ""}],
    ],
)
def test_what_the_protocol_does_not_allow_is_told_and_ends_the_connection(
    dial: Dial, frames: list[Any]
) -> None:
    answers, code = dial(*frames).rest()
    assert ([frame["error_code"] for frame in answers], code) == (["SANDBOX_PROTOCOL_ERROR"], 1008)


def test_without_a_format_it_is_pcm_at_44100(dial: Dial) -> None:
    init = {name: INIT[name] for name in ("model_id", "voice")}
    long = audio_of(dial(init, text("Hello. ", "c"), close("c")).until_final("c"), "c")
    short = audio_of(dial(INIT, text("Hello. ", "c"), close("c")).until_final("c"), "c")
    assert len(long) / len(short) == pytest.approx(2 * 44100 / 8000, rel=0.02)


def test_an_empty_transcript_ends_a_context_as_livekit_does_it(dial: Dial) -> None:
    client = dial(INIT)
    for name in ("one", "two"):
        client.send(text("Hello. ", name), text("", name))
        frames = client.until_final(name)
        assert said(frames) == [name]
        assert len(audio_of(frames, name)) > 1000


def test_a_lone_space_opens_a_context_and_flushes_it_as_pipecat_does_it(dial: Dial) -> None:
    client = dial(INIT, text(" ", "c1"), text("Hello. ", "c1"), text(" ", "c1", force=True))
    first = client.receive()
    assert (first["context_id"], first["final"]) == ("c1", False)
    client.send(close("c1"))
    assert client.until_final("c1")[-1]["audio"] == ""


def test_short_text_waits_until_it_is_forced_or_its_context_closed(dial: Dial) -> None:
    client = dial(INIT, text("Waiting. ", "w"), text("Now. ", "n", force=True), close("n"))
    assert said(client.until_final("n")) == ["n"]
    client.send(text("No longer. ", "w", force=True))
    assert client.receive()["context_id"] == "w"
    client.send(close("w"))
    assert said(client.until_final("w")) == ["w"]


def test_long_text_waits_for_nothing(dial: Dial) -> None:
    client = dial(INIT, text(EIGHTY, "c"))
    assert client.receive()["audio"]
    client.send(TERMINATE)
    frames, code = client.rest()
    assert (frames[-1]["final"], code) == (True, 1000)


def test_pieces_are_joined_as_they_are(dial: Dial, fast: ServedSandbox) -> None:
    client = dial(INIT, text("Hel", "c"), text("lo ", "c"), close("c"))
    client.until_final("c")
    assert fast.sandbox.store.speeches()[-1].transcript == "Hello "


def test_closing_twice_or_what_is_gone_is_no_error(dial: Dial) -> None:
    client = dial(INIT, text("Hello. ", "c"), close("c"), close("c"))
    client.until_final("c")
    client.send(close("c"), TERMINATE)
    assert client.rest() == ([], 1000)


def test_a_finished_context_may_be_opened_again(dial: Dial) -> None:
    client = dial(INIT)
    spoken = []
    for _ in range(2):
        client.send(text("Hello. ", "c"), close("c"))
        spoken.append(audio_of(client.until_final("c"), "c"))
    assert spoken[0] == spoken[1] != b""


def test_a_closing_context_may_be_begun_again(dial: Dial, fast: ServedSandbox) -> None:
    # It takes a while to speak, and so is not over when the next text comes.
    first, more = EIGHTY * 40, "More. "
    client = dial(INIT, text(first, "c"), close("c"), text(more, "c"), close("c"), close("c"))
    spoken = [audio_of(client.until_final("c"), "c") for _ in range(2)]
    kept = [(speech.transcript, speech.audio) for speech in fast.sandbox.store.speeches()[-2:]]
    assert kept == [(first, spoken[0]), (more, spoken[1])]
    client.send(text("Last. ", "c"), TERMINATE)
    frames, code = client.rest()
    assert ([frame["final"] for frame in frames].count(True), code) == (1, 1000)


@pytest.mark.parametrize("end", [TERMINATE, {"text": ""}], ids=["terminate", "closeConnection"])
def test_the_end_speaks_all_that_is_pending_first(
    dial: Dial, fast: ServedSandbox, end: dict[str, Any]
) -> None:
    client = dial(INIT, text("One. ", "a"), text("Two. ", "b", force=True), end)
    frames, code = client.rest()
    assert code == 1000
    assert sorted(frame["context_id"] for frame in frames if frame["final"]) == ["a", "b"]
    kept = {speech.transcript: speech.audio for speech in fast.sandbox.store.speeches()[-2:]}
    assert kept == {"One. ": audio_of(frames, "a"), "Two. ": audio_of(frames, "b")}


def test_two_contexts_interleaved_sound_as_each_alone(dial: Dial) -> None:
    def alone(*pieces: str) -> bytes:
        spoken = [text(piece, "c", force=True) for piece in pieces]
        return audio_of(dial(INIT, *spoken, close("c")).until_final("c"), "c")

    together = dial(
        INIT,
        text("First one. ", "a", force=True),
        text("Other one. ", "b", force=True),
        text("First two. ", "a", force=True),
        text("Other two. ", "b", force=True),
        TERMINATE,
    )
    frames, _ = together.rest()
    assert audio_of(frames, "a") == alone("First one. ", "First two. ")
    assert audio_of(frames, "b") == alone("Other one. ", "Other two. ")
    assert len(said(frames)) > 2


@pytest.mark.parametrize("named", [{}, {"context_id": None}, {"context_id": "default"}])
def test_frames_without_a_name_are_of_the_default_context(dial: Dial, named: Any) -> None:
    client = dial(INIT, {"transcript": "Hello. ", **named}, {"transcript": "", **named})
    frames = client.until_final("default")
    assert {frame["context_id"] for frame in frames} == {"default"}
    assert len(audio_of(frames, "default")) > 1000


def test_the_form_of_2025_knows_no_contexts(dial: Dial) -> None:
    frames, code = dial(INIT, text("Hello. "), {"text": ""}).rest()
    assert ([frame["final"] for frame in frames][-1], code) == (True, 1000)


def test_a_keep_alive_makes_no_sound(dial: Dial) -> None:
    client = dial(INIT, {"transcript": " "}, text("Hello. ", "c"), close("c"), {"transcript": " "})
    assert said(client.until_final("c")) == ["c"]
    client.send(TERMINATE)
    frames, code = client.rest()
    assert ([frame["audio"] for frame in frames], code) == ([""], 1000)


def test_text_without_a_sound_ends_like_any_other(dial: Dial) -> None:
    client = dial(INIT, text("... ", "c", force=True), close("c"))
    assert client.until_final("c")[-1]["final"]


def test_a_client_that_vanishes_harms_nobody(dial: Dial) -> None:
    client = dial(INIT, text(EIGHTY * 20, "c", force=True))
    client.receive()
    client._connection.socket.shutdown(socket.SHUT_RDWR)
    other = dial(INIT, text("Hello. ", "c"), close("c"))
    assert other.until_final("c")[-1]["final"]


# With a sandbox of its own


@contextlib.asynccontextmanager
async def own(engine: Engine, **options: Any) -> AsyncIterator[AsyncConnection]:
    with contextlib.closing(Store(None)) as store, socket.create_server(("127.0.0.1", 0)) as bound:
        server = Server(Starlette(routes=routes(Speaker(engine, store), **options)))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        url = f"ws://127.0.0.1:{bound.getsockname()[1]}{PATH}?api_key={API_KEY}"
        async with engine, connect_async(url, compression=None, proxy=None) as connection:
            yield connection
        server.leave()
        await serving


async def rest(connection: AsyncConnection) -> tuple[Frames, int | None]:
    frames: Frames = []
    with contextlib.suppress(ConnectionClosed):
        async for frame in connection:
            frames.append(json.loads(frame))
    return frames, connection.close_code


async def let_pass(connection: AsyncConnection, seconds: float) -> None:
    """Once all that was sent has been read."""
    await (await connection.ping())
    pass_time(seconds)


@pytest.mark.parametrize("sent", [[], [INIT]], ids=["before the init", "after it"])
def test_a_silent_client_is_timed_out(sent: list[Any]) -> None:
    async def test() -> None:
        async with own(Engine(), idle_limit=8) as connection:
            for frame in sent:
                await connection.send(json.dumps(frame))
            await let_pass(connection, 9)
            (fault,), code = await rest(connection)
            assert {**fault, "message": ""} == {
                "message": "",
                "error_code": "TIMEOUT",
                "extra": None,
                "request_id": "unknown",
            }
            assert "8 seconds" in fault["message"]
            assert code not in (1000, 1008)

    run(test())


def test_pings_are_no_sign_of_life_but_keep_alives_are() -> None:
    async def test() -> None:
        async with own(Engine(), idle_limit=8) as connection:
            await connection.send(json.dumps(INIT))
            for _ in range(3):
                await let_pass(connection, 3)
                await connection.send('{"transcript": " "}')
            for _ in range(2):
                await let_pass(connection, 5)
            frames, _ = await rest(connection)
            assert [frame.get("error_code") for frame in frames] == ["TIMEOUT"]

    run(test())


def test_without_an_engine_the_first_words_are_the_last() -> None:
    async def test() -> None:
        async with own(Engine("none")) as connection:
            for frame in (INIT, text("Hello. ", "c", force=True)):
                await connection.send(json.dumps(frame))
            (fault,), code = await rest(connection)
            assert (fault["error_code"], code) == ("ENGINE_MISSING", 1008)
            assert "pip install" in fault["message"]

    run(test())
