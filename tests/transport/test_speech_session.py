"""The speech WebSocket's client against the sandbox, and against services that misbehave."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, Protocol

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    LimitError,
    NetworkError,
    NotFoundError,
    PrerequisiteError,
    RemoteProtocolError,
    ServiceError,
)
from asyncflow_cli.protocol.models import PHONE, VoiceSelector
from asyncflow_cli.protocol.speechmessages import Audio, Final, Initialize, RanDry, SpeechEvent
from asyncflow_cli.protocol.utterance import Patience
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.settings import DEFAULT_VOICE, Settings
from asyncflow_cli.transport.speaker import Speaker
from asyncflow_cli.transport.speech import SpeechSession
from tests.sandbox.far_ends import sandbox

KEY = "sk_test_0123456789"
SOON = 0.02
"""Seconds after which a service that waits for closeContext gets it."""

INIT = Initialize(
    model_id="async_flash_v1.5", voice=VoiceSelector(DEFAULT_VOICE), output_format=PHONE
)
AUDIO = base64.b64encode(b"\x01\x02\x03").decode()

Talk = Callable[[ServerConnection, str], Awaitable[None]]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def heard(events: list[SpeechEvent]) -> bytes:
    """What a phone would play."""
    spoken = (e.audio for e in events if isinstance(e, Audio | Final))
    return b"".join(base64.b64decode(audio) for audio in spoken)


class Session(Protocol):
    async def __aenter__(self) -> Session: ...

    async def __aexit__(self, *error: Any) -> None: ...

    def speak(self, text: str) -> AsyncGenerator[SpeechEvent, None]: ...


class CalledBack:
    """A call's speaker as a session, so that both forms have to pass the same tests."""

    def __init__(self, settings: Settings, init: Initialize, **patience: float) -> None:
        self._heard: asyncio.Queue[SpeechEvent | AsyncflowError] = asyncio.Queue()
        tell = self._heard.put_nowait
        self._speaker = Speaker(settings, init, tell, Patience(**patience))

    async def __aenter__(self) -> CalledBack:
        await self._speaker.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._speaker.__aexit__(None, None, None)

    async def speak(self, text: str) -> AsyncGenerator[SpeechEvent, None]:
        self._speaker.say(text)
        event: SpeechEvent | None = None
        while not isinstance(event, Final):
            told = await self._heard.get()
            if isinstance(told, AsyncflowError):
                raise told
            event = told
            yield event


Form = Callable[..., Session]


@pytest.fixture(params=[SpeechSession, CalledBack], ids=["awaited", "called back"])
def form(request: pytest.FixtureRequest) -> Form:
    made: Form = request.param
    return made


async def spoken(session: Session, text: str) -> list[SpeechEvent]:
    return [event async for event in session.speak(text)]


# The sandbox


def at(
    running: Sandbox, init: Initialize = INIT, *, form: Form = SpeechSession, **options: Any
) -> Session:
    key = running.environment["ASYNC_API_KEY"]
    return form(Settings(api_key=key, base_url=running.url), init, **options)


def test_the_first_address_that_takes_the_connection_speaks() -> None:
    async def test() -> None:
        async with sandbox() as running:
            key = running.environment["ASYNC_API_KEY"]
            nobody = "http://127.0.0.1:1"
            settings = Settings(api_key=key, base_url=nobody, other_base_urls=(running.url, nobody))
            async with SpeechSession(settings, INIT) as session:
                assert heard(await spoken(session, "Hello. "))

    run(test())


def test_a_service_that_refuses_the_key_is_not_passed_over() -> None:
    async def test() -> None:
        async with sandbox() as running:
            settings = Settings(
                api_key="sk_wrong", base_url=running.url, other_base_urls=("http://127.0.0.1:1",)
            )
            with pytest.raises(AuthError):
                async with SpeechSession(settings, INIT) as session:
                    await spoken(session, "Hello. ")

    run(test())


