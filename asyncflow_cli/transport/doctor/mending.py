"""What is safe to put right: who may read our files, a folder that is not there, calls left alive.

Nothing is installed, and no setting is changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.output import Confirm
from asyncflow_cli.protocol.doctorreport import Finding
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.calls import OwnCalls
from asyncflow_cli.transport.doctor.files import LOOSE, Places, tighten
from asyncflow_cli.transport.doctor.phone import LEFT
from asyncflow_cli.transport.journal import Journal


@dataclass(frozen=True)
class Deed:
    words: str
    done: bool = True


async def mend(
    findings: Iterable[Finding],
    settings: Settings,
    places: Places,
    journal: Journal,
    ask: Confirm | None,
) -> list[Deed]:
    """What was done, and what could not be. Without `ask` no socket may be opened."""
    codes = {finding.code for finding in findings}
    deeds = list(_files(places, loose=LOOSE in codes))
    if LEFT in codes:
        deeds.append(await _reaped(settings, journal, ask))
    return deeds


def _files(places: Places, *, loose: bool) -> Iterable[Deed]:
    try:
        if not places.state.is_dir():
            places.state.mkdir(parents=True, mode=0o700)
            yield Deed(f"made {places.state}")
        for path in places.loose if loose else ():
            tighten(path)
            yield Deed(f"nobody else may read {path} any more")
    except OSError as error:
        yield Deed(f"not done: {error.filename}: {error.strerror}", done=False)


async def _reaped(settings: Settings, journal: Journal, ask: Confirm | None) -> Deed:
    if ask is None:
        return Deed("not done: calls are ended at Twilio, and --offline opens no socket", False)
    try:
        await ask("End the calls that runs left which are gone?")
        report = await OwnCalls(settings, journal, warn=lambda _text: None).reap()
    except AsyncflowError as error:
        why = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        return Deed(f"not done: {why}", done=False)
    return Deed(report.summary)
