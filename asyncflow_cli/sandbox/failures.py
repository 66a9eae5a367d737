"""What a strict sandbox holds against its customer: each is a test that has failed."""

from __future__ import annotations

import msgspec

STILL_LIVE = "SANDBOX_LIVE_CALL"
"""Our own code: a call was left alive when the sandbox went."""


class Failure(msgspec.Struct, frozen=True):
    """A notification of Twilio's, warning or error, or a call that nobody ended."""

    call_sid: str
    code: str
    text: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.call_sid}: {self.code} {self.text}"
