"""This package's bridge with many calls in one process, as Twilio finds them in mid-call.

    python -m benchmarks.bridge.host CALLS SPEECH_PORT

Each is a `Conversation` of `Bridge`, `Phone` and `Voice`, which checks the one-time token, the
signature and the call's name. They share a listener, as calls behind one public address would.
Prints the port and the request head for each call's media socket, in the form `load.c` reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette

from asyncflow_cli.protocol import media
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.models import PHONE, VoiceSelector
from asyncflow_cli.protocol.plan import Deadlines
from asyncflow_cli.protocol.script import Script
from asyncflow_cli.protocol.speechmessages import Initialize
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.conversation import Conversation
from asyncflow_cli.transport.ear import Ear
from asyncflow_cli.transport.inbox import Inbox
from asyncflow_cli.transport.leg import Leg
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.phone import Phone, PhoneEvent
from asyncflow_cli.transport.signature import Keys, sign
from asyncflow_cli.transport.voice import Voice

AUTH_TOKEN, ACCOUNT = "t" * 32, "AC" + "0" * 32
SENTENCES = [f"This is sentence {number}." for number in range(15)]
"""Of six seconds each: more than any run lasts."""

AT_A_TIME = 50
"""Connections to the speech service that are opened together."""

INITIALIZE = Initialize(model_id="m", voice=VoiceSelector("v"), output_format=PHONE)

HEAD = (
    "GET /twilio/media/{token} HTTP/1.1\\nHost: h\\nUpgrade: websocket\\nConnection: Upgrade\\n"
    "Sec-WebSocket-Version: 13\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\n"
    "X-Twilio-Signature: {signature}\\n\\n"
)


class Host:
    """`started` is called once all calls have."""

    def __init__(self, calls: int, speech_port: int, started: Callable[[], object]) -> None:
        self._calls = calls
        self._started = started
        self._phones: dict[str, Phone] = {}
        environment = {"ASYNC_BASE_URL": f"http://127.0.0.1:{speech_port}", "ASYNC_API_KEY": "k"}
        self._settings = Settings().pointed_at(environment, "benchmark")
        self._opening = asyncio.Semaphore(AT_A_TIME)

    async def run(self) -> None:
        async with serving(Starlette(), answer=self._answer) as port, asyncio.TaskGroup() as calls:
            for number in range(self._calls):
                calls.create_task(self._call(number, port))

    def _answer(self, shown: str, headers: Mapping[str, str]) -> Leg | None:
        phone = self._phones.get(shown)
        return phone.answer(shown, headers) if phone else None

    async def _call(self, number: int, port: int) -> None:
        inbox, chronicle = Inbox(), Chronicle(complain, None)
        bridge = Bridge(Script(SENTENCES), Deadlines(total=3600))

        def emit(event: PhoneEvent) -> None:
            inbox.put(event)
            if isinstance(event, media.Start):
                self._has_started()

        phone = Phone(emit, account_sid=ACCOUNT, keys=Keys(AUTH_TOKEN), refused=complain)
        phone.gate.expect(f"CA{number:032}")
        phone.public_url = f"ws://127.0.0.1:{port}"
        self._phones[phone.token] = phone
        ear = Ear(chronicle, inbox, detects=False)
        conversation = Conversation(bridge, phone, inbox, chronicle, ear, nowhere)
        async with contextlib.AsyncExitStack() as stack:
            async with self._opening:
                voice = Voice(self._settings, INITIALIZE, inbox.put, inbox.done)
                conversation.voice = await stack.enter_async_context(voice)
            signature = sign(AUTH_TOKEN, phone.media_url)
            head = HEAD.format(token=phone.token, signature=signature)
            sys.stdout.write(f"{port} {head}\n")
            sys.stdout.flush()
            await conversation.run()
        complain(f"call {number} ended: {bridge.end_reason}")

    def _has_started(self) -> None:
        self._calls -= 1
        if not self._calls:
            self._started()


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


async def nowhere() -> None:
    complain("a media socket was lost")


def settle() -> None:
    """What lives as long as the calls need not be looked through again and again, which with a
    thousand of them takes a third of a second each time."""
    gc.collect()
    gc.freeze()


def loop_factory() -> Any:
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None


async def main(calls: int, speech_port: int) -> None:
    await Host(calls, speech_port, settle).run()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main(*map(int, sys.argv[1:])))
