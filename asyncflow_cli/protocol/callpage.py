"""A call as one page to look at: HTML that needs no network, no script and no other file.

Every text passes `_Page.text`, which escapes it and shortens phone numbers to their last digits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.calltimeline import timeline
from asyncflow_cli.protocol.calltrace import CallFile
from asyncflow_cli.protocol.notifications import NotificationReport

_NUMBER = re.compile(r"\+\d{3,11}(?=\d{4}\b)")

STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --pale: #667; --line: #d5d9e0;
  --good: #1a7f4b; --bad: #c0302b; --speech: #2f6fde; --soft: #dbe7fb; --ring: #f0d9a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --pale: #98a1ad;
  --line: #333a43; --good: #58c98c; --bad: #ff7b72; --speech: #7aa7ff; --soft: #25375a;
  --ring: #5c4a20; } }
@media print { :root { --ink: #000; --paper: #fff; --pale: #444; --line: #bbb; --good: #0a5c33;
  --bad: #a01010; --speech: #1c4fb0; --soft: #dbe7fb; --ring: #f0d9a8; } body { margin: 0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1040px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .pale { color: var(--pale); }
table { border-collapse: collapse; width: 100%; break-inside: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; } td.n { font-variant-numeric: tabular-nums;
  white-space: nowrap; width: 5rem; }
.facts th { width: 12rem; color: var(--pale); font-weight: 400; }
svg { width: 100%; height: auto; display: block; print-color-adjust: exact; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
svg .row, svg .small, svg .axis { fill: var(--pale); }
svg .axis, svg .signal { text-anchor: middle; } svg .signal { font-size: 13px; font-weight: 600; }
svg .tick { stroke: var(--line); stroke-width: .5; }
svg .phase { fill: var(--line); } svg .ringing { fill: var(--ring); }
svg .speaking { fill: var(--soft); } svg .on { fill: var(--ink); }
svg .wave { fill: none; } svg .heard { stroke: var(--speech); }
svg .unsure { stroke: var(--pale); } svg .gap { fill: var(--bad); opacity: .35; }
svg .lead { fill: var(--soft); } svg .callee { stroke: var(--good); }
svg .mark { stroke: var(--good); stroke-width: 1.5; } svg .echoed { fill: var(--good); }
svg .lost { fill: none; stroke: var(--bad); }
"""


def page(call: CallFile, *, numbers: bool = False) -> str:
    """The whole file. `numbers` shows phone numbers in full."""
    return _Page(call, numbers).whole()


