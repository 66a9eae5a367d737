"""The HTTP client against a service that answers what it is told, and one that breaks off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    IncompleteError,
    LimitError,
    NetworkError,
    NotFoundError,
    PrerequisiteError,
    RemoteProtocolError,
    ServiceError,
    UsageError,
)
from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.exchange import RETRY_DEADLINE
from tests.ports import deaf_port

KEY = "sk_test_4242"
REQUEST = SpeechRequest(
    model_id="async_flash_v1.5",
    transcript="Hello.",
    voice=VoiceSelector("v"),
    output_format=OutputFormat(container="raw", sample_rate=8000, encoding="pcm_s16le"),
)
AUDIO = b"\x01\x02" * 800
SETTINGS = Settings(api_key=KEY, base_url="http://127.0.0.1:1", retries=2)

Reply = Response | Exception


def said(status: int, body: Any = b"", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(content, status, headers=named)


def refused(status: int, code: str, **extra: Any) -> Response:
    return said(status, {"detail": {"error_code": code, "message": "no", "extra": extra or None}})


@dataclass
class Service:
    """Gives one reply after the other, the last for ever, and writes down what it was asked."""

    replies: list[Reply]
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append((request.method, request.url.path, request.headers, body))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def client(self, settings: Settings = SETTINGS) -> ApiClient:
        routes = [Route("/{path:path}", self.answer, methods=["GET", "POST"])]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        return ApiClient(settings, transport=transport, sleep=self.sleep)

    def synthesize(self, settings: Settings = SETTINGS) -> bytes:
        async def ask() -> bytes:
            async with contextlib.aclosing(self.client(settings)) as api:
                return await api.synthesize(REQUEST)

        return asyncio.run(ask())

    def status(self, settings: Settings = SETTINGS) -> Any:
        async def ask() -> Any:
            async with contextlib.aclosing(self.client(settings)) as api:
                return await api.status()

        return asyncio.run(ask())


UNANSWERED = httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "passing",
    [
        refused(429, "RATE_LIMIT_EXCEEDED"),
        refused(429, "TOO_MANY_CONCURRENT_REQUESTS", limit=5, current=7),
        refused(429, "SOMETHING_NEW"),
        said(429, b"slow down"),
        said(502, b"<html>Bad Gateway</html>"),
        said(503),
        refused(503, "MAINTENANCE"),
        said(504, {"message": "late"}),
        UNANSWERED,
        httpx.ConnectTimeout("late"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
    ],
)
def test_what_passes_is_tried_again(passing: Reply) -> None:
    service = Service([passing, passing, said(200, AUDIO)])
    assert service.synthesize() == AUDIO
    assert len(service.asked) == 3
    assert len(service.waits) == 2
    assert len({body for *_, body in service.asked}) == 1


class Addresses(httpx.AsyncBaseTransport):
    """Services by their host, some of which take no connection."""

    def __init__(self, *, refuse: set[str], answer: httpx.Response | Exception) -> None:
        self._refuse = refuse
        self._answer = answer
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host in self._refuse:
            raise UNANSWERED
        assert request.headers["host"] == request.url.host
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def asked_of_three(addresses: Addresses, *, retries: int = 0) -> AsyncflowError | str:
    """Two requests in a row; the first error, or the address asked in the end."""
    three = Settings(
        api_key=KEY,
        base_url="http://a",
        other_base_urls=("http://b/v1", "http://c"),
        retries=retries,
    )

    async def ask() -> AsyncflowError | str:
        async with contextlib.aclosing(ApiClient(three, transport=addresses)) as api:
            try:
                await api.synthesize(REQUEST)
                await api.synthesize(REQUEST)
            except AsyncflowError as error:
                return error
            return api.base_url

    return asyncio.run(ask())


def test_the_next_address_is_asked_where_one_takes_no_connection_and_stays() -> None:
    addresses = Addresses(refuse={"a"}, answer=httpx.Response(200, content=AUDIO))
    assert asked_of_three(addresses) == "http://b/v1"
    assert addresses.asked == ["a", "b", "b"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(503), httpx.Response(404), httpx.ReadTimeout("late")]
)
def test_an_address_that_took_the_request_is_the_one_that_counts(
    answer: httpx.Response | Exception,
) -> None:
    addresses = Addresses(refuse=set(), answer=answer)
    assert isinstance(asked_of_three(addresses), AsyncflowError)
    assert addresses.asked == ["a"]


def test_where_no_address_takes_a_connection_the_last_failure_is_told() -> None:
    addresses = Addresses(refuse={"a", "b", "c"}, answer=httpx.Response(200))
    failure = asked_of_three(addresses)
    assert isinstance(failure, NetworkError)
    assert failure.message.startswith("http://c cannot be reached")
    assert addresses.asked == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("final", "error", "code"),
    [
        (refused(400, "INVALID_LANGUAGE"), UsageError, "INVALID_LANGUAGE"),
        (refused(401, "INVALID_API_KEY"), AuthError, "INVALID_API_KEY"),
        (refused(404, "VOICE_NOT_FOUND"), NotFoundError, "VOICE_NOT_FOUND"),
        (refused(404, "VERSION_NOT_FOUND"), NotFoundError, "VERSION_NOT_FOUND"),
        (said(408), NetworkError, "HTTP_408"),
        (said(422, {"detail": [{"loc": ["body", "x"], "msg": "m"}]}), UsageError, "HTTP_422"),
        (refused(429, "USAGE_LIMIT_EXCEEDED"), LimitError, "USAGE_LIMIT_EXCEEDED"),
        (refused(429, "VOICE_CLONE_LIMIT_EXCEEDED"), LimitError, "VOICE_CLONE_LIMIT_EXCEEDED"),
        (said(500, {"message": "m", "detail": "d"}), ServiceError, "HTTP_500"),
        (said(302, location="/elsewhere"), ServiceError, "HTTP_302"),
        (httpx.ReadTimeout("late"), NetworkError, "TIMED_OUT"),
        (httpx.ProxyError("407"), NetworkError, "PROXY_FAILED"),
        (httpx.UnsupportedProtocol("ftp"), NetworkError, "BAD_ADDRESS"),
        (said(200, b"no gzip", content_encoding="gzip"), IncompleteError, "BODY_CUT"),
    ],
)
def test_what_does_not_pass_is_final_at_once(
    final: Reply, error: type[AsyncflowError], code: str
) -> None:
    service = Service([final, said(200, AUDIO)])
    with pytest.raises(error) as caught:
        service.synthesize()
    assert (caught.value.code, len(service.asked), service.waits) == (code, 1, [])


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_there_are_never_more_tries_than_asked_for(retries: int) -> None:
    service = Service([said(503)])
    with pytest.raises(ServiceError):
        service.synthesize(Settings(api_key=KEY, retries=retries))
    assert (len(service.asked), len(service.waits)) == (retries + 1, retries)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refused(429, "RATE_LIMIT_EXCEEDED", limit=120, retry_after_ms=8500), 8.5),
        (said(429, b"slow down", retry_after="7"), 7),
        (said(503, retry_after="3"), 3),
        (refused(429, "RATE_LIMIT_EXCEEDED", retry_after_ms=0), 0),
    ],
)
def test_we_wait_as_long_as_we_are_told_and_hardly_longer(reply: Response, told: float) -> None:
    service = Service([reply, said(200, AUDIO)])
    assert service.synthesize() == AUDIO
    assert service.waits[0] == pytest.approx(told + 0.05, abs=0.05)


def test_without_a_word_the_wait_grows_with_every_try() -> None:
    service = Service([said(502)])
    with pytest.raises(ServiceError):
        service.synthesize(Settings(api_key=KEY, retries=4))
    assert all(0 <= wait <= 0.5 * 2**n for n, wait in enumerate(service.waits))
    assert len(set(service.waits)) == 4


@pytest.mark.parametrize(("told", "waits"), [(RETRY_DEADLINE + 1, 0), (25, 2), (1e12, 0)])
def test_no_wait_goes_past_the_deadline(told: float, waits: int) -> None:
    service = Service([refused(429, "RATE_LIMIT_EXCEEDED", retry_after_ms=told * 1000)])
    with pytest.raises(LimitError):
        service.synthesize(Settings(api_key=KEY, retries=9))
    assert len(service.waits) == waits
    assert sum(service.waits) <= RETRY_DEADLINE


def test_the_request_is_the_documented_one() -> None:
    service = Service([said(200, AUDIO, content_type="application/octet-stream")])
    service.synthesize()
    ((method, path, headers, body),) = service.asked
    assert (method, path) == ("POST", "/text_to_speech")
    assert (headers["x-api-key"], headers["version"]) == (KEY, "v1")
    assert headers["content-type"] == "application/json"
    assert msgspec.json.decode(body) == {
        "model_id": "async_flash_v1.5",
        "transcript": "Hello.",
        "voice": {"id": "v", "mode": "id"},
        "output_format": {"container": "raw", "sample_rate": 8000, "encoding": "pcm_s16le"},
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"version": "v1", "status": "ok"},
        {"version": "v1", "ok": True},
        {"version": "v1", "status": "ok", "region": "eu"},
    ],
)
def test_both_forms_of_the_status_are_understood_and_need_no_key(answer: Any) -> None:
    service = Service([said(200, answer)])
    report = service.status(Settings(api_key=KEY))
    assert (report.status, report.version) == ("up", "v1")
    service.status(Settings(api_key=None))
    for method, path, headers, _ in service.asked:
        assert (method, path, headers["version"]) == ("GET", "/", "v1")
        assert KEY not in str(headers)
        assert "x-api-key" not in headers


@pytest.mark.parametrize(
    ("answer", "words"), [({"status": "degraded"}, "degraded"), ({"ok": False}, "down")]
)
def test_a_service_that_says_it_is_not_up_is_a_failure(answer: Any, words: str) -> None:
    with pytest.raises(ServiceError, match=f"not up: {words}"):
        Service([said(200, {"version": "v1", **answer})]).status()


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]", b"null", b"{}", b'{"version":1}'])
def test_a_status_that_is_no_status_breaks_the_protocol(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Service([said(200, body)]).status()
    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        ({"error_code": "QUOTA_EXCEEDED", "message": "m"}, "audio/mpeg", LimitError),
        ({"detail": {"error_code": "VOICE_NOT_FOUND"}}, "application/json", NotFoundError),
        ({"ok": True}, "audio/wav", IncompleteError),
        (b"no json", "application/json; charset=utf-8", IncompleteError),
    ],
)
def test_an_error_disguised_as_audio_is_found(
    body: Any, content_type: str, error: type[AsyncflowError]
) -> None:
    with pytest.raises(error):
        Service([said(200, body, content_type=content_type)]).synthesize()


def test_audio_may_begin_with_a_brace() -> None:
    assert Service([said(200, b'{"' + AUDIO)]).synthesize() == b'{"' + AUDIO


def test_without_a_key_nothing_is_sent() -> None:
    service = Service([said(200, AUDIO)])
    with pytest.raises(PrerequisiteError):
        service.synthesize(Settings(api_key=None))
    assert service.asked == []


# What no ASGI app can do: to break off, and to keep silent


@contextlib.asynccontextmanager
async def raw_server(
    answer: bytes, *, silent: bool = False
) -> AsyncIterator[tuple[str, list[str]]]:
    """Answers each connection with these bytes and closes it, or keeps it open and still."""
    asked: list[str] = []
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        await writer.drain()
        if silent:
            await gone.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        gone.set()
        server.close()


async def nobody(_seconds: float) -> None:
    """Do not wait."""


def asked_of(
    answer: bytes, ask: Callable[[ApiClient], Awaitable[object]], *, silent: bool = False
) -> tuple[AsyncflowError, list[str]]:
    """What asking a raw server ends in, and the requests it got."""

    async def test() -> tuple[AsyncflowError, list[str]]:
        async with raw_server(answer, silent=silent) as (url, asked):
            patience = 0.3 if silent else 10
            settings = Settings(api_key=KEY, base_url=url, timeout=patience, retries=1)
            async with contextlib.aclosing(ApiClient(settings, sleep=nobody)) as api:
                with pytest.raises(AsyncflowError) as caught:
                    await ask(api)
            return caught.value, asked

    return asyncio.run(test())


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 1000\r\n\r\n" + AUDIO[:100],
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n8\r\nabcd",
    ],
    ids=["length", "chunks", "chunk"],
)
def test_a_body_that_is_cut_off_is_incomplete_and_not_paid_for_twice(answer: bytes) -> None:
    error, asked = asked_of(answer, lambda api: api.synthesize(REQUEST))
    assert (type(error), error.exit_code, error.code) == (IncompleteError, 8, "BODY_CUT")
    assert len(asked) == 1


async def stream(api: ApiClient) -> None:
    async with api.stream(REQUEST) as chunks:
        async for _ in chunks:
            pass


@pytest.mark.parametrize("ask", [lambda api: api.synthesize(REQUEST), stream])
def test_a_refusal_that_is_cut_off_is_incomplete_and_not_asked_for_twice(
    ask: Callable[[ApiClient], Awaitable[object]],
) -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n{"
    error, asked = asked_of(answer, ask)
    assert (type(error), error.code, len(asked)) == (IncompleteError, "BODY_CUT", 1)


def test_a_body_that_stalls_is_incomplete_and_says_why() -> None:
    answer = HEAD + b"Content-Length: 1000\r\n\r\nabc"
    error, _ = asked_of(answer, lambda api: api.synthesize(REQUEST), silent=True)
    assert isinstance(error, IncompleteError)
    assert error.message == "The answer broke off: ReadTimeout"


def test_a_service_that_keeps_silent_is_not_asked_and_paid_twice() -> None:
    error, asked = asked_of(b"", lambda api: api.synthesize(REQUEST), silent=True)
    assert (error.code, error.exit_code, len(asked)) == ("TIMED_OUT", 6, 1)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n"], ids=["nothing", "ssh"])
def test_a_service_that_is_none_is_tried_again_and_then_a_network_error(answer: bytes) -> None:
    error, asked = asked_of(answer, lambda api: api.status())
    assert (error.code, error.exit_code, len(asked)) == ("CONNECTION_FAILED", 6, 2)


def test_where_nobody_listens_is_a_network_error_without_the_key() -> None:
    async def test() -> AsyncflowError:
        with deaf_port() as port:
            settings = Settings(api_key=KEY, base_url=f"http://127.0.0.1:{port}", retries=0)
            async with contextlib.aclosing(ApiClient(settings)) as api:
                with pytest.raises(NetworkError) as caught:
                    await api.synthesize(REQUEST)
        return caught.value

    error = asyncio.run(test())
    assert error.code == "CONNECTION_FAILED"
    assert KEY not in f"{error!r} {error.hint} {error.__cause__!r}"


def test_a_failure_without_words_is_called_by_its_name() -> None:
    with pytest.raises(NetworkError, match="cannot be reached: ReadError"):
        Service([httpx.ReadError("")]).synthesize()


@dataclass
class Crowd(Service):
    """Answers its first three askers at once, and only when all are there."""

    together: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(3))

    async def answer(self, request: Request) -> Response:
        if len(self.asked) < 3:
            await self.together.wait()
        return await super().answer(request)


def test_only_the_last_limit_to_end_lets_the_others_ask() -> None:
    """Nor does the end of the short wait after a 503, which is for itself alone."""
    limits = [refused(429, "RATE_LIMIT_EXCEEDED", retry_after_ms=ms) for ms in (9000, 5000)]
    service = Crowd([*limits, said(503), said(200, AUDIO)])
    waits: dict[float, asyncio.Event] = {}

    async def ask() -> list[int]:
        all_wait = asyncio.Event()

        async def sleep(seconds: float) -> None:
            over = waits[seconds] = asyncio.Event()
            if len(waits) == 3:
                all_wait.set()
            await over.wait()

        asked = []
        async with contextlib.aclosing(service.client()) as api, asyncio.TaskGroup() as group:
            api._sleep = sleep
            for _ in range(3):
                group.create_task(api.synthesize(REQUEST))
            await all_wait.wait()
            for _, over in sorted(waits.items()):
                over.set()
                for _ in range(100):
                    await asyncio.sleep(0)
                asked.append(len(service.asked))
        return asked

    assert asyncio.run(asyncio.wait_for(ask(), 10)) == [3, 3, 6]
