"""Speech services that misbehave, on a real socket in a thread of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
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


def _audio(context: str) -> str:
    return json.dumps({"context_id": context, "audio": HALF_SECOND, "final": False})
