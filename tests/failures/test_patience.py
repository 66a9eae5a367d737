"""Failures that only waiting tells: the calls wait side by side, each in a sandbox of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import TO, ServedSandbox, start
from tests.speechservers import Script, SpeechServer, stays_silent_at_the_end

LONG = "We look forward to seeing you. " * 8
ONE_CALL = "/2010-04-01/Accounts/{sid}/Calls/{sid}.json"


@dataclass(frozen=True)
class Patience:
    """A call that waits, and how it must end."""

    callee: str
    faults: tuple[str, ...]
    text: str
    code: int
    reason: str | None
    words: tuple[str, ...] = ()
    """Somewhere in what is printed."""
    speech: Script | None = None
    """A speech service of its own."""


WAITING = {
    "marks that never come back": Patience(
        callee="answer after 100ms",
        faults=("media:no-marks",),
        text="Yes.",
        code=24,
        reason="playback-timeout",
        words=("never confirmed that it played the last word",),
    ),
    "no callback, and nobody there to answer": Patience(
        callee="busy after 100ms", faults=("callback:drop",), text="Yes.", code=20, reason="busy"
    ),
    "no callback, and a callee who hangs up": Patience(
        callee="answer after 100ms; hang up after 2s",
        faults=("callback:drop",),
        text=LONG,
        code=24,
        reason="callee-hung-up",
    ),
    "callbacks that somebody else has signed": Patience(
        callee="answer after 100ms; hang up after 2s",
        faults=("callback:wrong-signature",),
        text=LONG,
        code=24,
        reason="callee-hung-up",
        words=("callback refused: wrong signature",),
    ),
    "a speech service that never says it is done": Patience(
        callee="answer after 100ms",
        faults=(),
        text="Yes.",
        code=0,
        reason=None,
        words=("never said that it was done", '"seconds_heard":1.0'),
        speech=stays_silent_at_the_end,
    ),
    "a create request without an answer": Patience(
        callee="answer",
        faults=("call:503 x1",),
        text="Yes.",
        code=7,
        reason=None,
        words=("WHETHER A CALL WAS PLACED IS UNKNOWN",),
    ),
    "a hang-up that Twilio does not take": Patience(
        callee="answer after 100ms",
        faults=(f"POST {ONE_CALL}:503", f"GET {ONE_CALL}:503"),
        text="Yes.",
        code=1,
        reason="completed",
        words=("MAY STILL BE LIVE. End it: asyncflow calls hangup CA",),
    ),
}


def test_whatever_is_waited_for_in_vain_ends_the_call(home: Path) -> None:
    with contextlib.ExitStack() as stack:
        running = [
            (what, awaited, stack.enter_context(_calling(home / str(n), awaited)))
            for n, (what, awaited) in enumerate(WAITING.items())
        ]
        for what, awaited, (process, served) in running:
            out, err = process.communicate(timeout=60)
            assert process.returncode == awaited.code, (what, err.decode())
            assert all(each in (out + err).decode() for each in awaited.words), what
            details = json.loads(err)["error"]["details"] if err else {}
            assert details.get("end_reason") == awaited.reason, what
            served.finish()
            assert served.ended(), what


@contextlib.contextmanager
def _calling(home: Path, awaited: Patience) -> Iterator[tuple[Any, ServedSandbox]]:
    home.mkdir()
    options = {"faults": awaited.faults, "callees": {"*": awaited.callee}}
    # Its usual two minutes are six seconds on this line, as long as some have to wait.
    limits = ("--retries", "0", "--max-duration", "1h")
    arguments = ("call", "--to", TO, awaited.text, "--json", *limits)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(ServedSandbox(speed=20, **options))
        environ = served.environ
        if awaited.speech is not None:
            server = stack.enter_context(SpeechServer(awaited.speech))
            environ = {**environ, "ASYNC_BASE_URL": server.url}
        yield stack.enter_context(start(home, *arguments, **environ)), served
