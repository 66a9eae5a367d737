"""How a call went at the callee's end, as its report tells it."""

from __future__ import annotations

from typing import Any

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.sandbox.line import Line


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
        "gaps": tuple(gaps),
        "marks": tuple(marks),
    }


def _seconds(positions: int) -> float:
    return round(positions / PHONE_RATE, 3)
