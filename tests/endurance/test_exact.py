"""What the callee hears is what the speech service said, byte for byte, whatever the weather."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE, wav_file
from tests.conftest import FROM, TO, Result, Run, ServedSandbox
from tests.speechservers import Reciter, never_silent
from tests.test_call import mulaw_of

SENTENCES = ("Good evening.", "Your table is ready!", "Shall we wait for you?", "Goodbye.")
TEXT = " ".join(SENTENCES)
CALL = ("call", "--to", TO, "--from", FROM, "--save-heard", "heard.wav", "--json")

ODD = (1, 159, 161, 7, 4001, 320, 13, 1601)
"""Sizes of chunks that fill no frame, and no group of base64 either."""


@pytest.fixture(scope="module")
def faster() -> Iterator[ServedSandbox]:
    """A line on which five minutes take two seconds."""
    with ServedSandbox(speed=200) as served:
        yield served


@pytest.fixture(scope="module")
def real() -> Iterator[ServedSandbox]:
    """A line at its own pace, whose callee answers at once."""
    with ServedSandbox(callees={"*": "answer after 0.1s"}) as served:
        yield served


def speech(text: str) -> bytes:
    """A second of it, more or less, and never whole frames."""
    return never_silent(text, 6001 + 331 * len(text))


def spoken(server: Reciter) -> bytes:
    return b"".join(map(speech, server.said))


def heard(home: Path) -> bytes:
    """All but the silence before, behind and between."""
    return mulaw_of(home / "heard.wav").replace(MULAW_SILENCE, b"")


def line_report(served: ServedSandbox, call_sid: str) -> Any:
    """What the sandbox knows of a call, once it is over."""
    served.finish()
    url = f"{served.sandbox.url}/__sandbox/calls/{call_sid}"
    return httpx.get(url, trust_env=False).json()["report"]


@pytest.mark.parametrize(
    ("sizes", "padded"),
    [((3200,), True), (ODD, True), (ODD, False)],
    ids=["whole", "odd", "unpadded"],
)
def test_chunks_of_any_size_make_the_same_call(
    sandboxed: Run, home: Path, sizes: tuple[int, ...], padded: bool
) -> None:
    with Reciter(speech, sizes=sizes, padded=padded) as server:
        result = sandboxed(*CALL, TEXT, ASYNC_BASE_URL=server.url)
    assert result.code == 0, result.err
    assert tuple(server.said) == SENTENCES
    assert spoken(server) in mulaw_of(home / "heard.wav"), "no silence fills a frame in mid-text"
    assert result.json["seconds_sent"] == round(len(spoken(server)) / PHONE_RATE, 3)


def test_chunks_of_a_single_byte_are_all_heard(sandboxed: Run, home: Path) -> None:
    with Reciter(lambda text: never_silent(text, 333), sizes=(1,)) as server:
        result = sandboxed(*CALL, TEXT, ASYNC_BASE_URL=server.url)
    assert result.code == 0, result.err
    assert heard(home) == b"".join(never_silent(text, 333) for text in SENTENCES)


@pytest.mark.parametrize(
    "faults",
    [
        ["media:jitter 40ms"],
        ["media:late-marks 1.5s"],
        ["media:late-marks 1.5s", "media:jitter 400ms", "media:loss 20%"],
    ],
    ids=lambda faults: " ".join(faults).replace("media:", ""),
)
def test_a_phone_of_bad_manners_hears_everything(run: Run, home: Path, faults: list[str]) -> None:
    with ServedSandbox(speed=20, faults=faults) as served, Reciter(speech, sizes=ODD) as server:
        result = run(*CALL, TEXT, **{**served.environ, "ASYNC_BASE_URL": server.url})
        assert result.code == 0, result.err
        (stream,) = line_report(served, result.json["call_sid"])["streams"]
    assert stream["faults"] == faults
    assert heard(home) == spoken(server)
    assert result.json["last_word_heard"] is True


def a_moment(text: str) -> bytes:
    return never_silent(text, 5003)


def test_at_the_pace_of_a_real_line_too(run: Run, real: ServedSandbox, home: Path) -> None:
    with Reciter(a_moment, sizes=ODD) as server:
        result = run(*CALL, "One. Two.", **{**real.environ, "ASYNC_BASE_URL": server.url})
    assert result.code == 0, result.err
    assert heard(home) == a_moment("One.") + a_moment("Two.")
    assert result.json["gaps"]["count"] == 0


def test_a_slow_speech_service_makes_gaps_that_are_told_and_loses_nothing(
    run: Run, real: ServedSandbox, home: Path
) -> None:
    with Reciter(a_moment, sizes=ODD, pace=0.7) as server:
        result = run(*CALL, "One. Two.", **{**real.environ, "ASYNC_BASE_URL": server.url})
    assert result.code == 0, result.err
    assert heard(home) == a_moment("One.") + a_moment("Two.")
    told, silent = result.json["gaps"], pauses(mulaw_of(home / "heard.wav"))
    assert silent, "the line ran dry"
    assert 0 < told["longest_seconds"] <= told["total_seconds"]
    # The phone has a clock of its own, and silences of less than two frames are not told.
    more = told["total_seconds"] - sum(silent)
    assert -0.35 <= more <= 0.35 + stood_still(result, line_report(real, result.json["call_sid"]))


def stood_still(result: Result, line: Any) -> float:
    """Seconds of the call that did not pass on the line: a busy computer kept them from it."""
    *events, _report = map(json.loads, result.stdout.splitlines())
    at: dict[str, float] = {event["event"]: event["at"] for event in events}
    ended: float = line["marks"][-1]["echoed_at"]
    return max(0.0, at["last-word"] - at["connected"] - ended)


def pauses(mulaw: bytes) -> list[float]:
    """Seconds of each silence between the first sound and the last."""
    sounds = [at for at, byte in enumerate(mulaw) if byte != MULAW_SILENCE[0]]
    return [(b - a - 1) / PHONE_RATE for a, b in pairwise(sounds) if b - a > 1]


LEAD = 10.0
MINUTES = " ".join(f"Guest {number} is here." for number in range(60))


def five_seconds(text: str) -> bytes:
    return never_silent(text, 40_001)


def test_five_minutes_are_heard_and_the_phone_never_holds_more_than_its_lead(
    run: Run, faster: ServedSandbox, home: Path
) -> None:
    order = (*CALL, MINUTES, "--lead", "10s", "--max-duration", "4h")
    with Reciter(five_seconds, sizes=ODD) as server:
        result = run(*order, **{**faster.environ, "ASYNC_BASE_URL": server.url})
    assert result.code == 0, result.err
    audio = b"".join(map(five_seconds, server.said))
    assert len(audio) > 300 * PHONE_RATE
    assert heard(home) == audio
    line = line_report(faster, result.json["call_sid"])
    assert line["discarded_seconds"] == 0
    assert LEAD / 2 < line["most_queued_seconds"] <= LEAD + 5.1


def test_a_file_of_five_minutes_is_heard_with_the_same_lead(
    run: Run, faster: ServedSandbox, home: Path
) -> None:
    audio = never_silent("file", 300 * PHONE_RATE + 77)
    (home / "long.wav").write_bytes(wav_file("pcm_mulaw", PHONE_RATE, audio))
    order = (*CALL, "--audio", "long.wav", "--lead", "10s", "--max-duration", "4h")
    result = run(*order, **faster.environ)
    assert result.code == 0, result.err
    assert heard(home) == audio
    line = line_report(faster, result.json["call_sid"])
    assert LEAD / 2 < line["most_queued_seconds"] <= LEAD + 5.1
