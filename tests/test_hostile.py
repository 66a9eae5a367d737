"""Strangers at the door of a call that goes on: they get nothing, and the callee hears every byte.

Their sockets are real, and so is the call: our command line, the sandbox's Twilio, its phone line.
These strangers know more than any will, the addresses with their tokens and all.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from asyncflow_cli.sandbox.program import Inline
from asyncflow_cli.transport.signature import SIGNATURE, sign
from tests.conftest import TO, ServedSandbox, start, wait_for_line
from tests.documents import checked
from tests.heard import around

SPOKEN = [f"This is sentence {name} of a story for strangers." for name in ("one", "two", "three")]

MEGABYTE = b"x" * (1 << 20)

Told = dict[str, str]


class Talk:
    """A call in which somebody is being spoken to, and what a spy in its tunnel would know."""

    def __init__(self, served: ServedSandbox) -> None:
        self.served = served
        (live,) = served.sandbox.live_calls
        assert isinstance(live.order.source, Inline)
        self.key = served.environ["TWILIO_AUTH_TOKEN"]
        urls = re.findall(r'"((?:ws|http)://[^"]+)"', unescape(live.order.source.text))
        self.media_url, stream_status = sorted(urls, reverse=True)
        self.base, _, self.media_token = self.media_url[2:].rpartition("/twilio/media/")
        self.callback_token = stream_status.rpartition("/")[2]
        self.port = int(self.base.rpartition(":")[2])
        self.about: Told = {"CallSid": live.sid, "AccountSid": served.environ["TWILIO_ACCOUNT_SID"]}
        self.warnings: list[str] = []

    def callback(self, kind: str) -> str:
        return f"http{self.base}/twilio/{kind}/{self.callback_token}"

    def goes_on(self) -> bool:
        return bool(self.served.sandbox.live_calls)

    async def knock(self, url: str, **headers: str) -> int:
        """Ask for a media socket, and send a megabyte without waiting for the answer."""
        try:
            async with connect(url, additional_headers=headers, proxy=None, max_size=None) as door:
                await door.send(MEGABYTE.decode())
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


@contextlib.contextmanager
def talking(home: Path) -> Iterator[Talk]:
    """At the end of the block the call is heard to the end, as if nobody had been there. The eight
    seconds of it that are left then pass slowly meanwhile: strangers take their time."""
    with ServedSandbox(speed=2, deterministic=True) as served:
        call = ("call", "--to", TO, " ".join(SPOKEN), "--machine", "hangup")
        files = ("--save-heard", "heard.wav", "--report", "call.json", "--json")
        with start(home, *call, *files, **served.environ) as process:
            wait_for_line(process.stdout, '"first-frame"')
            served.run_at(0.25)
            talk = Talk(served)
            yield talk
            assert talk.goes_on(), "all of it was during the call"
            served.run_at(20)
            out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, b"")
        report = checked(msgspec.json.decode(out.splitlines()[-1]))
        assert (report["end_reason"], report["last_word_heard"]) == ("completed", True)
        spoken = [speech.audio for speech in served.sandbox.store.speeches()]
        _, after = around((home / "heard.wav").read_bytes(), spoken)
        assert set(after) <= {MULAW_SILENCE[0]}
        written = out.decode() + (home / "call.json").read_text()
        assert talk.media_token not in written
        assert talk.callback_token not in written
        assert served.ended()
        talk.warnings += report["warnings"]


PATHS = (
    *("/", "/docs", "/twilio", "/twilio/", "/healthz", "/healthz?nonce=1", "/twilio/echo/x"),
    *(f"/twilio/{kind}/wrong" for kind in ("media", "status", "stream-status", "amd", "echo")),
    *("/twilio/status/../media/x", "/twilio/media/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "//etc/passwd"),
    *("/twilio/status/wr%00ng", "/twilio/status/%F0%9F%93%9E", "/twilio/amd/" + "x" * 5000),
)

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "BREW")

GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: x\r\n" * 10_000,
    b"GET / HTTP/1.1\r\nX: " + MEGABYTE,
    bytes(range(256)) * 100,
)


def test_whoever_does_not_know_the_token_finds_nothing(home: Path) -> None:
    async def come(talk: Talk) -> None:
        async with httpx.AsyncClient(trust_env=False, base_url=f"http{talk.base}") as web:
            for path in PATHS:
                for method in METHODS:
                    answer = await web.request(method, path, content=b"CallStatus=completed")
                    assert answer.status_code in (403, 404, 405), (method, path)
                    assert talk.callback_token not in answer.text
        for path in ("media/wrong", "media/", f"echo/{talk.media_token}", "status/wrong"):
            assert await talk.knock(f"ws{talk.base}/twilio/{path}") == 403
        for sent in GARBAGE:
            await thrown(talk.port, sent)

    with talking(home) as talk:
        asyncio.run(come(talk))
    refused = ["callback refused: wrong token", "media socket refused: wrong token"]
    assert sorted(talk.warnings) == refused


async def thrown(port: int, sent: bytes) -> None:
    """Send it, and be shown out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError):
        writer.write(sent)
        await writer.drain()
        writer.write_eof()
        assert b" 200 " not in await asyncio.wait_for(reader.read(), 10)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


