"""Twilio's REST API, asked by Twilio's own client and, where that is too polite, by httpx."""

from __future__ import annotations

import socket
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from asyncflow_cli.errors import PrerequisiteError, UsageError
from asyncflow_cli.sandbox import account
from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import FROM, TO, client, ended, in_thread, make_call, run, sandbox

SHORT = "<Response/>"
ROOT = f"/2010-04-01/Accounts/{account.ACCOUNT_SID}"
GOOD = {"To": TO, "From": FROM, "Twiml": SHORT}


def http(running: Sandbox, **options: Any) -> httpx.AsyncClient:
    auth = (account.ACCOUNT_SID, account.AUTH_TOKEN)
    return httpx.AsyncClient(**{"base_url": running.url, "auth": auth, "verify": False, **options})


def test_a_new_call_is_queued_and_looks_like_twilios() -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            response = await web.post(f"{ROOT}/Calls.json", data=GOOD)
            assert response.status_code == 201
            assert response.headers["content-type"] == "application/json"
            assert response.headers["twilio-request-id"].startswith("RQ")
            assert float(response.headers["twilio-request-duration"]) >= 0
            body = response.json()
            assert body["sid"].startswith("CA")
            assert len(body["sid"]) == 34
            assert body["status"] == "queued"
            assert body["from"] == FROM
            assert body["to_formatted"] == "(555) 123-0001"
            assert body["start_time"] is None
            assert body["direction"] == "outbound-api"
            assert body["uri"] == f"{ROOT}/Calls/{body['sid']}.json"
            assert body["subresource_uris"]["notifications"] == (
                f"{ROOT}/Calls/{body['sid']}/Notifications.json"
            )
            assert body["subresource_uris"]["user_defined_messages"].endswith(
                "/UserDefinedMessages.json"
            )

    run(test())


def test_twilios_client_reads_a_finished_call() -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(running, twiml="<Response><Pause/></Response>")
            found = await ended(running, call.sid)
            assert found.status == "completed"
            assert int(found.duration) >= 1
            assert found.start_time <= found.end_time
            assert found.date_created <= found.date_updated

    run(test())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21201),
        ({"To": ""}, 21201),
        ({"From": None}, 21213),
        ({"From": "5551234"}, 21212),
        ({"To": "5551230001"}, 21211),
        ({"To": "+1 555 123 0001"}, 21211),
        ({"To": "+1555"}, 21211),
        ({"To": FROM}, 21211),
        ({"To": "nobody"}, 21217),
        ({"From": "+442071838750"}, 21210),
        ({"Twiml": None}, 20001),
        ({"Twiml": "x" * 4001}, 20001),
        ({"Twiml": None, "ApplicationSid": "AP1"}, 21218),
        ({"Url": "ftp://a.example/"}, 21205),
        ({"Url": "http://under_score.example/"}, 21205),
        ({"Url": "http://[broken/"}, 21205),
        ({"Url": "http://a.example/", "Method": "PUT"}, 20001),
        ({"StatusCallback": "nowhere"}, 21205),
        (
            {"StatusCallback": "http://a.example/", "StatusCallbackEvent": "initiated,ringing"},
            21626,
        ),
        ({"Timeout": "0"}, 21208),
        ({"Timeout": "601"}, 21208),
        ({"Timeout": "soon"}, 21208),
        ({"TimeLimit": "-1"}, 20001),
        ({"SendDigits": "12x"}, 21206),
    ],
)
def test_a_bad_order_names_twilios_code(changes: dict[str, str | None], code: int) -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            form = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
            response = await web.post(f"{ROOT}/Calls.json", data=form)
            assert response.status_code == 400
            body = response.json()
            assert body["code"] == code
            assert body["status"] == 400
            assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
            assert body["message"]
            assert running.store.calls() == []

    run(test())


