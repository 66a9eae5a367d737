"""Which source of a setting wins.

Flag > environment > `.env` > project file > profile > default. `load` takes those five mappings
and reads nothing else, so a rule of precedence is one line of test.

The project file stands above the profile, which is the person's own everywhere: what a project
asks for holds for everybody who works on it, and each may still say otherwise in `.env`. In either,
the table of a command (`[tts]`) wins over the top of the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from asyncflow_cli.errors import UsageError
from asyncflow_cli.settings.settings import DEFAULT_BASE_URL, FIELDS, PROJECT_FILE, Settings
from asyncflow_cli.settings.values import is_loopback

Value = TypeVar("Value")

SANDBOX_PROFILE = "sandbox"
"""A profile that is always there: naming it is `--sandbox`."""


class _Sources(NamedTuple):
    flags: Mapping[str, Any]
    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    project: Mapping[str, Any]
    profile: Mapping[str, Any]
    command: Sequence[str]
    keyring: Callable[[str], str | None]


def load(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    project: Mapping[str, Any],
    profile: Mapping[str, Any],
    *,
    command: Sequence[str] = (),
    keyring: Callable[[str], str | None] = lambda _key: None,
) -> Settings:
    """Resolve every setting. Empty text is unset, but in a flag it is what was asked for.

    `command` is the command's path, such as `("voices", "list")`; `keyring` is asked for a secret
    of which the profile says that it is there, and only if no other source has it.
    """
    sources = _Sources(flags, environ, dotenv, project, profile, command, keyring)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    warnings: list[str] = []
    for name, f in FIELDS.items():
        origin, raw = next(_candidates(name, f.metadata["names"], sources), ("default", None))
        origins[name] = origin
        if raw is not None:
            values[name] = parsed(raw, origin, f.metadata["parse"])
            warnings += _doubts(name, values[name], origin, sources)
    if values.get("profile") == SANDBOX_PROFILE and flags.get("sandbox") is None:
        values["sandbox"], origins["sandbox"] = True, origins["profile"]
    first, *others = values.get("base_url", DEFAULT_BASE_URL).split(",")
    values |= {"base_url": first, "other_base_urls": tuple(others)}
    return Settings(**values, origins=origins, warnings=tuple(warnings))


def _doubts(name: str, value: Any, origin: str, sources: _Sources) -> Iterator[str]:
    """What to warn of in a value from a source."""
    names = FIELDS[name].metadata["names"]
    if name.endswith("base_url") and _readable_by_others(value):
        yield f"{origin} is not https: your keys travel where others can read them"
    for other, said in _variables(names, sources):
        if other != origin and _are_siblings(origin, other, names) and said.strip() != value:
            yield f"{origin} and {other} differ; {origin} is used"


def command_table(table: Mapping[str, Any], command: Sequence[str]) -> Mapping[str, Any]:
    """What a file says for one command alone."""
    for part in command:
        inner = table.get(part)
        if not isinstance(inner, dict):
            return {}
        table = inner
    return table if command else {}


def _candidates(name: str, names: tuple[str, ...], sources: _Sources) -> Iterator[tuple[str, Any]]:
    """Where a value was found, and what stands there; the winner first."""
    key = name.strip("_")
    if (given := sources.flags.get(name)) is not None:
        yield ("--no-" if given is False else "--") + key.replace("_", "-"), given
    yield from _variables(names, sources)
    for origin, table in ((PROJECT_FILE, sources.project), ("profile", sources.profile)):
        inner = command_table(table, sources.command)
        if _is_set(inner.get(key)):
            yield f"{origin} [{'.'.join(sources.command)}] {key}", inner[key]
        if is_in_keyring(table.get(key)):
            if (secret := sources.keyring(key)) is not None:
                yield f"keyring {key}", secret
        elif _is_set(table.get(key)):
            yield f"{origin} {key}", table[key]


def is_in_keyring(value: Any) -> bool:
    """Whether a profile says that the secret itself is elsewhere: `api_key.keyring = true`."""
    return isinstance(value, dict) and value.get("keyring") is True


def _is_set(value: Any) -> bool:
    """A table is no value: it is that of a command with the setting's name, such as `sandbox`."""
    return value is not None and not isinstance(value, dict) and bool(str(value).strip())


def _variables(names: tuple[str, ...], sources: _Sources) -> Iterator[tuple[str, str]]:
    for origin, source in (("", sources.environ), (".env ", sources.dotenv)):
        for variable in names:
            if source.get(variable, "").strip():
                yield origin + variable, source[variable]


def _are_siblings(one: str, other: str, names: tuple[str, ...]) -> bool:
    """Whether two origins are the two names of one setting in the same source."""
    sources = (names, [f".env {name}" for name in names])
    return any(one in source and other in source for source in sources)


def _readable_by_others(urls: str) -> bool:
    return any(url.startswith("http:") and not is_loopback(url) for url in urls.split(","))


def read_setting(settings: Settings, name: str, parse: Callable[[str], Value]) -> Value | None:
    """A setting that is a text to everybody but the one who uses it; None if it is not set.

    UsageError that names where it was set.
    """
    value = getattr(settings, name)
    origin = settings.origins.get(name, name.strip("_"))
    return None if value is None else parsed(value, origin, parse)


def parsed(raw: Any, origin: str, parse: Callable[[str], Value]) -> Value:
    """A value as `parse` reads it. UsageError that names where it stands."""
    try:
        # TOML has numbers and truth values; they are read as if they were written out.
        return parse(str(raw))
    except UsageError as error:
        told = f"{origin}: {error.message}"
        raise UsageError(told, hint=error.hint, code=error.code) from None
