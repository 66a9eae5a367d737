"""What every step of a file runs in: variables, global flags, and the way to the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.settings import FIELDS

PASSED_ON = ("profile", "base_url", "timeout", "retries")
"""Global flags that are those of every step, too."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    environ: Mapping[str, str]
    settled: Mapping[str, str]
    """Variables that no step may change: those that lead to the sandbox; empty without one."""
    flags: tuple[str, ...]
    """They stand before the command."""


def surroundings(
    environ: Mapping[str, str], flags: Mapping[str, Any], sandbox: Mapping[str, str]
) -> Surroundings:
    """`sandbox` are the variables that lead to the one that all steps share, if they do."""
    passed_on = [name for name in PASSED_ON if flags.get(name) is not None]
    if sandbox:
        passed_on = [name for name in passed_on if name != "base_url"]
        environ = {name: value for name, value in environ.items() if name not in _ACCOUNTS}
    return Surroundings(
        environ=environ,
        settled=_settled(sandbox) if sandbox else {},
        flags=tuple(f"--{name.replace('_', '-')}={flags[name]}" for name in passed_on),
    )


_ACCOUNTS = {
    variable
    for name, field in FIELDS.items()
    for variable in field.metadata["names"]
    if field.metadata["secret"] or name.startswith("twilio_")
}
"""What leads to, and into, the user's own accounts. In the sandbox it has no business."""


def _settled(sandbox: Mapping[str, str]) -> Mapping[str, str]:
    return {
        **sandbox,
        # What `.env` or a profile may hold and the sandbox does not name: a key, which would be
        # tried before the token, and half a region, which would be an error.
        "TWILIO_API_KEY": sandbox["TWILIO_ACCOUNT_SID"],
        "TWILIO_API_SECRET": sandbox["TWILIO_AUTH_TOKEN"],
        "TWILIO_REGION": "us1",
        "TWILIO_EDGE": "ashburn",
        "ASYNCFLOW_SANDBOX": "false",  # there is one already
    }
