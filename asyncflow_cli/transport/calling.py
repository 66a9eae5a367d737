"""A call as the command makes it: checked beforehand, told while it lasts, and written down."""

from __future__ import annotations

import sys

import msgspec

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.output import Output
from asyncflow_cli.protocol.callevents import Failed
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.callview import CallView
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.tracer import Tracer
from asyncflow_cli.settings import Settings
from asyncflow_cli.stopping import Stop
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.callfiles import CallFiles, written_down
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.roads import choice as roads


async def make_call(
    settings: Settings,
    order: CallOrder,
    journal: Journal,
    library: VoiceLibrary,
    out: Output,
    *,
    files: CallFiles,
    stop: Stop,
) -> CallReport:
    """What came of it. Any ending but the last word heard is raised, with the report.

    UsageError or PrerequisiteError, and nobody called, for what is wrong with the order.
    """
    settings.need_for_call(speaks=order.audio is None)
    files.check(settings.twilio_base_url)
    roads.check(order.tunnels, settings, order.public_url, order.port)
    _tell_how_to_type(order, out)
    tracer = Tracer()
    call = PhoneCall(settings, order, journal, library, warn=out.warning, watcher=tracer)
    # Whoever types the text needs the foot of the terminal.
    view = None if order.manners.keep_open else CallView(order.sentences, tracer)
    try:
        async with written_down(files, call, tracer, stop, out):
            with out.events(Failed.of, view) as tell:
                twilio = settings.twilio_base_url
                report = await files.with_heard(call, tell, twilio, out.warning)
    except AsyncflowError as error:
        if call.report is not None:
            known = files.named(call.report)
            error.details = msgspec.to_builtins(known)
            out.summary(known)
        raise
    return files.named(report)


def _tell_how_to_type(order: CallOrder, out: Output) -> None:
    if order.is_live and sys.stdin.isatty():
        ends = "a blank line hangs up" if order.manners.keep_open else "Ctrl-D ends the text"
        out.step(f"Type what is to be said; {ends}")
