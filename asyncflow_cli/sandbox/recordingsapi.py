"""Recordings in Twilio's REST API: those of a call, all of them, and their files.

https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.listing import is_within, page
from asyncflow_cli.sandbox.resources import RecordingResource
from asyncflow_cli.sandbox.rest import Endpoint, answered, not_found, read_form
from asyncflow_cli.sandbox.tape import read_tape
from asyncflow_cli.sandbox.tapefile import mp3_file, wav_file

CURRENT = "Twilio.CURRENT"
"""Stands for the recording that runs."""


def table(carrier: Carrier, root: str) -> list[tuple[str, str, Endpoint]]:
    """Method, path and endpoint of each resource under `root`."""
    found = Recordings(carrier)
    of_call = f"{root}/Calls/{{call_sid}}/Recordings"
    return [
        ("POST", f"{of_call}.json", found.start),
        ("GET", f"{of_call}.json", found.list),
        ("GET", f"{of_call}/{{sid}}.json", found.fetch),
        ("POST", f"{of_call}/{{sid}}.json", found.update),
        ("DELETE", f"{of_call}/{{sid}}.json", found.delete),
        ("GET", f"{root}/Recordings.json", found.list),
        ("GET", f"{root}/Recordings/{{sid}}.json", found.fetch),
        ("DELETE", f"{root}/Recordings/{{sid}}.json", found.delete),
    ]


def media(carrier: Carrier, root: str) -> list[BaseRoute]:
    """The files. As Twilio does unless told otherwise, it gives them without credentials."""
    files = Recordings(carrier)
    path = f"{root}/Recordings/{{sid}}"
    return [
        Route(f"{path}.mp3", answered(files.mp3)),
        Route(f"{path}.wav", answered(files.wav)),
        Route(path, answered(files.wav)),
    ]


class Recordings:
    """The recording resource."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._store = carrier.store

    async def start(self, request: Request) -> Response:
        call_sid = request.path_params["call_sid"]
        call, live = self._store.call(call_sid), self._carrier.live.get(call_sid)
        if call is None:
            raise not_found(request)
        order = read_tape(await read_form(request), "StartCallRecordingAPI")
        if live is None or call.status != "in-progress":
            raise ApiError(400, 21220, f"Call is {call.status}. It cannot be recorded")
        return as_json(live.taping.start(order), status=201)

    async def list(self, request: Request) -> Response:
        query = Form(request.query_params.multi_items())
        call_sid = request.path_params.get("call_sid") or query.get("CallSid") or None
        found = [
            made
            for made in self._store.recordings(call_sid)
            if is_within(made.date_created, "DateCreated", query)
        ]
        return as_json(page("recordings", found, request.url.path, query))

    async def fetch(self, request: Request) -> Response:
        return as_json(self._find(request))

    async def update(self, request: Request) -> Response:
        form = await read_form(request)
        status = form.choice("Status", ("", "paused", "in-progress", "stopped"))
        behavior = form.choice("PauseBehavior", ("silence", "skip"))
        live = self._carrier.live.get(request.path_params["call_sid"])
        sid = request.path_params["sid"]
        if live is not None and sid == CURRENT:
            sid = live.taping.current or sid
        changed = live.taping.change(sid, status, behavior) if live and status else None
        if changed is not None:
            return as_json(changed)
        found = self._find(request)
        raise ApiError(400, 21220, f"Recording is {found.status}. Cannot set it to {status}")

    async def delete(self, request: Request) -> Response:
        recording = self._find(request)
        if recording.status in ("in-progress", "paused"):
            raise ApiError(409, 20409, "A recording cannot be deleted before it has ended")
        self._store.delete_recording(recording.sid)
        return Response(status_code=204)

    async def wav(self, request: Request) -> Response:
        return await self._file(request, wav_file, "audio/x-wav")

    async def mp3(self, request: Request) -> Response:
        try:
            return await self._file(request, mp3_file, "audio/mpeg")
        except EngineMissing as error:
            raise ApiError(501, 20001, f"{error.message}. {error.hint}") from None

    async def _file(
        self, request: Request, make: Callable[[bytes, bytes, int], bytes], media_type: str
    ) -> Response:
        recording = self._find(request)
        channels = self._channels(recording, request.query_params.get("RequestedChannels"))
        sides = self._store.tape(recording.sid)
        if sides is None or not sides[0]:
            raise not_found(request)
        return Response(await asyncio.to_thread(make, *sides, channels), media_type=media_type)

    def _channels(self, recording: RecordingResource, requested: str | None) -> int:
        if requested is None:
            return recording.channels
        if requested not in ("1", "2") or int(requested) > recording.channels:
            text = f"RequestedChannels={requested}: there are {recording.channels}"
            raise ApiError(400, 20001, text)
        return int(requested)

    def _find(self, request: Request) -> RecordingResource:
        recording = self._store.recording(request.path_params["sid"])
        call_sid = request.path_params.get("call_sid")
        if recording is None or call_sid not in (None, recording.call_sid):
            raise not_found(request)
        return recording
