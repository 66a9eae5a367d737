"""Calling oneself from outside, and each way in which somebody or nobody else answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.probe import Probe, new_secret, probe, routes
from asyncflow_cli.transport.roads.road import Tunnel
from tests.ports import deaf_port
from tests.tlsservers import certify, in_front_of

SECRET = new_secret()


async def probed(server: list[BaseRoute], path: str = "", **options: Any) -> Probe:
    async with serving(Starlette(routes=server)) as port:
        tunnel = Tunnel(f"ws://127.0.0.1:{port}{path}", fresh=options.pop("fresh", False))
        return await probe(tunnel, SECRET, **options)


def failure(work: Callable[[], Awaitable[Any]]) -> AsyncflowError:
    async def run() -> None:
        await asyncio.wait_for(work(), 20)

    with pytest.raises(AsyncflowError) as caught:
        asyncio.run(run())
    return caught.value


def healthz(answer: Response) -> list[BaseRoute]:
    async def answered(_: object) -> Response:
        return answer

    return [Route("/healthz", answered)]


def test_our_own_server_is_found_and_measured() -> None:
    found = asyncio.run(probed(routes(SECRET)))
    assert 0 < found.https_ms < 5000
    assert 0 < found.wss_ms < 5000


@pytest.mark.parametrize(
    ("answer", "says", "hint"),
    [
        (PlainTextResponse("", 404), "not found", "all paths"),
        (HTMLResponse("<h1>Visit site</h1>"), "web page", "page of the tunnel"),
        (HTMLResponse("<h1>Bad gateway</h1>", 502), "nothing answers", "--port"),
        (RedirectResponse("https://other.example/"), "https://other.example/", "redirected"),
        (PlainTextResponse("", 401), "login", "Twilio has no login"),
        (PlainTextResponse("ok"), "another server", "older tunnel"),
    ],
)
def test_somebody_else_is_told_from_us(answer: Response, says: str, hint: str) -> None:
    error = failure(lambda: probed(healthz(answer)))
    assert (error.code, error.exit_code) == ("PUBLIC_URL_WRONG", 10)
    assert says in error.message
    assert hint in (error.hint or "")


def test_another_call_of_ours_is_somebody_else() -> None:
    error = failure(lambda: probed(routes(new_secret())))
    assert (error.code, error.passing) == ("PUBLIC_URL_WRONG", False)


def test_a_code_of_ngroks_edge_is_explained() -> None:
    headers = {"ngrok-error-code": "ERR_NGROK_3200"}
    error = failure(lambda: probed(healthz(HTMLResponse("", 404, headers=headers))))
    assert error.code == "ERR_NGROK_3200"
    assert "its agent is gone" in error.message


def test_an_address_that_lets_no_websocket_through_is_deaf() -> None:
    error = failure(lambda: probed(routes(SECRET)[:1]))
    assert (error.code, error.exit_code) == ("PUBLIC_URL_DEAF", 10)
    assert "Upgrade" in (error.hint or "")


def test_a_refused_connection_is_told() -> None:
    with deaf_port() as port:
        tunnel = Tunnel(f"ws://127.0.0.1:{port}", fresh=False)
        error = failure(lambda: probe(tunnel, SECRET))
    assert (error.code, error.exit_code) == ("PUBLIC_URL_UNREACHABLE", 6)
    assert "refused" in error.message
    assert "Nothing listens there" in (error.hint or "")


def test_a_name_that_dns_does_not_know_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # The one seam there is: without it the name would be asked for on the network.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    tunnel = Tunnel("wss://nobody.invalid", fresh=False)
    error = failure(lambda: probe(tunnel, SECRET))
    assert (error.code, error.passing) == ("PUBLIC_URL_UNREACHABLE", True)
    assert "DNS" in error.message


def test_a_server_without_tls_is_told() -> None:
    async def work() -> None:
        async with serving(Starlette(routes=routes(SECRET))) as port:
            await probe(Tunnel(f"wss://127.0.0.1:{port}", fresh=False), SECRET)

    error = failure(work)
    assert error.code == "PUBLIC_URL_UNREACHABLE"
    assert "TLS" in error.message


def test_an_address_with_tls_is_reached_both_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = certify("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def work() -> Probe:
        async with (
            serving(Starlette(routes=routes(SECRET))) as port,
            in_front_of(port, certificate) as edge,
        ):
            return await probe(Tunnel(f"wss://localhost:{edge}", fresh=False), SECRET)

    found = asyncio.run(asyncio.wait_for(work(), 20))
    assert 0 < found.https_ms < 5000
    assert 0 < found.wss_ms < 5000


def test_a_fresh_address_is_asked_again_until_it_has_settled() -> None:
    asked = 0

    async def not_yet(_: object) -> Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            return PlainTextResponse("", 404)
        return PlainTextResponse("", 401)

    error = failure(lambda: probed([Route("/healthz", not_yet)], fresh=True))
    assert "login" in error.message
    assert asked == 2


def test_a_path_in_front_of_ours_is_kept() -> None:
    error = failure(lambda: probed(routes(SECRET), "/deeper"))
    assert "404" in error.message


def test_strangers_get_no_echo_and_no_signature_of_their_choice() -> None:
    async def test() -> None:
        async with serving(Starlette(routes=routes(SECRET))) as port:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                for query in ("", "?nonce=short", "?nonce=" + "x" * 65, "?nonce=a%20b"):
                    assert (await http.get(f"/healthz{query}")).status_code == 404
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(f"ws://127.0.0.1:{port}/twilio/echo/guess")

    asyncio.run(test())
