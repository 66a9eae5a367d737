"""A tunnel of the sandbox's own, which dies, or goes quiet, when the sandbox is told so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError
from asyncflow_cli.httpclient import HttpClient
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.roads.road import Loss, Tunnel

LOOK_EVERY = 0.2
"""Seconds between looks at the tunnel: the sandbox does not call."""

ANSWER_WITHIN = 5.0


class _Told(msgspec.Struct):
    id: str
    url: str
    state: str


class _List(msgspec.Struct):
    tunnels: list[_Told]


class Sandboxed:
    name = "sandbox"

    def __init__(self, twilio_base_url: str) -> None:
        self._base_url = twilio_base_url

    def missing(self) -> AsyncflowError | None:
        if is_loopback(self._base_url):
            return None
        return PrerequisiteError(
            "No sandbox is in use", hint="Add --sandbox to the command", code="NO_SANDBOX"
        )

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        async with HttpClient(
            base_url=f"{self._base_url}/__sandbox/", timeout=ANSWER_WITHIN, trust_env=False
        ) as http:
            told = await _opened_for_certain(http, port)
            lost = Loss()
            watching = asyncio.create_task(_watch(http, told.id, lost))
            try:
                yield Tunnel(told.url, lost, fresh=False)
            finally:
                watching.cancel()
                await _close(http, told)


async def _opened_for_certain(http: httpx.AsyncClient, port: int) -> _Told:
    """If this is cancelled the request is out all the same, and what it opened is closed."""
    opening = asyncio.create_task(_opened(http, port))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(AsyncflowError):
            await _close(http, await opening)
        raise


async def _close(http: httpx.AsyncClient, told: _Told) -> None:
    with contextlib.suppress(httpx.HTTPError):
        await asyncio.shield(http.delete(f"tunnels/{told.id}"))


async def _opened(http: httpx.AsyncClient, port: int) -> _Told:
    try:
        response = await http.post("tunnels", json={"port": port})
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=_Told)
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        raise NetworkError(
            f"The sandbox opened no tunnel: {error or type(error).__name__}",
            hint="See whether it is a sandbox that TWILIO_BASE_URL names: asyncflow config list",
            code="TUNNEL_FAILED",
        ) from None


async def _watch(http: httpx.AsyncClient, id: str, lost: Loss) -> None:
    """A frozen tunnel is open, as far as its agent knows."""
    state = "open"
    while state in ("open", "frozen"):
        await asyncio.sleep(LOOK_EVERY)
        try:
            answer = msgspec.json.decode((await http.get("tunnels")).content, type=_List)
        except (httpx.HTTPError, msgspec.DecodeError):
            state = "gone with its sandbox"
        else:
            state = next((told.state for told in answer.tunnels if told.id == id), "closed")
    lost.tell(f"the sandbox's tunnel is {state}")