@pytest.mark.parametrize("contexts", [True, False])
def test_every_byte_that_was_sent_is_heard(contexts: bool) -> None:
    async def test() -> None:
        async with sandbox() as running:
            async with at(running, contexts=contexts) as session:
                events = await spoken(session, "Your table is ready.\n\n")
            (speech,) = running.store.speeches()
            assert heard(events) == speech.audio
            assert len(speech.audio) > 4000
            assert speech.transcript == "Your table is ready. "
            assert isinstance(events[-1], Final)
            assert not any(isinstance(event, Final) for event in events[:-1])

    run(test())


def test_one_connection_says_one_thing_after_the_other(form: Form) -> None:
    async def test() -> None:
        async with sandbox() as running:
            async with at(running, form=form) as session:
                said = [heard(await spoken(session, text)) for text in ("One.", "Two.", "Three.")]
            assert said == [speech.audio for speech in running.store.speeches()]
            assert len(set(said)) == 3

    run(test())


def test_keep_alives_are_no_text_and_disturb_nothing() -> None:
    async def test() -> None:
        async with sandbox() as running:
            async with at(running, keep_alive_every=0.002) as session:
                events = await spoken(session, "I am still here.")
            (speech,) = running.store.speeches()
            assert (heard(events), speech.transcript) == (speech.audio, "I am still here. ")

    run(test())


@pytest.mark.parametrize(
    ("init", "error", "code"),
    [
        (Initialize(model_id="m", voice=VoiceSelector("v")), ServiceError, None),
        (
            Initialize(model_id="async_flash_v1.5", voice=VoiceSelector("v")),
            NotFoundError,
            "VOICE_NOT_FOUND",
        ),
    ],
)
def test_what_the_sandbox_refuses_is_told_by_its_code(
    init: Initialize, error: type[AsyncflowError], code: str | None, form: Form
) -> None:
    async def test() -> None:
        async with sandbox() as running, at(running, init, form=form) as session:
            with pytest.raises(error) as caught:
                await spoken(session, "Hello.")
            assert code in (None, caught.value.code)

    run(test())


def test_a_refused_key_is_an_authentication_error_that_does_not_show_it() -> None:
    async def test() -> None:
        async with sandbox() as running:
            async with SpeechSession(Settings(api_key=KEY, base_url=running.url), INIT) as session:
                with pytest.raises(AuthError) as caught:
                    await spoken(session, "Hello.")
            assert caught.value.code == "INVALID_API_KEY"
            assert KEY not in printed(caught.value)

    run(test())


# Services that misbehave


def printed(error: BaseException) -> str:
    """All that any traceback of it could show."""
    hint = getattr(error, "hint", None)
    details = getattr(error, "details", None)
    shown = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {hint} {details} {shown} {error.__cause__!r}"


def frame(context: str | None, audio: str = AUDIO, *, final: bool = False) -> str:
    return json.dumps({"context_id": context, "audio": audio, "final": final})


@contextlib.asynccontextmanager
async def service(talk: Talk, *, polite: bool = True, **options: Any) -> AsyncIterator[Settings]:
    """Runs `talk` whenever a context was closed. If polite, it closes when it is asked to."""

    async def handle(socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message.get("close_context"):
                await talk(socket, message["context_id"])
            if message.get("terminate") and polite:
                return

    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}", timeout=2)


def says(*frames: Callable[[str], str | bytes]) -> Talk:
    async def talk(socket: ServerConnection, context: str) -> None:
        for made in frames:
            await socket.send(made(context))

    return talk


def end(context: str) -> str:
    return frame(context, "", final=True)


def constant(value: Any) -> Callable[[str], str]:
    return lambda _context: json.dumps(value)


@pytest.mark.parametrize(
    ("talk", "times"),
    [
        (says(frame, end), 1),
        (says(lambda c: frame(c, final=True)), 1),
        (says(lambda _: frame(None), lambda _: frame(None, "", final=True)), 1),
        (
            says(
                constant({"audio": AUDIO, "final": False}), constant({"audio": "", "final": True})
            ),
            1,
        ),
        (says(lambda _: frame("another"), lambda _: end("another"), frame, end), 1),
        (
            says(constant({"event": "news"}), constant({}), frame, constant({"final": False}), end),
            1,
        ),
        (says(lambda c: frame(c)[:-1] + ', "new": 1}', end), 1),
        (says(lambda c: frame(c).encode(), end), 1),
        (says(lambda c: frame(c, ""), frame, frame, end), 2),
        (says(frame, end, frame, end), 1),
    ],
    ids=[
        "well",
        "audio in the final",
        "null contexts",
        "no contexts",
        "another context",
        "unknown frames",
        "unknown fields",
        "binary JSON",
        "empty audio",
        "late audio",
    ],
)
def test_a_service_may_be_odd_and_is_heard_all_the_same(talk: Talk, times: int, form: Form) -> None:
    async def test() -> None:
        async with (
            service(talk) as settings,
            form(settings, INIT, close_after=SOON) as session,
        ):
            for _ in range(2):
                events = await spoken(session, "Hello.")
                assert heard(events) == base64.b64decode(AUDIO) * times
                assert isinstance(events[-1], Final)

    run(test())


