"""Every code a user can meet, whoever made it up: the one place where its explanation stands.

Other tables of the package take their classes and hints from here.
"""

from __future__ import annotations

import difflib

from asyncflow_cli.errors import NotFoundError
from asyncflow_cli.protocol.catalogue import (
    async_codes,
    exit_codes,
    ngrok_codes,
    own_codes,
    sip_codes,
    twilio_codes,
    verify_codes,
)
from asyncflow_cli.protocol.catalogue.entry import Entry
from asyncflow_cli.protocol.catalogue.report import CodeReport, ExplainReport

ENTRIES: dict[str, Entry] = {
    entry.code: entry
    for table in (
        *(async_codes, twilio_codes, ngrok_codes, sip_codes),
        *(own_codes, verify_codes, exit_codes),
    )
    for entry in table.ENTRIES
}


def find(text: str) -> tuple[Entry, ...]:
    """The entry of a code, or all that end in this number. NotFoundError with the nearest."""
    wanted = _normal(text)
    if wanted in ENTRIES:
        return (ENTRIES[wanted],)
    found = tuple(entry for entry in ENTRIES.values() if entry.number == wanted)
    if found:
        return found
    near = ", ".join(_nearest(wanted))
    raise NotFoundError(
        f"There is no code {text!r} in the catalogue",
        hint=f"{f'Near it: {near}. ' if near else ''}All of them: asyncflow explain --list",
        code="CODE_UNKNOWN",
    )


def explained(text: str | None) -> ExplainReport:
    """What is known of a code, or, without one, of every code."""
    entries = tuple(ENTRIES.values()) if text is None else find(text)
    return ExplainReport(entries=tuple(map(_reported, entries)))


def _normal(text: str) -> str:
    # The marker in a broken-off stream reads --ERROR:QUOTA_EXCEEDED--.
    code = text.strip().strip("-").upper().removeprefix("ERROR:")
    return code.replace("-", "_").replace(" ", "_")


def _nearest(wanted: str) -> list[str]:
    names = {entry.code: entry.code for entry in ENTRIES.values()}
    if wanted.isdecimal():
        names = {entry.number: entry.code for entry in ENTRIES.values() if entry.number}
    return [names[name] for name in difflib.get_close_matches(wanted, names, n=3)]


def _reported(entry: Entry) -> CodeReport:
    return CodeReport(
        code=entry.code,
        owner=entry.owner.value,
        title=entry.title,
        meaning=entry.meaning,
        cause=entry.cause,
        next=entry.next,
        exit_code=entry.exit_code,
        link=entry.link,
    )
