"""The Async Voice API over HTTP, strict: https://docs.async.com

Not imitated: the service's limits and prices, its models (all sound alike; only
`async_flash_v1.0` honours `speed_control`, as documented), and how fast it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from asyncflow_cli.protocol.models import ServerErrorAnswer, ServiceStatus, SpeechRequest
from asyncflow_cli.protocol.speech import PATH
from asyncflow_cli.sandbox.encode import encode_whole
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.refusal import Broken, Invalid, Refusal
from asyncflow_cli.sandbox.speaker import VERSION, Speaker, admit, check_version, check_whole
from asyncflow_cli.sandbox.speechsocket import speech_socket

CONTENT_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "raw": "application/octet-stream"}
"""Documented is `audio/mpeg` only; the others are choices that the vendor's own node accepts."""

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(speaker: Speaker) -> list[BaseRoute]:
    async def status(request: Request) -> Response:
        check_version(request)
        body = msgspec.json.encode(ServiceStatus(version=VERSION, status="ok"))
        return Response(body, media_type="application/json")

    async def text_to_speech(request: Request) -> Response:
        admit(request, request.headers.get("x-api-key"))
        wanted = await _read(request)
        voice = check_whole(wanted)
        spoken = speaker.speak(
            wanted.transcript,
            voice,
            model_id=wanted.model_id,
            language=wanted.language,
            speed_control=wanted.speed_control,
        )
        pcm = b"".join([piece async for piece in spoken])
        try:
            audio = await asyncio.to_thread(encode_whole, pcm, wanted.output_format)
        except EngineMissing as error:
            raise Broken(503, error.message, error.hint or "") from None
        speaker.remember("text_to_speech", voice, wanted.transcript, wanted.output_format, audio)
        return Response(audio, media_type=CONTENT_TYPES[wanted.output_format.container])

    return [
        Route("/", _answering(status), methods=["GET"]),
        Route("/text_to_speech", _answering(text_to_speech), methods=["POST"]),
        WebSocketRoute(PATH, speech_socket(speaker)),
    ]


async def _read(request: Request) -> SpeechRequest:
    try:
        return msgspec.json.decode(await request.body(), type=SpeechRequest)
    except msgspec.DecodeError as error:
        raise Invalid.because(error) from None
    except UnicodeDecodeError as error:
        raise Invalid(f"JSON decode error: {error}", "body", kind="json_invalid") from None


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its refusals as answers, and whatever else goes wrong as a 500."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (Refusal, Invalid, Broken) as refusal:
            return refusal.answer(request)
        except Exception as error:
            body = ServerErrorAnswer(
                message="Internal server error",
                method=request.method,
                url=request.url.path,
                detail=f"{type(error).__name__}: {error}",
            )
            return Response(msgspec.json.encode(body), 500, media_type="application/json")

    return answer
