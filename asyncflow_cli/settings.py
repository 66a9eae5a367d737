"""What the user configured, and where each value came from.

`load` takes four mappings and reads nothing else; only `cli.py` sees the environment, files
and flags. Order: flag > environment > `.env` > profile > default.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from asyncflow_cli.errors import PrerequisiteError, UsageError

DEFAULT_BASE_URL = "https://api.async.com"
DEFAULT_TWILIO_BASE_URL = "https://api.twilio.com"
DEFAULT_VOICE = "e0f39dc4-f691-4e78-bba5-5c636692cc04"
DEFAULT_MODEL = "async_flash_v1.5"


def boolean(text: str) -> bool:
    if text.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if text.strip().lower() in ("", "0", "false", "no", "off"):
        return False
    raise UsageError(f"{text!r} is neither true nor false")


def duration(text: str) -> float:
    """Seconds in `400ms`, `30s`, `2m` or `1h`; a bare number is seconds."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)(ms|s|m|h|)", text.strip())
    if not match:
        raise UsageError(f"{text!r} is no duration", hint="Write 400ms, 30s or 2m")
    return float(match[1]) * {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600}[match[2]]


def whole_seconds(text: str, *, at_most: int) -> int:
    """A duration as Twilio takes it: whole seconds, at least one."""
    seconds = round(duration(text))
    if not 1 <= seconds <= at_most:
        raise UsageError(f"{text!r} is out of range", hint=f"From 1s to {at_most}s")
    return seconds


def credential(text: str) -> str:
    """A key or token as it goes into a header: no blanks around it, nothing unprintable in it."""
    if not (text.strip().isascii() and text.strip().isprintable()):
        raise UsageError("a key or token holds only printable ASCII characters")
    return text.strip()


def http_url(text: str) -> str:
    url = text.strip().rstrip("/")
    try:
        valid = re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url) and urlsplit(url).port != 0
    except ValueError:  # a port beyond 65535, an unclosed [
        valid = False
    if not valid:
        raise UsageError(f"{text!r} is no http(s) address")
    return url


def http_urls(text: str) -> str:
    """Addresses that stand in for one another, with commas or blanks between; as `a,b`."""
    urls = re.split(r"[\s,]+", text.strip(" ,"))
    return ",".join(map(http_url, urls))


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, where no proxy and no tunnel is needed."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host == "::1" or re.fullmatch(r"127(\.\d+){3}", host) is not None


def count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text.strip()):
        raise UsageError(f"{text!r} is no whole number")
    return int(text)


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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Resolved once per run. The names are those of flags and of profile keys."""

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
        "SSH_TUNNEL_PORT", default=0, parse=count, help="the port there that it leads to; 0 is any"
    )
    profile: str | None = setting("ASYNCFLOW_PROFILE", help="the profile of the config file")
    config: str | None = setting("ASYNCFLOW_CONFIG", help="another config file")
    sandbox: bool = setting(
        "ASYNCFLOW_SANDBOX", default=False, parse=boolean, help="true embeds the sandbox"
    )
    timeout: float = setting(default=30.0, parse=duration, help="seconds to wait for an answer")
    retries: int = setting(default=2, parse=count, help="further tries after a passing failure")

    origins: Mapping[str, str] = field(default_factory=dict)
    """For each name above: `--flag`, a variable's name, `.env NAME`, `profile NAME`, `default`."""
    other_base_urls: tuple[str, ...] = ()
    """Addresses to turn to when `base_url` takes no connection."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names of the user's own for voices: `[aliases]` of the config file."""
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
        flags = [f"--{name.strip('_')}" for name in missing if name in ("to", "from_")]
        hint = f"Set {names} in the environment or a .env file"
        hint += f", or give {' and '.join(flags)}" if flags else ""
        if not self.sandbox:
            hint += "; or add --sandbox, which needs no account"
        raise PrerequisiteError("; ".join(told), hint=hint, code="SETTING_MISSING")

    def secrets(self) -> list[str]:
        """Values that must never be printed, and the logins that are made of them."""
        values = (getattr(self, name) for name, f in FIELDS.items() if f.metadata["secret"])
        return [*filter(None, values), *self._logins()]

    def _logins(self) -> Iterator[str]:
        """As HTTP has them: https://www.rfc-editor.org/rfc/rfc7617#section-2"""
        pairs = (
            (self.twilio_account_sid, self.twilio_auth_token),
            (self.twilio_api_key, self.twilio_api_secret),
            (self.twilio_account_sid, self.twilio_api_secret),
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


def load(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    profile: Mapping[str, Any],
) -> Settings:
    """Resolve every setting. Empty text is unset, but in a flag it is what was asked for."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    warnings: list[str] = []
    for name, f in FIELDS.items():
        found = _candidates(name, f.metadata["names"], flags, environ, dotenv, profile)
        origin, raw = next(found, ("default", None))
        origins[name] = origin
        if raw is not None:
            values[name] = _parsed(raw, origin, f.metadata["parse"])
        if raw is not None and name.endswith("base_url") and _readable_by_others(values[name]):
            warnings.append(f"{origin} is not https: your keys travel where others can read them")
        warnings += [
            f"{origin} and {other} differ; {origin} is used"
            for other, value in found
            if _are_siblings(origin, other, f.metadata["names"]) and value.strip() != values[name]
        ]
    first, *others = values.get("base_url", DEFAULT_BASE_URL).split(",")
    values |= {"base_url": first, "other_base_urls": tuple(others)}
    return Settings(**values, origins=origins, warnings=tuple(warnings))


def _are_siblings(one: str, other: str, names: tuple[str, ...]) -> bool:
    """Whether two origins are the two names of one setting in the same source."""
    sources = (names, [f".env {name}" for name in names])
    return any(one in source and other in source for source in sources)


def _readable_by_others(urls: str) -> bool:
    return any(url.startswith("http:") and not is_loopback(url) for url in urls.split(","))


def _candidates(
    name: str,
    names: tuple[str, ...],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    profile: Mapping[str, Any],
) -> Any:
    if flags.get(name) is not None:
        yield "--" + name.strip("_").replace("_", "-"), flags[name]
    for origin, source in (("", environ), (".env ", dotenv)):
        for variable in names:
            if source.get(variable, "").strip():
                yield origin + variable, source[variable]
    key = name.strip("_")
    if profile.get(key) is not None and str(profile[key]).strip():
        yield f"profile {key}", profile[key]


def _parsed(raw: Any, origin: str, parse: Callable[[str], Any]) -> Any:
    try:
        # TOML has numbers and truth values; they are read as if they were written out.
        return parse(str(raw))
    except UsageError as error:
        raise UsageError(f"{origin}: {error.message}", hint=error.hint) from None
