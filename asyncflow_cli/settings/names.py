"""What a file that configures us may say: settings, and defaults for the options of commands.

A profile and a project file have one form:

    voice = "narrator"          # a setting

    [tts]                       # of one command, an option or a setting
    format = "wav"

A project file is committed, and comes with what one clones. So it holds no secret, and does not
say where keys, calls or files go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from asyncflow_cli.errors import UsageError
from asyncflow_cli.nearest import did_you_mean
from asyncflow_cli.settings.loading import is_in_keyring
from asyncflow_cli.settings.settings import FIELDS
from asyncflow_cli.settings.values import boolean, count, patience, port

Options: TypeAlias = Mapping[str, Collection[str]]
"""Of each command, such as `voices list`, the options that a file may set."""

KEYS = {name.strip("_"): f.metadata for name, f in FIELDS.items()}
"""Settings as files name them."""

KINDS = {bool: "a truth value", int: "a number", float: "a number", list: "a list"}
"""What TOML has beside texts, tables and dates."""

UNQUOTED: Mapping[object, frozenset[type]] = {
    boolean: frozenset({bool, int}),
    count: frozenset({int, float}),
    patience: frozenset({int, float}),
    port: frozenset({int}),
}
"""What a setting may be beside a text, by what reads it."""

DESTINATIONS = frozenset(
    {"base_url", "twilio_base_url", "ssh_tunnel", "ssh_tunnel_url", "ssh_tunnel_port", "config"}
    | {"tunnel", "public_url"}
)
"""Settings and options that say where keys and calls go, or which file says it."""

TOP = frozenset({"profiles", "aliases"})
"""What the config file holds, and nothing beside."""

CHOOSES_PROFILE = frozenset({"profile", "config"})
"""What decides which profile is read cannot stand in one."""

JUST_ONCE = frozenset(
    {"output", "file", "audio", "captions_output", "report", "save_heard", "force", "dry_run"}
    | {"all"}
)
"""Options that say what to do this once, with which files; never a default."""

WITHOUT_FILES = frozenset({"auth", "config", "doctor", "explain", "schema"})
"""Commands that work whatever the files say, to see what is wrong with them."""


def key_of(flags: Iterable[str], name: str) -> str:
    """What files call the option that stands on the line as `flags`."""
    flag = next((flag for flag in flags if flag.startswith("--")), name)
    return flag.removeprefix("--").replace("-", "_")


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """`what` is the sentence's beginning; it names who was meant, or where all names are."""
    hint = did_you_mean(name, known, "All names: asyncflow config list")
    return UsageError(f"{what} {name!r}", hint=hint, code="SETTING_UNKNOWN")


def check_config(table: Mapping[str, Any], where: object) -> None:
    """UsageError for the first name at the top of the config file that does not belong there."""
    for key in table.keys() - TOP:
        if key in KEYS and not isinstance(table[key], dict):
            raise _misplaced(
                f"{where}: {key} stands in no profile", "Put it below a line [profiles.default]"
            )
        raise UsageError(
            f"{where}: there is no [{key}]",
            hint="It holds [profiles.NAME] and [aliases]",
            code="SETTING_UNKNOWN",
        )


def check_file(
    table: Mapping[str, Any], where: str, options: Callable[[], Options], *, project: bool
) -> None:
    """UsageError for the first key of a profile or project file that does not belong there."""
    for key, value in table.items():
        if isinstance(value, dict) and not (key in KEYS and is_in_keyring(value)):
            _check_commands(key, value, where, options(), project=project)
        else:
            check_setting(key, where, project=project)
            _check_kind(key, value, where)


def check_setting(key: str, where: str, *, project: bool) -> None:
    """UsageError unless this setting may stand in such a file."""
    if key not in KEYS:
        raise unknown(f"{where}: there is no setting", key, KEYS)
    if key in CHOOSES_PROFILE and not (project and key == "profile"):
        raise _misplaced(f"{where}: {key} decides which file is read", "Set it in the environment")
    if project:
        _check_committed(key, where)


def _check_committed(key: str, where: str) -> None:
    if key in KEYS and KEYS[key]["secret"]:
        raise _misplaced(
            f"{where}: {key} is a secret, and this file is committed", "asyncflow auth login"
        )
    if key in DESTINATIONS:
        raise _misplaced(
            f"{where}: {key} says where your keys and calls go, which is yours to say",
            f"Set it in your profile: asyncflow config set {key} …",
        )


def _check_kind(key: str, value: Any, where: str) -> None:
    """What the value is, is not told: it may be a secret."""
    kind, others = type(value), UNQUOTED.get(KEYS[key]["parse"], frozenset())
    if kind is not str and kind not in others and not is_in_keyring(value):
        raise UsageError(
            f"{where}: {key} is {KINDS.get(kind, 'a date')}, and must be a text",
            hint=f'Write one value, in quotes: {key} = "…"',
        )


def _misplaced(message: str, hint: str) -> UsageError:
    return UsageError(message, hint=hint, code="SETTING_MISPLACED")


def _check_commands(
    path: str, table: Mapping[str, Any], where: str, options: Options, *, project: bool
) -> None:
    if path in options:
        for key, value in table.items():
            check_option(path, key, where, options, project=project)
            place = f"{where}: [{path.replace(' ', '.')}]"
            if isinstance(value, dict):
                raise UsageError(f"{place} {key} is a table")
            if key in KEYS:
                _check_kind(key, value, place)
        return
    if not any(command.startswith(f"{path} ") for command in options):
        raise unknown(f"{where}: there is no command", path, {*options, *_groups(options)})
    for key, value in table.items():
        if not isinstance(value, dict):
            raise UsageError(f"{where}: {path}.{key} belongs in the table of a command")
        _check_commands(f"{path} {key}", value, where, options, project=project)


def _groups(options: Options) -> Iterator[str]:
    return (command.split(" ")[0] for command in options)


def check_option(command: str, key: str, where: str, options: Options, *, project: bool) -> None:
    """UsageError unless this option of this command may have its default in such a file."""
    place = f"{where}: [{command.replace(' ', '.')}]"
    if command not in options:
        raise unknown(f"{where}: there is no command", command, options)
    if key in JUST_ONCE:
        raise _misplaced(
            f"{place} {key} says what to do this once", f"Give --{key.replace('_', '-')} each time"
        )
    if key not in options[command]:
        raise unknown(f"{place} has no option", key, options[command])
    if project:
        _check_committed(key, place)
