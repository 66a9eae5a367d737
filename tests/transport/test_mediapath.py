"""What a call's media may cost: memory of a stream, writes for a decision, reads of a frame.

Times are for `make bench`; these hold on every machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import json
import random
import socket
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from asyncflow_cli.protocol import media
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.script import Script
from asyncflow_cli.protocol.speechmessages import Audio
from asyncflow_cli.transport import speechwire
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.conversation import Conversation
from asyncflow_cli.transport.ear import Ear
from asyncflow_cli.transport.gate import NO_KEYS, Gate
from asyncflow_cli.transport.gathering import GATHERED, MANY, gathering
from asyncflow_cli.transport.inbox import Inbox
from asyncflow_cli.transport.leg import Leg, PhoneLost
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.mediasocket import MediaSocket
from asyncflow_cli.transport.phone import Phone
from asyncflow_cli.transport.speechwire import is_whole_text, lacking
from asyncflow_cli.transport.voice import Spoken

MOST_KIB = 80
"""For each stream, with all that decides for it."""

HEAD = (
    b"GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START = {
    "event": "start",
    "start": {"accountSid": "AC", "callSid": "CA", "streamSid": "MZ"},
    "streamSid": "MZ",
}
HEARD = {"event": "media", "media": {"payload": "/" * 216}, "streamSid": "MZ"}
KEY = {"event": "dtmf", "dtmf": {"digit": "5"}, "streamSid": "MZ"}
SPEECH = base64.b64encode(bytes(1600)).decode()


def text(message: dict[str, Any], fin: bool = True, opcode: Opcode = Opcode.TEXT) -> bytes:
    return frame(json.dumps(message, separators=(",", ":")).encode(), fin, opcode)


def frame(data: bytes, fin: bool = True, opcode: Opcode = Opcode.TEXT) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.closed

    def set_write_buffer_limits(self, *_limits: int) -> None:
        pass

    def pause_reading(self) -> None:
        raise AssertionError("nothing is to wait")

    resume_reading = pause_reading

    def close(self) -> None:
        self.closed = True

    abort = close


class Far:
    """A phone's end of a media socket, and what came of what it said."""

    def __init__(self, hear: Callable[[str, int], None] | None = None) -> None:
        self.events: list[media.Message | PhoneLost] = []
        self.told: list[str] = []
        gate = Gate(account_sid=None, keys=NO_KEYS, sign_required=False, refused=self.told.append)
        self.leg = Leg("token", gate, self.events.append, hear)
        self.wire = Wire()
        transport: Any = self.wire
        self.socket = MediaSocket(transport, set())
        self.socket.upgrade(HEAD % b"/", lambda: self.leg)
        self.wire.written.clear()

    def say(self, data: bytes) -> None:
        while data:
            buffer = self.socket.get_buffer(-1)
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.socket.buffer_updated(size)
            data = data[size:]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


def test_all_that_is_said_at_once_is_one_write() -> None:
    async def test() -> None:
        far = Far()
        far.say(text(CONNECTED) + text(START))
        for payload in (SPEECH, SPEECH):
            far.leg.play(payload)
        far.leg.mark("m")
        assert far.wire.written == []
        far.leg.flush()
        far.leg.flush()
        assert len(far.wire.written) == 1

    run(test())


def test_a_chunk_of_speech_leaves_in_the_turn_in_which_it_came_in_one_write() -> None:
    async def test() -> None:
        call = Call()
        far = call.answered()
        talking = asyncio.create_task(call.conversation.run())
        await asyncio.sleep(0)
        far.say(text(CONNECTED) + text(START))
        far.wire.written.clear()
        for chunk in range(5):
            call.inbox.put(Spoken(1, Audio(SPEECH)))
            assert len(far.wire.written) == chunk + 1, "before the loop has turned"
        assert b'"event":"mark"' in far.wire.written[-1], "a second is marked, in the same write"
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)

    run(test())


def test_a_frame_that_nobody_listens_to_is_not_read_and_answered_by_nothing() -> None:
    async def test() -> None:
        deaf, hears = Far(), Far(hear=lambda *_: None)
        for far in (deaf, hears):
            far.say(text(CONNECTED) + text(START))
            for _ in range(50):
                far.say(text(HEARD))
            assert [type(event) for event in far.events] == [media.Connected, media.Start]
            assert far.wire.written == []
            far.say(frame(b'{"event":"media",}'))
        assert deaf.told == []
        assert hears.told == ["media socket closed: The frame is not JSON"]

    run(test())


