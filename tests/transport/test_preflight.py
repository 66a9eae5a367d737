"""What stands in the way of a call is told before it, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    CallRejectedError,
    NetworkError,
    PrerequisiteError,
    ServiceError,
)
from asyncflow_cli.protocol.endings import TERMINAL
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.preflight import Check, preflight, twilio_checks
from asyncflow_cli.transport.twilio import TwilioClient
from tests.sandbox.far_ends import FROM, sandbox
from tests.transport.test_twilio_client import (
    ACCOUNT,
    AUTH_TOKEN,
    CALLS,
    Reply,
    Twilio,
    answer,
    listed,
    refused,
)

ROOT = f"GET /2010-04-01/Accounts/{ACCOUNT}"
LINES = {
    "account": f"{ROOT}.json",
    "balance": f"{ROOT}/Balance.json",
    "bought": f"{ROOT}/IncomingPhoneNumbers.json",
    "verified": f"{ROOT}/OutgoingCallerIds.json",
    "calls": f"GET {CALLS}.json",
}
WITH_KEY = Settings(
    twilio_account_sid=ACCOUNT, twilio_api_key="SK" + "5" * 32, twilio_api_secret="secret"
)
WITH_TOKEN = Settings(twilio_account_sid=ACCOUNT, twilio_auth_token=AUTH_TOKEN)


def account(kind: str = "Full", status: str = "active") -> Any:
    return answer(200, {"sid": ACCOUNT, "type": kind, "status": status})


def numbers(key: str, *found: str) -> Any:
    listing = [{"phone_number": number} for number in found]
    return answer(200, {key: listing, "page": 0, "next_page_uri": None})


def desk(**replies: Reply) -> Twilio:
    """A Twilio with nothing to complain of, but for `replies`."""
    usual: dict[str, Reply] = {
        "account": account(),
        "balance": answer(200, {"balance": "20.00", "currency": "USD"}),
        "bought": numbers("incoming_phone_numbers", FROM),
        "verified": numbers("outgoing_caller_ids"),
        "calls": listed(),
    }
    return Twilio({LINES[name]: reply for name, reply in (usual | replies).items()})


def checked(
    twilio: Twilio, *, settings: Settings = WITH_TOKEN, force: bool = False
) -> tuple[AsyncflowError | None, list[str]]:
    """What preflight raised, and what it warned of."""
    warnings: list[str] = []

    async def check(client: TwilioClient) -> AsyncflowError | None:
        try:
            await preflight(twilio_checks(client, FROM, force=force, warn=warnings.append))
        except AsyncflowError as error:
            return error
        return None

    return twilio.run(check, settings), warnings


def fails_with(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


def run(*checks: Check) -> None:
    asyncio.run(preflight(checks))


def test_nothing_in_the_way_is_no_word() -> None:
    assert checked(desk()) == (None, [])


def test_one_failure_is_raised_as_it_is() -> None:
    error = NetworkError("away", hint="Come back", code="TWILIO_UNREACHABLE")
    with pytest.raises(NetworkError) as caught:
        run(Check("one", fails_with(error)))
    assert caught.value is error


def test_the_same_failure_of_several_checks_is_one() -> None:
    with pytest.raises(NetworkError) as caught:
        run(*(Check(name, fails_with(NetworkError("away"))) for name in "abc"))
    assert caught.value.message == "away"


def test_all_failures_are_listed_with_what_to_do_and_the_gravest_decides() -> None:
    with pytest.raises(PrerequisiteError) as caught:
        run(
            Check("tunnel", fails_with(NetworkError("no tunnel", code="NO_TUNNEL"))),
            Check("key", fails_with(AuthError("wrong key", hint="Check it", code="BAD_KEY"))),
            Check("ngrok", fails_with(PrerequisiteError("no token", hint="Set it"))),
            Check("speech", fails_with(ServiceError("down"))),
        )
    error = caught.value
    assert (error.code, error.exit_code) == ("PREFLIGHT_FAILED", 10)
    for words in ("tunnel: no tunnel [NO_TUNNEL]", "key: wrong key [BAD_KEY]", "Check it"):
        assert words in error.message
    assert error.details is not None
    assert [problem["check"] for problem in error.details["problems"]] == [
        "tunnel",
        "key",
        "ngrok",
        "speech",
    ]


def test_checks_run_at_once() -> None:
    met = asyncio.Barrier(3)

    async def meet() -> None:
        async with asyncio.timeout(5):
            await met.wait()

    run(*(Check(name, meet) for name in "abc"))


def test_every_check_ends_before_the_first_failure_is_told() -> None:
    ended: list[str] = []

    async def slow() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("slow")

    with pytest.raises(NetworkError):
        run(Check("fast", fails_with(NetworkError("away"))), Check("slow", slow))
    assert ended == ["slow"]


def test_a_bug_is_no_failure_of_a_check() -> None:
    with pytest.raises(ZeroDivisionError):
        run(Check("a", fails_with(ZeroDivisionError())), Check("b", fails_with(AuthError("no"))))


def test_a_trial_account_is_explained_and_may_be_forced() -> None:
    error, _ = checked(desk(account=account("Trial")))
    assert isinstance(error, AuthError)
    assert (error.code, error.hint) == (
        "TRIAL_ACCOUNT",
        "Upgrade the account in Twilio's console; --force calls all the same",
    )
    error, warnings = checked(desk(account=account("Trial")), force=True)
    assert error is None
    assert ["going on, as --force asks" in warning for warning in warnings] == [True]


def test_a_suspended_account_is_told() -> None:
    error, _ = checked(desk(account=account(status="suspended")))
    assert error is not None
    assert (error.code, error.exit_code) == ("TWILIO_10001", 4)
    assert "suspended" in error.message


def test_a_number_of_somebody_else_is_told_with_those_that_would_do() -> None:
    owned = [f"+1555000{n:04}" for n in range(12)]
    twilio = desk(
        bought=[numbers("incoming_phone_numbers"), numbers("incoming_phone_numbers", *owned)],
        verified=[numbers("outgoing_caller_ids"), numbers("outgoing_caller_ids", "+15559999999")],
    )
    error, _ = checked(twilio)
    assert isinstance(error, CallRejectedError)
    assert error.code == "TWILIO_21210"
    assert f"no number {FROM}; it has {owned[0]}, " in error.message
    assert error.message.endswith("and 3 more")


def test_a_verified_number_will_do() -> None:
    twilio = desk(
        bought=numbers("incoming_phone_numbers"), verified=numbers("outgoing_caller_ids", FROM)
    )
    assert checked(twilio) == (None, [])


@pytest.mark.parametrize(
    ("balance", "warned"), [("0.40", True), ("-3", True), ("1.00", False), ("words", False)]
)
def test_a_low_balance_is_a_warning(balance: str, warned: bool) -> None:
    reply = answer(200, {"balance": balance, "currency": "USD"})
    error, warnings = checked(desk(balance=reply))
    assert (error, bool(warnings)) == (None, warned)


@pytest.mark.parametrize("settings", [WITH_TOKEN, WITH_KEY], ids=["token", "key"])
def test_a_login_that_is_refused_stops_the_call(settings: Settings) -> None:
    no = refused(401, 20003)
    twilio = desk(account=no, balance=no, bought=no, verified=no, calls=no)
    error, _ = checked(twilio, settings=settings)
    assert error is not None
    assert (error.code, error.exit_code) == ("TWILIO_20003", 4)


def test_a_twilio_out_of_reach_stops_the_call() -> None:
    away = httpx.ConnectError("refused")
    twilio = desk(account=away, balance=away, bought=away, verified=away)
    error, _ = checked(twilio)
    assert error is not None
    assert error.code == "TWILIO_UNREACHABLE"


@pytest.mark.parametrize(
    "silence",
    [
        answer(404, b""),
        answer(501, b"<html>"),
        answer(500, b""),
        answer(200, b"{}"),
        refused(403, 1),
    ],
    ids=["404", "501", "500", "nothing", "403"],
)
def test_what_twilio_does_not_tell_stops_no_call(silence: Reply) -> None:
    twilio = desk(account=silence, balance=silence, bought=silence, verified=silence)
    assert checked(twilio) == (None, [])


def test_a_key_that_may_call_and_read_nothing_is_enough() -> None:
    no = refused(401, 20003)
    twilio = desk(account=no, balance=no, bought=no, verified=no)
    assert checked(twilio, settings=WITH_KEY) == (None, [])


def test_the_sandbox_has_nothing_against_a_call_and_none_is_made() -> None:
    async def test() -> list[str]:
        async with sandbox() as running:
            client = TwilioClient(Settings().pointed_at(running.environment, "sandbox"))
            try:
                await preflight(twilio_checks(client, FROM, force=False, warn=pytest.fail))
            finally:
                await client.aclose()
            return [call.status for call in running.store.calls() if call.status not in TERMINAL]

    assert asyncio.run(test()) == []
