"""Speech services that misbehave, on a real socket in a thread of their own."""

from __future__ import annotations

import base64
import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from typing import Any, Self

from websockets.sync.server import Server, ServerConnection, serve

HALF_SECOND = base64.b64encode(bytes(range(0, 200, 2)) * 40).decode()

Script = Callable[[ServerConnection, str], None]


def drops(socket: ServerConnection, context: str) -> None:
    """Goes away in the middle of a sentence."""
    socket.send(_audio(context))
    socket.socket.close()


def refuses(socket: ServerConnection, _context: str) -> None:
    """Has an error frame for everybody."""
    socket.send(json.dumps({"error_code": "USAGE_LIMIT_EXCEEDED", "message": "used up"}))


def says_nothing(socket: ServerConnection, context: str) -> None:
    """Ends at once, without audio."""
    socket.send(json.dumps({"context_id": context, "audio": "", "final": True}))


def stays_silent_at_the_end(socket: ServerConnection, context: str) -> None:
    """Sends a second of audio and never a final."""
    socket.send(_audio(context))
    socket.send(_audio(context))


def drops_at(number: int) -> Script:
    """Speaks half a second a sentence, and goes away at the `number`th, and at all that follow."""
    spoken: list[str] = []

    def script(socket: ServerConnection, context: str) -> None:
        spoken.append(context)
        socket.send(_audio(context))
        if len(spoken) >= number:
            socket.socket.close()
        else:
            socket.send(json.dumps({"context_id": context, "audio": "", "final": True}))

    return script


def begins_with(header: bytes) -> Script:
    """Sends a file where plain samples were asked for."""

    def script(socket: ServerConnection, context: str) -> None:
        audio = base64.b64encode(header + b"\x7f" * 1600).decode()
        socket.send(json.dumps({"context_id": context, "audio": audio, "final": False}))
        socket.send(json.dumps({"context_id": context, "audio": "", "final": True}))

    return script


class SpeechServer:
    """Runs `script` each time the end of a text was told."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._server: Server
        self._thread: Thread

    def __enter__(self) -> Self:
        self._server = serve(self._talk, "127.0.0.1", 0)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def _talk(self, socket: ServerConnection) -> None:
        for frame in socket:
            message: dict[str, Any] = json.loads(frame)
            if message.get("transcript") == "" and "close_context" not in message:
                self._script(socket, message["context_id"])


class Reciter(SpeechServer):
    """Says what `audio_of` makes of a text, in chunks of `sizes` bytes, in turn.

    `pace` is how many seconds of audio it makes in one of ours; None is as fast as it can. Without
    `padded` its base64 lacks the signs that fill it up, as some services leave them out.
    """

    def __init__(
        self,
        audio_of: Callable[[str], bytes],
        *,
        sizes: Iterable[int] = (3200,),
        pace: float | None = None,
        padded: bool = True,
    ) -> None:
        super().__init__(says_nothing)
        self.said: list[str] = []
        """Texts, in the order in which they were asked for."""
        self._audio_of = audio_of
        self._sizes = tuple(sizes)
        self._pace = pace
        self._end = "" if padded else "="

    def _talk(self, socket: ServerConnection) -> None:
        text: dict[str, str] = {}
        for frame in socket:
            message: dict[str, Any] = json.loads(frame)
            if "terminate" in message:
                return
            context = message.get("context_id")
            if context is None or "close_context" in message:
                continue
            if message["transcript"]:
                text[context] = text.get(context, "") + message["transcript"]
            else:
                self._recite(socket, context, text.pop(context).strip())

    def _recite(self, socket: ServerConnection, context: str, text: str) -> None:
        self.said.append(text)
        ready = time.monotonic()
        for chunk in _chunks(self._audio_of(text), self._sizes):
            if self._pace is not None:
                ready += len(chunk) / 8000 / self._pace
                time.sleep(max(0.0, ready - time.monotonic()))
            audio = base64.b64encode(chunk).decode().rstrip(self._end)
            socket.send(json.dumps({"context_id": context, "audio": audio, "final": False}))
        socket.send(json.dumps({"context_id": context, "audio": "", "final": True}))


def never_silent(seed: str, n_bytes: int) -> bytes:
    """μ-law of chance in which no byte is that of silence: it is found again in what was heard."""
    return random.Random(seed).randbytes(n_bytes).replace(b"\xff", b"\x7e")


def _chunks(audio: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(audio):
            return
        yield audio[start : start + size]
        start += size


def _audio(context: str) -> str:
    return json.dumps({"context_id": context, "audio": HALF_SECOND, "final": False})
