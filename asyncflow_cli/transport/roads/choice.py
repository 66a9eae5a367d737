"""Which roads there are, and in which order they are tried.

The public address that was given; on a machine that plays Twilio itself, its loopback; else ngrok's
agent, ngrok's SDK, cloudflared, tailscale, and ssh if it is set up. Nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError, UsageError
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings import Settings, domain, is_loopback, read_setting
from asyncflow_cli.transport.roads.cloudflared import Cloudflared
from asyncflow_cli.transport.roads.ngrok import Ngrok
from asyncflow_cli.transport.roads.ngroksdk import NgrokSdk
from asyncflow_cli.transport.roads.public import Loopback, Public
from asyncflow_cli.transport.roads.road import Road
from asyncflow_cli.transport.roads.sandboxed import Sandboxed
from asyncflow_cli.transport.roads.ssh import Ssh
from asyncflow_cli.transport.roads.tailscale import Tailscale

NAMES = (
    "public",
    "loopback",
    "ngrok",
    "ngrok-sdk",
    "cloudflared",
    "tailscale",
    "ssh",
    "ssh:[user@]host[:port]",
    "sandbox",
)
"""What `--tunnel` takes."""

OTHERWISE = (
    "or give an address of your own with --public-url wss://… and --port; or try without: "
    "asyncflow --sandbox call …"
)

INSTALL = f"Install ngrok (ngrok.com/download), or cloudflared; {OTHERWISE}"


def roads_for(
    settings: Settings, *, names: Sequence[str] = (), public_url: str | None = None
) -> list[Road]:
    """The roads to try, first one first; at least one.

    `names` (as in NAMES) are tried and no others: one that cannot be tried is an error. Without
    them a public address is the only road, and so is the loopback where Twilio is on it too:
    whoever names an address does not want another instead.
    """
    if names:
        return [_there(road_named(name, settings, public_url)) for name in names]
    if public_url:
        return [Public(public_url)]
    if is_loopback(settings.twilio_base_url):
        return [Loopback()]
    found = [road for road in usual_roads(settings) if road.missing() is None]
    if not found:
        raise without_token(settings) or PrerequisiteError(
            "No tunnel is installed, so Twilio has no way to reach this machine",
            hint=INSTALL,
            code="TUNNEL_MISSING",
        )
    return found


def without_token(settings: Settings) -> AsyncflowError | None:
    """What stands in the way where ngrok's SDK is here, and lacks nothing but a token."""
    missing = NgrokSdk(settings.ngrok_authtoken).missing()
    if missing is None or missing.code != "SETTING_MISSING":
        return None
    return PrerequisiteError(
        "ngrok's SDK is installed and has no token, so Twilio has no way to reach this machine",
        hint=f"{missing.hint}; {OTHERWISE}",
        code=missing.code,
    )


def usual_roads(settings: Settings) -> list[Road]:
    """Those that are tried where none is named, be they here or not."""
    return [
        Ngrok(settings.ngrok_authtoken, _domain(settings)),
        NgrokSdk(settings.ngrok_authtoken, _domain(settings)),
        Cloudflared(),
        Tailscale(),
        Ssh.configured(settings),
    ]


def check(
    names: Sequence[str], settings: Settings, public_url: str | None, port: int | None = None
) -> None:
    """UsageError, before anything is opened, for a tunnel that is none, or an address that leads
    nowhere because nobody said to which port of this machine."""
    for name in names:
        road_named(name, settings, public_url)
    if public_url and port == 0 and not is_loopback(public_url):
        raise UsageError(
            f"{public_url} leads to a port of this machine, and nobody said which",
            hint="Say it: --port 8080",
        )


def road_named(name: str, settings: Settings, public_url: str | None = None) -> Road:
    """The road of one of NAMES. UsageError if there is none."""
    match name.strip().partition(":"):
        case "public", "", "":
            return Public(public_url)
        case "loopback", "", "":
            return Loopback()
        case "ngrok", "", "":
            return Ngrok(settings.ngrok_authtoken, _domain(settings))
        case "ngrok-sdk", "", "":
            return NgrokSdk(settings.ngrok_authtoken, _domain(settings))
        case "cloudflared", "", "":
            return Cloudflared()
        case "tailscale", "", "":
            return Tailscale()
        case "sandbox", "", "":
            return Sandboxed(settings.twilio_base_url)
        case "ssh", "", "":
            return Ssh.configured(settings)
        case "ssh", ":", server:
            return Ssh.configured(settings, server)
    raise UsageError(f"{quoted(name)} is no tunnel", hint=f"One of {', '.join(NAMES)}")


def _domain(settings: Settings) -> str | None:
    return read_setting(settings, "ngrok_domain", domain)


def _there(road: Road) -> Road:
    missing = road.missing()
    if missing is not None:
        raise missing
    return road
