"""The view of a call on a terminal that is one, and lines on what cannot show it."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Callable

import pytest

from asyncflow_cli.errors import CutShortError
from asyncflow_cli.output import Format, Output
from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.callview import CallView

EVENTS = (
    ev.Ready(at=0.4, to="+15551230001", from_="+15557654321"),
    ev.Status(at=1.0, status="ringing"),
    ev.Status(at=3.0, status="in-progress"),
    ev.Warned(at=3.0, text="Odd"),
    ev.FirstFrame(at=3.0, after_start_ms=8.0),
    ev.Heard(at=4.6, index=0, text="Hello. ", seconds_heard=1.5),
    ev.LastWord(at=5.0),
)
CURSOR = re.compile(r"\x1b\[\d*[A-K]|\x1b\[\?25[lh]")
COLOR = re.compile(r"\x1b\[[\d;]*3[1-7]m")


class Clock:
    """Every look at it is a second later."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def on_terminal(color: str = "auto", format: Format = Format.HUMAN) -> str:
    """What reaches a terminal of a call that comes to a bad end."""

    def call(out: Output) -> None:
        with out.events(ev.Failed.of, CallView(["Hello. "]), Clock()) as tell:
            for event in EVENTS:
                tell(event)
        out.error(CutShortError("The end"))

    return seen_on_terminal(call, format=format, color=color)


def seen_on_terminal(
    work: Callable[[Output], None], *, format: Format = Format.HUMAN, color: str = "auto"
) -> str:
    """What reaches a terminal that is somebody's stderr."""
    pty = pytest.importorskip("pty", reason="a terminal of a POSIX system")
    reading, writing = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(reading, 4096):
                seen.append(data)
        except OSError:
            os.close(reading)  # Linux's word for a terminal that nobody holds any more

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(writing, "w", encoding="utf-8") as terminal:
        work(Output(format=format, color=color, stdout=io.StringIO(), stderr=terminal))
    reader.join()
    return b"".join(seen).decode()


def test_no_secret_is_seen_in_the_view() -> None:
    secret = "CANARY0123"

    def call(out: Output) -> None:
        out.redactor.hide([secret])
        with out.events(ev.Failed.of, CallView([f"Say {secret}."]), Clock()) as tell:
            tell(ev.Ready(at=0.4, to=secret, from_="+15557654321"))
            tell(ev.Heard(at=4.6, index=0, text=f"Say {secret}.", seconds_heard=1.5))
        out.warning(secret)

    seen = seen_on_terminal(call)
    assert "***" in seen
    assert "CANARY" not in seen


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in (
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "TTY_COMPATIBLE",
        "COLORTERM",
        "CI",
    ):
        monkeypatch.delenv(name, raising=False)


def test_the_view_is_drawn_over_and_over_and_leaves_only_what_must_stay() -> None:
    seen = on_terminal()
    assert seen.count("Speaking") > 3
    assert seen.index("Warning: ") < seen.index("Error: ")
    assert "\x1b[33m  " not in seen, "the warning's colour is the warning's alone"
    assert "  1.0 s  Ringing" not in seen
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") == 1
    assert CURSOR.search(seen[seen.index("Error: ") :]) is None


def test_without_colour_it_is_still_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    assert COLOR.search(on_terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    seen = on_terminal()
    assert CURSOR.search(seen)
    assert not COLOR.search(seen)


@pytest.mark.parametrize(
    ("term", "color", "columns"),
    [("dumb", "auto", "80"), ("xterm", "never", "80"), ("xterm", "auto", "10")],
)
def test_where_it_cannot_be_drawn_there_are_lines(
    term: str, color: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", columns)
    seen = on_terminal(color)
    assert "  1.0 s  Ringing" in seen
    assert CURSOR.search(seen) is None


@pytest.mark.parametrize("format", [Format.JSON, Format.QUIET])
def test_the_view_is_for_people(format: Format) -> None:
    assert CURSOR.search(on_terminal(format=format)) is None


def test_colour_that_is_asked_for_makes_no_view_of_a_file() -> None:
    err = io.StringIO()
    out = Output(color="always", stdout=io.StringIO(), stderr=err)
    with out.events(ev.Failed.of, CallView(), Clock()) as tell:
        tell(EVENTS[1])
    assert "  1.0 s  Ringing" in err.getvalue()
    assert CURSOR.search(err.getvalue()) is None


# How far long work is


def progress_on(format: Format = Format.HUMAN, total: int = 3) -> str:
    """What a terminal shows of so many pieces, each of which takes a second."""
    return seen_on_terminal(lambda out: in_pieces(out, total), format=format)


def in_pieces(out: Output, total: int) -> None:
    with out.progress("pieces", total, Clock()) as done:
        for _ in range(total):
            done()
    out.step("Written")


def test_how_far_it_is_is_drawn_and_gone_when_it_is_done() -> None:
    seen = progress_on()
    assert "2 of 3 pieces  " in seen
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") == 1
    assert CURSOR.search(seen[seen.index("Written") :]) is None
    assert "pieces" not in seen[seen.rindex("\x1b[2K") :], "the last of it was wiped"


@pytest.mark.parametrize("total", [0, 1])
def test_what_has_no_pieces_has_no_progress(total: int) -> None:
    assert progress_on(total=total) == "Written\r\n"


@pytest.mark.parametrize("format", [Format.JSON, Format.QUIET])
def test_programs_and_scripts_see_no_progress(format: Format) -> None:
    assert progress_on(format=format) == ""


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("CI", "true")])
def test_a_terminal_that_nobody_watches_sees_no_progress(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert progress_on() == "Written\r\n"


def test_a_pipe_sees_no_progress() -> None:
    err = io.StringIO()
    in_pieces(Output(color="always", stdout=io.StringIO(), stderr=err), 3)
    assert err.getvalue() == "Written\n"


def test_work_that_is_quick_shows_no_progress() -> None:
    def quick(out: Output) -> None:
        with out.progress("pieces", 3, lambda: 0.5) as done:
            done()

    assert seen_on_terminal(quick) == ""
