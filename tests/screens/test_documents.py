"""Screens whose numbers differ from run to run or from machine to machine: the real command is
held to the width, and a document with fixed numbers to its copy."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from rich.text import Text

from asyncflow_cli.errors import AsyncflowError, CutShortError
from asyncflow_cli.output import Output
from asyncflow_cli.output.console import console_on
from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.callview import CallView
from asyncflow_cli.protocol.ci.report import CheckReport, Result, StepReport, suite_report
from asyncflow_cli.protocol.doctorreport import DoctorReport, Finding, Standing
from asyncflow_cli.protocol.notifications import explained
from asyncflow_cli.settings import Settings
from tests.conftest import TO
from tests.screens.snapshots import check
from tests.screens.stage import Stage, surroundings
from tests.screens.terminal import LEGIBLE, Terminal, bare, spans, too_long

WIDTHS = (40, 80, 120)

Show = Callable[[Output], None]


def shown(world: pytest.MonkeyPatch, show: Show, columns: int, **variables: str) -> str:
    """What `show` makes a terminal of so many columns look like."""
    terminal = Terminal()
    with world.context() as there:
        for name, value in surroundings(columns, **variables).items():
            there.setenv(name, value)
        show(Output(stdout=terminal, stderr=terminal, explains=lambda _code: True))
    return terminal.written


TEXTS = ("Your table is ready. ", "We look forward to seeing you at eight o'clock. ", "Goodbye.")
EVENTS: tuple[ev.AnyCallEvent, ...] = (
    ev.Ready(at=0.4, to=TO, from_="+15557654321", tunnel="ngrok", first_audio_ms=203.0),
    ev.Status(at=1.0, status="ringing"),
    ev.Status(at=3.0, status="in-progress"),
    ev.FirstFrame(at=3.0, after_start_ms=8.0),
    *(ev.Sentence(at=3.1, index=n, text=text, seconds=2.0) for n, text in enumerate(TEXTS)),
    ev.Machine(at=3.4, answered_by="human"),
    ev.Heard(at=5.1, index=0, text=TEXTS[0], seconds_heard=2.0),
    ev.Key(at=5.4, digit="1"),
    ev.Interrupted(at=6.0, by="key", heard_text=f"{TEXTS[0]}We look forward", seconds_heard=3.0),
    ev.Repeating(at=6.0, why="key"),
    ev.Lost(at=7.0, what="media", reason="the tunnel closed"),
    ev.Resumed(at=8.0, what="media", index=0),
    ev.LastWord(at=14.0),
    ev.AwaitingKey(at=14.0, key="1", seconds=5.0),
    ev.HungUp(at=14.5, end_reason="completed", duration=12, seconds_answered=11.5),
)
REPORT = CallReport(
    call_sid="CA5f3a9b1c" + 24 * "0",
    status="completed",
    end_reason="completed",
    to=TO,
    from_="+15557654321",
    tunnel="ngrok",
    seconds_sent=12.34,
    seconds_heard=12.34,
    last_word_heard=True,
    heard_text="".join(TEXTS),
    duration=12,
    seconds_answered=11.5,
    answered_after_ms=2100.0,
    ring_ms=1900.0,
    first_audio_ms=203.0,
    first_frame_ms=7.6,
    mark_lag_ms=12.0,
    digits="1",
    report_files=("call.html",),
)
CUT_SHORT = msgspec.structs.replace(
    REPORT,
    end_reason="callee-hung-up",
    seconds_heard=5.0,
    last_word_heard=False,
    notifications=(explained("31921", "error", "Closed"),),
)


def going_on(out: Output) -> None:
    """Each frame of the view, one below the other."""
    console, view = console_on(out.stderr, "auto"), CallView(TEXTS)
    for event in EVENTS:
        view.tell(event)
        for row in (*view.frame(event.at, console.width), ()):
            console.print(Text.assemble(*row), highlight=False)


def as_lines(out: Output) -> None:
    with out.events(ev.Failed.of, clock=lambda: 0.0) as tell:
        for event in EVENTS:
            tell(event)


def cut_short(out: Output) -> None:
    out.summary(CUT_SHORT)
    out.error(CutShortError("The callee hung up before the last word", hint="Call again"))


def step(name: str, result: Result, *checks: CheckReport, error: str | None = None) -> StepReport:
    return StepReport(
        name=name,
        run="status",
        line=12,
        result=result,
        attempts=1,
        seconds=0.41,
        exit_code=0,
        checks=checks,
        error=error,
        document={},
    )


SLOW = CheckReport(expected="latency < 2s", passed=False, actual="2.41 s", line=14)
SUITE = suite_report(
    name="smoke",
    file="smoke.yaml",
    sandbox=True,
    seconds=2.0,
    steps=[
        step("The service is up", Result.PASSED),
        step("It answers soon", Result.FAILED, SLOW),
        step("A phone rings", Result.BROKEN, error="no TWILIO_ACCOUNT_SID"),
        step("It is heard", Result.SKIPPED, error="A phone rings did not pass"),
    ],
)


def suite(out: Output) -> None:
    try:
        out.verdict(SUITE, SUITE.rows, ("result", "step", "seconds", "told"), SUITE.failure)
    except AsyncflowError as error:
        out.error(error)


def unset(out: Output) -> None:
    try:
        Settings().need_for_call(speaks=True)
    except AsyncflowError as error:
        out.error(error)


DOCTOR = DoctorReport.of(
    (
        Finding(check="Python", standing=Standing.OK, found="3.12.1 on Linux x86_64"),
        Finding(
            check="configuration",
            standing=Standing.OK,
            found="api_key from ASYNC_API_KEY; base_url from the profile work; retries from .env",
        ),
        Finding(
            check="player",
            standing=Standing.WARNING,
            found="No program on this machine plays mp3",
            remedy="Install mpv or ffmpeg (ffplay), or write a file with -o",
            code="PLAYER_MISSING",
        ),
        Finding(
            check="Twilio login",
            standing=Standing.PROBLEM,
            found="The account or its token is wrong",
            remedy="asyncflow auth login twilio",
            code="TWILIO_20003",
            exit_code=4,
        ),
        Finding(check="way in", standing=Standing.SKIPPED, found="--offline opens no socket"),
    ),
    mended=("made ~/.config/asyncflow/config.toml private",),
)

SCREENS: dict[str, tuple[str, Show]] = {
    "call": ("call, as it goes on", going_on),
    "call-lines": ("call, where nothing can be drawn anew", as_lines),
    "call-summary": ("call, at its end", lambda out: out.record(REPORT)),
    "call-cut-short": ("call, cut short", cut_short),
    "ci-run": ("ci run smoke.yaml", suite),
    "call-unset": ("call, with nothing set", unset),
    "doctor": ("doctor", lambda out: out.page(DOCTOR)),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_document_looks_as_its_copy_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    title, show = SCREENS[name]
    screens = {width: shown(monkeypatch, show, width) for width in WIDTHS}
    for width, written in screens.items():
        assert too_long(written, width) == []
        assert {style for span in spans(written) for style in span.styles} <= LEGIBLE
    check(name, f"asyncflow {title}", screens)


@pytest.mark.parametrize("name", SCREENS)
def test_without_colour_the_same_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, show = SCREENS[name]
    coloured = shown(monkeypatch, show, 80)
    assert bare(shown(monkeypatch, show, 80, NO_COLOR="1")) == bare(coloured)
    assert shown(monkeypatch, show, 80, TERM="dumb") == bare(coloured)


@pytest.mark.parametrize("name", SCREENS)
def test_what_differs_in_colour_differs_in_words(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One word in two colours on one screen would be told by its colour alone."""
    colours: dict[str, set[frozenset[str]]] = {}
    for span in spans(shown(monkeypatch, SCREENS[name][1], 80)):
        colour = span.styles - {"bold", "dim"}
        if colour and span.text.strip():
            colours.setdefault(span.text.strip(), set()).add(colour)
    assert [text for text, found in colours.items() if len(found) > 1] == []


def test_a_real_examination_keeps_to_the_width(stage: Stage) -> None:
    for width in WIDTHS:
        assert too_long(stage.run("doctor", "--offline", columns=width).written, width) == []


def test_a_real_call_names_what_it_wrote(stage: Stage) -> None:
    seen = stage.run("call", "--to", TO, "Hello.", "--report", "call.html", columns=40)
    assert seen.code == 0
    last = bare(seen.written).splitlines()
    assert [line for line in last if line.startswith("report")] == ["report        call.html"]
    assert (stage.home / "call.html").exists()
