"""Which documents a command prints, so that a wrong --field is told before any work is done."""

from __future__ import annotations

from collections.abc import Mapping

from asyncflow_cli.app import App
from asyncflow_cli.protocol.fields import check
from asyncflow_cli.protocol.schemas import SchemaReport

OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "auth status": ("auth",),
    "calls list": ("calls",),
    "calls hangup": ("calls-ended",),
    "calls reap": ("calls-ended",),
    "config list": ("config",),
    "config set": ("config-change",),
    "config unset": ("config-change",),
    "sandbox serve": ("sandbox",),
    "schema": ("schema", "schemas"),
    "voices get": ("voice", "voices"),
    "voices list": ("voices", "voice"),
}
"""By command, where its document has another name than itself; of two it prints one or other."""

SPEECH = "dry-run"
PLANS = {
    **dict.fromkeys(("tts", "tts-stream", "timestamps"), SPEECH),
    "call": "call-dry-run",
    "stt": "stt-dry-run",
    "voices clone": "voices-clone-dry-run",
    "voices delete": "voices-delete-dry-run",
    "voices update": "voices-update-dry-run",
}
"""What --dry-run prints."""


def documents_of(command: str, *, dry_run: bool = False) -> tuple[str, ...]:
    """Names of schemas, such as `voices-clone`."""
    if dry_run and command in PLANS:
        return (PLANS[command],)
    return OTHERWISE.get(command, (command.replace(" ", "-"),))


def check_field(app: App, path: str, *, dry_run: bool) -> None:
    """UsageError for a --field that no document of this command has."""
    from asyncflow_cli.published import schema

    names = documents_of(" ".join(app.command), dry_run=dry_run)
    reports = map(schema, names)
    check(path, [report.json_schema for report in reports if isinstance(report, SchemaReport)])
