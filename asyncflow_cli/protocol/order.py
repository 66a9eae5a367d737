"""What a call is asked to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asyncflow_cli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CallOrder:
    """What to say to whom. Numbers are E.164."""

    to: str
    from_: str
    text: str
    language: str | None = None
    ring_timeout: int = 30
    """Seconds."""
    max_duration: int = 120
    """Seconds of talk, held by Twilio."""
    public_url: str | None = None
    """An address that leads to `port`, in place of a tunnel."""
    port: int = 0


def phone_number(text: str, role: str) -> str:
    """E.164: spaces, dots, dashes and brackets are stripped, a leading 00 is a +.

    A number without its country code is refused, not guessed.
    """
    number = re.sub(r"[\s().\-]", "", text)
    number = re.sub(r"^00", "+", number)
    if re.fullmatch(r"\+[1-9]\d{1,14}", number, re.ASCII):
        return number
    missing = re.fullmatch(r"\d+", number, re.ASCII)
    raise UsageError(
        f"{text!r} is no phone number to use as the {role}",
        hint=f"{'The country code is missing: write' if missing else 'Write'} it as +15551230001",
        code="BAD_PHONE_NUMBER",
    )