def test_a_final_of_another_context_or_of_none_alive_ends_nothing(form: Form) -> None:
    async def talk(socket: ServerConnection, context: str) -> None:
        finished.append(context)
        for old in (*finished[:-1], "another"):
            await socket.send(end(old))
        await socket.send(frame(context))
        await socket.send(end(context))

    finished: list[str] = []

    async def test() -> None:
        async with (
            service(talk) as settings,
            form(settings, INIT, close_after=SOON) as session,
        ):
            for _ in range(3):
                assert heard(await spoken(session, "Hello.")) == base64.b64decode(AUDIO)

    run(test())


def test_a_service_that_ends_only_when_it_is_asked_is_asked_soon_after_its_audio(
    form: Form,
) -> None:
    async def handle(socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message.get("close_context"):
                await socket.send(end(message["context_id"]))
            elif message.get("transcript") == "":
                await socket.send(frame(message["context_id"]))
            elif message.get("terminate"):
                return

    async def test() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}")
            async with form(settings, INIT, close_after=60, close_soon=SOON) as session:
                for _ in range(2):
                    events = await spoken(session, "Hello.")
                    assert isinstance(events[-1], Final)

    run(test())


def test_a_sentence_of_a_call_costs_no_task() -> None:
    made: list[str] = []

    def note(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **options)

    async def test() -> None:
        async with (
            service(says(frame, end)) as settings,
            CalledBack(settings, INIT, close_after=SOON) as session,
        ):
            asyncio.get_running_loop().set_task_factory(note)
            for _ in range(3):
                assert heard(await spoken(session, "Hello.")) == base64.b64decode(AUDIO)
            assert made == []

    run(test())


def test_the_single_stream_form_names_no_context() -> None:
    frames: list[dict[str, Any]] = []

    async def handle(socket: ServerConnection) -> None:
        async for text in socket:
            frames.append(json.loads(text))
            if frames[-1] == {"text": ""}:
                await socket.send(json.dumps({"audio": AUDIO, "final": False}))
                await socket.send(json.dumps({"audio": "", "final": True}))
                return

    async def test() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}")
            async with SpeechSession(settings, INIT, contexts=False) as session:
                assert heard(await spoken(session, "Hello.")) == base64.b64decode(AUDIO)
        assert frames[1:] == [{"transcript": "Hello. ", "force": True}, {"text": ""}]

    run(test())


@pytest.mark.parametrize("contexts", [True, False])
def test_a_text_that_fails_while_it_is_written_is_told_once_it_is_silent(contexts: bool) -> None:
    async def texts() -> AsyncIterator[str]:
        yield "Hello. "
        raise OSError("the writer is gone")

    async def handle(socket: ServerConnection) -> None:
        async for _ in socket:
            pass

    async def test() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}")
            session = SpeechSession(settings, INIT, contexts=contexts, close_after=SOON)
            async with asyncio.timeout(5), session:
                with pytest.raises(OSError, match="the writer is gone"):
                    async for _ in session.speak(texts()):
                        pass

    run(test())