def test_audio_after_the_stop_is_against_the_rules_even_for_the_deaf() -> None:
    async def test() -> None:
        far = Far()
        far.say(text(CONNECTED) + text(START) + text({"event": "stop", "stop": {}}) + text(HEARD))
        assert far.told == ["media socket closed: Media is not legal in stopped"]

    run(test())


class Near(Wire):
    """A transport whose socket tells for how many bytes the system is to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.least: asyncio.Queue[int] = asyncio.Queue()

    def get_extra_info(self, name: str) -> Near:
        assert name == "socket"
        return self

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_RCVLOWAT)
        self.least.put_nowait(value)


class Quiet:
    """A phone beside."""

    def look(self, *, pays: bool) -> None:
        assert pays


@pytest.mark.skipif(sys.platform != "linux", reason="done on Linux only")
def test_among_many_frames_that_nobody_hears_are_gathered_but_only_while_they_flow() -> None:
    async def test() -> None:
        far, near = Far(), Near()
        transport: Any = near
        far.socket = MediaSocket(transport, set())
        far.socket.upgrade(HEAD % b"/", lambda: far.leg)
        far.say(text(CONNECTED) + text(START) + text(HEARD))
        sockets = gathering()
        assert sockets is not None
        for _ in range(MANY):  # who come later, and make it worth while
            sockets.add(Quiet())
        assert await near.least.get() == GATHERED
        assert await near.least.get() == 1, "now a key would be told of by itself"
        far.socket.connection_lost(None)

    run(test())


SAID: list[dict[str, Any]] = [
    CONNECTED,
    START,
    HEARD,
    KEY,
    HEARD,
    KEY,
    {"event": "news", "text": "x" * 9000},
    KEY,
]


@pytest.mark.parametrize("seed", range(20))
def test_frames_may_come_in_any_pieces(seed: int) -> None:
    async def test() -> None:
        chance, far = random.Random(seed), Far()
        frames = [text(message) for message in SAID]
        frames.insert(4, frame(b"are you there", opcode=Opcode.PING))
        if seed % 2:  # a text in fragments, and a ping between them
            frames[-1:] = [frame(b'{"event":"dtmf",', fin=False), frame(b"", opcode=Opcode.PING)]
            frames.append(frame(b'"dtmf":{"digit":"5"}}', opcode=Opcode.CONT))
        stream = b"".join(frames)
        while stream:
            size = chance.choice([1, 2, 7, 300, 5000])
            far.say(stream[:size])
            stream = stream[size:]
        kinds = [type(event) for event in far.events]
        assert kinds == [media.Connected, media.Start, media.Dtmf, media.Dtmf, media.Dtmf]
        assert len(far.wire.written) == 1 + seed % 2, "the answers to the pings"
        assert far.told == []

    run(test())


@pytest.mark.parametrize("seed", range(10))
def test_where_frames_end_is_known_in_whatever_pieces_they_come(seed: int) -> None:
    chance = random.Random(seed)
    missing: int | None = 0
    for _ in range(50):
        size = chance.choice([0, 5, 125, 126, 2000, 70_000])
        whole = Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)
        assert is_whole_text(whole) == (126 <= size < 1 << 16)
        assert not is_whole_text(whole + b"x")
        cut = chance.randrange(10, len(whole)) if size > 10 else len(whole)
        missing = lacking(whole[:cut], missing)
        assert missing == len(whole) - cut
        if missing:
            missing = lacking(whole[cut:], missing)
    assert missing == 0
    assert lacking(b"\x81", 0) is None, "half a head"


def opened(hear: Callable[[bytes], None]) -> speechwire.Wire:
    """A speech connection whose handshake is over, without a network."""
    wire = speechwire.Wire(ClientProtocol(parse_uri("ws://localhost/")), hear=hear)
    transport: Any = Wire()
    wire.connection_made(transport)
    wire.request = wire.protocol.connect()
    wire.protocol.send_request(wire.request)
    server = ServerProtocol()
    server.receive_data(b"".join(wire.protocol.data_to_send()))
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    wire.data_received(b"".join(server.data_to_send()))
    return wire


@pytest.mark.parametrize("seed", range(20))
def test_what_the_speech_service_says_is_heard_in_whatever_pieces_it_comes(seed: int) -> None:
    async def test() -> None:
        chance, heard = random.Random(seed), list[bytes]()
        wire, said, stream = opened(heard.append), list[bytes](), b""
        for number in range(40):
            said.append(f"{number} ".encode() * chance.choice([1, 50, 700, 20_000]))
            parts = [said[-1]] if chance.random() < 0.8 else [said[-1][:9], said[-1][9:]]
            for opcode, part in zip((Opcode.TEXT, Opcode.CONT), parts, strict=False):
                stream += Frame(opcode, part, fin=part is parts[-1]).serialize(mask=False)
                stream += chance.choice([b"", Frame(Opcode.PING, b"?").serialize(mask=False)])
        while stream:
            size = len(stream) if not seed else chance.choice([1, 2, 5, 300, 5000, 70_000])
            wire.data_received(stream[:size])
            stream = stream[size:]
        assert heard == said

    run(test())


def test_what_looks_like_a_frame_inside_of_another_is_none() -> None:
    async def test() -> None:
        heard = list[bytes]()
        wire = opened(heard.append)
        inner = Frame(Opcode.TEXT, b"x" * 300).serialize(mask=False)
        outer = Frame(Opcode.BINARY, inner).serialize(mask=False)
        wire.data_received(outer[: -len(inner)])
        wire.data_received(inner)
        wire.data_received(inner)
        assert heard == [inner, b"x" * 300]

    run(test())


class Call:
    """One that is there already, with nobody who speaks but the test."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        chronicle = Chronicle(lambda _text: None, None)
        self.bridge = Bridge(Script(["Hello there."]))
        self.phone = Phone(self.inbox.put, refused=lambda _why: None)
        ear = Ear(chronicle, self.inbox, detects=False)
        self.conversation = Conversation(
            self.bridge, self.phone, self.inbox, chronicle, ear, self.nowhere
        )
        silent: Any = Silent()
        self.conversation.voice = silent

    def answered(self) -> Far:
        """Its phone's socket, without a network."""
        leg = self.phone.answer(self.phone.token, {})
        assert leg is not None
        far = Far()
        far.leg = leg
        transport: Any = far.wire
        far.socket = MediaSocket(transport, set())
        far.socket.upgrade(HEAD % b"/", lambda: leg)
        far.wire.written.clear()
        return far

    async def nowhere(self) -> None:
        raise AssertionError("its socket was lost")


