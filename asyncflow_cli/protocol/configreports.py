"""What `config` and `auth` say: values with their origins, and what was changed where."""

from __future__ import annotations

from asyncflow_cli.protocol.reports import Report


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
