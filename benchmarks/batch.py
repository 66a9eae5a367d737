"""A long text through `tts`, in pieces that are asked for at the same time."""

from __future__ import annotations

from functools import partial

from benchmarks.measure import Figure, Plan, Section, interleaved, ratio
from benchmarks.processes import OURS, milliseconds, sandbox

ROUNDS = 8
CHARACTERS = 40_000
JOBS = (1, 4, 16)


def run(plan: Plan) -> Section:
    sentence = "The quick brown fox jumps over the lazy dog, and then it goes to sleep. "
    text, sound = plan.folder / "long.txt", plan.folder / "long.wav"
    text.write_text(sentence * (CHARACTERS // len(sentence)))
    command = [str(OURS), "tts", "-f", str(text), "-o", str(sound), "--jobs"]
    with sandbox(plan.folder) as env:
        times = interleaved(
            {f"--jobs {n}": partial(milliseconds, [*command, str(n)], env) for n in JOBS},
            plan.rounds(ROUNDS),
        )
    speeds = [_speed(figure) for figure in times.values()]
    one, usual, *_ = times.values()
    return Section("A long text", (*speeds, ratio(usual, one, "time of four jobs / of one")))


def _speed(figure: Figure) -> Figure:
    samples = tuple(CHARACTERS / took for took in figure.samples)
    return Figure(f"tts {figure.name}", samples, "characters/ms")
