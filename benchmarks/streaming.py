"""A long answer: how fast it becomes a file, beside curl, and how much memory that takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Figure, Plan, Section, at_most, interleaved, ratio
from benchmarks.processes import OURS, environment, milliseconds, peak, server

MEGABYTES = 500
ROUNDS = 5
SERVER = Path(__file__).with_name("endless_speech.py")


def run(plan: Plan) -> Section:
    length = MEGABYTES // 5 if plan.quick else MEGABYTES
    with server([sys.executable, str(SERVER), str(length)], environment(plan.folder)) as said:
        address = f"http://127.0.0.1:{said.readline().decode().strip()}"
        env = environment(plan.folder, ASYNC_BASE_URL=address, ASYNC_API_KEY="sk_benchmark")
        commands = _commands(address, plan.folder)
        times = interleaved(
            {name: partial(milliseconds, command, env) for name, command in commands.items()},
            plan.rounds(ROUNDS),
        )
        peaks = _peaks(commands, env, length)
    speeds = [_speed(figure, length) for figure in times.values()]
    beside = ratio(times["asyncflow tts-stream, HTTP"], times["curl"], "time / curl's")
    claims = (at_most(figure, 60) for figure in peaks if "asyncflow" in figure.name)
    return Section("A long stream", (*speeds, beside, *peaks), tuple(claims))


def _commands(address: str, folder: Path) -> dict[str, list[str]]:
    ours = [str(OURS), "tts-stream", "Hello.", "-o", str(folder / "ours.raw"), "--transport"]
    whole = [str(OURS), "tts", "Hello.", "-o", str(folder / "whole.raw")]
    curl = ["curl", "--silent", "--fail", "--data", "{}", "--output", str(folder / "curl.raw")]
    return {
        "asyncflow tts-stream, HTTP": [*ours, "http"],
        "asyncflow tts-stream, WebSocket": [*ours, "ws"],
        "asyncflow tts": whole,
        "curl": [*curl, f"{address}/text_to_speech/streaming"],
    }


def _speed(figure: Figure, length: int) -> Figure:
    samples = tuple(length / (took / 1000) for took in figure.samples)
    return Figure(f"{figure.name}: {length} MiB to a file", samples, "MiB/s")


def _peaks(commands: Mapping[str, Sequence[str]], env: dict[str, str], length: int) -> list[Figure]:
    return [
        Figure(f"peak memory of {name}, {length} MiB", (peak(command, env),), "MiB")
        for name, command in commands.items()
    ]