def test_the_address_is_the_documented_one_and_the_init_comes_first() -> None:
    seen: list[str] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(socket.request.path)
        async for text in socket:
            seen.append(str(text))
            if json.loads(text).get("terminate"):
                return

    async def test() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            settings = Settings(api_key="a b&c", base_url=f"http://127.0.0.1:{port}")
            async with SpeechSession(settings, INIT, close_after=SOON):
                pass
        path, init, terminate = seen
        assert path == "/text_to_speech/websocket/ws?api_key=a+b%26c&version=v1"
        assert json.loads(init) == {
            "model_id": "async_flash_v1.5",
            "voice": {"id": DEFAULT_VOICE, "mode": "id"},
            "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        }
        assert json.loads(terminate) == {"terminate": True}

    run(test())


def test_an_idle_connection_says_that_it_is_alive_before_and_after_a_text() -> None:
    alive: asyncio.Queue[str] = asyncio.Queue()

    async def handle(socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message == {"transcript": " "}:
                alive.put_nowait(str(text))
            if message.get("close_context"):
                await socket.send(end(message["context_id"]))
            if message.get("terminate"):
                return

    async def test() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}")
            async with SpeechSession(settings, INIT, keep_alive_every=0.01) as session:
                await alive.get()
                await spoken(session, "Hello.")
                for _ in range(alive.qsize() + 1):
                    await alive.get()

    run(test())


def closes(code: int, reason: str = "") -> Talk:
    async def talk(socket: ServerConnection, _context: str) -> None:
        await socket.close(code, reason)

    return talk


async def aborts(socket: ServerConnection, context: str) -> None:
    await socket.send(frame(context))
    socket.transport.abort()


def then_closes(*frames: Callable[[str], str | bytes]) -> Talk:
    async def talk(socket: ServerConnection, context: str) -> None:
        await says(*frames)(socket, context)
        await socket.close(1011)

    return talk


LIMIT = {"error_code": "RATE_LIMIT_EXCEEDED", "message": "slow", "extra": {"retry_after_ms": 1500}}
TIMEOUT = {"error_code": "TIMEOUT", "message": "60.0 s", "request_id": "r1", "extra": None}


@pytest.mark.parametrize(
    ("talk", "error", "code"),
    [
        (closes(1008, "bad key"), AuthError, "NOT_AUTHORISED"),
        (closes(1011), NetworkError, "SPEECH_CONNECTION_LOST"),
        (closes(1000), NetworkError, "SPEECH_CONNECTION_LOST"),
        (closes(4001, "x" * 123), AuthError, "NOT_AUTHORISED"),
        (aborts, NetworkError, "SPEECH_CONNECTION_LOST"),
        (then_closes(constant(LIMIT)), LimitError, "RATE_LIMIT_EXCEEDED"),
        (then_closes(frame, constant(TIMEOUT)), NetworkError, "TIMEOUT"),
        (then_closes(constant({"error_code": "NEW", "message": "m"})), ServiceError, "NEW"),
        (then_closes(constant({"message": "broken"})), ServiceError, "SPEECH_FAILED"),
        (says(lambda _: b"\xff\x00"), RemoteProtocolError, "REMOTE_PROTOCOL_ERROR"),
        (says(lambda _: "<html>"), RemoteProtocolError, "REMOTE_PROTOCOL_ERROR"),
        (says(lambda _: "[]"), RemoteProtocolError, "REMOTE_PROTOCOL_ERROR"),
    ],
)
def test_a_service_that_fails_is_one_clear_error_without_the_key(
    talk: Talk, error: type[AsyncflowError], code: str, form: Form
) -> None:
    async def test() -> None:
        async with (
            service(talk) as settings,
            form(settings, INIT, close_after=SOON) as session,
        ):
            with pytest.raises(error) as caught:
                await spoken(session, "Hello.")
            assert (type(caught.value), caught.value.code) == (error, code)
            assert KEY not in printed(caught.value)

    run(test())


def test_the_services_wait_and_request_id_are_kept(form: Form) -> None:
    async def test() -> None:
        frames = says(constant({**LIMIT, "request_id": "r1"}))
        async with (
            service(frames) as settings,
            form(settings, INIT, close_after=SOON) as session,
        ):
            with pytest.raises(LimitError) as caught:
                await spoken(session, "Hello.")
            assert (caught.value.retry_after, caught.value.request_id) == (1.5, "r1")

    run(test())


def test_a_service_that_closes_between_two_texts_is_noticed_at_the_second(form: Form) -> None:
    async def talk(socket: ServerConnection, context: str) -> None:
        await socket.send(end(context))
        await socket.close(1011, "going away")

    async def test() -> None:
        async with (
            service(talk) as settings,
            form(settings, INIT, close_after=SOON) as session,
        ):
            await spoken(session, "One.")
            with pytest.raises(NetworkError, match="going away"):
                await spoken(session, "Two.")

    run(test())


def test_silence_after_audio_is_told_once_and_the_service_may_come_back(form: Form) -> None:
    more = asyncio.Event()

    async def talk(socket: ServerConnection, context: str) -> None:
        await socket.send(frame(context))
        await more.wait()
        await socket.send(frame(context))
        await socket.send(end(context))

    async def test() -> None:
        async with service(talk) as settings:
            async with form(settings, INIT, close_after=SOON, dry_after=0.03) as session:
                kinds = []
                async for event in session.speak("Hello."):
                    kinds.append(type(event))
                    if isinstance(event, RanDry):
                        asyncio.get_running_loop().call_later(0.1, more.set)
            assert kinds == [Audio, RanDry, Audio, Final]

    run(test())


def test_silence_before_the_first_audio_is_only_thinking(form: Form) -> None:
    thought = asyncio.Event()

    async def talk(socket: ServerConnection, context: str) -> None:
        await thought.wait()
        await socket.send(end(context))

    async def test() -> None:
        asyncio.get_running_loop().call_later(0.1, thought.set)
        async with (
            service(talk) as settings,
            form(settings, INIT, close_after=SOON, dry_after=0) as session,
        ):
            assert [type(event) for event in await spoken(session, "Hello.")] == [Final]

    run(test())


def test_a_service_that_never_closes_holds_nobody_up(form: Form) -> None:
    async def test() -> None:
        async with service(says(frame), polite=False) as settings:
            session = form(settings, INIT, close_after=SOON, dry_after=0.01)
            async with asyncio.timeout(5), session:
                async for event in session.speak("Hello."):
                    if isinstance(event, RanDry):
                        break

    run(test())


# Doors that stay shut


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "INVALID_API_KEY", AuthError),
        (403, "SOMETHING_NEW", AuthError),
        (404, "VERSION_NOT_FOUND", NotFoundError),
        (429, "TOO_MANY_CONCURRENT_REQUESTS", LimitError),
        (503, None, ServiceError),
    ],
)
def test_a_refused_handshake_is_the_error_in_its_body(
    status: int, code: str | None, error: type[AsyncflowError]
) -> None:
    body = json.dumps({"detail": {"error_code": code, "message": "why not"}}) if code else "<html>"

    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(HTTPStatus(status), body)

    async def test() -> None:
        async with service(says(end), process_request=refuse) as settings:
            with pytest.raises(error) as caught:
                async with SpeechSession(settings, INIT, close_after=SOON):
                    pass
            assert caught.value.code == (code or f"HTTP_{status}")
            assert caught.value.message == ("why not" if code else "<html>")
            assert KEY not in printed(caught.value)

    run(test())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: wrong\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ://\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "ssh", "http", "accept", "bad redirect", "redirect", "redirect nowhere"],
)
def test_what_is_no_speech_service_is_an_error_of_ours_without_the_key(answer: bytes) -> None:
    async def serve_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(serve_bytes, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}", timeout=2)
        with pytest.raises(AsyncflowError) as caught:
            async with SpeechSession(settings, INIT, close_after=SOON):
                pass
        server.close()
        assert isinstance(caught.value, NetworkError | ServiceError)
        assert KEY not in printed(caught.value)

    run(test())


def test_where_nobody_answers_is_a_network_error_in_time() -> None:
    async def keep_silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    over = asyncio.Event()

    async def test() -> None:
        server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}", timeout=0.1)
        with pytest.raises(NetworkError, match=r"cannot be reached: .+") as caught:
            async with SpeechSession(settings, INIT, close_after=SOON):
                pass
        assert KEY not in printed(caught.value)
        over.set()
        server.close()

    run(test())


def test_without_a_key_there_is_no_connection() -> None:
    async def test() -> None:
        with pytest.raises(PrerequisiteError):
            async with SpeechSession(Settings(api_key=None, base_url="http://127.0.0.1:1"), INIT):
                pass

    run(test())
