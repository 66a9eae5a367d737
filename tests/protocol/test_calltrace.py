"""A call written down: what was played when, by the phone's word and by our own reckoning."""

from __future__ import annotations

import base64

import msgspec

from asyncflow_cli.protocol.callevents import Silent, Status
from asyncflow_cli.protocol.calltrace import CallTrace, Gap, Sent
from asyncflow_cli.protocol.tracer import Tracer

LOUD, SOFT, SILENT = b"\x80", b"\xf0", b"\xff"
"""The loudest sample, one of 120 of 32124, and none."""


def audio(seconds: float, sample: bytes = LOUD) -> str:
    return base64.b64encode(sample * round(8000 * seconds)).decode()


def test_audio_that_comes_in_time_is_one_stretch() -> None:
    tracer = Tracer()
    tracer.sent(audio(0.2, SILENT), 1.0)
    tracer.sent(audio(1.0), 1.01)
    (stretch,) = tracer.trace().played
    assert (stretch.at, stretch.seconds) == (1.0, 1.2)
    assert stretch.peaks == (0,) * 4 + (100,) * 20
    assert tracer.trace().sent == (Sent(1.0, 0.2), Sent(1.01, 1.0))
    assert tracer.trace().gaps == ()


def test_the_envelope_does_not_depend_on_how_the_audio_is_cut() -> None:
    mulaw = bytes(range(256)) * 40 + b"\x01" * 77
    whole, cut = Tracer(), Tracer()
    whole.sent(base64.b64encode(mulaw).decode(), 0.0)
    for start in range(0, len(mulaw), 333):
        cut.sent(base64.b64encode(mulaw[start : start + 333]).decode(), 0.0)
    assert whole.trace().played == cut.trace().played
    assert len(whole.trace().played[0].peaks) == -(-len(mulaw) // 400)


def test_a_line_that_runs_dry_is_played_in_stretches() -> None:
    tracer = Tracer()
    tracer.sent(audio(0.5), 1.0)
    tracer.sent(audio(0.5), 1.9)
    assert [stretch.at for stretch in tracer.trace().played] == [1.0, 1.9]
    assert tracer.trace().gaps == (), "whether somebody waited for more is not ours to say"


def test_a_gap_is_what_the_call_says_it_is() -> None:
    tracer = Tracer()
    tracer.event(Silent(at=1.9, seconds=0.4))
    assert tracer.trace().gaps == (Gap(1.5, 0.4),)


def test_marks_tell_how_late_the_phone_is() -> None:
    tracer = Tracer()
    tracer.sent(audio(1.0), 1.0)
    tracer.mark("g0-1", 1.0)
    tracer.sent(audio(1.0), 1.1)
    tracer.mark("g0-2", 1.1)
    tracer.echo("g0-1", 2.03)
    tracer.echo("g0-2", 3.05)
    tracer.echo("g0-2", 9.0)
    tracer.echo("unknown", 9.0)
    assert [(m.due, m.echoed) for m in tracer.trace().marks] == [(2.0, 2.03), (3.0, 3.05)]


def test_what_a_clear_drops_was_not_played_and_its_marks_prove_nothing() -> None:
    tracer = Tracer()
    tracer.sent(audio(2.0), 1.0)
    tracer.mark("g0-1", 1.0)
    tracer.clear(1.52)
    tracer.echo("g0-1", 1.53)
    tracer.sent(audio(0.1, SOFT), 2.0)
    trace = tracer.trace()
    assert [(s.at, s.seconds, len(s.peaks)) for s in trace.played] == [
        (1.0, 0.52, 11),
        (2.0, 0.1, 2),
    ]
    assert (trace.marks[0].cleared, trace.clears) == (True, (1.52,))


def test_the_callee_is_heard_in_tenths_of_a_second() -> None:
    tracer = Tracer()
    for at, level in ((1.0, -60.0), (1.02, -20.04), (1.35, -30.0)):
        tracer.callee(level, at)
    callee = tracer.trace().callee
    assert callee is not None
    assert (callee.at, callee.levels) == (1.0, (-20.0, -96.0, -96.0, -30.0))


def test_a_call_that_never_was_has_an_empty_trace_that_reads_back_equal() -> None:
    trace = Tracer().trace()
    assert trace.end == 0.0
    assert msgspec.json.decode(msgspec.json.encode(trace), type=CallTrace) == trace


def test_events_keep_their_order_and_read_back_equal() -> None:
    tracer = Tracer()
    for at, status in ((1.0, "ringing"), (2.0, "busy")):
        tracer.event(Status(at=at, status=status))
    trace = tracer.trace()
    assert msgspec.json.decode(msgspec.json.encode(trace), type=CallTrace) == trace
    assert trace.end == 2.0
