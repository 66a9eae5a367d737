"""What Twilio noted of a call, with the remedy of each.

https://www.twilio.com/docs/voice/api/call-notification-resource
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from asyncflow_cli.protocol.catalogue import twilio_codes
from asyncflow_cli.protocol.catalogue.entry import Entry

_ENTRIES = {entry.number: entry for entry in twilio_codes.ENTRIES}


class NotificationReport(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    """Twilio's number: 31920."""
    level: str
    """`error` or `warning`."""
    message: str
    """Twilio's words."""
    title: str | None
    """Ours, where the catalogue has the number; so are the next two."""
    next: str | None
    """What to do about it."""
    link: str

    @property
    def line(self) -> str:
        """`Twilio 31920, Stream: …: Server answered 404. Check that …`"""
        what = [f"Twilio {self.code}", *([self.title] if self.title else [])]
        told = [": ".join([", ".join(what), *([self.message] if self.message else [])])]
        return ". ".join(text.rstrip(". ") for text in (*told, *([self.next] if self.next else [])))


def explained(code: str, level: str, message: str) -> NotificationReport:
    """What Twilio noted, as a row that says what to do."""
    entry: Entry | None = _ENTRIES.get(code)
    return NotificationReport(
        code=code,
        level=level,
        message=message,
        title=entry.title if entry else None,
        next=entry.next if entry else None,
        link=f"{twilio_codes.LINK}{code}",
    )


def lines(notifications: Iterable[NotificationReport]) -> list[str]:
    """For people: the errors first, and each only once."""
    ordered = sorted(notifications, key=lambda noted: noted.level != "error")
    return list(dict.fromkeys(noted.line for noted in ordered))
