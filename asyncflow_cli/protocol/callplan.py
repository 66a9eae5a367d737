"""What a call would ask of Twilio and of the speech service, and cost at most, without making it.

It knows no secrets: an address whose token is made up for each call has a placeholder in its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.protocol.callrequest import CallRequest
from asyncflow_cli.protocol.dryrun import dollars
from asyncflow_cli.protocol.reports import Report
from asyncflow_cli.protocol.transcript import spoken_seconds

ANY_TUNNEL = "wss://TUNNEL"
"""In place of a host that only an open tunnel has."""

TOKEN = "TOKEN"


@dataclass(frozen=True, kw_only=True)
class Speaking:
    """What is to be said in the call."""

    url: str
    """Of the speech service's socket."""
    model_id: str
    voice_id: str
    characters: int | None
    """None where the text is still being written."""


@dataclass(frozen=True, kw_only=True)
class Playing:
    """A recording that is to be played in place of speech."""

    seconds: float


class CallPlanReport(Report, frozen=True, kw_only=True, tag="asyncflow.call-dry-run"):
    """The call as it would be ordered; no socket was opened."""

    method: str
    url: str
    login: str
    """Whose secret signs in, not the secret."""
    parameters: dict[str, Any]
    """By Twilio's names. The TwiML is among them."""
    media_url: str
    """Where Twilio would connect to."""
    speech_url: str | None
    model_id: str | None
    voice_id: str | None
    characters: int | None
    estimated_seconds: float
    """Of speech: by its length, or all of the call where the text is still being written."""
    estimated_usd: float | None
    """Of speech; Twilio's prices depend on the country."""
    billed_minutes_at_most: int
    """Of talk: Twilio rounds up, and ringing is free."""
    cost_drivers: tuple[str, ...]

    @property
    def headline(self) -> str:
        return f"{self.method} {self.url}"

    @property
    def brief(self) -> dict[str, Any]:
        """What people see: what it comes to, and then the request itself."""
        wanted = self.parameters
        usd = "at an unknown price" if self.estimated_usd is None else f"${self.estimated_usd:.4f}"
        minutes = f"at most {self.billed_minutes_at_most} billed minutes"
        return {
            "would call": f"{wanted['To']} from your number {wanted['From']}",
            "for": f"{wanted['Timeout']} s of ringing and {wanted['TimeLimit']} s of talk at most",
            "speech": f"about {self.estimated_seconds:.1f} s, {usd}",
            "twilio": "; ".join((minutes, *self.cost_drivers)),
            "request": self.headline,
            "login": self.login,
            **wanted,
            "media url": self.media_url,
            "speech url": self.speech_url or "",
        }

    @property
    def doubts(self) -> Iterator[str]:
        """What a person would want to know before it is made."""
        limit = self.parameters["TimeLimit"]
        if self.estimated_seconds > limit:
            yield (
                f"It takes about {self.estimated_seconds:.0f} s to say, and the call is ended "
                f"after {limit} s: raise --max-duration"
            )


@dataclass(frozen=True)
class Addresses:
    """Where Twilio would find us, as far as it is known beforehand."""

    host: str = ANY_TUNNEL
    """`wss://…`: a fixed address, or a placeholder."""

    @property
    def media(self) -> str:
        return f"{self.host}/twilio/media/{TOKEN}"

    @property
    def status(self) -> str:
        return self._webhook("status")

    @property
    def stream_status(self) -> str:
        return self._webhook("stream-status")

    @property
    def machine(self) -> str:
        return self._webhook("amd")

    def _webhook(self, name: str) -> str:
        return f"http{self.host.removeprefix('ws')}/twilio/{name}/{TOKEN}"


def call_plan(
    request: CallRequest,
    saying: Speaking | Playing,
    *,
    media_url: str,
    twilio: str,
    account_sid: str,
    api_key: str | None = None,
) -> CallPlanReport:
    """`request` as it would be sent to `twilio`, its addresses being those of `Addresses`."""
    speaking = saying if isinstance(saying, Speaking) else None
    seconds = _seconds(saying, request.time_limit)
    return CallPlanReport(
        method="POST",
        url=f"{twilio}/2010-04-01/Accounts/{account_sid}/Calls.json",
        login=f"{api_key or account_sid}:***",
        parameters=request.parameters,
        media_url=media_url,
        speech_url=speaking.url if speaking else None,
        model_id=speaking.model_id if speaking else None,
        voice_id=speaking.voice_id if speaking else None,
        characters=speaking.characters if speaking else None,
        estimated_seconds=round(seconds, 1),
        estimated_usd=dollars(speaking.model_id, seconds) if speaking else 0.0,
        billed_minutes_at_most=math.ceil(request.time_limit / 60),
        cost_drivers=tuple(_cost_drivers(request)),
    )


def _seconds(saying: Speaking | Playing, time_limit: int) -> float:
    if isinstance(saying, Playing):
        return saying.seconds
    if saying.characters is None:
        return time_limit
    return spoken_seconds(saying.characters)


def _cost_drivers(request: CallRequest) -> Iterator[str]:
    """What Twilio charges for beyond the minutes: https://www.twilio.com/en-us/voice/pricing"""
    if request.machine:
        yield "machine detection, for each call"
    if request.record:
        yield "recording, for each minute, and its storage"
