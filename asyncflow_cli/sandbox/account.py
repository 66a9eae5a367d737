"""Who the sandbox's only customer is, and how they stand with Twilio.

All of it is public, and worth nothing. The account may do everything, unless knobs say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from asyncflow_cli.errors import UsageError

# Put together here, because secret scanners would take the whole for somebody's.
ACCOUNT_SID = "AC" + "c0ffee00" * 4
AUTH_TOKEN = "5afe" * 8
API_KEY_SID = "SK" + "c0ffee00" * 4
API_KEY_SECRET = "5afe" * 8
TEST_ACCOUNT_SID = "AC" + "7e57c0de" * 4
TEST_AUTH_TOKEN = "c0de" * 8
"""With these nobody is called: https://www.twilio.com/docs/iam/test-credentials"""

SHARED_KEY_ID = "webhooks_sharedkey_" + "c0ffee00" * 4
SHARED_KEY_SECRET = "c0de" * 16
"""What requests to the customer are signed with when it is not the Auth Token."""

INBOUND_NUMBER = "+15557654321"
"""The number the account owns, and may call from."""

BUDGET = 15.0
"""Seconds a web server has to answer Twilio: https://www.twilio.com/docs/api/errors/11200"""

FICTION = "+1555"
"""How the numbers of films begin. Choice: the account owns all of them, unless it is told to be
strict."""

Status = Literal["active", "suspended", "closed"]

GRAMMAR = (
    "trial, suspended, closed, strict-from, no-geo:+44, premium:+1900, block:+15551230009, "
    "verified:+15551230001, balance=0.00, concurrency=1, cps=1"
)

TRIAL_SECONDS, TRIAL_CALLS, TRIAL_BUDGET = 600, 5, 5.0
TRIAL_BLOCKS = frozenset(
    ["Stream", "ConversationRelay", "Record", "Siprec", "Refer", "Pay", "Dial"]
)
"""https://www.twilio.com/docs/usage/trials/try-out-voice"""


@dataclass(frozen=True, slots=True)
class Account:
    """What the account may do. Numbers are E.164, prefixes the beginnings of them."""

    trial: bool = False
    standing: Status = "active"
    """Which Twilio gave it; see `status`."""
    strict_from: bool = False
    """Whether it owns one number only, and not all the numbers of films."""
    no_geo: tuple[str, ...] = ()
    premium: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    balance: str = "100.00"
    calls_at_once: int | None = None
    calls_a_second: float | None = None
    knobs: tuple[str, ...] = ()
    """As they were written."""

    @property
    def status(self) -> Status:
        """Choice: an account that has no money left is suspended."""
        if self.standing == "active" and Decimal(self.balance) <= 0:
            return "suspended"
        return self.standing

    @property
    def concurrency(self) -> int | None:
        return self.calls_at_once or (TRIAL_CALLS if self.trial else None)

    @property
    def web_budget(self) -> float:
        """Seconds in which the customer's web server has to answer."""
        return TRIAL_BUDGET if self.trial else BUDGET

    @property
    def blocked_verbs(self) -> frozenset[str]:
        return TRIAL_BLOCKS if self.trial else frozenset()

    def seconds_allowed(self, seconds: int) -> int:
        """How long a call may last that shall last at most `seconds`."""
        return min(seconds, TRIAL_SECONDS) if self.trial else seconds

    def owns(self, number: str) -> bool:
        """Whether it may call from `number`: a number of its own, or one that it has verified."""
        own = number in (INBOUND_NUMBER, *self.caller_ids)
        return own or (not self.strict_from and number.startswith(FICTION))

    @property
    def caller_ids(self) -> tuple[str, ...]:
        """The verified numbers. Choice: on trial the example's, if none was named."""
        return self.verified or ((EXAMPLE,) if self.trial else ())

    def may_ring(self, number: str) -> bool:
        """On trial, verified numbers only."""
        return not self.trial or number in self.caller_ids


EXAMPLE = "+15551230001"
"""The callee of every example."""


def read_account(knobs: Iterable[str]) -> Account:
    """The account that `knobs` describe; UsageError that names the one which is none."""
    account = Account()
    for knob in [knobs] if isinstance(knobs, str) else knobs:
        account = replace(account, **_read(account, knob.strip()), knobs=(*account.knobs, knob))
    return account


def _read(account: Account, knob: str) -> dict[str, Any]:
    for pattern, change in _KNOBS:
        if found := re.fullmatch(pattern, knob):
            return change(account, *found.groups())
    raise UsageError(f"No knob of an account: {knob}", hint=f"There are: {GRAMMAR}")


Change: TypeAlias = Callable[..., dict[str, Any]]

_KNOBS: tuple[tuple[str, Change], ...] = (
    ("trial", lambda _: {"trial": True}),
    ("(suspended|closed)", lambda _, status: {"standing": status}),
    ("strict-from", lambda _: {"strict_from": True}),
    (r"no-geo:(\+\d{1,15})", lambda account, to: {"no_geo": (*account.no_geo, to)}),
    (r"premium:(\+\d{1,15})", lambda account, to: {"premium": (*account.premium, to)}),
    (r"block:(\+\d{2,15})", lambda account, to: {"blocked": (*account.blocked, to)}),
    (r"verified:(\+\d{2,15})", lambda account, to: {"verified": (*account.verified, to)}),
    (r"balance=(-?\d{1,9}(?:\.\d{1,5})?)", lambda _, money: {"balance": money}),
    (r"concurrency=([1-9]\d{0,5})", lambda _, number: {"calls_at_once": int(number)}),
    (
        r"cps=((?!0+(?:\.0+)?$)\d{1,4}(?:\.\d{1,3})?)",
        lambda _, number: {"calls_a_second": float(number)},
    ),
)