def test_a_strict_account_owns_one_number_only() -> None:
    async def test() -> None:
        async with sandbox(account=["strict-from"]) as running:
            with pytest.raises(TwilioRestException) as caught:
                await make_call(running, from_="+15550000000", twiml=SHORT)
            assert caught.value.code == 21210
            await make_call(running, twiml=SHORT)

    run(test())


@pytest.mark.parametrize(
    ("auth", "path", "status", "code"),
    [
        (None, f"{ROOT}.json", 401, 20003),
        ((account.ACCOUNT_SID, "wrong"), f"{ROOT}.json", 401, 20003),
        (("AC" + "0" * 32, account.AUTH_TOKEN), f"{ROOT}.json", 401, 20003),
        (
            (account.ACCOUNT_SID, account.AUTH_TOKEN),
            f"/2010-04-01/Accounts/AC{'0' * 32}.json",
            404,
            20404,
        ),
        (
            (account.ACCOUNT_SID, account.AUTH_TOKEN),
            f"{ROOT}/Calls/CA{'0' * 32}.json",
            404,
            20404,
        ),
        ((account.ACCOUNT_SID, account.AUTH_TOKEN), f"{ROOT}/Calls", 400, 20001),
        ((account.ACCOUNT_SID, account.AUTH_TOKEN), f"{ROOT}/Messages.json", 501, 20001),
        ((account.API_KEY_SID, account.API_KEY_SECRET), f"{ROOT}.json", 200, None),
    ],
)
def test_who_may_ask_and_for_what(
    auth: tuple[str, str] | None, path: str, status: int, code: int | None
) -> None:
    async def test() -> None:
        async with sandbox() as running, http(running, auth=auth) as web:
            response = await web.get(path)
            assert response.status_code == status
            assert response.json().get("code") == code
            assert response.headers["twilio-request-id"].startswith("RQ")

    run(test())


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Bearer x", ""])
def test_a_broken_authorization_is_refused(header: str) -> None:
    async def test() -> None:
        async with sandbox() as running, http(running, auth=None) as web:
            response = await web.get(f"{ROOT}.json", headers={"Authorization": header})
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Basic")

    run(test())


def test_an_unknown_route_names_itself() -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            response = await web.post(f"{ROOT}/Messages.json", data={"Body": "Hi"})
            assert "POST" in response.json()["message"]
            assert "Messages.json" in response.json()["message"]
            assert (await web.get("/elsewhere")).status_code == 501

    run(test())


def test_twilios_client_pages_through_many_calls() -> None:
    async def test() -> None:
        async with sandbox() as running:
            made = [await make_call(running, twiml=SHORT) for _ in range(7)]
            calls = client(running).calls
            listed = await in_thread(lambda: calls.list(page_size=3))
            assert [call.sid for call in listed] == [call.sid for call in reversed(made)]
            limited = await in_thread(lambda: calls.list(limit=2))
            assert [call.sid for call in limited] == [made[6].sid, made[5].sid]

    run(test())


def test_lists_are_filtered_and_tell_their_pages() -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            running.carrier.callees["+15550100001"] = Callee("no-answer")
            ringing = await make_call(running, to="+15550100001", timeout=600, twiml=SHORT)
            done = await make_call(running, twiml=SHORT)
            await ended(running, done.sid)
            calls = client(running).calls

            async def found(**query: Any) -> list[str]:
                listed = await in_thread(lambda: calls.list(**query))
                return [call.sid for call in listed]

            today = date.today()
            day = timedelta(days=2)
            assert await found(status="ringing") == [ringing.sid]
            assert await found(to=TO) == [done.sid]
            assert await found(from_="+15550000000") == []
            assert await found(start_time_after=today - day) == [done.sid, ringing.sid]
            assert await found(start_time_before=today - day) == []
            assert await found(end_time_before=today + day) == [done.sid]
            page = (await web.get(f"{ROOT}/Calls.json?PageSize=1&Page=1&To=")).json()
            assert [call["sid"] for call in page["calls"]] == [ringing.sid]
            assert (page["page"], page["page_size"], page["start"], page["end"]) == (1, 1, 1, 1)
            assert page["next_page_uri"] is None
            assert "Page=0" in page["previous_page_uri"]
            assert "PageSize=1" in page["first_page_uri"]
            for bad in ("PageSize=x", "StartTime=yesterday"):
                assert (await web.get(f"{ROOT}/Calls.json?{bad}")).status_code == 400

    run(test())


