"""The timeline of a call as SVG: what was played, what the phone held, and who did what when.

Colours are the page's: everything here has a class, and no style of its own.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.calltrace import CALLEE_SLICE, SLICE, CallTrace
from asyncflow_cli.protocol.levels import SILENCE

WIDTH, LEFT, RIGHT = 1000, 70, 985

PHASES_AT, WAVE_AT, LEAD_AT, CALLEE_AT, MARKS_AT, SIGNALS_AT, AXIS_AT = (
    10,
    75,
    130,
    190,
    222,
    246,
    272,
)
HEIGHT = 300
WAVE, LEAD, CALLEE = 34, 36, 30
"""How high the rows are, the wave to each side."""

STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between two numbers of the axis."""

LOUDEST = -10.0
"""dBFS that fill the callee's row; speech on the phone is about -20."""


def timeline(trace: CallTrace) -> str:
    """One `<svg>`, whose width is the page's."""
    return _Timeline(trace).svg()


class _Timeline:
    def __init__(self, trace: CallTrace) -> None:
        self._trace = trace
        self._end = max(trace.end, 1.0) * 1.01

    def svg(self) -> str:
        rows = (
            self._phases(),
            self._labels(),
            self._gaps(),
            self._wave(),
            self._lead(),
            self._callee(),
            self._marks(),
            self._signals(),
            self._axis(),
        )
        content = "\n".join(shape for row in rows for shape in row)
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="Timeline of the call">\n{content}\n</svg>'
        )

    def _x(self, at: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * min(at, self._end) / self._end, 1)

    def _pen(self, slice: float) -> str:
        """As wide as most of what a bar stands for."""
        return f'stroke-width="{max(0.7 * (self._x(slice) - LEFT), 1):.1f}"'

    def _moments(self) -> dict[str, float]:
        """When each phase began; those that never did are missing."""
        found: dict[str, float] = {}
        for event in self._trace.events:
            match event:
                case ev.Placed():
                    found.setdefault("dialling", event.at)
                case ev.Status(status="ringing"):
                    found.setdefault("ringing", event.at)
                case ev.Status(status="in-progress"):
                    found.setdefault("answered", event.at)
                case ev.FirstFrame():
                    found.setdefault("speaking", event.at)
                case ev.LastWord():
                    found["ending"] = event.at
                case ev.HungUp():
                    found["ended"] = event.at
                case _:
                    pass
        return {"preparing": 0.0, **found}

    def _phases(self) -> Iterator[str]:
        begun = sorted(self._moments().items(), key=lambda moment: moment[1])
        ends = [at for _, at in begun[1:]] + [self._end]
        for (name, at), end in zip(begun, ends, strict=True):
            if name == "ended":
                continue
            x, width = self._x(at), max(self._x(end) - self._x(at), 0.5)
            yield _box(f"phase {name}", x, PHASES_AT, width, 18, f"{name}, from {at:.2f} s")
            if width > 7 * len(name):
                yield _label("on", x + 4, PHASES_AT + 13, name)

    def _labels(self) -> Iterator[str]:
        for at, text in (
            (PHASES_AT + 13, "call"),
            (WAVE_AT + 4, "played"),
            (LEAD_AT + LEAD / 2, "held ahead"),
            (CALLEE_AT, "callee"),
            (MARKS_AT + 4, "marks"),
            (SIGNALS_AT + 4, "signals"),
        ):
            yield _label("row", 4, at, text)

    def _gaps(self) -> Iterator[str]:
        for gap in self._trace.gaps:
            x, width = self._x(gap.at), max(self._x(gap.at + gap.seconds) - self._x(gap.at), 1)
            title = f"About {gap.seconds:.2f} s of silence for want of speech"
            yield _box("gap", x, WAVE_AT - WAVE, width, 2 * WAVE, title)

    def _wave(self) -> Iterator[str]:
        proven = max(
            (m.due for m in self._trace.marks if m.echoed is not None and not m.cleared),
            default=0.0,
        )
        columns: dict[str, dict[float, int]] = {"heard": {}, "unsure": {}}
        for stretch in self._trace.played:
            for number, peak in enumerate(stretch.peaks):
                at = stretch.at + number * SLICE
                column = columns["heard" if at < proven else "unsure"]
                x = self._x(at)
                column[x] = max(column.get(x, 0), peak)
        for name, column in columns.items():
            bars = "".join(_bar(x, peak) for x, peak in column.items())
            yield f'<path class="wave {name}" {self._pen(SLICE)} d="{bars or "M0 0"}"/>'

    def _held(self) -> list[tuple[float, float]]:
        """Corners of the seconds that the phone held; each change is two of them."""
        changes = [(sent.at, sent.seconds) for sent in self._trace.sent]
        changes += [(at, 0.0) for at in self._trace.clears]
        corners, until = [(0.0, 0.0)], 0.0
        for at, seconds in sorted(changes):
            if until < at:
                corners += [(until, 0.0), (at, 0.0)]
            else:
                corners += [(at, until - at)]
            until = max(until, at) + seconds if seconds else min(until, at)
            corners += [(at, max(until - at, 0.0))]
        return [*corners, (until, 0.0)]

    def _lead(self) -> Iterator[str]:
        corners = self._held()
        at, most = max(corners, key=lambda corner: corner[1])
        if not most:
            return
        points = " ".join(
            f"{self._x(x)},{LEAD_AT + LEAD - LEAD * y / most:.1f}" for x, y in corners
        )
        title = f"<title>Seconds of audio that the phone held: {most:.1f} at most</title>"
        yield f'<polygon class="lead" points="{points}">{title}</polygon>'
        yield _label("small", self._x(at) + 3, LEAD_AT + 10, f"{most:.1f} s")

    def _callee(self) -> Iterator[str]:
        callee = self._trace.callee
        if callee is None:
            yield _label("small", LEFT, CALLEE_AT, "no sound came")
            return
        bars = ""
        for number, level in enumerate(callee.levels):
            share = min(max((level - SILENCE / 2) / (LOUDEST - SILENCE / 2), 0.0), 1.0)
            if share:
                x = self._x(callee.at + number * CALLEE_SLICE)
                bars += f"M{x} {CALLEE_AT + 8}v-{share * CALLEE:.1f}"
        yield f'<path class="callee" {self._pen(CALLEE_SLICE)} d="{bars or "M0 0"}"/>'

    def _marks(self) -> Iterator[str]:
        for mark in self._trace.marks:
            if mark.echoed is None or mark.cleared:
                kind, at = "lost", mark.due
                title = "cleared" if mark.cleared else "never came back"
            else:
                kind, at = "echoed", mark.echoed
                title = f"queued {mark.at:.2f} s, heard {at:.2f} s"
            name = html.escape(f"{mark.name}: {title}")
            yield (
                f'<circle class="mark {kind}" cx="{self._x(at)}" cy="{MARKS_AT}" r="4">'
                f"<title>{name}</title></circle>"
            )

    def _signals(self) -> Iterator[str]:
        for event in self._trace.events:
            sign = _sign(event)
            if sign is not None and event.words is not None:
                x = self._x(event.at)
                title = f"<title>{html.escape(f'{event.at:.2f} s: {event.words}')}</title>"
                text = html.escape(sign)
                yield f'<text class="signal" x="{x}" y="{SIGNALS_AT + 5}">{title}{text}</text>'

    def _axis(self) -> Iterator[str]:
        step = next((s for s in STEPS if self._end / s <= 12), STEPS[-1])
        for number in range(int(self._end / step) + 1):
            x = self._x(number * step)
            yield f'<path class="tick" d="M{x} {PHASES_AT + 20}V{AXIS_AT}"/>'
            yield _label("axis", x, AXIS_AT + 16, f"{number * step:g} s")


def _sign(event: ev.AnyCallEvent) -> str | None:
    match event:
        case ev.Key(digit=digit):
            return digit
        case ev.Interrupted():
            return "✋"
        case ev.Warned() | ev.Lost():
            return "⚠"
        case ev.Resumed() | ev.Repeating():
            return "↻"
        case ev.Machine(answered_by=by):
            return by[:1].upper()
        case _:
            return None


def _bar(x: float, peak: int) -> str:
    high = max(WAVE * peak / 100, 0.5)
    return f"M{x} {WAVE_AT - high:.1f}v{2 * high:.1f}"


def _box(kind: str, x: float, y: float, width: float, height: float, title: str) -> str:
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width:.1f}" height="{height}">'
        f"<title>{html.escape(title)}</title></rect>"
    )


def _label(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{html.escape(text)}</text>'
