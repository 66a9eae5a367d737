"""The files of one run that configure us, each read once, and the settings that come of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from asyncflow_cli.errors import UsageError
from asyncflow_cli.nearest import did_you_mean
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings import FIELDS, PROJECT_FILE, SANDBOX_PROFILE, Settings, load
from asyncflow_cli.settings.loading import command_table
from asyncflow_cli.settings.names import KEYS, Options, check_config, check_file
from asyncflow_cli.transport.config import keychain
from asyncflow_cli.transport.config.reading import (
    exposure,
    project_file,
    read_dotenv,
    read_toml,
    table_in,
)

USUAL_PROFILE = "default"
DOTENV = Path(".env")
MAKES_PROFILE = ("auth", "login")
"""The command whose profile need not be there yet."""


class Default(NamedTuple):
    """What a file says an option is, unless the command line says otherwise."""

    command: tuple[str, ...]
    key: str
    value: Any
    origin: str

    @property
    def name(self) -> str:
        return ".".join((*self.command, self.key))


class _Keyring:
    """The secrets of one profile in the system's keyring. Those of a sandbox are its own."""

    def __init__(self, chosen: Settings) -> None:
        self._profile = chosen.profile or USUAL_PROFILE
        self._is_needed = not chosen.sandbox
        self.warnings: list[str] = []

    def fetch(self, key: str) -> str | None:
        secret = keychain.fetch(self._profile, key) if self._is_needed else None
        if secret is None and self._is_needed:
            self.warnings.append(
                f"profile {self._profile} keeps {key} in the keyring, which does not give it: "
                + keychain.remedy()
            )
        return secret


