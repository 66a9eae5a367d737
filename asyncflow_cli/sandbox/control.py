"""The sandbox's own routes: what the telephone network knows and Twilio would not tell."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import PHONE_RATE, wav_file
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.resources import CallResource
from asyncflow_cli.sandbox.rest import Endpoint

ROOT = "/__sandbox"


def routes(carrier: Carrier) -> list[BaseRoute]:
    """Everything under /__sandbox. No credentials: it is for whoever sits at this computer."""

    async def calls(_request: Request) -> Response:
        return as_json({"calls": [_described(carrier, call) for call in carrier.store.calls()]})

    async def one(request: Request) -> Response:
        call = carrier.store.call(request.path_params["sid"])
        return _missing(request) if call is None else as_json(_described(carrier, call))

    async def heard(request: Request) -> Response:
        mulaw = carrier.heard(request.path_params["sid"])
        if mulaw is None:
            return _missing(request)
        file = wav_file("pcm_mulaw", PHONE_RATE, mulaw)
        return Response(file, media_type="audio/wav")

    async def reset(_request: Request) -> Response:
        await carrier.reset()
        return Response(status_code=204)

    async def failures(_request: Request) -> Response:
        return as_json({"strict": carrier.strict, "failures": carrier.failures})

    return [
        Route(f"{ROOT}/failures", failures),
        Route(f"{ROOT}/calls", calls),
        Route(f"{ROOT}/calls/{{sid}}", one),
        Route(f"{ROOT}/calls/{{sid}}/heard.wav", heard),
        Route(f"{ROOT}/reset", reset, methods=["POST"]),
    ]


def checked(endpoint: Endpoint, example: str) -> Endpoint:
    """The endpoint, which answers 422 to a body that is not like `example` or cannot be meant."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except UsageError as error:
            return as_json({"message": error.message, "hint": error.hint}, status=422)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return as_json({"message": f"Not {example}: {error}"}, status=422)

    return answer


def _described(carrier: Carrier, call: CallResource) -> dict[str, Any]:
    live = carrier.live.get(call.sid)
    report = live.report() if live is not None else carrier.store.report(call.sid)
    resource: dict[str, Any] = msgspec.to_builtins(call)
    return {**resource, "live": live is not None, "report": report}


def _missing(request: Request) -> Response:
    return as_json({"message": f"There is no {request.url.path}"}, status=404)