def test_a_call_is_deleted_after_its_end_and_not_before() -> None:
    async def test() -> None:
        async with sandbox() as running:
            running.carrier.callees[TO] = Callee("no-answer")
            call = await make_call(running, timeout=600, twiml=SHORT)
            context = client(running).calls(call.sid)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(context.delete)
            assert caught.value.status == 409
            await in_thread(lambda: context.update(status="canceled"))
            await ended(running, call.sid)
            assert await in_thread(context.delete)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(context.fetch)
            assert caught.value.code == 20404

    run(test())


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"Twiml": SHORT}, 21220),
        ({"Url": "http://a.example/"}, 21220),
        ({"Status": "busy"}, 20001),
    ],
)
def test_a_ringing_call_takes_no_new_twiml(form: dict[str, str], code: int) -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            running.carrier.callees[TO] = Callee("no-answer")
            call = await make_call(running, timeout=600, twiml=SHORT)
            response = await web.post(f"{ROOT}/Calls/{call.sid}.json", data=form)
            assert (response.status_code, response.json()["code"]) == (400, code)

    run(test())


def test_a_talking_call_cannot_be_canceled_but_its_time_limit_can_be_changed() -> None:
    async def test() -> None:
        async with sandbox() as running, http(running) as web:
            running.carrier.callees[TO] = Callee(ring_seconds=0)
            call = await make_call(running, twiml='<Response><Pause length="9999"/></Response>')
            path = f"{ROOT}/Calls/{call.sid}.json"
            response = await web.post(path, data={"Status": "canceled"})
            assert response.json()["code"] == 21220
            both = {"Url": "http://a.example/", "Twiml": SHORT}
            assert (await web.post(path, data=both)).status_code == 400
            assert (await web.post(path, data={"TimeLimit": "1"})).status_code == 200
            await ended(running, call.sid)
            report = running.store.report(call.sid)
            assert report is not None
            assert report.ended_by == "time limit"

    run(test())


def test_the_account_its_balance_and_its_numbers_can_be_fetched() -> None:
    async def test() -> None:
        async with sandbox() as running:
            twilio = client(running)
            api = twilio.api.v2010.accounts(account.ACCOUNT_SID)
            fetched = await in_thread(api.fetch)
            assert (fetched.type, fetched.status) == ("Full", "active")
            balance = await in_thread(api.balance.fetch)
            assert balance.currency == "USD"
            numbers = await in_thread(lambda: twilio.incoming_phone_numbers.list())
            assert [number.phone_number for number in numbers] == [FROM]
            none = await in_thread(lambda: twilio.incoming_phone_numbers.list(phone_number="+44"))
            assert none == []
            assert await in_thread(lambda: twilio.outgoing_caller_ids.list()) == []

    run(test())


def test_an_api_key_works_in_twilios_client() -> None:
    async def test() -> None:
        async with sandbox() as running:
            keyed = Client(account.API_KEY_SID, account.API_KEY_SECRET, account.ACCOUNT_SID)
            keyed.api.base_url = running.url
            call = await in_thread(lambda: keyed.calls.create(to=TO, from_=FROM, twiml=SHORT))
            assert call.account_sid == account.ACCOUNT_SID

    run(test())


def test_what_is_not_imitated_is_named_in_the_report() -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(running, twiml=SHORT, call_token="{}", byoc="BY1")
            await ended(running, call.sid)
            report = running.store.report(call.sid)
            assert report is not None
            texts = [warning["text"].partition(" ")[0] for warning in report.warnings]
            assert texts == ["CallToken", "Byoc"]

    run(test())


# The sandbox's own routes, and its port