class ConfigFiles:
    """`.env`, the project file, and the config file with its profiles.

    `environ` is the environment, which says where files are; `folder` is that of the config file;
    `options` tells which options there are, once a file sets one.
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path, options: Callable[[], Options]
    ) -> None:
        self._environ = environ
        self._folder = folder
        self.options = options
        self._loaded: dict[tuple[Any, ...], Settings] = {}

    def anew(self) -> ConfigFiles:
        """The same files, after they were changed."""
        return ConfigFiles(self._environ, self._folder, self.options)

    @cached_property
    def _dotenv(self) -> tuple[Mapping[str, str], list[str]]:
        return read_dotenv(DOTENV)

    @cached_property
    def project_path(self) -> Path | None:
        return project_file(Path())

    @cached_property
    def project(self) -> Mapping[str, Any]:
        """Settings and tables of commands; its aliases stand apart."""
        if self.project_path is None:
            return {}
        table = {k: v for k, v in read_toml(self.project_path).items() if k != "aliases"}
        check_file(table, PROJECT_FILE, self.options, project=True)
        return table

    def chosen(self, flags: Mapping[str, Any]) -> Settings:
        """Which profile of which file: the same order decides it, before there is a profile."""
        return self._without_profile(flags, self.project)

    def path(self, flags: Mapping[str, Any]) -> Path:
        """The config file, whether it is there or not. No other file need be right for it."""
        chosen = self._without_profile(flags, {})
        return Path(chosen.config) if chosen.config else self._folder / "config.toml"

    def _without_profile(self, flags: Mapping[str, Any], project: Mapping[str, Any]) -> Settings:
        """Asked for time and again; all that may change between are the flags."""
        key = (bool(project), *((name, flags[name]) for name in FIELDS if name in flags))
        if key not in self._loaded:
            self._loaded[key] = load(flags, self._environ, self._dotenv[0], project, {})
        return self._loaded[key]

    def _config(self, flags: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole config file; empty if there is none and none was asked for."""
        path = self.path(flags)
        config = read_toml(path) if self.chosen(flags).config or path.exists() else {}
        check_config(config, path)
        return config

    def _profile(
        self, flags: Mapping[str, Any], command: Sequence[str] | None = None
    ) -> Mapping[str, Any]:
        path, name = self.path(flags), self.chosen(flags).profile
        profiles = table_in(self._config(flags), "profiles", path)
        known = (*profiles, USUAL_PROFILE, SANDBOX_PROFILE)
        if name is not None and name not in known and command != MAKES_PROFILE:
            raise _no_profile(path, name, profiles)
        found = profiles.get(name or USUAL_PROFILE, {})
        if not isinstance(found, dict):
            raise UsageError(f"{path}: profile {name or USUAL_PROFILE} is no table")
        check_file(found, f"{path}, profile {name or USUAL_PROFILE}", self.options, project=False)
        return found

    def load(self, flags: Mapping[str, Any], command: Sequence[str] = ()) -> Settings:
        """All settings, as they are for one command."""
        values, doubts = self._dotenv
        profile = self._profile(flags, command)
        keyring = _Keyring(self.chosen(flags))
        loaded = load(
            *(flags, self._environ, values, self.project, profile),
            command=command,
            keyring=keyring.fetch,
        )
        warned = (*doubts, *self._exposed(flags), *keyring.warnings, *loaded.warnings)
        aliases = {name: voice for name, (voice, _) in self.aliases(flags).items()}
        return dataclasses.replace(
            loaded, aliases=aliases, profiles=self._profiles(flags), warnings=warned
        )

    def _profiles(self, flags: Mapping[str, Any]) -> tuple[str, ...]:
        named = table_in(self._config(flags), "profiles", self.path(flags))
        return tuple(dict.fromkeys([*named, SANDBOX_PROFILE]))

    def aliases(self, flags: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
        """Names of voices, with the voice and the file; the project's win."""
        path, project = self.path(flags), read_toml(self.project_path) if self.project_path else {}
        return {
            **{name: (voice, "config") for name, voice in _aliases(self._config(flags), path)},
            **{name: (voice, PROJECT_FILE) for name, voice in _aliases(project, PROJECT_FILE)},
        }

    def _exposed(self, flags: Mapping[str, Any]) -> Iterator[str]:
        """Warnings of files with keys in them that are open to others."""
        for path in self.with_keys(flags):
            yield from exposure(path)

    def with_keys(self, flags: Mapping[str, Any]) -> Iterator[Path]:
        """The files that hold keys."""
        variables = (name for data in KEYS.values() if data["secret"] for name in data["names"])
        if any(self._dotenv[0].get(variable, "").strip() for variable in variables):
            yield DOTENV
        profiles = table_in(self._config(flags), "profiles", self.path(flags))
        tables = [profile for profile in profiles.values() if isinstance(profile, dict)]
        secret = {key for key, data in KEYS.items() if data["secret"]}
        if any(isinstance(table.get(key), str) for table in tables for key in secret):
            yield self.path(flags)

    def defaults(
        self, flags: Mapping[str, Any], command: Sequence[str] | None = None
    ) -> list[Default]:
        """What files say for a command alone, or for each: options, and settings among them."""
        found: dict[str, Default] = {}
        for origin, table in (("profile", self._profile(flags)), (PROJECT_FILE, self.project)):
            for path in self.options() if command is None else [" ".join(command)]:
                parts = tuple(path.split(" "))
                place = f"{origin} [{'.'.join(parts)}]"
                for key, value in command_table(table, parts).items():
                    default = Default(parts, key, value, f"{place} {key}")
                    found[default.name] = default
        return list(found.values())


def _aliases(config: Mapping[str, Any], where: object) -> Iterator[tuple[str, str]]:
    for name, voice in table_in(config, "aliases", where).items():
        if not isinstance(voice, str):
            raise UsageError(
                f"{where}: [aliases] {name} must be a text", hint=f'Write: {name} = "Jennie"'
            )
        yield name, voice


def _no_profile(path: Path, name: str, profiles: Mapping[str, Any]) -> UsageError:
    known = (*profiles, SANDBOX_PROFILE)
    hint = did_you_mean(name, known, f"It has: {', '.join(known)}")
    return UsageError(f"{path} has no profile {quoted(name)}", hint=hint, code="SETTING_UNKNOWN")
