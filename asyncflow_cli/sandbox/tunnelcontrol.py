"""Tunnels opened, watched and killed while the sandbox runs: /__sandbox/tunnels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox.answering import Endpoint
from asyncflow_cli.sandbox.control import ROOT, checked
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.tunnels import Tunnel, Tunnels


class OpenRequest(msgspec.Struct, frozen=True):
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    die_after: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Seconds after the first connection."""


def routes(tunnels: Tunnels) -> list[BaseRoute]:
    async def shown(_request: Request) -> Response:
        return as_json({"tunnels": tunnels.listed()})

    async def open_one(request: Request) -> Response:
        wish = msgspec.json.decode(await request.body(), type=OpenRequest)
        tunnel = await tunnels.open(wish.port, die_after=wish.die_after)
        return as_json(tunnel.described(), status=201)

    async def close(request: Request) -> Response:
        try:
            await tunnels.close(request.path_params["id"])
        except KeyError:
            return _missing(request)
        return Response(status_code=204)

    def told(to: Callable[[Tunnel], None]) -> Endpoint:
        async def tell(request: Request) -> Response:
            try:
                tunnel = tunnels[request.path_params["id"]]
            except KeyError:
                return _missing(request)
            to(tunnel)
            return as_json(tunnel.described())

        return tell

    path = f"{ROOT}/tunnels"
    return [
        Route(path, shown, methods=["GET"]),
        Route(path, checked(open_one, '{"port": N}'), methods=["POST"]),
        Route(f"{path}/{{id}}", close, methods=["DELETE"]),
        Route(f"{path}/{{id}}/die", told(Tunnel.die), methods=["POST"]),
        Route(f"{path}/{{id}}/freeze", told(Tunnel.freeze), methods=["POST"]),
    ]


def _missing(request: Request) -> Response:
    return as_json({"message": f"There is no tunnel {request.path_params['id']}"}, status=404)
