"""Keys of the services: checked with the service they are for, and kept for a profile."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Sequence

from asyncflow_cli.errors import AuthError, PrerequisiteError, UsageError
from asyncflow_cli.protocol.configreports import (
    BESIDE,
    SECRETS,
    AuthReport,
    LoginReport,
    LogoutReport,
    ServiceName,
    SignedInReport,
)
from asyncflow_cli.protocol.voices import ListVoicesRequest
from asyncflow_cli.settings import Settings, credential, values
from asyncflow_cli.settings.loading import parsed
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.config.configuration import Configuration
from asyncflow_cli.transport.library import VoiceLibrary

ELSEWHERE: dict[ServiceName, str] = {
    "twilio": "For this once: TWILIO_BASE_URL=URL asyncflow auth login --service twilio; "
    "for good: asyncflow config set twilio_base_url URL"
}
"""Where else a service's address is told."""

LOOK_AT: dict[ServiceName, str] = {
    "async": "is the key current, and whole?",
    "twilio": "do the account's SID and the token belong together, and are both whole?",
}
"""What may be wrong with a secret that its service refuses."""


class Accounts:
    """Who we are to the services, by the settings in force, and by a profile to be changed.

    `hide` is told what must not be printed of a key that is tried.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        hide: Callable[[Iterable[str]], None],
    ) -> None:
        self._configuration = configuration
        self._settings = settings
        self._hide = hide

    def insist(self, service: ServiceName, *, account_sid: str | None, check: bool) -> None:
        """What can be known before a secret is asked for: UsageError for what does not go together,
        PrerequisiteError where the account is missing that it is to be tried with."""
        if self._settings.sandbox:
            raise UsageError("The sandbox has keys of its own", hint="Leave out --sandbox")
        if service != "async" and self._settings.origins.get("base_url") == "--base-url":
            raise UsageError(
                f"--base-url is an address of Async, and not of {service}",
                hint=ELSEWHERE.get(service, "Leave it out"),
            )
        if service != "twilio" and account_sid is not None:
            raise UsageError("--account-sid goes with --service twilio", hint="Leave one out")
        if service == "twilio":
            self._insist_on_account(account_sid, check=check)

    def _insist_on_account(self, named: str | None, *, check: bool) -> None:
        if named is not None:
            parsed(named, "--account-sid", values.account_sid)
        elif check and not self._settings.twilio_account_sid:
            raise PrerequisiteError(
                "TWILIO_ACCOUNT_SID is not set, and the auth token is of an account",
                hint="Name it: asyncflow auth login --service twilio --account-sid AC…",
                code="SETTING_MISSING",
            )

    async def login(
        self,
        service: ServiceName,
        secret: str,
        *,
        account_sid: str | None,
        check: bool,
        keyring: bool,
    ) -> LoginReport:
        """Keep a secret, once its service has taken it. AuthError if it does not, UsageError for
        what can be no secret; then nothing is kept.

        ngrok tells nobody whether a token is right until a tunnel is opened with it.
        """
        tried = self._with(service, credential(secret), account_sid)
        self._hide(tried.secrets())
        checked = check and await _checked(service, tried)
        if account_sid is not None:
            self._configuration.set("twilio_account_sid", account_sid, project=False)
        address = self._address_given(service)
        if address is not None:
            self._configuration.set("base_url", address, project=False)
        kept = self._configuration.keep(SECRETS[service], secret, keyring=keyring)
        return LoginReport(
            service=service,
            profile=self._configuration.profile,
            checked=checked,
            kept_in="keyring" if kept else "file",
            file=self._configuration.path().config,
            base_url=address,
        )

    def _address_given(self, service: ServiceName) -> str | None:
        """Where `--base-url` says that the key belongs: it must not go anywhere else tomorrow."""
        if service == "async" and self._settings.origins.get("base_url") == "--base-url":
            return ",".join(self._settings.base_urls)
        return None

    def _with(self, service: ServiceName, secret: str, account_sid: str | None) -> Settings:
        given: dict[str, str | None] = {SECRETS[service]: secret}
        if service == "twilio":
            # A key of the API would be tried before the auth token.
            sid = account_sid or self._settings.twilio_account_sid
            given |= {"twilio_account_sid": sid, "twilio_api_key": None}
        return dataclasses.replace(self._settings, **given)  # type: ignore[arg-type]

    def status(self) -> AuthReport:
        """Which services we are signed in to, and from where. Nobody is asked."""
        settings = self._settings
        where = {"async": settings.base_url, "twilio": settings.twilio_base_url}
        rows = []
        for service, key in SECRETS.items():
            if service == "twilio" and settings.twilio_api_key and settings.twilio_api_secret:
                key = "twilio_api_secret"
            is_whole = service != "twilio" or bool(settings.twilio_account_sid)
            signed_in = bool(getattr(settings, key)) and is_whole
            origin = settings.origins.get(key, "default")
            rows.append(SignedInReport(service, signed_in, key, origin, where.get(service)))
        return AuthReport(services=tuple(rows))

    def logout(self, services: Sequence[ServiceName]) -> LogoutReport:
        """Forget what the profile keeps of them. What other sources hold stays."""
        forgotten = [name for name in services if self._configuration.forget(SECRETS[name])]
        beside = [BESIDE[name] for name in forgotten if name in BESIDE]
        return LogoutReport(
            forgotten=tuple(forgotten),
            with_them=tuple(name for name in beside if self._configuration.forget(name)),
            profile=self._configuration.profile,
            file=self._configuration.path().config,
        )


async def _checked(service: ServiceName, settings: Settings) -> bool:
    """The same; what is refused was typed or piped, so that no setting is to blame."""
    try:
        return await _check(service, settings)
    except AuthError as error:
        error.hint = f"Nothing was kept. Look at what was given: {LOOK_AT[service]}"
        raise


async def _check(service: ServiceName, settings: Settings) -> bool:
    """Ask the service for something small; whether there was somebody to ask."""
    if service == "async":
        async with contextlib.aclosing(ApiClient(settings)) as api:
            await VoiceLibrary(api).list_voices(ListVoicesRequest(limit=1))
    elif service == "twilio":
        from asyncflow_cli.transport.twilio import TwilioClient

        async with contextlib.aclosing(TwilioClient(settings)) as twilio:
            await twilio.fetch_account()
    return service != "ngrok"
