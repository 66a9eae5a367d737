"""Callees who come and go while the sandbox runs: /__sandbox/callees."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox.callee import EVERYBODY
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.casting import read_callees
from asyncflow_cli.sandbox.control import ROOT, checked
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.script import Script

EXAMPLE = '{"number": "+15551230001", "script": "…"}'


class CalleeRequest(msgspec.Struct, frozen=True):
    script: str
    number: str = EVERYBODY


def routes(carrier: Carrier) -> list[BaseRoute]:
    def listed() -> Response:
        found = [
            {"number": number, "script": actor.text}
            for number, actor in carrier.callees.items()
            if isinstance(actor, Script)
        ]
        return as_json({"callees": found})

    async def shown(_request: Request) -> Response:
        return listed()

    async def register(request: Request) -> Response:
        wanted = msgspec.json.decode(await request.body(), type=CalleeRequest)
        carrier.callees.update(read_callees({wanted.number: wanted.script}))
        return listed()

    async def dismiss(request: Request) -> Response:
        number = request.query_params.get("number")
        if number is None:
            carrier.callees.clear()
        else:
            carrier.callees.pop(number, None)
        return Response(status_code=204)

    path = f"{ROOT}/callees"
    return [
        Route(path, shown, methods=["GET"]),
        Route(path, checked(register, EXAMPLE), methods=["POST"]),
        Route(path, dismiss, methods=["DELETE"]),
    ]
