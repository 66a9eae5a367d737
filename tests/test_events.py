"""What is told while it happens: lines for people, NDJSON for programs, nothing for scripts."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from asyncflow_cli.errors import CutShortError
from asyncflow_cli.output import Event, Format, Output
from asyncflow_cli.protocol import callevents as ev
from tests.documents import checked

EVENTS = (
    ev.Ready(at=0.42, to="+15551230001", from_="+15557654321", tunnel="ngrok"),
    ev.Placed(at=0.5, call_sid="CA1"),
    ev.Status(at=1.2, status="initiated"),
    ev.Status(at=1.3, status="ringing"),
    ev.Status(at=3.1, status="in-progress"),
    ev.Connected(at=3.2, stream_sid="MZ1"),
    ev.FirstFrame(at=3.21, after_start_ms=8.0),
    ev.Machine(at=3.4, answered_by="human"),
    ev.Sentence(at=3.5, index=0, text="Hello. ", seconds=0.8),
    ev.Heard(at=4.0, index=0, text="Hello. ", seconds_heard=0.8),
    ev.Silent(at=4.4, seconds=0.36),
    ev.Key(at=5.0, digit="#"),
    ev.Repeating(at=5.0, why="key"),
    ev.Lost(at=6.0, what="speech", reason="closed with 1011"),
    ev.Resumed(at=6.2, what="speech", index=1),
    ev.Waiting(at=7.0),
    ev.Interrupted(at=8.0, by="speech", heard_text="Hello. Your", seconds_heard=1.2),
    ev.LastWord(at=9.0),
    ev.AwaitingKey(at=9.0, key="#", seconds=5.0),
    ev.HungUp(at=12.25, end_reason="completed", duration=10, seconds_answered=9.15),
)
LINES = """\
  0.4 s  Calling +15551230001 from your number +15557654321, through ngrok
  1.3 s  Ringing
  3.1 s  Answered
  3.2 s  Speaking
  3.4 s  A human answered
  4.0 s  Heard: Hello.
  4.4 s  The line was silent for about 0.4 s, for want of speech
  5.0 s  Key #
  5.0 s  Once more, for the callee's key
  6.0 s  The speech connection was lost (closed with 1011); seeking another
  6.2 s  Going on with sentence 2, over a new speech connection
  7.0 s  Waiting for more text
  8.0 s  The callee spoke, so we fell silent, and had heard: Hello. Your
  9.0 s  The last word was heard
  9.0 s  Waiting 5 s for key #, to say it once more
 12.2 s  Hung up, 9.2 s after the answer
