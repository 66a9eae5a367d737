"""Twilio's test credentials."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from asyncflow_cli.sandbox.account import ACCOUNT_SID, TEST_ACCOUNT_SID, TEST_AUTH_TOKEN
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import TO, in_thread, run, sandbox

GOOD = {"to": TO, "from_": "+15005550006", "twiml": "<Response/>"}


def magic_client(running: Sandbox) -> Client:
    client = Client(TEST_ACCOUNT_SID, TEST_AUTH_TOKEN)
    client.api.base_url = running.url
    return client


def test_a_call_of_a_test_is_queued_and_never_made() -> None:
    async def test() -> None:
        async with sandbox() as running:
            made = await in_thread(lambda: magic_client(running).calls.create(**GOOD))
            assert (made.status, made.account_sid) == ("queued", TEST_ACCOUNT_SID)
            assert running.store.calls() == []

    run(test())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+15005550001"}, 21217),
        ({"to": "+15005550002"}, 21214),
        ({"to": "+15005550003"}, 21215),
        ({"to": "+15005550004"}, 21216),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15557654321"}, 21210),
        ({"twiml": "x" * 4001}, 20001),
    ],
)
def test_magic_numbers_bring_their_errors(changes: dict[str, str], code: int) -> None:
    async def test() -> None:
        async with sandbox() as running:
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: magic_client(running).calls.create(**{**GOOD, **changes}))
            assert (caught.value.status, caught.value.code) == (400, code)

    run(test())


def test_nothing_else_is_for_tests_and_no_other_account_is() -> None:
    async def test() -> None:
        async with sandbox() as running:
            client = magic_client(running)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(client.calls("CA1").fetch)
            assert (caught.value.status, caught.value.code) == (403, 20008)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(client.api.v2010.accounts(ACCOUNT_SID).fetch)
            assert caught.value.code == 20404

    run(test())
