"""What is known of one code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from asyncflow_cli.errors import AsyncflowError


class Owner(StrEnum):
    ASYNC = "Async Voice API"
    TWILIO = "Twilio"
    NGROK = "ngrok"
    SIP = "telephone network"
    OWN = "asyncflow"
    EXIT = "exit code"


@dataclass(frozen=True)
class Entry:
    code: str
    raises: type[AsyncflowError] | None
    """The class of the failure that carries it; None where the circumstances decide."""
    title: str
    meaning: str
    cause: str
    """The usual one."""
    next: str
    """What to do about it; it is the hint of every failure that finds none of its own."""
    owner: Owner
    link: str | None = None

    @property
    def number(self) -> str | None:
        """TWILIO_21211 is found as 21211, too."""
        match = re.search(r"_(\d+)$", self.code)
        return match[1] if match else None

    @property
    def exit_code(self) -> int | None:
        if self.owner is Owner.EXIT:
            return int(self.number or 0)
        return self.raises.exit_code if self.raises else None


Row = tuple[str, type[AsyncflowError] | None, str, str, str, str]
"""Code, class, title, meaning, usual cause, next."""
