"""Faults armed and disarmed while the sandbox runs: /__sandbox/faults."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox.control import ROOT, checked
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.jsonresponse import as_json


class ArmRequest(msgspec.Struct, frozen=True):
    faults: list[str]


def routes(faults: Faults) -> list[BaseRoute]:
    async def shown(_request: Request) -> Response:
        return as_json({"faults": faults.listed()})

    async def arm(request: Request) -> Response:
        faults.add(msgspec.json.decode(await request.body(), type=ArmRequest).faults)
        return as_json({"faults": faults.listed()})

    async def disarm(_request: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    path = f"{ROOT}/faults"
    return [
        Route(path, shown, methods=["GET"]),
        Route(path, checked(arm, '{"faults": […]}'), methods=["POST"]),
        Route(path, disarm, methods=["DELETE"]),
    ]
