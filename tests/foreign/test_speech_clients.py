"""The speech WebSocket as clients that others wrote use it: raw frames, on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from asyncflow_cli.protocol.speechmessages import PATH
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.serving import Server
from asyncflow_cli.sandbox.speaker import API_KEY
from asyncflow_cli.sandbox.voices import LIBRARY

INIT: dict[str, Any] = {
    "model_id": "async_flash_v1.0",
    "voice": {"mode": "id", "id": LIBRARY[0].voice_id},
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
    "language": None,
}
LONG = "This sentence is long enough to be spoken still when the next frames arrive. "


def address(sandbox: Sandbox, path: str = PATH) -> str:
    return f"ws{sandbox.url.removeprefix('http')}{path}?api_key={API_KEY}&version=v1"


def _dial(sandbox: Sandbox) -> connect:
    # Its own pings would end the connection, when nothing is read for long.
    return connect(address(sandbox), proxy=None, ping_interval=None)


def converse(
    talk: Callable[[ClientConnection], Awaitable[None]],
    init: dict[str, Any] = INIT,
    *,
    seconds: float = 20,
) -> None:
    async def test() -> None:
        async with Sandbox() as sandbox, _dial(sandbox) as socket:
            await send(socket, init)
            await talk(socket)

    asyncio.run(asyncio.wait_for(test(), timeout=seconds))


async def send(socket: ClientConnection, *frames: dict[str, Any]) -> None:
    for frame in frames:
        await socket.send(json.dumps(frame))


async def until_final(socket: ClientConnection) -> tuple[list[str], bool]:
    """The contexts that were named up to the first final, and whether there was any audio."""
    contexts, heard = [], False
    async for text in socket:
        frame = json.loads(text)
        assert "error_code" not in frame, frame
        contexts.append(frame["context_id"])
        heard = heard or bool(frame["audio"])
        if frame["final"]:
            return contexts, heard
    raise AssertionError("The connection closed before the final")


@pytest.mark.parametrize("ids", [{}, {"context_id": None}, {"context_id": ""}])
def test_a_context_without_a_name_is_the_default_one(ids: dict[str, Any]) -> None:
    async def talk(socket: ClientConnection) -> None:
        await send(socket, {"transcript": "Hello. ", "force": True, **ids})
        await send(socket, {"transcript": "", **ids})
        contexts, heard = await until_final(socket)
        assert set(contexts) == {"default"}
        assert heard

    converse(talk)


@pytest.mark.parametrize("extra", [{}, {"force": False}, {"force": True}])
def test_a_flush_or_sign_of_life_for_a_closing_context_does_no_harm(extra: dict[str, Any]) -> None:
    async def talk(socket: ClientConnection) -> None:
        await send(socket, {"transcript": LONG, "context_id": "a", "force": True})
        await send(socket, {"context_id": "a", "close_context": True, "transcript": ""})
        await send(socket, {"transcript": " ", "context_id": "a", **extra})
        contexts, heard = await until_final(socket)
        assert set(contexts) == {"a"}
        assert heard
        await send(socket, {"transcript": "Again. ", "context_id": "b", "force": True})
        await send(socket, {"transcript": "", "context_id": "b"})
        contexts, heard = await until_final(socket)
        assert set(contexts) == {"b"}
        assert heard

    converse(talk)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    """As Java's Gson writes all the numbers of a map."""
    rate = {**INIT["output_format"], "sample_rate": 8000.0}

    async def talk(socket: ClientConnection) -> None:
        await send(socket, {"transcript": "Hello. "}, {"transcript": ""})
        assert (await until_final(socket))[1]

    converse(talk, {**INIT, "output_format": rate})


def test_a_field_that_is_not_set_may_be_null() -> None:
    async def talk(socket: ClientConnection) -> None:
        await send(socket, {"transcript": "Hello. ", "force": None}, {"transcript": ""})
        assert (await until_final(socket))[1]

    converse(talk, {**INIT, "speed_control": None, "stability": None})


def test_nobody_is_asked_whether_they_are_still_there() -> None:
    """The answer of one who plays what he reads would come only when the audio is through."""
    assert Server(Starlette()).config.ws_ping_interval is None


@pytest.mark.soak
def test_who_reads_slowly_hears_it_to_the_end() -> None:
    async def talk(socket: ClientConnection) -> None:
        await send(socket, {"transcript": LONG * 60, "force": True}, {"transcript": ""})
        await asyncio.sleep(45)  # Nothing of it is read: longer than any ping would wait.
        assert (await until_final(socket))[1]

    loud = {"container": "raw", "encoding": "pcm_f32le", "sample_rate": 48000}
    converse(talk, {**INIT, "output_format": loud}, seconds=90)


def test_an_init_is_answered_for_clients_that_wait_for_it() -> None:
    """As flowcat's does, which then speaks in the context that the answer names."""

    async def test() -> None:
        async with (
            Sandbox(choices=Choices(init_ack=True)) as sandbox,
            _dial(sandbox) as socket,
        ):
            await send(socket, INIT)
            answer = json.loads(await socket.recv())
            assert answer["event"] == "init_ack"
            named = {"context_id": answer["context_id"]}
            await send(socket, {"transcript": "Hello. ", "force": True, **named})
            await send(socket, {"close_context": True, "transcript": "", **named})
            assert (await until_final(socket))[1]

    asyncio.run(asyncio.wait_for(test(), timeout=20))


def test_who_comes_without_an_upgrade_is_told_that_it_is_a_websocket() -> None:
    async def test() -> None:
        async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url) as web:
            got, posted = await web.get(PATH), await web.post(PATH)
            assert (got.status_code, got.headers["upgrade"]) == (426, "websocket")
            assert posted.status_code == 405

    asyncio.run(asyncio.wait_for(test(), timeout=20))


def test_a_socket_that_is_not_imitated_is_no_matter_of_the_key() -> None:
    async def test() -> None:
        async with Sandbox() as sandbox:
            with pytest.raises(InvalidStatus) as refused:
                await connect(address(sandbox, "/no/such/socket"), proxy=None)
            assert refused.value.response.status_code == 501
            assert b"does not imitate" in refused.value.response.body

    asyncio.run(asyncio.wait_for(test(), timeout=20))