class _Page:
    def __init__(self, call: CallFile, numbers: bool) -> None:
        self._call = call
        self._numbers = numbers

    def whole(self) -> str:
        parts = (
            self._head(),
            self._facts(),
            _section("Timeline", f"{self._timeline()}{LEGEND}"),
            self._sentences(),
            self._latencies(),
            self._troubles(),
            self._events(),
        )
        body = "\n".join(part for part in parts if part)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">\n"
            f"<title>{self._title()}</title>\n<style>{STYLE}</style>\n</head>\n"
            f"<body>\n{body}\n</body>\n</html>\n"
        )

    def text(self, value: object) -> str:
        text = str(value)
        return html.escape(text if self._numbers else _NUMBER.sub("…", text))

    def _timeline(self) -> str:
        drawn = timeline(self._call.trace)
        return drawn if self._numbers else _NUMBER.sub("…", drawn)

    def _title(self) -> str:
        report = self._call.report
        return self.text(f"Call to {report.to}" if report else "A call that was not made")

    def _head(self) -> str:
        call = self._call
        good = call.exit_code == 0
        if call.failure is not None:
            told = f"{call.failure.message} [{call.failure.code}]"
        else:
            heard = call.report is not None and call.report.last_word_heard
            told = "The last word was heard" if heard else "Done"
        hint = call.failure.hint if call.failure else None
        aside = f"exit code {call.exit_code}, {_moment(call.began)}"
        return (
            f"<h1>{self._title()}</h1>\n"
            f'<p><strong class="{"good" if good else "bad"}">{self.text(told)}</strong> '
            f'<span class="pale">{self.text(aside)}</span>'
            f"{f'<br>{self.text(hint)}' if hint else ''}</p>"
        )

    def _facts(self) -> str:
        report = self._call.report
        if report is None:
            return ""
        cost = report.cost
        drivers = [
            f"minutes begun: {cost.billed_minutes}",
            f"{cost.speech_seconds:.1f} s of speech",
        ]
        drivers += ["machine detection"] if cost.machine_detection else []
        drivers += ["recording"] if cost.recording else []
        rows = {
            "from": report.from_,
            "through": report.tunnel,
            "end reason": f"{report.end_reason} (Twilio: {report.status})",
            "heard": f"{report.seconds_heard:.2f} of {report.seconds_sent:.2f} s sent, "
            f"{report.sentences_heard} of {report.sentences} sentences to their ends",
            "text heard": report.heard_text,
            "answered by": report.answered_by,
            "keys": ", ".join(f"{key.digit} ({key.at:.2f} s)" for key in report.keys),
            "network": f"SIP {report.sip_code}" if report.sip_code else None,
            "billed by": ", ".join(drivers),
            "price": f"{report.price} {report.price_unit or ''}" if report.price else None,
            "recording": report.recording_url or report.recording_sid,
            "heard file": report.heard_file,
            "call sid": report.call_sid,
        }
        return self._table("facts", ((name, value) for name, value in rows.items() if value))

    def _sentences(self) -> str:
        """Each sentence as often as it was sent, and when the phone said that it was played."""
        rows: list[list[object]] = []
        for event in self._call.trace.events:
            match event:
                case ev.Sentence():
                    length = f"{event.seconds:.2f} s"
                    rows.append([event.index + 1, f"{event.at:.2f} s", "", length, event.text])
                case ev.Heard():
                    self._heard(rows, event)
                case _:
                    pass
        if not rows:
            return ""
        titles = ("", "queued", "heard", "length", "sentence")
        return _section("Sentences", self._table("", rows, titles))

    def _heard(self, rows: list[list[object]], event: ev.Heard) -> None:
        for row in reversed(rows):
            if row[0] == event.index + 1 and not row[2]:
                row[2] = f"{event.at:.2f} s"
                return
        rows.append([event.index + 1, "", f"{event.at:.2f} s", "", event.text])

    def _latencies(self) -> str:
        report = self._call.report
        if report is None:
            return ""
        told = {
            "order → answer": report.answered_after_ms,
            "first ring → answer": report.ring_ms,
            "first text → first speech": report.first_audio_ms,
            "line open → first frame": report.first_frame_ms,
            "marks later than reckoned, median": report.mark_lag_ms,
        }
        rows = [(name, f"{ms:.0f} ms") for name, ms in told.items() if ms is not None]
        gaps = report.gaps
        if gaps.count:
            total, longest = f"{gaps.total_seconds:.2f}", f"{gaps.longest_seconds:.2f}"
            told_gaps = f"{gaps.count}, {total} s in all, the longest {longest} s (reckoned)"
            rows.append(("silences for want of speech", told_gaps))
        return _section("How quick", self._table("facts", rows)) if rows else ""

    def _troubles(self) -> str:
        report = self._call.report
        noted = report.notifications if report else ()
        rows: list[Sequence[object]] = [("warning", text, "") for text in self._call.warnings]
        rows += [(f"Twilio {n.code}", _what(n), n.next or n.link) for n in noted]
        if not rows:
            return ""
        titles = ("", "what", "what to do")
        return _section("Warnings and Twilio’s notes", self._table("", rows, titles))

    def _events(self) -> str:
        events = self._call.trace.events
        rows = [(f"{e.at:.2f} s", e.words or _name(e)) for e in events]
        return _section("Everything told", self._table("", rows)) if rows else ""

    def _table(
        self, kind: str, rows: Iterable[Sequence[object]], titles: Sequence[str] = ()
    ) -> str:
        head = f"<tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr>" if titles else ""
        body = "\n".join(self._row(kind, row) for row in rows)
        return f'<table class="{kind}">{head}\n{body}\n</table>'

    def _row(self, kind: str, row: Sequence[object]) -> str:
        if kind == "facts":
            return f"<tr><th>{self.text(row[0])}</th><td>{self.text(row[1])}</td></tr>"
        first = "".join(f'<td class="n">{self.text(cell)}</td>' for cell in row[:-1][:4])
        if len(row) == 3:
            first = f'<td class="n">{self.text(row[0])}</td><td>{self.text(row[1])}</td>'
        return f"<tr>{first}<td>{self.text(row[-1])}</td></tr>"


LEGEND = (
    '<p class="pale">Played: blue was heard, as the phone’s echoes of marks prove; grey was sent, '
    "and nobody knows whether it was heard; red is silence for want of speech. Held ahead: seconds "
    "of audio that the phone had and had not played. Marks: a full green dot came back, a hollow "
    "red one did not, or was cleared. Signals: a digit is a key; ✋ the callee cut in; ⚠ a warning "
    "or a connection that was lost; ↻ once more, or going on; H, M, F a human, a machine, a fax. "
    "Moments of playing are reckoned from a line that plays 8000 bytes a second; the marks say how "
    "right that is.</p>"
)


def _moment(began: str) -> str:
    return began.replace("T", " ").replace("+00:00", " UTC")


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>\n{content}"


def _what(noted: NotificationReport) -> str:
    return ": ".join(text for text in (noted.title, noted.message) if text)


def _name(event: ev.AnyCallEvent) -> str:
    match event:
        case ev.Status(status=status):
            return status
        case ev.Sentence(index=index):
            return f"Sentence {index + 1} is queued"
        case ev.Placed(call_sid=sid):
            return f"The call is {sid}"
        case ev.Failed(message=message):
            return message
        case _:
            return "The line is open"
