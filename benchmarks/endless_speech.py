"""A service that has ever so much to say: `python endless_speech.py MEGABYTES` prints its port.

It answers any request with that much silence as fast as it is taken, over HTTP in chunks, and over
the speech WebSocket as audio messages. `streaming` runs it as a process of its own.
"""

import base64
import json
import socket
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

MEGABYTES = int(sys.argv[1])
BLOCK = bytes(1 << 20)


async def speak(_request: Request) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(MEGABYTES):
            yield BLOCK

    return StreamingResponse(body(), media_type="audio/raw")


async def converse(client: WebSocket) -> None:
    await client.accept()
    context = None
    while context is None:
        context = json.loads(await client.receive_text()).get("context_id")
    audio = {"context_id": context, "audio": base64.b64encode(BLOCK[: 1 << 15]).decode()}
    message = json.dumps(audio | {"final": False})
    for _ in range(MEGABYTES * 32):
        await client.send_text(message)
    await client.send_text(json.dumps({"context_id": context, "audio": "", "final": True}))
    while "terminate" not in await client.receive_text():
        pass
    await client.close()


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201


ROUTES = [
    WebSocketRoute("/text_to_speech/websocket/ws", converse),
    Route("/{path:path}", speak, methods=["GET", "POST"]),
]
Server(uvicorn.Config(Starlette(routes=ROUTES), port=0, log_level="error")).run()
