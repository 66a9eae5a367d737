"""Twilio's REST API, as far as calls need it.

https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox import accountapi, listing, magic, recordingsapi, streamsapi
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.form import ApiError, Form, read_number
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.order import read_callback, read_order, read_source
from asyncflow_cli.sandbox.resources import API, LIVE, CallResource
from asyncflow_cli.sandbox.rest import Endpoint, guarded_by_account, not_found, read_form


def routes(carrier: Carrier) -> list[BaseRoute]:
    """Everything under /2010-04-01."""
    calls = Calls(carrier)
    root = f"/{API}/Accounts/{{account_sid}}"
    one = root + "/Calls/{sid}"
    table: list[tuple[str, str, Endpoint]] = [
        ("POST", f"{root}/Calls.json", calls.create),
        ("GET", f"{root}/Calls.json", calls.list),
        ("GET", f"{one}/Notifications.json", calls.notifications),
        ("GET", f"{one}.json", calls.fetch),
        ("POST", f"{one}.json", calls.update),
        ("DELETE", f"{one}.json", calls.delete),
        ("GET", f"{one}/Events.json", calls.events),
        *streamsapi.table(carrier, root),
        *recordingsapi.table(carrier, root),
        *accountapi.table(carrier, root),
    ]
    found = recordingsapi.media(carrier, root)
    for method, path, endpoint in table:
        found.append(_route(path, endpoint, [method]))
        found.append(_route(path.removesuffix(".json"), _not_xml, [method]))
    found.append(_route(f"/{API}/{{path:path}}", _unknown, _ALL_METHODS))
    return found


def _route(path: str, endpoint: Endpoint, methods: list[str]) -> Route:
    return Route(path, guarded_by_account(endpoint, magic.answer), methods=methods)


_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class Calls:
    """The call resource."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def create(self, request: Request) -> Response:
        form = await read_form(request)
        order = read_order(form, self._carrier.account)
        return as_json(self._carrier.dial(order), status=201)

    async def fetch(self, request: Request) -> Response:
        return as_json(self._find(request))

    async def list(self, request: Request) -> Response:
        query = Form(request.query_params.multi_items())
        chosen = listing.select(self._carrier.store.calls(), query)
        return as_json(listing.page("calls", chosen, request.url.path, query))

    async def update(self, request: Request) -> Response:
        call = self._find(request)
        form = await read_form(request)
        status = form.get("Status")
        if status not in ("", "canceled", "completed"):
            raise ApiError(400, 20001, f"Status must be canceled or completed, not {status}")
        if status:
            await self._end(call, status)
        else:
            self._change(call, form)
        return as_json(self._find(request))

    async def delete(self, request: Request) -> Response:
        call = self._find(request)
        if call.status in LIVE:
            raise ApiError(409, 20409, "A call cannot be deleted before it has ended")
        self._carrier.store.delete_call(call.sid)
        return Response(status_code=204)

    async def notifications(self, request: Request) -> Response:
        call = self._find(request)
        found = self._carrier.store.notifications(call.sid)
        query = Form(request.query_params.multi_items())
        # Twilio lists the latest first.
        return as_json(listing.page("notifications", found[::-1], request.url.path, query))

    async def events(self, request: Request) -> Response:
        found = self._carrier.store.events(self._find(request).sid)
        query = Form(request.query_params.multi_items())
        return as_json(listing.page("events", found, request.url.path, query))

    def _find(self, request: Request) -> CallResource:
        call = self._carrier.store.call(request.path_params["sid"])
        if call is None:
            raise not_found(request)
        return call

    async def _end(self, call: CallResource, status: str) -> None:
        if call.status not in LIVE or (status == "canceled" and call.status == "in-progress"):
            raise ApiError(400, 21220, f"Call is {call.status}. Cannot set it to {status}")
        live = self._carrier.live.get(call.sid)
        if live is not None:
            live.hang_up()
            # Choice: the answer shows the end if it comes within a second.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(live.ended.wait(), timeout=1)
            return
        # Its process is gone, or is another one that shares this store: nobody can hang it up.
        self._carrier.store.update_call(msgspec.structs.replace(call, status="completed"))

    def _change(self, call: CallResource, form: Form) -> None:
        live = self._carrier.live.get(call.sid)
        if live is None or call.status != "in-progress":
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if form.get("Url") and form.get("Twiml"):
            raise ApiError(400, 20001, "Url and Twiml exclude each other")
        source, callback = read_source(form), read_callback(form)
        if "TimeLimit" in form:
            live.set_time_limit(read_number(form, "TimeLimit", 14400, range(1, 86401), 20001))
        if callback is not None:
            live.set_callback(callback)
        if source is not None:
            live.redirect(source)


async def _not_xml(request: Request) -> Response:
    raise ApiError(
        400, 20001, f"The sandbox does not answer in XML. Ask for {request.url.path}.json"
    )


async def _unknown(request: Request) -> Response:
    raise ApiError(501, 20001, f"The sandbox does not imitate {request.method} {request.url.path}")
