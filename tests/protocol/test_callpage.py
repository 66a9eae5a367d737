"""A call as a page: it says what happened, hides what it should, and needs nothing else."""

from __future__ import annotations

import base64
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import msgspec
import pytest

from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.audio import encode_mulaw
from asyncflow_cli.protocol.callpage import page
from asyncflow_cli.protocol.callresult import CallReport, CostReport, GapsReport, KeyReport
from asyncflow_cli.protocol.calltrace import CallFile, Failure
from asyncflow_cli.protocol.notifications import explained
from asyncflow_cli.protocol.tracer import Tracer
from tests.documents import checked

HOSTILE = '"><script>alert(1)</script><img src="//evil.example/x">&amp;'
TO, FROM = "+15551230001", "+15557654321"


def speech(seconds: float) -> str:
    """Something that swells and falls as words do."""
    samples = (
        int(20000 * abs(math.sin(n / 1100)) * math.sin(n / 3)) for n in range(int(8000 * seconds))
    )
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    return base64.b64encode(encode_mulaw(pcm)).decode()


def call_file(text: str = "Your table is ready. ", **fields: object) -> CallFile:
    tracer = Tracer()
    for event in (
        ev.Ready(at=0.4, to=TO, from_=FROM, tunnel="ngrok", first_audio_ms=210.0),
        ev.Placed(at=0.5, call_sid="CA" + "0" * 32),
        ev.Status(at=1.1, status="ringing"),
        ev.Status(at=3.2, status="in-progress"),
        ev.Connected(at=3.4, stream_sid="MZ1"),
        ev.FirstFrame(at=3.41, after_start_ms=9.0),
        ev.Sentence(at=3.6, index=0, text=text, seconds=2.0),
        ev.Heard(at=5.7, index=0, text=text, seconds_heard=2.0),
        ev.Key(at=6.2, digit="1"),
        ev.Silent(at=6.5, seconds=1.09),
        ev.Warned(at=6.6, text=f"The line to {TO} is slow"),
        ev.Sentence(at=7.0, index=1, text="See you at eight.", seconds=1.5),
        ev.HungUp(at=9.0, end_reason="callee-hung-up", duration=6),
    ):
        tracer.event(event)
    tracer.sent(speech(2.0), 3.41)
    tracer.mark("g0-1", 3.6)
    tracer.echo("g0-1", 5.7)
    tracer.sent(speech(1.5), 6.5)
    tracer.mark("g0-end", 7.0)
    tracer.clear(7.4)
    for n in range(40):
        tracer.callee(-60 + n, 3.5 + n / 10)
    report = CallReport(
        call_sid="CA" + "0" * 32,
        status="completed",
        end_reason="callee-hung-up",
        to=TO,
        from_=FROM,
        tunnel="ngrok",
        seconds_sent=3.5,
        seconds_heard=2.9,
        heard_text="Your table is ready. See you",
        sentences=2,
        sentences_heard=1,
        duration=6,
        answered_after_ms=2700.0,
        first_frame_ms=9.0,
        mark_lag_ms=40.0,
        digits="1",
        keys=(KeyReport("1", 6.2),),
        gaps=GapsReport(count=1, longest_seconds=1.09, total_seconds=1.09),
        notifications=(explained("31921", "error", "Closed by the remote side"),),
        cost=CostReport(billed_minutes=1, speech_seconds=3.5),
    )
    usual = CallFile(
        began="2030-01-02T03:04:05Z",
        exit_code=24,
        failure=Failure(code="CUT_SHORT", message="The callee hung up before the last word"),
        warnings=(f"The line to {TO} is slow",),
        report=report,
        trace=tracer.trace(),
    )
    return msgspec.structs.replace(usual, **fields)


def test_the_page_tells_the_call() -> None:
    html = page(call_file())
    for told in (
        "The callee hung up before the last word [CUT_SHORT]",
        "exit code 24",
        "callee-hung-up (Twilio: completed)",
        "2.90 of 3.50 s sent, 1 of 2 sentences to their ends",
        '<td class="n">1</td><td class="n">3.60 s</td><td class="n">5.70 s</td>',
        "<td>See you at eight.</td>",
        "line open → first frame</th><td>9 ms",
        "1 (6.20 s)",
        "Twilio 31921",
        "g0-end: cleared",
        "g0-1: queued 3.60 s, heard 5.70 s",
        "About 1.09 s of silence",
    ):
        assert told in html, told


def test_numbers_are_cut_to_their_last_digits_unless_asked_for() -> None:
    short, full = page(call_file()), page(call_file(), numbers=True)
    assert "…0001" in short
    assert re.search(r"\d{7}0001|\d{7}4321", short) is None
    assert TO in full
    assert FROM in full


def test_nothing_of_a_text_becomes_markup() -> None:
    failure = Failure(code=HOSTILE, message=HOSTILE, hint=HOSTILE)
    call = call_file(HOSTILE, failure=failure, warnings=(HOSTILE,), began=HOSTILE)
    html = page(call)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") >= 6


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for name, value in attrs if name in ("src", "href", "onload")]
        assert tag not in ("script", "link", "iframe", "object")


def test_it_asks_for_nothing_of_the_network() -> None:
    html = page(call_file())
    links = _Links()
    links.feed(html)
    assert links.found == []
    assert "url(" not in html
    assert "default-src 'none'" in html


@pytest.mark.parametrize("call", [call_file(), call_file(trace=Tracer().trace(), report=None)])
def test_its_drawing_is_well_formed_and_inside_its_frame(call: CallFile) -> None:
    found = re.search(r"<svg.*</svg>", page(call), re.S)
    assert found is not None
    for shape in ElementTree.fromstring(found[0]).iter():
        for name in ("x", "cx"):
            assert 0 <= float(shape.get(name, 0)) <= 1000


def test_what_was_proven_heard_is_set_off_from_what_was_not() -> None:
    drawn = page(call_file())
    heard, unsure = (
        re.findall(
            r"M([\d.]+)",
            (re.search(f'wave {kind}" stroke-width="[0-9.]+" d="([^"]*)"', drawn) or [""] * 2)[1],
        )
        for kind in ("heard", "unsure")
    )
    assert len(heard) == 40
    assert max(map(float, heard)) < min(map(float, unsure))


def test_the_file_for_programs_is_what_its_schema_says_and_reads_back_equal() -> None:
    written = msgspec.json.encode(call_file())
    checked(msgspec.json.decode(written))
    assert msgspec.json.decode(written, type=CallFile) == call_file()
