"""Two hundred calls in any weather: `pytest -m soak`, and SOAK_SEED=N for the same ones again."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from asyncflow_cli.protocol.callresult import CallReport
from tests.conftest import ServedSandbox
from tests.endurance.calls import switchboard
from tests.speechservers import Reciter, never_silent

ROUNDS, AT_ONCE = 25, 8
SPEED = 20
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "juniper")
SIZES = (1, 7, 160, 161, 333, 3200, 4001)


@dataclass(frozen=True)
class Weather:
    """What a round of calls has to live with."""

    faults: tuple[str, ...]
    sizes: tuple[int, ...]
    pace: float | None
    padded: bool

    @classmethod
    def of(cls, chance: random.Random) -> Weather:
        possible = (
            f"media:jitter {chance.randint(20, 400)}ms",
            f"media:late-marks {chance.randint(20, 2500)}ms",
            f"media:late-start {chance.randint(20, 2000)}ms",
            f"media:loss {chance.randint(1, 30)}%",
            "media:duplicate-mark",
            f"callback:late {chance.randint(20, 1000)}ms",
        )
        return cls(
            faults=tuple(fault for fault in possible if chance.random() < 0.4),
            sizes=(*chance.choices(SIZES, k=7), 800),
            pace=chance.choice((None, None, 0.7 * SPEED, 0.9 * SPEED, 1.5 * SPEED)),
            padded=chance.random() < 0.5,
        )


def speech(text: str) -> bytes:
    """A tenth of a second to two seconds."""
    return never_silent(text, random.Random(text).randint(800, 16_000))


def some_sentences(chance: random.Random) -> list[str]:
    texts = (chance.sample(WORDS, chance.randint(2, 5)) for _ in range(chance.randint(1, 6)))
    return [" ".join(words).capitalize() + "." for words in texts]


@dataclass(frozen=True)
class Held:
    """What a process holds, and must not hold more of in the end."""

    files: int
    threads: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        return cls(len(list(Path("/dev/fd").iterdir())), threading.active_count())


@pytest.mark.soak
def test_two_hundred_calls_are_heard_to_the_last_word_and_leave_nothing(home: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(2**32))
    sys.stderr.write(f"SOAK_SEED={seed}\n")
    chance = random.Random(seed)
    with ServedSandbox(speed=SPEED) as served:
        play(served, home, chance)  # what is made once is there from now on
        before = Held.now()
        for _ in range(ROUNDS):
            play(served, home, chance)
        assert Held.now() == before
        assert len(served.statuses) == (ROUNDS + 1) * AT_ONCE
        assert set(served.statuses) == {"completed"}


def play(served: ServedSandbox, home: Path, chance: random.Random) -> None:
    """Make a round of calls, and hold each against what it was to say."""
    weather = Weather.of(chance)
    texts = [some_sentences(chance) for _ in range(AT_ONCE)]
    served.sandbox.faults.clear()
    served.sandbox.faults.add(weather.faults)
    with Reciter(speech, sizes=weather.sizes, pace=weather.pace, padded=weather.padded) as server:
        environment = {**served.environ, "ASYNC_BASE_URL": server.url}
        reports = asyncio.run(round_of(environment, home, texts))
    served.finish()
    assert served.sandbox.live_calls == []
    for text, report in zip(texts, reports, strict=True):
        heard = served.sandbox.heard(report.call_sid).replace(MULAW_SILENCE, b"")
        assert heard == b"".join(map(speech, text)), (weather, text)
        assert report.last_word_heard, (weather, text)


async def round_of(
    environment: dict[str, str], home: Path, texts: list[list[str]]
) -> list[CallReport]:
    async with switchboard(environment, home, at_once=AT_ONCE) as board:
        reports = await asyncio.gather(*(board.call(" ".join(text)) for text in texts))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return reports
