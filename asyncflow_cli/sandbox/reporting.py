"""How a call went, as its report and its last status callback tell it."""

from __future__ import annotations

import math
from typing import Any

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.line import Line
from asyncflow_cli.sandbox.resources import CallResource


def line_report(line: Line) -> dict[str, Any]:
    """What the line knows, in seconds: fields of `CallReport`."""
    gaps = [{"at": _seconds(gap.heard), "seconds": _seconds(gap.length)} for gap in line.gaps]
    marks = [
        {
            "name": mark.name,
            "position": _seconds(mark.position),
            "echoed_at": _seconds(mark.heard),
            "cleared": mark.cleared,
        }
        for mark in line.marks
    ]
    return {
        "seconds_heard": _seconds(len(line.heard)),
        "discarded_seconds": _seconds(line.discarded),
        "most_queued_seconds": _seconds(line.most_queued),
        "gaps": tuple(gaps),
        "marks": tuple(marks),
    }


def minutes(seconds: str | None) -> int:
    """Minutes that are billed: begun ones count whole."""
    return math.ceil(int(seconds or 0) / 60)


def final_fields(call: CallResource, callee: Callee) -> dict[str, str]:
    """https://www.twilio.com/docs/voice/api/call-resource#statuscallback"""
    # 487: the caller gave up, by REST or because nobody answered in time.
    in_vain = call.status == "no-answer" and callee.outcome == "answer"
    gave_up = call.status == "canceled" or in_vain
    return {
        "CallDuration": call.duration or "0",
        "Duration": str(minutes(call.duration)),
        "SipResponseCode": "487" if gave_up else str(callee.sip_code),
    }


def _seconds(positions: int) -> float:
    return round(positions / PHONE_RATE, 3)
