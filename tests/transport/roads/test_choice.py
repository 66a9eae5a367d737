"""Which roads are tried, in which order."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asyncflow_cli.errors import PrerequisiteError, UsageError
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.roads.choice import NAMES, road_named, roads_for

PROGRAMS = ("ngrok", "cloudflared", "tailscale", "ssh")


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "kept"))
    return tmp_path


def install(bin: Path, *programs: str) -> None:
    for program in programs:
        (bin / program).write_text("#!/bin/sh\n")
        (bin / program).chmod(0o755)


def chosen(settings: Settings, **options: object) -> list[str]:
    return [road.name for road in roads_for(settings, **options)]  # type: ignore[arg-type]


def test_all_that_is_installed_is_tried_in_a_fixed_order(bin: Path) -> None:
    install(bin, *PROGRAMS)
    settings = Settings(
        ngrok_authtoken="t", ssh_tunnel="me@host", ssh_tunnel_url="https://{port}.host"
    )
    names = chosen(settings)
    assert names == ["ngrok", "ngrok-sdk", "cloudflared", "tailscale", "ssh:me@host"]


def test_what_is_not_there_is_left_out(bin: Path) -> None:
    install(bin, "cloudflared", "ssh")
    assert chosen(Settings()) == ["cloudflared"]


def test_a_public_address_or_a_twilio_on_this_machine_leave_no_other_road(bin: Path) -> None:
    install(bin, *PROGRAMS)
    assert chosen(Settings(), public_url="wss://host.example") == ["public"]
    assert chosen(Settings(twilio_base_url="http://127.0.0.1:1")) == ["loopback"]


def test_names_overrule_the_order(bin: Path) -> None:
    install(bin, *PROGRAMS)
    settings = Settings(twilio_base_url="http://127.0.0.1:1")
    wanted = ["sandbox", "ngrok", "ssh:me@a.pinggy.io", "public", "loopback"]
    assert chosen(settings, names=wanted, public_url="wss://host.example") == wanted


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ngrok", "ngrok.com/download"),
        ("ngrok-sdk", "NGROK_AUTHTOKEN"),
        ("cloudflared", "brew install cloudflared"),
        ("tailscale", "tailscale.com/download"),
        ("ssh:localhost.run", "apt install openssh-client"),
        ("ssh:me@host.example", "SSH_TUNNEL_URL"),
        ("ssh", "SSH_TUNNEL"),
        ("sandbox", "--sandbox"),
    ],
)
def test_what_is_asked_for_and_not_there_is_an_error_that_tells_how_to_get_it(
    bin: Path, name: str, hint: str
) -> None:
    assert not list(bin.iterdir())
    with pytest.raises(PrerequisiteError) as caught:
        roads_for(Settings(), names=[name])
    assert hint in (caught.value.hint or "")


def test_a_machine_without_any_tunnel_is_told_what_to_do(
    bin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ngrok", None)  # as without the extra
    with pytest.raises(PrerequisiteError) as caught:
        roads_for(Settings())
    assert caught.value.code == "TUNNEL_MISSING"
    assert "--public-url" in (caught.value.hint or "")
    assert not list(bin.iterdir())


def test_ngroks_sdk_without_a_token_is_told_how_to_get_one(bin: Path) -> None:
    assert not list(bin.iterdir())
    with pytest.raises(PrerequisiteError, match="has no token") as caught:
        roads_for(Settings())
    assert caught.value.code == "SETTING_MISSING"
    hint = caught.value.hint or ""
    assert all(part in hint for part in ("--service ngrok", "NGROK_AUTHTOKEN", "--public-url"))
    assert chosen(Settings(ngrok_authtoken="t")) == ["ngrok-sdk"]


@pytest.mark.parametrize(
    "name", ["bore", "ngrok:", "ssh:", "ssh:-oProxyCommand=x", "ssh:a b", "ssh:me@", "ssh:h:port"]
)
def test_a_name_that_is_no_road_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        road_named(name, Settings())


def test_every_name_and_setting_stands_in_the_guide() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "tunnels.md").read_text()
    settings = ("NGROK_DOMAIN", "SSH_TUNNEL", "SSH_TUNNEL_URL", "SSH_TUNNEL_PORT")
    assert all(f"`{name}`" in guide for name in (*NAMES, *settings[:3]))
    assert all(name in guide for name in settings)
