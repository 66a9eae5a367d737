"""How the account stands, changed while the sandbox runs: /__sandbox/account."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox.account import Account, read_account
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.control import ROOT, checked
from asyncflow_cli.sandbox.jsonresponse import as_json


class AccountRequest(msgspec.Struct, frozen=True):
    knobs: list[str]


def routes(carrier: Carrier) -> list[BaseRoute]:
    def described() -> Response:
        account = carrier.account
        return as_json({"knobs": account.knobs, "status": account.status})

    async def shown(_request: Request) -> Response:
        return described()

    async def turn(request: Request) -> Response:
        """The knobs take the place of those before; calls that live keep theirs."""
        wanted = msgspec.json.decode(await request.body(), type=AccountRequest)
        carrier.account = read_account(wanted.knobs)
        return described()

    async def restore(_request: Request) -> Response:
        carrier.account = Account()
        return Response(status_code=204)

    path = f"{ROOT}/account"
    return [
        Route(path, shown, methods=["GET"]),
        Route(path, checked(turn, '{"knobs": ["trial"]}'), methods=["POST"]),
        Route(path, restore, methods=["DELETE"]),
    ]
