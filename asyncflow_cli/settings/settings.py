"""Every setting there is: its names, its default, how it is written, and what it is for."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.settings.values import (
    boolean,
    count,
    credential,
    http_url,
    http_urls,
    patience,
    port,
)

DEFAULT_BASE_URL = "https://api.async.com"
DEFAULT_TWILIO_BASE_URL = "https://api.twilio.com"
DEFAULT_VOICE = "e0f39dc4-f691-4e78-bba5-5c636692cc04"
DEFAULT_MODEL = "async_flash_v1.5"

LOGINS = {
    "api_key": "asyncflow auth login",
    "twilio_auth_token": "asyncflow auth login --service twilio",
}
"""What asks for a setting, checks it, and keeps it."""

PROJECT_FILE = "asyncflow.toml"
"""Settings of a project, for everybody who works on it."""


def setting(
    *names: str,
    default: Any = None,
    parse: Callable[[str], Any] = str.strip,
    secret: bool = False,
    help: str,
) -> Any:
    """A field of Settings; `names` are its environment variables, first one first."""
    metadata = {
        "names": names,
        "parse": credential if secret else parse,
        "secret": secret,
        "help": help,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Resolved once per run. The names are those of flags and of profile keys.

    It has no `repr` of its values, which would tell the keys.
    """

    api_key: str | None = setting(
        "ASYNC_API_KEY", "ASYNCAI_API_KEY", secret=True, help="key of the Async Voice API"
    )
    base_url: str = setting(
        "ASYNC_BASE_URL",
        default=DEFAULT_BASE_URL,
        parse=http_urls,
        help="where that API is; more addresses, with commas between, are tried in turn",
    )
    voice: str = setting("ASYNC_VOICE_ID", default=DEFAULT_VOICE, help="the voice that speaks")
    model: str = setting("ASYNC_MODEL_ID", default=DEFAULT_MODEL, help="the model that speaks")
    twilio_account_sid: str | None = setting("TWILIO_ACCOUNT_SID", help="AC… of the account")
    twilio_auth_token: str | None = setting(
        "TWILIO_AUTH_TOKEN", secret=True, help="signs in, and checks Twilio's signatures"
    )
    twilio_api_key: str | None = setting(
        "TWILIO_API_KEY", help="SK…, signs in in place of the auth token"
    )
    twilio_api_secret: str | None = setting(
        "TWILIO_API_SECRET", secret=True, help="the secret of that key"
    )
    twilio_shared_key: str | None = setting(
        "TWILIO_SHARED_KEY", help="id of the shared key that Twilio signs webhooks with, if any"
    )
    twilio_shared_key_secret: str | None = setting(
        "TWILIO_SHARED_KEY_SECRET", secret=True, help="the secret of that shared key"
    )
    twilio_region: str | None = setting("TWILIO_REGION", help="such as ie1; needs the edge too")
    twilio_edge: str | None = setting("TWILIO_EDGE", help="such as dublin; needs the region too")
    twilio_base_url: str = setting(
        "TWILIO_BASE_URL",
        default=DEFAULT_TWILIO_BASE_URL,
        parse=http_url,
        help="where Twilio is",
    )
    to: str | None = setting("OUTBOUND_NUMBER", help="the number to call")
    from_: str | None = setting("INBOUND_NUMBER", help="your Twilio number, which calls")
    ngrok_authtoken: str | None = setting(
        "NGROK_AUTHTOKEN", secret=True, help="token of the ngrok account"
    )
    ngrok_domain: str | None = setting("NGROK_DOMAIN", help="a domain of that account, to keep")
    ssh_tunnel: str | None = setting(
        "SSH_TUNNEL", help="[user@]host[:port] whose ssh leads Twilio here"
    )
    ssh_tunnel_url: str | None = setting(
        "SSH_TUNNEL_URL", help="where its web server is, such as https://{port}.example.com"
    )
    ssh_tunnel_port: int = setting(
        "SSH_TUNNEL_PORT", default=0, parse=port, help="the port there that it leads to; 0 is any"
    )
    profile: str | None = setting("ASYNCFLOW_PROFILE", help="the profile of the config file")
    config: str | None = setting("ASYNCFLOW_CONFIG", help="another config file")
    sandbox: bool = setting(
        "ASYNCFLOW_SANDBOX", default=False, parse=boolean, help="true embeds the sandbox"
    )
    timeout: float = setting(default=30.0, parse=patience, help="seconds to wait for an answer")
    retries: int = setting(default=2, parse=count, help="further tries after a passing failure")

    origins: Mapping[str, str] = field(default_factory=dict)
    """For each name above: `--flag`, a variable's name, `.env NAME`, `asyncflow.toml NAME`,
    `profile NAME`, `keyring NAME`, `default`."""
    other_base_urls: tuple[str, ...] = ()
    """Addresses to turn to when `base_url` takes no connection."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names of the user's own for voices: `[aliases]` of the project file and the config file."""
    profiles: tuple[str, ...] = ()
    """Those there are to choose from."""
    warnings: tuple[str, ...] = ()

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Every address of the Async Voice API, in the order in which they are tried."""
        return (self.base_url, *self.other_base_urls)

    def need(self, name: str) -> str:
        """The value of a setting that must be there, or the error that tells how to set it."""
        self.need_all(name)
        return str(getattr(self, name))

    def need_all(self, *wanted: str) -> None:
        """PrerequisiteError that lists every one of these settings that is missing."""
        missing = {name: FIELDS[name].metadata for name in wanted if not getattr(self, name)}
        if not missing:
            return
        told = [f"{data['names'][0]} is not set: {data['help']}" for data in missing.values()]
        names = " and ".join(data["names"][0] for data in missing.values())
        set_it, *others = self._ways_to_set(missing)
        hint = "; ".join((set_it.format(names), *others))
        error = PrerequisiteError("; ".join(told), hint=hint, code="SETTING_MISSING")
        if len(missing) > 1:
            error.lines = (*told, set_it.format("them"), *others)
        raise error

    def _ways_to_set(self, missing: Collection[str]) -> Iterator[str]:
        flags = [f"--{name.strip('_')}" for name in missing if name in ("to", "from_")]
        given = f", or give {' and '.join(flags)}" if flags else ""
        yield f"Set {{}} in the environment or a .env file{given}"
        if logins := [LOGINS[name] for name in missing if name in LOGINS]:
            yield f"or {' and '.join(logins)}"
        if not self.sandbox:
            yield "or add --sandbox, which needs no account"

    def need_for_call(self, *, speaks: bool) -> None:
        """The same for all that a call needs, at once."""
        secret = "twilio_api_secret" if self.twilio_api_key else "twilio_auth_token"
        wanted = ["to", "from_", "twilio_account_sid", secret]
        self.need_all(*wanted, *(["api_key"] if speaks else []))

    def secrets(self) -> list[str]:
        """Values that must never be printed, and the logins that are made of them."""
        values = (getattr(self, name) for name, f in FIELDS.items() if f.metadata["secret"])
        return [*filter(None, values), *self._logins()]

    def _logins(self) -> Iterator[str]:
        """As HTTP has them: https://www.rfc-editor.org/rfc/rfc7617#section-2"""
        pairs = (
            (self.twilio_account_sid, self.twilio_auth_token),
            (self.twilio_api_key, self.twilio_api_secret),
        )
        for user, password in pairs:
            if user and password:
                yield base64.b64encode(f"{user}:{password}".encode()).decode()

    def described(self) -> Iterator[tuple[str, str | None, str]]:
        """Name, value and origin of every setting; of a secret, only that it is there."""
        for name, f in FIELDS.items():
            value = ",".join(self.base_urls) if name == "base_url" else getattr(self, name)
            shown = None if value is None else "***" if f.metadata["secret"] else str(value)
            yield name.strip("_"), shown, self.origins.get(name, "default")

    def pointed_at(self, environment: Mapping[str, str], origin: str) -> Settings:
        """The same settings with the addresses and keys of `environment` in place of theirs.

        The number to call from is replaced too, unless it was given as a flag.
        """
        values: dict[str, Any] = {
            name: environment[f.metadata["names"][0]]
            for name, f in FIELDS.items()
            if f.metadata["names"] and f.metadata["names"][0] in environment
        }
        if self.origins.get("from_") == "--from":
            values.pop("from_", None)
        # An API key of a real account would be tried before the auth token.
        values |= {"twilio_api_key": None, "twilio_region": None, "twilio_edge": None}
        values |= {"twilio_shared_key": None, "twilio_shared_key_secret": None}
        values |= {"other_base_urls": ()}
        origins = {**self.origins, **dict.fromkeys(values, origin)}
        return dataclasses.replace(self, **values, origins=origins)


FIELDS = {f.name: f for f in dataclasses.fields(Settings) if f.metadata}
