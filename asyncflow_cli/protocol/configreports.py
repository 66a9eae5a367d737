"""What `config` and `auth` say: values with their origins, and what was changed where."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from asyncflow_cli.protocol.reports import Report

ServiceName: TypeAlias = Literal["async", "twilio", "ngrok"]

SECRETS: dict[ServiceName, str] = {
    "async": "api_key",
    "twilio": "twilio_auth_token",
    "ngrok": "ngrok_authtoken",
}
"""The setting that signs in to each service."""

ASKED: dict[ServiceName, str] = {
    "async": "API key of Async",
    "twilio": "auth token of Twilio",
    "ngrok": "authtoken of ngrok",
}
"""The same in the words of each service."""

BESIDE: dict[ServiceName, str] = {"async": "base_url", "twilio": "twilio_account_sid"}
"""What is kept with it, if it is given when one signs in."""


class SettingReport(msgspec.Struct, frozen=True):
    name: str
    value: str | None
    origin: str


class SettingsReport(Report, frozen=True, kw_only=True, tag="asyncflow.config"):
    settings: tuple[SettingReport, ...]

    @property
    def headline(self) -> str:
        return "\n".join(f"{s.name}={s.value or ''}" for s in self.settings)


class ConfigPathReport(Report, frozen=True, kw_only=True, tag="asyncflow.config-path"):
    config: str
    """The config file, whether it is there or not."""
    exists: bool
    profile: str
    """The profile that is used."""
    project: str | None
    """The project file, if there is one."""
    dotenv: str | None

    @property
    def headline(self) -> str:
        return self.config


class ConfigValueReport(Report, frozen=True, kw_only=True, tag="asyncflow.config-get"):
    name: str
    value: str | None
    """Of a secret, only that it is there."""
    origin: str

    @property
    def headline(self) -> str:
        return self.value or ""


class ConfigChangeReport(Report, frozen=True, kw_only=True, tag="asyncflow.config-change"):
    name: str
    value: str | None
    """None if it was taken away."""
    file: str
    profile: str | None
    """None where the file has no profiles, or what was changed belongs to all."""

    @property
    def headline(self) -> str:
        return self.file

    @property
    def summary(self) -> str:
        where = f" in profile {self.profile}" if self.profile else ""
        return f"{'Unset' if self.value is None else 'Set'}: {self.name}{where}"


class LoginReport(Report, frozen=True, kw_only=True, tag="asyncflow.auth-login"):
    service: ServiceName
    profile: str
    checked: bool
    """Whether the service was asked, and took it."""
    kept_in: Literal["keyring", "file"]
    file: str
    """The config file, which holds it or says that the keyring does."""
    base_url: str | None = None
    """The address that is kept with it, if it was given with --base-url."""

    @property
    def headline(self) -> str:
        return self.file

    @property
    def summary(self) -> str:
        checked = "checked, and kept" if self.checked else "kept unchecked"
        where = "the keyring" if self.kept_in == "keyring" else "the config file"
        told = f"Signed in: {self.service}, {checked} in {where} for profile {self.profile}"
        return f"{told}, with its address {self.base_url}" if self.base_url else told


class SignedInReport(msgspec.Struct, frozen=True):
    service: ServiceName
    signed_in: bool
    setting: str
    origin: str
    """Where the secret comes from, as `config list` says it."""
    where: str | None
    """The address it is for."""


class AuthReport(Report, frozen=True, kw_only=True, tag="asyncflow.auth"):
    services: tuple[SignedInReport, ...]

    @property
    def headline(self) -> str:
        return "\n".join(row.service for row in self.services if row.signed_in)


class LogoutReport(Report, frozen=True, kw_only=True, tag="asyncflow.auth-logout"):
    forgotten: tuple[ServiceName, ...]
    profile: str
    file: str
    with_them: tuple[str, ...] = ()
    """Settings that were kept with them: an address must not be handed the next key."""

    @property
    def headline(self) -> str:
        return self.file

    @property
    def summary(self) -> str:
        names = ", ".join(self.forgotten)
        if not names:
            return f"Nothing was kept in profile {self.profile}"
        told = f"Signed out: {names}, in profile {self.profile}"
        others = ", ".join(self.with_them)
        return f"{told}; forgotten with it: {others}" if others else told
