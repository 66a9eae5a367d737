"""Which checks there are, in the order in which they are told, and what follows from them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.output import Output
from asyncflow_cli.protocol.doctorreport import DoctorOrder, DoctorReport, Finding
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.config.reading import EXPOSED
from asyncflow_cli.transport.doctor import files, machine, network, phone
from asyncflow_cli.transport.doctor.bundle import write_bundle
from asyncflow_cli.transport.doctor.examination import Answer, Check, Doubt, examine
from asyncflow_cli.transport.doctor.files import Places
from asyncflow_cli.transport.doctor.mending import Deed, mend
from asyncflow_cli.transport.doctor.service import Service
from asyncflow_cli.transport.journal import Journal

HURRY = 8.0
"""Seconds that one request may take here; a check has a little more."""

TUNNEL_WITHIN = 60.0
"""Two tries of every road, and a fresh name's way into DNS."""


@dataclass(frozen=True)
class Patient:
    """What is looked at: `unread` is why the settings could not be read, if they could not."""

    settings: Settings
    unread: AsyncflowError | None
    places: Places
    journal: Journal


async def visit(patient: Patient, order: DoctorOrder, out: Output) -> DoctorReport:
    """Look, mend if that was asked for, and look again."""
    clean = out.redactor.clean  # takes out secrets
    findings = await _examined(patient, order)
    deeds: list[Deed] = []
    if order.fix:
        asked = None if order.offline else out.confirm
        deeds = await mend(findings, patient.settings, patient.places, patient.journal, asked)
    if any(deed.done for deed in deeds):
        findings = await _examined(patient, order)
    found = tuple(_cleaned(finding, clean) for finding in findings)
    report = DoctorReport.of(found, tuple(clean(deed.words) for deed in deeds))
    if order.bundle is None:
        return report
    write_bundle(Path(order.bundle), report, patient.settings, patient.journal, clean)
    return msgspec.structs.replace(report, bundle=order.bundle)


async def _examined(patient: Patient, order: DoctorOrder) -> tuple[Finding, ...]:
    settings = patient.settings
    hurried = replace(settings, retries=0, timeout=min(settings.timeout, HURRY))
    async with contextlib.aclosing(Service(hurried)) as service:
        checks = [
            *_machine(patient, order),
            *_service(hurried.base_url, service),
            *_calls(hurried),
            Check("unfinished calls", partial(phone.journal, patient.journal)),
        ]
        return await examine(checks, offline=order.offline)


def _cleaned(finding: Finding, clean: Callable[[str], str]) -> Finding:
    """Here already, for a page breaks its lines anywhere."""
    remedy = clean(finding.remedy) if finding.remedy else None
    return msgspec.structs.replace(finding, found=clean(finding.found), remedy=remedy)


def _machine(patient: Patient, order: DoctorOrder) -> list[Check]:
    settings, places = patient.settings, patient.places
    extra = "sandbox" if settings.sandbox else None
    return [
        Check("Python", machine.python),
        Check("dependencies", machine.dependencies),
        Check("extras", partial(machine.extras, extra)),
        Check("configuration", partial(configuration, settings, patient.unread)),
        Check("private files", partial(files.modes, places)),
        Check("room for state", partial(files.disk, places.state, "XDG_STATE_HOME")),
        Check("room here", partial(files.disk, Path())),
        Check("player", machine.player),
        Check("port", partial(machine.port, order.port), goes_out=True),
    ]


def _service(url: str, service: Service) -> list[Check]:
    answered = network.Answered(url)
    ready = ("API", "API key")
    return [
        Check("API key", service.key, after=("configuration",)),
        Check("proxy", partial(network.proxy, url), goes_out=True, after=("configuration",)),
        Check("DNS", partial(network.name, url), goes_out=True, after=("proxy",)),
        Check("connection", answered.certificate, goes_out=True, after=("proxy", "DNS")),
        Check("clock", answered.clock, goes_out=True, after=("connection",)),
        Check("API", service.status, goes_out=True, after=("connection",)),
        Check("API over HTTP", service.over_http, goes_out=True, after=ready),
        Check(
            "API over WebSocket",
            service.over_websocket,
            goes_out=True,
            after=("API over HTTP",),
        ),
        Check(
            "voice",
            service.voice,
            goes_out=True,
            after=("API over HTTP",),
        ),
    ]


def _calls(settings: Settings) -> list[Check]:
    here, known = ("configuration",), ("Twilio login",)
    return [
        Check("Twilio credentials", partial(phone.credentials, settings), after=here),
        Check("Twilio login", partial(phone.login, settings), True, ("Twilio credentials",)),
        Check("Twilio account", partial(phone.account, settings), True, known),
        Check("number to call from", partial(phone.from_number, settings), True, known),
        Check("Twilio balance", partial(phone.balance, settings), True, known),
        Check("ngrok agent", partial(phone.agent, settings), after=here),
        Check("tunnels", partial(phone.tunnels, settings), after=here),
        Check("way in", partial(phone.way_in, settings), True, ("tunnels",), within=TUNNEL_WITHIN),
    ]


async def configuration(settings: Settings, unread: AsyncflowError | None) -> Answer:
    """Whether the settings could be read, and where those that are set come from."""
    if unread is not None:
        raise unread
    # Who may read our files is a check of its own, and may have been mended since.
    doubts = [warning for warning in settings.warnings if EXPOSED not in warning]
    if doubts:
        told = "; ".join(doubts)
        hint = "See what is set, and from where: asyncflow config list"
        return Doubt(UsageError(told, hint=hint, code="SETTING_DOUBTFUL"))
    return _origins(settings) or "nothing is set, so defaults hold"


def _origins(settings: Settings) -> str:
    """`api_key, voice from profile work; to from --to`."""
    by_origin: dict[str, list[str]] = {}
    for name, value, origin in settings.described():
        if value is not None and origin != "default":
            by_origin.setdefault(origin.partition(" ")[0], []).append(name)
    return "; ".join(f"{', '.join(names)} from {origin}" for origin, names in by_origin.items())
