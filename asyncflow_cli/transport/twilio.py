"""Twilio's REST API: the calls of an account, and what the account is.

https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from twilio.base.exceptions import TwilioException

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.callrequest import CallRequest
from asyncflow_cli.protocol.endings import TERMINAL
from asyncflow_cli.settings import Settings, is_loopback, without_login
from asyncflow_cli.transport import pace
from asyncflow_cli.transport.outward import open_http
from asyncflow_cli.transport.twiliorecords import (
    Account,
    Balance,
    CallRecord,
    Notification,
    account,
    balance,
    notification,
    numbers,
    record,
)
from asyncflow_cli.transport.twiliowire import (
    FAILURES,
    explained,
    is_refusal,
    open_client,
    passes,
    was_too_much,
    whole,
)

log = logging.getLogger(__name__)

NOT_FOUND = "TWILIO_20404"

CALL_GONE = frozenset({NOT_FOUND, "TWILIO_21220"})
"""Not found, or not in a state to be changed: to someone who hangs up, both are success."""

FIND_AFTER = (0.0, 1.0, 2.0)
"""Seconds before each look for a call that nobody told us of: lists may lag."""

FIRST_BACKOFF = 1.0

MANY = 1000
"""Numbers that are read of an account; whoever has more is not told of the others."""

T = TypeVar("T")


class TwilioClient:
    """Calls of one account. Close it in the loop that used it.

    `transport` is the seam for tests and recordings; `sleep` that for waiting.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = open_http(
            settings.twilio_base_url, timeout=settings.timeout, transport=transport
        )
        self._client = open_client(settings, self._http)
        self._retries = settings.retries
        self._sleep = sleep
        self.account_sid = settings.need("twilio_account_sid")
        self.base_url = without_login(self._client.get_hostname(settings.twilio_base_url))
        """As messages and the journal have it."""
        self.uses_key = bool(settings.twilio_api_key)
        """An API key may be allowed calls and nothing else."""

    async def aclose(self) -> None:
        await self._http.aclose()

    # Calls

    async def create_call(self, request: CallRequest) -> CallRecord:
        """Dial, at most once a second. It is never dialled twice: creating is not idempotent, so
        without a clear answer the call is looked for.

        CALL_UNKNOWN if it is not found, for then there may be one all the same.
        """
        if not is_loopback(self.base_url):
            await self._sleep(pace.turn((self.base_url, self.account_sid)))
        began = datetime.now(UTC) - timedelta(minutes=1)  # clocks differ
        words = {_keyword(name): value for name, value in request.parameters.items()}
        create = functools.partial(self._client.calls.create_async, **words)
        try:
            return record(await self._patiently(create, was_too_much))
        except FAILURES as error:
            failure = explained(error, self.base_url)
            if is_refusal(error):
                raise failure from error
            log.info("%s: looking for the call", failure.message)
            found = await self._found(request, began)
            if found is None:
                raise _unknown(failure) from error
            return found

    async def fetch_call(self, sid: str) -> CallRecord:
        # Who asks this asks again and again, or ends the call whatever the answer.
        return await self._ask(lambda: self._client.calls(sid).fetch_async(), record, was_too_much)

    async def latest_calls(self) -> list[CallRecord]:
        """Of the whole account, the latest first."""
        return await self._ask(
            lambda: self._client.calls.list_async(limit=50),
            lambda calls: [record(call) for call in calls],
        )

    async def hang_up(self, sid: str) -> CallRecord:
        """End the call in whatever state it is; one that has ended stays as it is."""
        try:
            return await self._update(sid, status="completed")
        except AsyncflowError as error:
            if error.code == NOT_FOUND:
                # Deleted, which is done to calls that have ended only.
                return CallRecord(sid, "completed", None)
            if error.code not in CALL_GONE:
                raise
            return await self.fetch_call(sid)

    async def redirect(
        self, sid: str, twiml: str, *, status_callback: str | None = None
    ) -> CallRecord:
        """Put fresh TwiML in place of what a live call is at, and have it told of elsewhere.

        The stream it has is closed. TWILIO_21220 if the call has ended, or was not answered yet.
        """
        callback = {"status_callback": status_callback} if status_callback else {}
        return await self._update(sid, twiml=twiml, **callback)

    async def notifications(self, sid: str) -> list[Notification]:
        """What went wrong in a call, the latest first. It may lag behind by seconds."""
        listing = self._client.calls(sid).notifications
        return await self._ask(
            lambda: listing.list_async(limit=50),
            lambda found: [notification(each) for each in found],
        )

    # The account

    async def fetch_account(self) -> Account:
        context = self._client.api.v2010.accounts(self.account_sid)
        return await self._ask(lambda: context.fetch_async(), account)

    async def fetch_balance(self) -> Balance | None:
        """What is left to talk for; None if that is not to be read."""
        try:
            listing = self._client.api.v2010.account.balance
            return await self._ask(lambda: listing.fetch_async(), balance)
        except AsyncflowError:
            return None

    async def owns(self, number: str) -> bool:
        """Whether calls may come from this number: it was bought, or verified."""
        return number in await self._numbers(phone_number=number, limit=20)

    async def owned_numbers(self) -> list[str]:
        """Every number that calls may come from: the bought ones, then the verified ones."""
        return await self._numbers(limit=MANY)

    async def check_login(self) -> None:
        """The least that who may make calls may do: look at them. AuthError for strangers."""
        await self._ask(lambda: self._client.calls.list_async(limit=1), len)

    # How

    async def _numbers(self, **query: Any) -> list[str]:
        bought, verified = await asyncio.gather(
            self._ask(lambda: self._client.incoming_phone_numbers.list_async(**query), numbers),
            self._ask(lambda: self._client.outgoing_caller_ids.list_async(**query), numbers),
        )
        return list(dict.fromkeys([*bought, *verified]))

    async def _update(self, sid: str, **changes: Any) -> CallRecord:
        request = self._client.calls(sid).update_async
        return await self._ask(lambda: request(**changes), record, was_too_much)

    async def _ask(
        self,
        request: Callable[[], Awaitable[Any]],
        read: Callable[[Any], T],
        again: Callable[[Exception], bool] = passes,
    ) -> T:
        try:
            return read(await self._patiently(request, again))
        except FAILURES as error:
            raise explained(error, self.base_url) from error

    async def _patiently(
        self, request: Callable[[], Awaitable[T]], again: Callable[[Exception], bool]
    ) -> T:
        for tried in range(self._retries):
            try:
                return await _once(request)
            except FAILURES as error:
                if not again(error):
                    raise
            wait = FIRST_BACKOFF * 2**tried
            await self._sleep(random.uniform(wait / 2, wait))
        return await _once(request)

    async def _found(self, request: CallRequest, began: datetime) -> CallRecord | None:
        """The call that a create request without an answer may have made.

        The latest calls from this number to that one are read whole: those that wait in a queue
        have not begun, so a filter on StartTime might hide the very call.
        """
        for wait in FIND_AFTER:
            await self._sleep(wait)
            try:
                listing = self._client.calls
                calls = await listing.list_async(to=request.to, from_=request.from_, limit=20)
            except FAILURES:
                continue
            live = [call for call in calls if call.status not in TERMINAL]
            fresh = [c for c in live if c.date_created is None or c.date_created >= began]
            if fresh:
                return record(fresh[0])
        return None


async def _once(request: Callable[[], Awaitable[T]]) -> T:
    try:
        return await request()
    except TwilioException as error:
        raise whole(error) from error


def _keyword(name: str) -> str:
    """`StatusCallback` as twilio-python's arguments have it."""
    return "from_" if name == "From" else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _unknown(failure: AsyncflowError) -> AsyncflowError:
    return type(failure)(
        f"{failure.message}. WHETHER A CALL WAS PLACED IS UNKNOWN: none is listed, "
        "but one may ring",
        hint="Look in Twilio's console before you call again: Monitor, Logs, Calls",
        code="CALL_UNKNOWN",
        details={"failure": failure.code},
    )