"""
FAILURE = CutShortError("The callee hung up", hint="Call again", code="CUT_SHORT")


class Done(msgspec.Struct, frozen=True, tag_field="schema", tag="test.done"):
    headline: str = "done"


def told(
    format: Format, events: Sequence[Event], after: Callable[[Output], None] = lambda _out: None
) -> tuple[str, str]:
    streams = io.StringIO(), io.StringIO()
    out = Output(format=format, stdout=streams[0], stderr=streams[1])
    with out.events(ev.Failed.of, clock=lambda: 100.0) as tell:
        for event in events:
            tell(event)
    after(out)
    return streams[0].getvalue(), streams[1].getvalue()


def test_people_read_a_line_of_each_that_means_something_to_them() -> None:
    assert told(Format.HUMAN, EVENTS) == ("", LINES)


def test_people_do_not_read_that_a_call_nobody_answered_was_hung_up() -> None:
    busy = (
        ev.Status(at=1.0, status="busy"),
        ev.HungUp(at=1.1, end_reason="busy", duration=0),
    )
    assert told(Format.HUMAN, busy) == ("", "  1.0 s  Busy\n")


def test_scripts_read_nothing() -> None:
    assert told(Format.QUIET, EVENTS) == ("", "")


def test_programs_read_each_as_a_line_and_the_document_last() -> None:
    out, err = told(Format.JSON, EVENTS, lambda out: out.record(Done()))
    *events, document = map(msgspec.json.decode, out.splitlines())
    assert [checked(event)["event"] for event in events] == [
        msgspec.to_builtins(event)["event"] for event in EVENTS
    ]
    assert events[0] | {"schema": "asyncflow.call-event", "schema_version": 1} == events[0]
    assert (document["schema"], err) == ("test.done", "")


def test_every_event_is_what_its_schema_says_and_reads_back_equal() -> None:
    every = (*EVENTS, ev.Warned(at=1.0, text="w"), ev.Failed.of(FAILURE, 2.0))
    assert {type(event) for event in every} == set(ev.AnyCallEvent.__args__)
    for event in every:
        written = msgspec.json.encode(event)
        checked(msgspec.json.decode(written))
        assert msgspec.json.decode(written, type=ev.AnyCallEvent) == event


def test_a_failure_ends_the_stream_and_is_told_on_stderr_too() -> None:
    out, err = told(Format.JSON, EVENTS[:2], lambda out: out.error(FAILURE))
    last = checked(msgspec.json.decode(out.splitlines()[-1]))
    assert (last["event"], last["code"], last["exit_code"]) == ("error", "CUT_SHORT", 24)
    assert (last["message"], last["hint"]) == ("The callee hung up", "Call again")
    assert last["at"] == 0.42
    assert checked(msgspec.json.decode(err))["error"]["code"] == "CUT_SHORT"


def test_a_failure_before_the_first_event_leaves_stdout_empty() -> None:
    out, err = told(Format.JSON, (), lambda out: out.error(FAILURE))
    assert out == ""
    assert msgspec.json.decode(err)["error"]["code"] == "CUT_SHORT"


@pytest.mark.parametrize("format", Format)
def test_a_warning_is_told_once_however_often_it_is_given(format: Format) -> None:
    def after(out: Output) -> None:
        out.warning("Odd")
        out.record(Done())

    out, err = told(format, [ev.Warned(at=1.0, text="Odd")], after)
    if format is Format.JSON:
        event, document = map(msgspec.json.decode, out.splitlines())
        assert (event["text"], document["warnings"], err) == ("Odd", ["Odd"], "")
    else:
        assert err == "Warning: Odd\n"


def test_words_from_elsewhere_keep_their_place_among_the_lines() -> None:
    err = io.StringIO()
    out = Output(stdout=io.StringIO(), stderr=err)
    with out.events(ev.Failed.of) as tell:
        tell(EVENTS[3])
        out.warning("Odd")
        tell(EVENTS[4])
    assert err.getvalue() == "  1.3 s  Ringing\nWarning: Odd\n  3.1 s  Answered\n"


@pytest.mark.parametrize("format", Format)
def test_no_secret_is_told(format: Format) -> None:
    streams = io.StringIO(), io.StringIO()
    out = Output(format=format, stdout=streams[0], stderr=streams[1])
    out.redactor.hide(["sk_CANARY"])
    with out.events(ev.Failed.of) as tell:
        tell(ev.Heard(at=0.0, index=0, text="sk_CANARY", seconds_heard=0.0))
    assert "CANARY" not in streams[0].getvalue() + streams[1].getvalue()


# Readers


@pytest.fixture
def pipe() -> Iterator[tuple[int, Any]]:
    """The number of its reading end, and its writing end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream


def test_a_reader_who_left_stops_nothing_but_the_telling(pipe: tuple[int, Any]) -> None:
    reading, stream = pipe
    os.close(reading)
    out = Output(format=Format.JSON, stdout=stream, stderr=io.StringIO())
    with out.events(ev.Failed.of) as tell:
        for event in EVENTS:
            tell(event)
    out.record(Done())
    out.error(FAILURE)
    stream.flush()


def test_a_reader_who_is_slow_holds_nobody_up(pipe: tuple[int, Any]) -> None:
    reading, stream = pipe
    done = threading.Event()
    in_time: list[bool] = []
    lines: list[str] = []
    heard = ev.Heard(at=0.0, index=0, text="x" * 1000, seconds_heard=0.0)

    def read() -> None:
        in_time.append(done.wait(10))
        with os.fdopen(reading, encoding="utf-8") as source:
            lines.extend(source.readline() for _ in range(200))

    reader = threading.Thread(target=read)
    reader.start()
    with Output(format=Format.JSON, stdout=stream).events(ev.Failed.of) as tell:
        for index in range(200):
            tell(msgspec.structs.replace(heard, index=index))
        done.set()
    reader.join()
    assert in_time == [True]
    assert [msgspec.json.decode(line)["index"] for line in lines] == list(range(200))


def test_a_terminal_that_is_gone_stops_nothing(pipe: tuple[int, Any]) -> None:
    reading, stream = pipe
    os.close(reading)
    stream.reconfigure(line_buffering=True)
    stdout = io.StringIO()
    out = Output(stdout=stdout, stderr=stream)
    with out.events(ev.Failed.of) as tell:
        for event in EVENTS:
            tell(event)
    out.record(Done())
    assert stdout.getvalue() == "headline  done\n"
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_a_bug_in_telling_is_not_hidden() -> None:
    class Broken(ev.Waiting, frozen=True, kw_only=True, tag="broken"):
        schema: Any = object()

    def tell() -> None:
        told(Format.JSON, [Broken(at=0.0), EVENTS[0]])

    with pytest.raises(TypeError):
        tell()
