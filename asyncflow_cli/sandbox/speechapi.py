"""The Async Voice API, strict: https://docs.async.com

Not imitated: the service's limits and prices, its models (all sound alike; only
`async_flash_v1.0` honours `speed_control`, as documented), and how fast it is.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from asyncflow_cli.protocol.models import (
    SPEECH_PATH,
    STREAMED_PATH,
    TIMED_PATH,
    VERSION,
    ServiceStatus,
)
from asyncflow_cli.protocol.speechmessages import IDLE_LIMIT, PATH
from asyncflow_cli.sandbox.answering import Endpoint, answering, service_routes
from asyncflow_cli.sandbox.cloning import Cloning
from asyncflow_cli.sandbox.hearing import speech_to_text
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.previews import Signatures
from asyncflow_cli.sandbox.speaker import Speaker, check_version
from asyncflow_cli.sandbox.speechsocket import speech_socket
from asyncflow_cli.sandbox.synthesis import Synthesis
from asyncflow_cli.sandbox.voicesapi import CLIPS, VoicesApi


def routes(
    speaker: Speaker, *, idle_limit: float = IDLE_LIMIT, signatures: Signatures | None = None
) -> list[BaseRoute]:
    choices = speaker.choices
    synthesis = Synthesis(speaker)
    voices = VoicesApi(speaker, signatures)

    async def status(request: Request) -> Response:
        check_version(request)
        if choices.legacy:
            return as_json(ServiceStatus(version=VERSION, ok=True))
        return as_json(ServiceStatus(version=VERSION, status="ok"))

    table: dict[str, dict[str, Endpoint]] = {
        "/": {"GET": status},
        SPEECH_PATH: {"POST": synthesis.whole},
        TIMED_PATH: {"POST": synthesis.with_timestamps},
        STREAMED_PATH: {"POST": synthesis.streaming},
        PATH: {"GET": _upgrade_required},
        "/voices/clone": {"POST": Cloning(speaker).clone},
        **voices.table(),
    }
    if not choices.legacy:
        table["/speech_to_text"] = {"POST": speech_to_text(speaker.store)}
    return [
        *service_routes(table, choices),
        Route(CLIPS, answering(voices.clip, choices)),
        WebSocketRoute(PATH, speech_socket(speaker, idle_limit=idle_limit)),
    ]


async def _upgrade_required(_request: Request) -> Response:
    """Who comes without an upgrade used http:// for ws://, or a proxy that does not pass it on."""
    body = {"detail": "This is a WebSocket: open it as one, with ws://"}
    return as_json(body, status=426, headers={"upgrade": "websocket"})
