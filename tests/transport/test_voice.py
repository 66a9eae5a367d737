"""A call's voice and its connection to a service, which it replaces where that fails."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from asyncflow_cli.protocol.models import PHONE, VoiceSelector
from asyncflow_cli.protocol.speechmessages import Final, Initialize
from asyncflow_cli.settings import DEFAULT_VOICE, Settings
from asyncflow_cli.transport.voice import SpeechLost, Spoken, Voice

INIT = Initialize(
    model_id="async_flash_v1.5", voice=VoiceSelector(DEFAULT_VOICE), output_format=PHONE
)
AUDIO = base64.b64encode(b"\xff" * 160).decode()

Answer = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def says(socket: ServerConnection, message: dict[str, Any]) -> None:
    """The audio of a text that has ended."""
    if message.get("transcript") == "":
        end = {"context_id": message["context_id"], "audio": AUDIO, "final": True}
        await socket.send(json.dumps(end))


class Service:
    """Keeps every text it was given, with the number of the connection."""

    def __init__(self, answer: Answer = says) -> None:
        self.texts: list[tuple[int, str]] = []
        self.asked_to_close = asyncio.Event()
        self.left = asyncio.Event()
        self.waits = False
        """It closes no connection that it is asked to close."""
        self._answer = answer
        self._connections = 0

    async def __call__(self, socket: ServerConnection) -> None:
        self._connections += 1
        number = self._connections
        async for text in socket:
            message = json.loads(text)
            if message.get("terminate"):
                break
            if message.get("transcript", "").strip():
                self.texts.append((number, message["transcript"].strip()))
            await self._answer(socket, message)
        self.asked_to_close.set()
        if self.waits:
            await socket.wait_closed()
        self.left.set()


class Told(asyncio.Queue[Spoken | SpeechLost]):
    """What came of the takes."""

    async def end_of(self, take: int) -> None:
        told = await self.get()
        assert isinstance(told, Spoken), told
        assert (told.take, type(told.event)) == (take, Final)


@asynccontextmanager
async def speaking(service: Service) -> AsyncIterator[tuple[Voice, Told]]:
    told, bugs = Told(), list[BaseException]()

    def failed(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            bugs.append(bug)

    async with serve(service, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        settings = Settings(api_key="sk_test", base_url=f"http://127.0.0.1:{port}")
        async with Voice(settings, INIT, told.put_nowait, failed) as voice:
            yield voice, told
    assert bugs == []


def test_what_is_asked_for_while_a_connection_is_replaced_is_said_on_the_next() -> None:
    async def test() -> None:
        service = Service()
        async with speaking(service) as (voice, told):
            voice.speak("One.", 1, anew=False)
            await told.end_of(1)
            voice.speak("Two.", 2, anew=True)
            await service.asked_to_close.wait()
            voice.speak("Three.", 3, anew=False)
            voice.speak("Four.", 4, anew=False)
            await told.end_of(4)
            assert service.texts == [(1, "One."), (2, "Four.")]

    run(test())


def test_a_connection_that_failed_is_not_used_again_though_its_replacement_was_given_up() -> None:
    async def test() -> None:
        service = Service()
        async with speaking(service) as (voice, told):
            voice.speak("One.", 1, anew=True)
            voice.hush()
            voice.speak("Two.", 2, anew=False)
            await told.end_of(2)
            assert service.texts == [(2, "Two.")]

    run(test())


def test_a_connection_whose_replacement_is_given_up_is_not_left_open() -> None:
    async def test() -> None:
        service = Service()
        service.waits = True
        async with speaking(service) as (voice, _):
            voice.speak("One.", 1, anew=True)
            await service.asked_to_close.wait()
            voice.hush()
            async with asyncio.timeout(5):
                await service.left.wait()

    run(test())


def test_what_fails_between_two_sentences_is_lost_speech_of_the_second() -> None:
    async def faulty(socket: ServerConnection, message: dict[str, Any]) -> None:
        if message.get("transcript") == "":
            await says(socket, message)
            await socket.send(json.dumps({"error_code": "TIMEOUT", "message": "60 s"}))

    async def test() -> None:
        async with speaking(Service(faulty)) as (voice, told):
            voice.speak("One.", 1, anew=False)
            await told.end_of(1)
            voice.speak("Two.", 2, anew=False)
            lost = await told.get()
            assert isinstance(lost, SpeechLost)
            assert (lost.take, lost.error.code, lost.passing) == (2, "TIMEOUT", True)
            voice.speak("Two.", 3, anew=True)
            await told.end_of(3)

    run(test())
