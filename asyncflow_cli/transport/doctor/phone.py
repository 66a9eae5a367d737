"""Twilio's account, the way from Twilio to this machine, and the calls that were left."""

from __future__ import annotations

import contextlib
import re
from functools import partial

from starlette.applications import Starlette

from asyncflow_cli.errors import AsyncflowError, AuthError, CallError, PrerequisiteError
from asyncflow_cli.protocol.order import phone_number
from asyncflow_cli.settings import Settings, is_loopback, read_setting
from asyncflow_cli.transport import probe
from asyncflow_cli.transport.doctor.examination import Answer, Doubt, Skipped
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.preflight import check_account, check_balance, check_from
from asyncflow_cli.transport.roads.choice import roads_for, usual_roads, without_token
from asyncflow_cli.transport.roads.ngrok import find_agent
from asyncflow_cli.transport.roads.opening import open_first
from asyncflow_cli.transport.twilio import TwilioClient

LEFT = "CALLS_LEFT"

SHAPES = {
    "twilio_account_sid": r"AC[0-9a-fA-F]{32}",
    "twilio_api_key": r"SK[0-9a-fA-F]{32}",
}
"""https://www.twilio.com/docs/glossary/what-is-a-sid"""

NOT_SET_UP = Skipped("no call is set up: TWILIO_ACCOUNT_SID is not set")


def is_wanted(settings: Settings) -> bool:
    """Whether anything of a call is set up."""
    return bool(settings.twilio_account_sid or settings.twilio_auth_token or settings.from_)


async def credentials(settings: Settings) -> Answer:
    """Whether they are all there, and look like what they are; nobody is asked."""
    if not is_wanted(settings):
        return NOT_SET_UP
    keyed = bool(settings.twilio_api_key)
    secret = "twilio_api_secret" if keyed else "twilio_auth_token"
    settings.need_all("twilio_account_sid", secret)
    for name, shape in SHAPES.items():
        value = getattr(settings, name)
        if value and not re.fullmatch(shape, value):
            # Tests and stand-ins have others; Twilio itself says so at the next check.
            return Doubt(_odd(settings.origins.get(name, name), shape[:2]))
    return f"account …{(settings.twilio_account_sid or '')[-4:]}{', by API key' if keyed else ''}"


async def login(settings: Settings) -> Answer:
    async with _twilio(settings) as twilio:
        await twilio.check_login()
        return f"{twilio.base_url} knows us"


async def account(settings: Settings) -> Answer:
    """Whether it is active, and not a trial: that one may not stream."""
    async with _twilio(settings) as twilio:
        await check_account(twilio)
        return "active, and no trial"


async def from_number(settings: Settings) -> Answer:
    read = partial(phone_number, role="number to call from")
    number = read_setting(settings, "from_", read) or settings.need("from_")
    async with _twilio(settings) as twilio:
        await check_from(twilio, number)
        return f"…{number[-4:]} is the account's"


async def balance(settings: Settings) -> Answer:
    warned: list[str] = []
    async with _twilio(settings) as twilio:
        await check_balance(twilio, warned.append)
    if warned:
        error = AsyncflowError(warned[0], hint="Add money in Twilio's console", code="BALANCE_LOW")
        return Doubt(error)
    return "enough, or not told"


async def agent(settings: Settings) -> Answer:
    """ngrok's agent, the usual way in. No problem where there is another way, or no call."""
    if is_loopback(settings.twilio_base_url):
        return Skipped("Twilio is on this machine, and needs no tunnel")
    try:
        found = find_agent()
    except PrerequisiteError as missing:
        if is_wanted(settings) and not _others(settings) and not without_token(settings):
            raise
        return Doubt(missing)
    token = settings.origins.get("ngrok_authtoken", "default")
    return f"{found}, token from {token if settings.ngrok_authtoken else 'its own configuration'}"


async def tunnels(settings: Settings) -> Answer:
    """Which ways in could be tried here, and which could not."""
    if is_loopback(settings.twilio_base_url):
        return "none is needed: Twilio is on this machine"
    try:
        here = [road.name for road in roads_for(settings)]
    except PrerequisiteError as missing:
        if is_wanted(settings):
            raise
        return Doubt(missing)
    others = [road.name for road in usual_roads(settings) if road.missing() is not None]
    more = f"; not set up: {', '.join(others)}" if others else ""
    return f"{', '.join(here)}{more}"


async def way_in(settings: Settings) -> Answer:
    """Open the tunnel that a call would, and see that it leads here. Nobody is called."""
    if not is_wanted(settings):
        return NOT_SET_UP
    secret, passed_over = probe.new_secret(), list[str]()
    app = Starlette(routes=probe.routes(secret))
    async with (
        serving(app) as port,
        open_first(
            roads_for(settings),
            port,
            probe=lambda tunnel: probe.probe(tunnel, secret),
            tell=lambda _text: None,
            warn=passed_over.append,
        ) as opened,
    ):
        told = f"{opened.road.name}, {opened.probe.wss_ms:.0f} ms there and back"
    if passed_over:
        return Doubt(
            PrerequisiteError(f"{told}; but {'; '.join(passed_over)}", code="TUNNEL_FAILED")
        )
    return told


async def journal(calls: Journal) -> Answer:
    """Whether a run was killed in mid-call, and left one."""
    live = calls.entries(live_only=True)
    left = [entry.call_sid for entry in live if calls.is_orphan(entry)]
    if left:
        return Doubt(
            CallError(
                f"Calls of runs that are gone may be live: {', '.join(left[:5])}",
                hint="End them: asyncflow calls reap",
                code=LEFT,
            )
        )
    return f"no call was left; {len(live)} live" if live else "no call was left"


def _twilio(settings: Settings) -> contextlib.aclosing[TwilioClient]:
    return contextlib.aclosing(TwilioClient(settings))


def _others(settings: Settings) -> bool:
    with contextlib.suppress(AsyncflowError):
        return bool(roads_for(settings))
    return False


def _odd(where: str, beginning: str) -> AuthError:
    return AuthError(
        f"What {where} holds does not look like Twilio's {beginning}… and 32 hexadecimal digits",
        hint="Copy it once more from Twilio's console, whole and without quotes",
        code="SID_ODD",
    )
