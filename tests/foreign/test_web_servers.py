"""Twilio's requests as web servers that others wrote take them: what they check is the address that
the request came to, for they know no other."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from twilio.request_validator import RequestValidator

from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.webhook import Answer
from tests.sandbox.far_ends import codes, ended, make_call, run, sandbox, web_server, xml

CLIP = bytes(range(1, 101)) * 32

HANG_UP = xml("<Response><Hangup/></Response>")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "written",
    [
        "{url}",
        "{url}?a=1",
        "{url}/voice?name=a b",
        "{url}/voice?name=%C3%BC&empty=",
        "{url}/voice#rc=2&rp=all",
        "http://user:p%40ss@{host}/voice",
        "{url}/moved",
    ],
)
def test_the_address_that_was_asked_is_the_one_that_is_signed(written: str, method: str) -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            moved = RedirectResponse("/voice?b=2", 307)
            web.pages = {"/": HANG_UP, "/voice": HANG_UP, "/moved": moved}
            address = written.format(url=web.url, host=web.url.removeprefix("http://"))
            made = await make_call(running, url=address, method=method)
            assert (await ended(running, made.sid)).status == "completed"
            assert made.sid in web.hits[0].url + web.hits[0].form.get("CallSid", "")
            validator = RequestValidator(AUTH_TOKEN)
            for hit in web.hits:
                assert validator.validate(hit.url, hit.form, hit.signature)

    run(test())


def test_a_stream_that_is_named_without_a_port_is_beside_its_document() -> None:
    """As Twilio's samples name it, which know only a tunnel's host."""

    async def voice(request: Request) -> Response:
        stream = f'<Stream url="wss://{request.url.hostname}/media"/>'
        return xml(f"<Response><Connect>{stream}</Connect></Response>")

    async def media(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()
        await socket.close()

    async def test() -> None:
        routes = [Route("/voice", voice, methods=["POST"]), WebSocketRoute("/media", media)]
        async with sandbox() as running, web_server(Starlette(routes=routes)) as web:
            made = await make_call(running, url=f"{web.url}/voice")
            await ended(running, made.sid)
            assert codes(running, made.sid) == []
            report = running.store.report(made.sid)
            assert report is not None
            assert [stream["close_code"] for stream in report.streams] == [1000]

    run(test())


def test_audio_in_place_of_a_document_is_asked_for_once_and_played() -> None:
    async def voice(_request: Request) -> Response:
        return Response(wav_file("pcm_mulaw", 8000, CLIP), media_type="audio/x-wav")

    async def test() -> None:
        routes = [Route("/voice", voice, methods=["POST"])]
        async with (
            sandbox(deterministic=True) as running,
            web_server(Starlette(routes=routes)) as web,
        ):
            made = await make_call(running, url=f"{web.url}/voice")
            await ended(running, made.sid)
            assert codes(running, made.sid) == []
            assert running.heard(made.sid) == CLIP

    run(test())


SPOKEN = "<Response><Say>Grüße</Say></Response>"


@pytest.mark.parametrize(
    ("content_type", "declared", "encoding"),
    [
        ("text/xml", "", "utf-8"),
        ("text/xml", "utf-8", "utf-8-sig"),
        ("text/xml", "ISO-8859-1", "latin-1"),
        ("text/xml; charset=iso-8859-1", "", "latin-1"),
        ("text/xml; charset=nonsense", "", "utf-8"),
        ("text/xml", "undefined", "utf-8"),  # which Python has, to fail with
        ("text/xml", "utf-16", "utf-16"),
        ("text/xml", "utf-16", "utf-8"),  # as a StringWriter of .NET declares it
    ],
)
def test_a_document_is_read_in_its_own_encoding(
    content_type: str, declared: str, encoding: str
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    answer = Answer(content_type, (head + SPOKEN).encode(encoding))
    assert answer.text == head + SPOKEN
