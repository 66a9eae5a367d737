"""What a call is asked to do."""

from __future__ import annotations

from dataclasses import dataclass


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
