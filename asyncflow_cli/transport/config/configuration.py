"""Values by their names: `voice`, `tts.format`, `aliases.host`; what they are, and where to change.

A setting or option goes into the profile in use, or into the project file; an alias into either
file's `[aliases]`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from asyncflow_cli.errors import NotFoundError, UsageError
from asyncflow_cli.protocol.configreports import (
    ConfigChangeReport,
    ConfigPathReport,
    ConfigValueReport,
    SettingReport,
    SettingsReport,
)
from asyncflow_cli.settings import PROJECT_FILE, Settings, boolean, count, port
from asyncflow_cli.settings.loading import parsed
from asyncflow_cli.settings.names import KEYS, check_option, check_setting, unknown
from asyncflow_cli.transport.config import keychain
from asyncflow_cli.transport.config.files import DOTENV, USUAL_PROFILE, ConfigFiles
from asyncflow_cli.transport.config.writing import change


class Place(NamedTuple):
    file: Path
    keys: tuple[str, ...]
    profile: str | None

    @property
    def kept(self) -> tuple[str, ...]:
        """A profile is there as long as its table is; the usual one always is."""
        return self.keys[:2] if self.profile not in (None, USUAL_PROFILE) else ()


class Configuration:
    """What `config` shows and changes. `flags` are the global flags, which may name a profile."""

    def __init__(self, files: ConfigFiles, flags: Mapping[str, Any]) -> None:
        self._files = files
        self._flags = flags

    @property
    def profile(self) -> str:
        return self._files.chosen(self._flags).profile or USUAL_PROFILE

    def path(self) -> ConfigPathReport:
        file, project = self._files.path(self._flags), self._files.project_path
        return ConfigPathReport(
            config=str(file),
            exists=file.exists(),
            profile=self.profile,
            project=str(project) if project else None,
            dotenv=str(DOTENV.absolute()) if DOTENV.is_file() else None,
        )

    def list(self, settings: Settings) -> SettingsReport:
        """Every setting, what files say of options, and aliases; each with its origin."""
        rows = [SettingReport(*row) for row in settings.described()]
        for default in self._files.defaults(self._flags):
            shown = ",".join(map(str, v)) if isinstance(v := default.value, list) else str(v)
            rows.append(SettingReport(default.name, shown, default.origin))
        for name, (voice, origin) in self._files.aliases(self._flags).items():
            rows.append(SettingReport(f"aliases.{name}", voice, f"{origin} [aliases] {name}"))
        return SettingsReport(settings=tuple(rows))

    def get(self, name: str, settings: Settings) -> ConfigValueReport:
        """One value. NotFoundError if it is not set and has no default."""
        rows = {row.name: row for row in self.list(settings).settings}
        row = rows.get(name)
        if row is None:
            self._place(name, project=False)  # which refuses a wrong name
        if row is None or row.value is None:
            raise NotFoundError(
                f"{name} is not set",
                hint=f"asyncflow config set {name} VALUE",
                code="SETTING_NOT_SET",
            )
        return ConfigValueReport(name=name, value=row.value, origin=row.origin)

    def set(self, name: str, value: Any, *, project: bool) -> ConfigChangeReport:
        """Write one value down. UsageError for one that the setting does not take."""
        place = self._place(name, project=project)
        parse = KEYS[name]["parse"] if name in KEYS else None
        if parse is not None:
            read = parsed(value, name, parse)
            # TOML has numbers and truth values; everything else is written as it was typed.
            value = read if parse in (boolean, count, port) else value.strip()
        change(place.file, place.keys, value, private=not project)
        secret = name in KEYS and KEYS[name]["secret"]
        return self._changed(name, "***" if secret else str(value), place)

    def keep(self, key: str, secret: str, *, keyring: bool) -> bool:
        """Keep a secret for the profile; whether in the keyring, or else in the config file.

        UsageError if it is none.
        """
        place, secret = self._place(key, project=False), KEYS[key]["parse"](secret)
        kept = keyring and keychain.keep(self.profile, key, secret)
        if not kept:
            keychain.forget(self.profile, key)
        change(place.file, place.keys, {"keyring": True} if kept else secret, private=True)
        return kept

    def forget(self, key: str) -> bool:
        """Forget a setting wherever the profile keeps it; whether it kept it."""
        if KEYS[key]["secret"]:
            keychain.forget(self.profile, key)
        place = self._place(key, project=False)
        return change(place.file, place.keys, None, private=True, kept=place.kept)

    def unset(self, name: str, *, project: bool) -> ConfigChangeReport:
        """Take one value away. NotFoundError if it does not stand there."""
        place = self._place(name, project=project)
        if not change(place.file, place.keys, None, private=not project, kept=place.kept):
            raise NotFoundError(
                f"{name} is not set in {place.file}",
                hint="See where it is set: asyncflow config list",
                code="SETTING_NOT_SET",
            )
        return self._changed(name, None, place)

    def outranked(self, name: str, *, project: bool) -> tuple[str, ...]:
        """A warning, if another source wins over the value just written."""
        lasting = {flag: value for flag, value in self._flags.items() if flag != name}
        with contextlib.suppress(UsageError):
            origin = self._files.anew().load(lasting).origins.get(name, "")
            written = (PROJECT_FILE,) if project else ("profile", "keyring")
            if origin and origin.split(" ")[0] not in (*written, "default"):
                return (f"{origin} is set, too, and wins",)
        return ()

    def _changed(self, name: str, value: str | None, place: Place) -> ConfigChangeReport:
        return ConfigChangeReport(
            name=name, value=value, file=str(place.file), profile=place.profile
        )

    def _place(self, name: str, *, project: bool) -> Place:
        """Where a value of this name stands. UsageError if there is no such name."""
        file = self._project_file() if project else self._files.path(self._flags)
        where = PROJECT_FILE if project else "config"
        parts = tuple(name.split("."))
        if parts[0] == "aliases" and len(parts) == 2 and parts[1]:
            return Place(file, parts, None)
        if len(parts) == 1:
            if name not in KEYS:
                options = self._files.options()
                every = [f"{c.replace(' ', '.')}.{key}" for c in options for key in options[c]]
                raise unknown("There is no setting", name, [*KEYS, *every])
            check_setting(name, where, project=project)
        else:
            command = " ".join(parts[:-1])
            check_option(command, parts[-1], where, self._files.options(), project=project)
        if project:
            return Place(file, parts, None)
        return Place(file, ("profiles", self.profile, *parts), self.profile)

    def _project_file(self) -> Path:
        """The one there is, or one to be, where we are."""
        return self._files.project_path or Path(PROJECT_FILE).absolute()