def test_what_was_heard_can_be_fetched_as_a_wav_file() -> None:
    async def test() -> None:
        async def say(text: str, _language: str | None) -> bytes:
            return text.encode() * 100

        async with sandbox(deterministic=True, say=say) as running, http(running) as web:
            call = await make_call(running, twiml="<Response><Say>abc</Say></Response>")
            await ended(running, call.sid)
            file = (await web.get(f"/__sandbox/calls/{call.sid}/heard.wav")).content
            assert file[:4] == b"RIFF"
            assert file[20:22] == b"\x07\x00"
            assert file.endswith(b"abc" * 100)
            assert (await web.get("/__sandbox/calls/CA1/heard.wav")).status_code == 404

    run(test())


def test_the_sandbox_tells_how_calls_sounded_and_forgets_on_request() -> None:
    async def test() -> None:
        async with sandbox() as running, http(running, auth=None) as web:
            call = await make_call(running, twiml="<Response><Say>Hello</Say><say/></Response>")
            await ended(running, call.sid)
            running.carrier.callees[TO] = Callee("no-answer")
            ringing = await make_call(running, timeout=600, twiml=SHORT)
            second, first = (await web.get("/__sandbox/calls")).json()["calls"]
            assert (second["sid"], second["live"]) == (ringing.sid, True)
            assert (first["sid"], first["live"]) == (call.sid, False)
            assert first["report"]["seconds_heard"] >= 0.3
            assert first["report"]["ended_by"] == "twiml"
            assert first["report"]["warnings"][0]["code"] == "12200"
            one = await web.get(f"/__sandbox/calls/{call.sid}")
            assert one.json() == first
            assert (await web.post("/__sandbox/reset")).status_code == 204
            assert (await web.get("/__sandbox/calls")).json() == {"calls": []}
            assert running.live_calls == []

    run(test())


def test_after_a_reset_deterministic_calls_are_counted_anew() -> None:
    async def test() -> None:
        async with sandbox(deterministic=True) as running, http(running) as web:
            first = await make_call(running, twiml=SHORT)
            await web.post("/__sandbox/reset")
            assert (await make_call(running, twiml=SHORT)).sid == first.sid

    run(test())


def test_calls_outlive_the_sandbox_that_made_them(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(state=tmp_path) as running:
            call = await make_call(running, twiml="<Response><Pause/></Response>")
            await ended(running, call.sid)
            heard = running.heard(call.sid)
        async with sandbox(state=tmp_path) as again:
            assert again.heard(call.sid) == heard
            with pytest.raises(KeyError):
                again.heard("CA1")

    run(test())


def test_a_call_that_a_dead_process_left_behind_can_be_ended(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(state=tmp_path) as one, sandbox(state=tmp_path) as other:
            one.carrier.callees[TO] = Callee("no-answer")
            call = await make_call(one, timeout=600, twiml=SHORT)
            context = client(other).calls(call.sid)
            updated = await in_thread(lambda: context.update(status="completed"))
            assert updated.status == "completed"

    run(test())


def test_the_url_is_known_before_anything_runs_and_the_port_is_taken() -> None:
    made = Sandbox()
    try:
        port = int(made.url.rpartition(":")[2])
        assert made.environment["TWILIO_BASE_URL"] == made.url
        assert made.environment["INBOUND_NUMBER"] == FROM
        with pytest.raises(PrerequisiteError):
            Sandbox(port=port)
    finally:
        made.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", ""])
def test_only_this_computer_is_served(host: str) -> None:
    with pytest.raises(UsageError):
        Sandbox(host=host)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_clock_cannot_stand_still(speed: float) -> None:
    with pytest.raises(UsageError):
        Sandbox(speed=speed)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6_is_a_loopback_too() -> None:
    async def test() -> None:
        async with sandbox(host="::1") as running, http(running) as web:
            assert running.url.startswith("http://[::1]:")
            assert (await web.get(f"{ROOT}.json")).status_code == 200

    run(test())
