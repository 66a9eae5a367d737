"""TwilioClient against the sandbox's Twilio, and against one that answers what it is told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import io
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

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
    CallRejectedError,
    LimitError,
    NetworkError,
    PrerequisiteError,
    RemoteProtocolError,
    ServiceError,
    UsageError,
)
from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
from asyncflow_cli.protocol.catalogue import twilio_codes
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.twilio import FIND_AFTER, TwilioClient
from tests.sandbox.far_ends import FROM, TO, ended, sandbox

T = TypeVar("T")

ACCOUNT, AUTH_TOKEN = "AC" + "1" * 32, "f" * 32
SID = "CA" + "2" * 32
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
SETTINGS = Settings(twilio_account_sid=ACCOUNT, twilio_auth_token=AUTH_TOKEN)
REQUEST = CallRequest(
    to=TO,
    from_=FROM,
    twiml=stream_twiml("wss://h.example/m/t", "https://h.example/s/t"),
    status_callback="https://h.example/c/t",
    ring_timeout=25,
    time_limit=300,
)

Reply = Response | Exception | list[Response | Exception]
"""A list is one reply after the other, the last for ever."""


def answer(status: int, body: Any) -> Response:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(content, status, media_type="application/json")


def call(
    status: str = "queued", *, sid: str = SID, age: float = 0, **fields: Any
) -> dict[str, Any]:
    created = format_datetime(datetime.now(UTC) - timedelta(seconds=age))
    return {"sid": sid, "status": status, "duration": None, "date_created": created, **fields}


def listed(*calls: dict[str, Any]) -> Response:
    return answer(200, {"calls": list(calls), "page": 0, "next_page_uri": None, "page_size": 20})


def refused(status: int, code: int, message: str = "no") -> Response:
    return answer(status, {"code": code, "message": message, "status": status})


@dataclass
class Twilio:
    """One reply for each method and path, and what it was asked."""

    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def answer(self, request: Request) -> Response:
        line = f"{request.method} {request.url.path}"
        self.asked.append(line)
        self.urls.append(str(request.url))
        login = request.headers["authorization"].removeprefix("Basic ")
        self.logins.append(base64.b64decode(login).decode())
        self.form = parse_qsl((await request.body()).decode())
        reply = self.replies[line]
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    @contextlib.asynccontextmanager
    async def client(self, settings: Settings = SETTINGS) -> AsyncIterator[TwilioClient]:
        routes = [Route("/{path:path}", self.answer, methods=["GET", "POST"])]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        client = TwilioClient(settings, transport=transport, sleep=self.sleep)
        async with contextlib.aclosing(client):
            yield client

    def run(self, work: Callable[[TwilioClient], Awaitable[T]], settings: Settings = SETTINGS) -> T:
        async def running() -> T:
            async with self.client(settings) as client:
                return await work(client)

        return asyncio.run(running())

    def create(self) -> Any:
        return self.run(lambda client: client.create_call(REQUEST))

    def fails(self, settings: Settings = SETTINGS) -> AsyncflowError:
        with pytest.raises(AsyncflowError) as caught:
            self.run(lambda client: client.create_call(REQUEST), settings)
        return caught.value


CREATE, LIST = f"POST {CALLS}.json", f"GET {CALLS}.json"
FETCH, UPDATE = f"GET {CALLS}/{SID}.json", f"POST {CALLS}/{SID}.json"


def test_the_order_is_whole() -> None:
    twilio = Twilio({CREATE: answer(201, call())})
    assert twilio.create().sid == SID
    form = twilio.form
    assert sorted(value for name, value in form if name == "StatusCallbackEvent") == [
        "answered",
        "completed",
        "initiated",
        "ringing",
    ]
    assert dict(form) | {"StatusCallbackEvent": ""} == {
        "To": TO,
        "From": FROM,
        "Twiml": REQUEST.twiml,
        "Timeout": "25",
        "TimeLimit": "300",
        "StatusCallback": REQUEST.status_callback,
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": "",
    }
    assert REQUEST.twiml == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream name="asyncflow" '
        'statusCallback="https://h.example/s/t" url="wss://h.example/m/t" />'
        "</Connect></Response>"
    )


@pytest.mark.parametrize(
    "unclear",
    [
        httpx.ReadTimeout("late"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("gone"),
        answer(201, b""),
        answer(201, b'{"sid": "CA'),
        answer(201, b"<html>"),
        answer(502, b"<html>Bad Gateway</html>"),
        refused(503, 20503),
    ],
)
def test_without_a_clear_answer_the_call_is_found_and_never_made_twice(unclear: Reply) -> None:
    old = call("in-progress", sid="CA" + "3" * 32, age=60)
    ended = call("completed", sid="CA" + "4" * 32)
    twilio = Twilio({CREATE: unclear, LIST: listed(old, ended, call("ringing"))})
    record = twilio.create()
    assert (record.sid, record.status) == (SID, "ringing")
    assert twilio.asked == [CREATE, LIST]
    assert dict(httpx.URL(twilio.urls[1]).params) | {"PageSize": ""} == {
        "To": TO,
        "From": FROM,
        "PageSize": "",
    }


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (httpx.ReadTimeout("late"), NetworkError, "TWILIO_UNREACHABLE"),
        (answer(201, b"<html>"), RemoteProtocolError, "REMOTE_PROTOCOL_ERROR"),
        (answer(500, b""), ServiceError, "TWILIO_500"),
    ],
)
@pytest.mark.parametrize(
    "found", [listed(), listed(call(age=60)), httpx.ReadTimeout("late"), answer(200, b"<")]
)
def test_if_no_call_is_found_nobody_knows_whether_there_is_one(
    reply: Reply, error: type[AsyncflowError], code: str, found: Reply
) -> None:
    twilio = Twilio({CREATE: reply, LIST: found})
    failure = twilio.fails()
    assert (type(failure), failure.code) == (error, "CALL_UNKNOWN")
    assert failure.details == {"failure": code}
    assert "WHETHER A CALL WAS PLACED IS UNKNOWN" in failure.message
    assert twilio.asked == [CREATE, *[LIST] * len(FIND_AFTER)]


def test_a_list_may_lag_behind_so_the_call_is_looked_for_again() -> None:
    twilio = Twilio(
        {
            CREATE: refused(503, 20503),
            LIST: [listed(), httpx.ReadTimeout("late"), listed(call("ringing"))],
        }
    )
    assert twilio.create().sid == SID
    assert twilio.asked == [CREATE, LIST, LIST, LIST]
    assert tuple(twilio.slept[1:]) == FIND_AFTER


def test_what_was_too_much_is_asked_again_for_it_was_not_done() -> None:
    twilio = Twilio({CREATE: [refused(429, 20429), answer(429, b""), answer(201, call())]})
    assert twilio.create().sid == SID
    assert twilio.asked == [CREATE] * 3
    _, first, second = twilio.slept
    assert 0.5 <= first <= 1 <= second <= 2


def test_what_is_too_much_still_is_told() -> None:
    twilio = Twilio({CREATE: refused(429, 20429)})
    assert twilio.fails().code == "TWILIO_20429"
    assert twilio.asked == [CREATE] * 3


@pytest.mark.parametrize(
    "failure", [answer(502, b""), refused(503, 20503), answer(504, b""), httpx.ConnectError("no")]
)
def test_a_question_is_asked_again_after_what_passes(failure: Response | Exception) -> None:
    twilio = Twilio({LIST: [failure, listed()]})
    assert twilio.run(lambda client: client.latest_calls()) == []
    assert twilio.asked == [LIST] * 2


@pytest.mark.parametrize("failure", [refused(500, 20500), httpx.ReadTimeout("late")])
def test_a_question_is_not_asked_again_after_anything_else(
    failure: Response | Exception,
) -> None:
    twilio = Twilio({LIST: failure})
    with pytest.raises(AsyncflowError):
        twilio.run(lambda client: client.latest_calls())
    assert twilio.asked == [LIST]


def test_a_second_call_of_the_same_second_waits() -> None:
    account = "AC" + "7" * 32
    created = f"POST /2010-04-01/Accounts/{account}/Calls.json"
    twilio = Twilio({created: answer(201, call())})

    async def two_calls(client: TwilioClient) -> None:
        await client.create_call(REQUEST)
        await client.create_call(REQUEST)

    began = time.monotonic()
    twilio.run(two_calls, dataclasses.replace(SETTINGS, twilio_account_sid=account))
    first, second = twilio.slept
    assert first == 0
    assert 1 - (time.monotonic() - began) < second <= 1


def test_a_sandbox_need_not_be_waited_for() -> None:
    twilio = Twilio({CREATE: answer(201, call())})
    here = dataclasses.replace(SETTINGS, twilio_base_url="http://127.0.0.1:1")
    twilio.run(lambda client: client.create_call(REQUEST), here)
    assert twilio.slept == []


def test_all_that_may_be_asked_for_is_asked_for_by_its_name() -> None:
    twilio = Twilio({CREATE: answer(201, call())})
    request = dataclasses.replace(
        REQUEST,
        caller_id="+15551110000",
        send_digits="ww1#",
        record=True,
        machine="DetectMessageEnd",
        async_amd_status_callback="https://h.example/a/t",
    )
    twilio.run(lambda client: client.create_call(request))
    assert (
        dict(twilio.form).items()
        >= {
            "CallerId": "+15551110000",
            "SendDigits": "ww1#",
            "Record": "true",
            "RecordingChannels": "mono",
            "MachineDetection": "DetectMessageEnd",
            "AsyncAmd": "true",
            "AsyncAmdStatusCallback": "https://h.example/a/t",
            "AsyncAmdStatusCallbackMethod": "POST",
        }.items()
    )
    assert {name for name, _ in twilio.form} == set(request.parameters)


def test_a_pause_holds_a_call_whose_stream_was_lost() -> None:
    twiml = stream_twiml("wss://h.example/m/a&b", "https://h.example/s/t", hold=30)
    assert twiml.endswith(
        'url="wss://h.example/m/a&amp;b" /></Connect><Pause length="30" /></Response>'
    )


def test_a_live_call_is_led_elsewhere() -> None:
    twilio = Twilio({UPDATE: answer(200, call("in-progress"))})
    assert twilio.run(lambda client: client.redirect(SID, REQUEST.twiml)).status == "in-progress"
    assert twilio.form == [("Twiml", REQUEST.twiml)]


def test_a_call_that_has_ended_is_led_nowhere() -> None:
    twilio = Twilio({UPDATE: refused(400, 21220)})
    with pytest.raises(AsyncflowError) as caught:
        twilio.run(lambda client: client.redirect(SID, REQUEST.twiml))
    assert caught.value.code == "TWILIO_21220"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Msg=Got+404%21&ErrorCode=31920&LogLevel=ERROR", "Got 404!"),
        ("sourceComponent=14100&EmailNotification=false&Msg=No+audio", "No audio"),
        ("Plain words", "Plain words"),
        ("half%20encoded", "half encoded"),
        ("", ""),
    ],
)
def test_what_went_wrong_is_told_in_words(text: str, words: str) -> None:
    entry = {"error_code": "31920", "log": "0", "message_text": text}
    path = f"{CALLS}/{SID}/Notifications.json"
    answered = answer(200, {"notifications": [entry], "page": 0, "next_page_uri": None})
    (told,) = Twilio({f"GET {path}": answered}).run(lambda client: client.notifications(SID))
    assert (told.error_code, told.message, told.level) == ("31920", words, "error")


@pytest.mark.parametrize(
    "unreadable",
    [answer(404, b""), answer(501, b""), answer(200, b"{}"), httpx.ReadError(""), refused(401, 1)],
)
def test_a_balance_that_is_not_to_be_read_is_none(unreadable: Reply) -> None:
    balance = f"GET /2010-04-01/Accounts/{ACCOUNT}/Balance.json"
    assert Twilio({balance: unreadable}).run(lambda client: client.fetch_balance()) is None
    some = answer(200, {"balance": "12.5", "currency": "EUR"})
    told = Twilio({balance: some}).run(lambda client: client.fetch_balance())
    assert told is not None
    assert (told.amount, told.currency) == (12.5, "EUR")


def test_the_account_is_read_from_the_sandbox() -> None:
    async def test() -> None:
        async with sandbox() as running, contextlib.aclosing(_sandboxed(running)) as client:
            account = await client.fetch_account()
            assert (account.type, account.status) == ("Full", "active")
            assert FROM in await client.owned_numbers()
            assert await client.owns(FROM)
            assert await client.owns("+15550001111")
            assert not await client.owns("+441632960000")
            await client.check_login()
            with pytest.raises(AsyncflowError) as caught:
                await client.redirect("CA" + "9" * 32, REQUEST.twiml)
            assert caught.value.code == "TWILIO_20404"

    asyncio.run(test())


def _sandboxed(running: Sandbox) -> TwilioClient:
    return TwilioClient(Settings().pointed_at(running.environment, "sandbox"))


@pytest.mark.parametrize("url", ["https://api.ie1.twilio.com", "https://api.au1.twilio.com/x"])
def test_a_host_that_is_no_more_is_refused(url: str) -> None:
    with pytest.raises(PrerequisiteError):
        TwilioClient(dataclasses.replace(SETTINGS, twilio_base_url=url))


@pytest.mark.parametrize(
    "reply",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        refused(400, 21211),
        refused(401, 20003),
        answer(404, b"<html>"),
    ],
)
def test_if_no_call_was_made_for_certain_none_is_looked_for(reply: Reply) -> None:
    twilio = Twilio({CREATE: reply})
    twilio.fails()
    assert twilio.asked == [CREATE]


@pytest.mark.parametrize(
    ("replies", "asked", "status"),
    [
        ({UPDATE: answer(200, call("completed", duration="3"))}, [UPDATE], "completed"),
        ({UPDATE: answer(200, call("in-progress"))}, [UPDATE], "in-progress"),
        ({UPDATE: refused(404, 20404)}, [UPDATE], "completed"),
        (
            {UPDATE: refused(400, 21220), FETCH: answer(200, call("busy"))},
            [UPDATE, FETCH],
            "busy",
        ),
    ],
)
def test_a_call_that_is_over_is_hung_up(
    replies: dict[str, Reply], asked: list[str], status: str
) -> None:
    twilio = Twilio(replies)
    assert twilio.run(lambda client: client.hang_up(SID)).status == status
    assert twilio.asked == asked


@pytest.mark.parametrize("reply", [refused(401, 20003), answer(500, b""), httpx.ReadError("")])
def test_a_hang_up_that_fails_says_so(reply: Reply) -> None:
    with pytest.raises(AsyncflowError):
        Twilio({UPDATE: reply}).run(lambda client: client.hang_up(SID))


def test_a_duration_is_seconds() -> None:
    twilio = Twilio({FETCH: answer(200, call("completed", duration="12"))})
    record = twilio.run(lambda client: client.fetch_call(SID))
    assert (record.duration, record.ended) == (12, True)


@pytest.mark.parametrize("key", [None, "SK" + "5" * 32])
def test_the_environment_is_not_read_and_a_key_goes_before_the_token(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "API_KEY", "API_SECRET", "REGION", "EDGE"):
        monkeypatch.setenv(f"TWILIO_{name}", f"other-{name.lower()}")
    settings = Settings(
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=AUTH_TOKEN,
        twilio_api_key=key,
        twilio_api_secret="secret" if key else None,
    )
    twilio = Twilio({FETCH: answer(200, call())})
    twilio.run(lambda client: client.fetch_call(SID), settings)
    assert twilio.logins == [f"{key}:secret" if key else f"{ACCOUNT}:{AUTH_TOKEN}"]
    assert twilio.urls == [f"https://api.twilio.com{CALLS}/{SID}.json"]


@pytest.mark.parametrize(
    ("missing", "variable"),
    [
        ({"twilio_account_sid": None}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": None}, "TWILIO_AUTH_TOKEN"),
        ({"twilio_api_key": "SK1"}, "TWILIO_API_SECRET"),
        ({"twilio_region": "ie1"}, "TWILIO_EDGE"),
        ({"twilio_edge": "dublin"}, "TWILIO_REGION"),
    ],
)
def test_half_a_login_and_half_a_place_are_refused(
    missing: dict[str, str | None], variable: str
) -> None:
    given = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": AUTH_TOKEN, **missing}
    with pytest.raises(PrerequisiteError) as caught:
        TwilioClient(Settings(**given))  # type: ignore[arg-type]
    assert caught.value.exit_code == 10
    assert variable in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        ("https://api.twilio.com", "https://api.dublin.ie1.twilio.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_region_has_an_address_of_its_own_at_twilio_only(base_url: str, asked: str) -> None:
    settings = Settings(
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=AUTH_TOKEN,
        twilio_region="ie1",
        twilio_edge="dublin",
        twilio_base_url=base_url,
    )
    twilio = Twilio({FETCH: answer(200, call())})

    async def fetch(client: TwilioClient) -> str:
        await client.fetch_call(SID)
        return client.base_url

    assert twilio.run(fetch, settings) == asked
    assert twilio.urls == [f"{asked}{CALLS}/{SID}.json"]


@pytest.mark.parametrize(
    ("status", "code", "error", "exit_code", "hint"),
    [
        (401, 20003, AuthError, 4, "TWILIO_AUTH_TOKEN"),
        (400, 21210, CallRejectedError, 22, "--from"),
        (400, 21211, UsageError, 2, "+15551230001"),
        (400, 21215, CallRejectedError, 22, "Geo permissions"),
        (400, 21219, CallRejectedError, 22, "trial"),
        (400, 10001, AuthError, 4, "not active"),
        (429, 20429, LimitError, 5, "try again"),
        (400, 21216, CallRejectedError, 22, "https://www.twilio.com/docs/api/errors/21216"),
        (400, 99999, CallRejectedError, 22, "https://www.twilio.com/docs/api/errors/99999"),
        (403, 99999, AuthError, 4, "99999"),
        (429, 99999, LimitError, 5, "99999"),
        (404, 99999, ServiceError, 7, "99999"),
    ],
)
def test_every_code_has_its_class_and_what_to_do(
    status: int, code: int, error: type[AsyncflowError], exit_code: int, hint: str
) -> None:
    failure = Twilio({CREATE: refused(status, code, "in Twilio's words")}).fails()
    assert (type(failure), failure.exit_code, failure.code) == (error, exit_code, f"TWILIO_{code}")
    assert "in Twilio's words" in failure.message
    assert failure.hint
    assert hint in failure.hint


def test_every_code_with_a_remedy_says_it_as_a_sentence_of_ours() -> None:
    for entry in twilio_codes.ENTRIES:
        failure = Twilio({CREATE: refused(400, int(entry.number or 0))}).fails()
        assert type(failure) is (entry.raises or CallRejectedError)
        assert failure.hint == entry.next


def test_a_failure_without_words_is_called_by_its_name() -> None:
    failure = Twilio({CREATE: httpx.ConnectError("")}).fails()
    assert failure.message == "https://api.twilio.com cannot be reached: ConnectError"


def test_an_answer_without_a_code_makes_up_none() -> None:
    failure = Twilio({CREATE: answer(403, b"<html>")}).fails()
    assert (failure.code, failure.hint) == ("TWILIO_403", None)


def test_no_message_is_coloured_even_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    for reply in (refused(400, 21211), answer(500, b""), httpx.ConnectError("x")):
        failure = Twilio({CREATE: reply, LIST: listed()}).fails()
        assert "\x1b" not in f"{failure} {failure.message} {failure.hint}"


class LosesTheFirstAnswer(httpx.AsyncHTTPTransport):
    """A network that delivers everything but the answer to the first request."""

    lost = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.lost:
            return response
        self.lost = True
        await response.aclose()
        raise httpx.ReadTimeout("late")


def test_a_call_whose_answer_was_lost_is_found_in_the_sandbox_and_ended() -> None:
    unanswered = dataclasses.replace(
        REQUEST, to="+15551230480", ring_timeout=600, status_callback="http://127.0.0.1:1/"
    )

    async def test() -> None:
        async with sandbox() as running:
            settings = Settings().pointed_at(running.environment, "sandbox")
            client = TwilioClient(settings, transport=LosesTheFirstAnswer())
            async with contextlib.aclosing(client):
                made = await client.create_call(unanswered)
                assert [c.sid for c in running.store.calls()] == [made.sid]
                assert not made.ended
                await client.hang_up(made.sid)
                await ended(running, made.sid)
                assert (await client.hang_up(made.sid)).ended
                assert (await client.hang_up("CA" + "9" * 32)).ended

    asyncio.run(test())
