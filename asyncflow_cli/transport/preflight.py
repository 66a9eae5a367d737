"""Everything that can be checked before a phone rings, all at once, and all that fails told.

What is not known stops no call: an API key that may make calls and read nothing, or a Twilio
that does not answer such questions, is no reason against one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    CallError,
    LimitError,
    NetworkError,
    NotFoundError,
    PrerequisiteError,
    ServiceError,
    UsageError,
)
from asyncflow_cli.nearest import first
from asyncflow_cli.transport.twilio import TwilioClient
from asyncflow_cli.transport.twiliowire import KNOWN

T = TypeVar("T")

GRAVITY = (
    UsageError,
    PrerequisiteError,
    AuthError,
    NotFoundError,
    CallError,
    LimitError,
    NetworkError,
    ServiceError,
)
"""Of several failures the exit code is that of the first in this order: what the user must mend
comes before what may be over by itself."""

LOW_BALANCE = 1.0

SHOWN = 10
"""Numbers that a message lists."""


@dataclass(frozen=True)
class Check:
    """One question; `ask` raises what stands in the way."""

    name: str
    """What is checked, in words: `Twilio account`."""
    ask: Callable[[], Awaitable[None]]


async def preflight(checks: Sequence[Check]) -> None:
    """Run all checks at once and wait for every one.

    A single failure is raised as it is, several as one of the gravest's class, PREFLIGHT_FAILED,
    that lists them. Whatever is no failure of ours is a bug, and is raised before them.
    """
    answers = await asyncio.gather(*(check.ask() for check in checks), return_exceptions=True)
    failed: list[tuple[Check, AsyncflowError]] = []
    for check, answer in zip(checks, answers, strict=True):
        if isinstance(answer, AsyncflowError):
            failed.append((check, answer))
        elif answer is not None:
            raise answer
    if len({(error.code, error.message) for _, error in failed}) == 1:
        raise failed[0][1]
    if failed:
        raise _all_of(failed)


def _all_of(failed: list[tuple[Check, AsyncflowError]]) -> AsyncflowError:
    lines = [f"{len(failed)} checks failed, and nobody was called"]
    for check, error in failed:
        lines.append(f"  {check.name}: {error.message} [{error.code}]")
        lines += [f"    {error.hint}"] if error.hint else []
    gravest = min((error for _, error in failed), key=_gravity)
    problems = [_problem(check, error) for check, error in failed]
    message, details = "\n".join(lines), {"problems": problems}
    return type(gravest)(message, code="PREFLIGHT_FAILED", details=details)


def _gravity(error: AsyncflowError) -> int:
    found = (place for place, cls in enumerate(GRAVITY) if isinstance(error, cls))
    return next(found, len(GRAVITY))


def _problem(check: Check, error: AsyncflowError) -> dict[str, Any]:
    return {
        "check": check.name,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def twilio_checks(
    twilio: TwilioClient, from_: str, *, force: bool, warn: Callable[[str], None]
) -> list[Check]:
    """What Twilio tells of the account and the number to call from, without a call.

    `force` makes warnings of what the account is not allowed.
    """

    async def account() -> None:
        try:
            await check_account(twilio)
        except AuthError as error:
            if not (force and error.code in FORCED):
                raise
            warn(f"{error.message}; going on, as --force asks")

    return [
        Check("Twilio account", account),
        Check("number to call from", lambda: check_from(twilio, from_)),
        Check("Twilio balance", lambda: check_balance(twilio, warn)),
    ]


async def check_account(twilio: TwilioClient) -> None:
    """AuthError if Twilio does not know us, or would not let us stream."""
    account = await _known(twilio.fetch_account(), strangers=not twilio.uses_key)
    if account is None:
        # A key may be refused what it may not read, and be good for calls.
        await _known(twilio.check_login(), strangers=True)
        return
    if account.status not in ("", "active"):
        raise AuthError(
            f"The Twilio account is {account.status}",
            hint="Reactivate it, or add money, in Twilio's console",
            code="TWILIO_10001",
        )
    if account.type == "Trial":
        # https://www.twilio.com/docs/usage/trials/try-out-voice
        raise AuthError(
            "This is a trial account, which cannot stream: the callee would hear "
            '"The Stream verb is not available on trial accounts."',
            hint="Upgrade the account in Twilio's console; --force calls all the same",
            code="TRIAL_ACCOUNT",
        )


FORCED = frozenset({"TRIAL_ACCOUNT", "TWILIO_10001"})


async def check_from(twilio: TwilioClient, from_: str) -> None:
    """CallRejectedError, with the numbers that would do, if calls may not come from `from_`."""
    if await _known(twilio.owns(from_)) is not False:
        return
    owned = await _known(twilio.owned_numbers())
    if owned is None or from_ in owned:
        return
    listed = first(owned, SHOWN) or "none"
    entry = KNOWN["TWILIO_21210"]
    assert entry.raises is not None
    raise entry.raises(
        f"The Twilio account has no number {from_}; it has {listed}",
        hint=entry.next,
        code=entry.code,
        details={"owned": owned[:SHOWN]},
    )


async def check_balance(twilio: TwilioClient, warn: Callable[[str], None]) -> None:
    """Warn of an account that will soon not be able to pay. No failure: an account that pays
    afterwards may have any balance, and one that cannot pay is suspended."""
    balance = await twilio.fetch_balance()
    if balance is not None and balance.amount < LOW_BALANCE:
        warn(f"The Twilio account has {balance.amount:.2f} {balance.currency} left")


async def _known(question: Awaitable[T], *, strangers: bool = False) -> T | None:
    """The answer, or None if Twilio has none for us.

    With `strangers`, a Twilio that does not know us, or that is out of reach, is raised: it would
    not place a call either.
    """
    try:
        return await question
    except AsyncflowError as error:
        if strangers and (error.code == "TWILIO_20003" or isinstance(error, NetworkError)):
            raise
        return None
