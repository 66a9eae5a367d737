"""Copies of a call, begun and ended by REST: `Calls/{sid}/Streams.json`.

https://www.twilio.com/docs/voice/api/stream-resource
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.sandbox.account import ACCOUNT_SID
from asyncflow_cli.sandbox.call import LiveCall
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.clock import rfc2822
from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.resources import call_uri
from asyncflow_cli.sandbox.rest import Endpoint, not_found, read_form
from asyncflow_cli.sandbox.verbs import Stream

MAX_PARAMETERS = 99


def table(carrier: Carrier, root: str) -> list[tuple[str, str, Endpoint]]:
    """Method, path and endpoint of each resource under `root`."""
    copies = Copies(carrier)
    of_call = f"{root}/Calls/{{call_sid}}/Streams"
    return [
        ("POST", f"{of_call}.json", copies.start),
        ("POST", f"{of_call}/{{name}}.json", copies.stop),
    ]


class Copies:
    """The stream resource. It lives as long as its call."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def start(self, request: Request) -> Response:
        live = self._find(request)
        if "Stream" in self._carrier.account.blocked_verbs:
            raise ApiError(403, 10002, "Streams are not available on trial accounts")
        stream = read_stream(await read_form(request))
        if live.resource.status != "in-progress":
            raise ApiError(400, 21220, f"Call is {live.resource.status}. It cannot be streamed")
        if stream.name is not None and live.streams.find(stream.name) is not None:
            raise ApiError(400, 20001, f"There is a stream named {stream.name}")
        sid = await live.streams.start(stream, None)
        if sid is None:
            # Choice: the reason is among the call's notifications.
            raise ApiError(400, 20001, f"No stream could be opened at {stream.url}")
        if live.ended.is_set():
            # It was dialled while the call ended, which could not close it.
            await live.streams.stop(stream.name or sid)
            raise ApiError(400, 21220, "Call has ended. It has no streams")
        return _resource(live, sid, stream.name, "in-progress", status=201)

    async def stop(self, request: Request) -> Response:
        live = self._find(request)
        (await read_form(request)).choice("Status", ("stopped",))
        found = live.streams.find(request.path_params["name"])
        if found is None:
            raise not_found(request)
        name, sid = found
        await live.streams.stop(name)
        return _resource(live, sid, None if name == sid else name, "stopped")

    def _find(self, request: Request) -> LiveCall:
        live = self._carrier.live.get(request.path_params["call_sid"])
        if live is not None:
            return live
        call = self._carrier.store.call(request.path_params["call_sid"])
        if call is None:
            raise not_found(request)
        raise ApiError(400, 21220, f"Call is {call.status}. It has no streams")


def read_stream(form: Form) -> Stream:
    """The stream in the form: its parameters are Parameter1.Name, Parameter1.Value, and so on."""
    if not form.get("Url"):
        raise ApiError(400, 21205, "Url is required")
    numbers = range(1, MAX_PARAMETERS + 1)
    return Stream(
        url=form.get("Url"),
        name=form.get("Name") or None,
        track=form.choice("Track", ("inbound_track", "outbound_track", "both_tracks")),
        status_callback=form.url("StatusCallback"),
        status_callback_method=form.method("StatusCallbackMethod"),
        parameters={
            form.get(f"Parameter{number}.Name"): form.get(f"Parameter{number}.Value")
            for number in numbers
            if form.get(f"Parameter{number}.Name")
        },
    )


def _resource(
    live: LiveCall, sid: str, name: str | None, state: str, *, status: int = 200
) -> Response:
    return as_json(
        {
            "sid": sid,
            "account_sid": ACCOUNT_SID,
            "call_sid": live.sid,
            "name": name,
            "status": state,
            "date_updated": rfc2822(live.date()),
            "uri": f"{call_uri(ACCOUNT_SID, live.sid)}/Streams/{sid}.json",
        },
        status=status,
    )
