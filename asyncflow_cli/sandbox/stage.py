"""What the parts of a call share: the leg, the web, and where to report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from asyncflow_cli.sandbox.clock import Clock, Names
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.leg import Leg
from asyncflow_cli.sandbox.outbox import Outbox
from asyncflow_cli.sandbox.signature import Signer
from asyncflow_cli.sandbox.webhook import WebClient

Voice: TypeAlias = Callable[[str, str | None], Awaitable[bytes]]
"""`say(text, language)`: the μ-law of a <Say>."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A call, seen by the program that runs in it."""

    account_sid: str
    signer: Signer
    call_sid: str
    leg: Leg
    web: WebClient
    outbox: Outbox
    names: Names
    notify: Callable[[str, str, str], None]
    """Log `code`, `text`, `url`."""
    fields: Callable[[], dict[str, str]]
    """What every request about the call tells of it."""
    date: Callable[[], datetime]
    clock: Clock
    faults: Faults
    say: Voice | None = None
    blocked_verbs: frozenset[str] = frozenset()
    """What the account may not do in TwiML."""
