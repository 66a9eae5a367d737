"""The far ends of the sandbox, real ones: a media server, a web server, Twilio's own client."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.rest import Client
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.serving import Server

T = TypeVar("T")

TO, FROM = "+15551230001", "+15557654321"
SPEED = 40.0
TONE = bytes(range(16)) * 100
"""200 ms of something that is not silence."""


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, timeout=60))


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nobody announces."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def murmur(text: str, _language: str | None) -> bytes:
    """A <Say> whose length is known: 60 ms a character."""
    return MULAW_SILENCE * 480 * len(text)


@contextlib.asynccontextmanager
async def sandbox(**options: Any) -> AsyncIterator[Sandbox]:
    async with Sandbox(**{"speed": SPEED, "say": murmur, **options}) as running:
        yield running


def client(running: Sandbox) -> Client:
    """Twilio's own client, pointed at the sandbox."""
    environment = running.environment
    made = Client(environment["TWILIO_ACCOUNT_SID"], environment["TWILIO_AUTH_TOKEN"])
    made.api.base_url = running.url
    return made


async def in_thread(work: Callable[[], T]) -> T:
    """Twilio's client blocks; the sandbox it talks to lives in this loop."""
    return await asyncio.to_thread(work)


async def make_call(running: Sandbox, **fields: Any) -> Any:
    made = {"to": TO, "from_": FROM, **fields}
    return await in_thread(lambda: client(running).calls.create(**made))


async def ended(running: Sandbox, sid: str) -> Any:
    """The call's resource once its life is over, last callback included."""
    live = running.carrier.live.get(sid)
    if live is not None:
        await asyncio.wait_for(live.finished.wait(), timeout=30)
    return await in_thread(lambda: client(running).calls(sid).fetch())


def codes(running: Sandbox, sid: str) -> list[str]:
    """The codes of the call's notifications."""
    return [found.error_code for found in running.store.notifications(sid)]


@dataclass
class Conversation:
    """What one media socket has seen."""

    path: str
    headers: dict[str, str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None

    def media(self) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["event"] == "media"]

    def events(self) -> list[str]:
        """The events, with media left out: how many there are is a matter of time."""
        return [m["event"] for m in self.messages if m["event"] != "media"]


Talk = Callable[[ServerConnection, str], Coroutine[Any, Any, None]]


@dataclass
class MediaServer:
    """A websockets server as a customer would write one: it runs `talk` once `start` came."""

    talk: Talk
    conversations: list[Conversation] = field(default_factory=list)
    url: str = ""

    async def handle(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        seen = Conversation(request.path, dict(request.headers.raw_items()))
        self.conversations.append(seen)
        talking: asyncio.Task[None] | None = None
        with contextlib.suppress(ConnectionClosedError):
            async for frame in connection:
                message = msgspec.json.decode(frame)
                seen.messages.append(message)
                if message["event"] == "start":
                    talking = asyncio.create_task(self.talk(connection, message["streamSid"]))
                if message["event"] == "mark":
                    self.marks.put_nowait(message["mark"]["name"])
        seen.close_code = connection.close_code
        if talking is not None:
            await asyncio.wait([talking])
            talking.result()

    def __post_init__(self) -> None:
        self.marks: asyncio.Queue[str] = asyncio.Queue()

    async def heard_mark(self, name: str) -> None:
        """Wait for that mark's echo."""
        while await asyncio.wait_for(self.marks.get(), timeout=30) != name:
            pass

    def twiml(self, path: str = "/media", **attributes: str) -> str:
        more = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f'<Response><Connect><Stream url="{self.url}{path}"{more}/></Connect></Response>'


@contextlib.asynccontextmanager
async def media_server(talk: Talk, **options: Any) -> AsyncIterator[MediaServer]:
    made = MediaServer(talk)
    async with serve(made.handle, "127.0.0.1", 0, **options) as server:
        made.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield made


async def say_nothing(socket: ServerConnection, sid: str) -> None:
    """Listen, until the other side closes."""


def media(sid: str, audio: bytes) -> str:
    payload = base64.b64encode(audio).decode()
    return json.dumps({"event": "media", "streamSid": sid, "media": {"payload": payload}})


def mark(sid: str, name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": sid, "mark": {"name": name}})


def clear(sid: str) -> str:
    return json.dumps({"event": "clear", "streamSid": sid})


def speaker(*, after: str = "") -> tuple[list[MediaServer], Talk]:
    """A server that speaks TONE, waits until it was heard, and closes."""
    servers: list[MediaServer] = []

    async def talk(socket: ServerConnection, sid: str) -> None:
        await socket.send(media(sid, TONE))
        await socket.send(mark(sid, "end"))
        await servers[0].heard_mark("end")
        await socket.close(reason=after)

    return servers, talk


def streams_of(running: Sandbox, sid: str) -> tuple[dict[str, Any], ...]:
    report = running.store.report(sid)
    assert report is not None
    return report.streams


@dataclass
class WebHit:
    method: str
    url: str
    form: dict[str, str]
    signature: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class WebServer:
    """A customer's web server: remembers requests, answers what `pages` says."""

    pages: dict[str, Response] = field(default_factory=dict)
    hits: list[WebHit] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: Request) -> Response:
        form = dict((await request.form()).items())
        texts = {name: str(value) for name, value in form.items()}
        query = f"?{request.url.query}" if request.url.query else ""
        url = self.url + request.url.path + query
        signature = request.headers.get("x-twilio-signature", "")
        self.hits.append(WebHit(request.method, url, texts, signature, request.headers))
        return self.pages.get(request.url.path, Response(status_code=204))

    def forms(self, path: str) -> list[dict[str, str]]:
        return [hit.form for hit in self.hits if hit.url == self.url + path]


@contextlib.asynccontextmanager
async def web_server(app: Starlette | None = None) -> AsyncIterator[WebServer]:
    """With an `app`, that is what answers, and nothing is remembered."""
    made = WebServer()
    bound = socket.create_server(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    route = Route("/{path:path}", made.answer, methods=["GET", "POST"])
    server = Server(app or Starlette(routes=[route]))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    yield made
    server.leave()
    await serving


def xml(text: str) -> Response:
    return Response(text, media_type="text/xml")