FORGED: tuple[tuple[str, Told], ...] = (
    ("status", {"CallStatus": "completed"}),
    ("status", {"CallStatus": "busy", "SipResponseCode": "486"}),
    ("amd", {"AnsweredBy": "machine_start"}),
    ("stream-status", {"StreamEvent": "stream-error", "StreamError": "31921"}),
)
"""Each of them would end the call."""


def test_whoever_has_stolen_the_tokens_can_sign_nothing(home: Path) -> None:
    another = {"CallSid": "CA" + "9" * 32}

    async def come(talk: Talk) -> None:
        async with httpx.AsyncClient(trust_env=False) as web:
            for kind, told in FORGED:
                url, form = talk.callback(kind), {**talk.about, **told}
                ours, theirs = sign(talk.key, url, form | another), sign("0" * 32, url, form)
                for signed, sent in (
                    ({}, form),
                    ({SIGNATURE: theirs}, form),
                    ({SIGNATURE: ours}, form),  # overheard, and used for something else
                    ({SIGNATURE: ours}, form | another),
                ):
                    answer = await web.post(url, data=sent, headers=signed)
                    assert answer.status_code == 403
                    await web.post(url, content=MEGABYTE, headers=signed)
        for signed in ({}, {SIGNATURE: "bm8="}, {SIGNATURE: sign(talk.key, talk.media_url)}):
            assert await talk.knock(talk.media_url, **signed) == 403

    with talking(home) as talk:
        asyncio.run(come(talk))
    assert sorted(talk.warnings) == [
        f"callback refused: it is about call {another['CallSid']}",
        "callback refused: its body is too long, or broke off",
        "callback refused: no signature",
        "callback refused: wrong signature",
        "media socket refused: a second socket",
        "media socket refused: no signature",
        "media socket refused: wrong signature",
    ]


def test_a_crowd_that_says_nothing_or_little_keeps_twilio_from_nothing(home: Path) -> None:
    heads = (b"", b"GET /", b"POST /twilio/status/x HTTP/1.1\r\nHost: h\r\n")

    async def come(talk: Talk) -> list[asyncio.StreamWriter]:
        half = f"POST /twilio/status/{talk.callback_token} HTTP/1.1\r\nContent-Length: 99\r\n"
        body = half.encode() + b"Host: h\r\n\r\nCallSid=CA"
        crowd = []
        for sent in (*heads, body) * 60:
            _, writer = await asyncio.open_connection("127.0.0.1", talk.port)
            writer.write(sent)
            crowd.append(writer)
        return crowd

    with asyncio.Runner() as loop, contextlib.ExitStack() as stay, talking(home) as talk:
        for writer in loop.run(come(talk)):
            stay.callback(writer.close)
    assert set(talk.warnings) <= {"callback refused: its body is too long, or broke off"}