class Silent:
    """A voice that says nothing of its own."""

    def speak(self, text: str, take: int, *, anew: bool) -> None:
        pass

    def hush(self) -> None:
        pass


STREAMS = 25


def test_a_stream_holds_little_memory() -> None:
    async def test() -> None:
        await streamed(2)  # what is loaded once
        gc.collect()
        tracemalloc.start()
        try:
            kib = await streamed(STREAMS) / STREAMS / 1024
        finally:
            tracemalloc.stop()
        assert kib < MOST_KIB

    run(test())


async def streamed(count: int) -> int:
    """Bytes held by so many calls, each with a listener and a socket, in mid-sentence."""
    before = tracemalloc.get_traced_memory()[0]
    async with asyncio.TaskGroup() as group, contextlib.AsyncExitStack() as sockets:
        calls = [Call() for _ in range(count)]
        voices = [Talker(call.inbox) for call in calls]
        for call, voice in zip(calls, voices, strict=True):
            talker: Any = voice
            call.conversation.voice = talker
            port = await sockets.enter_async_context(
                serving(call.phone.app, answer=call.phone.answer)
            )
            await sockets.enter_async_context(dialled(port, call.phone.token))
        tasks = [group.create_task(call.conversation.run()) for call in calls]
        for voice in voices:
            await voice.has_spoken.wait()
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
        for task in tasks:
            task.cancel()
    return taken


@contextlib.asynccontextmanager
async def dialled(port: int, token: str) -> AsyncIterator[None]:
    """A socket in a stream, as small as can be: it is not what is measured."""
    loop = asyncio.get_running_loop()
    with socket.socket() as near:
        near.setblocking(False)
        await loop.sock_connect(near, ("127.0.0.1", port))
        await loop.sock_sendall(near, HEAD % f"/twilio/media/{token}".encode())
        await loop.sock_recv(near, 1000)
        await loop.sock_sendall(near, text(CONNECTED) + text(START) + text(HEARD))
        yield


class Talker:
    """A voice that has said four seconds as soon as it is asked to."""

    def __init__(self, inbox: Inbox) -> None:
        self.has_spoken = asyncio.Event()
        self._inbox = inbox

    def speak(self, _text: str, take: int, **_options: bool) -> None:
        for _ in range(20):
            payload = base64.b64encode(bytes(1600)).decode()
            self._inbox.put(Spoken(take, Audio(payload)))
        asyncio.get_running_loop().call_soon(self.has_spoken.set)
