"""What a program costs before it does anything: `--version`, `--help`, completion."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from benchmarks import peers
from benchmarks.measure import Claim, Figure, Plan, Section, at_most, interleaved, ratio
from benchmarks.processes import OURS, environment, milliseconds

ROUNDS = 20
SLOW = ("elevenlabs", "twilio", "dg")
"""They take a second each; a few rounds tell enough."""


def run(plan: Plan) -> Section:
    quick, notes = peers.found("edge-tts", "gtts-cli", "httpie")
    slow, more_notes = peers.found(*SLOW)
    plan.versions.update({peer.name: peer.version for peer in (*quick, *slow)})
    ours = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "asyncflow --version": [str(OURS), "--version"],
        "asyncflow --help": [str(OURS), "--help"],
        "asyncflow tts --help": [str(OURS), "tts", "--help"],
    }
    figures = _measured(plan, ours | _helps(quick), plan.rounds(ROUNDS))
    figures["completion"] = _completion(plan)
    figures |= _measured(plan, _helps(slow), plan.rounds(ROUNDS // 4)) if slow else {}
    ratios, claims = _held(figures)
    return Section("Start-up", (*figures.values(), *ratios), tuple(claims), (*notes, *more_notes))


def _helps(found: Sequence[peers.Peer]) -> dict[str, list[str]]:
    return {f"{peer.name} --help": [peer.program, "--help"] for peer in found}


def _measured(plan: Plan, commands: dict[str, list[str]], rounds: int) -> dict[str, Figure]:
    env = environment(plan.folder, COLUMNS="80")
    return interleaved({n: partial(milliseconds, c, env) for n, c in commands.items()}, rounds)


def _completion(plan: Plan) -> Figure:
    """What the shell waits for after Tab, less what any Python takes to start."""
    env = environment(plan.folder, _ASYNCFLOW_COMPLETE="=--voi")
    found = interleaved(
        {
            "bare": partial(milliseconds, [sys.executable, "-c", "pass"], env),
            "ours": partial(milliseconds, [str(OURS), "--", "tts"], env),
        },
        plan.rounds(ROUNDS),
    )
    pairs = zip(found["ours"].samples, found["bare"].samples, strict=True)
    return Figure("completion, above an empty Python", tuple(a - b for a, b in pairs))


LIMITS = (
    ("asyncflow --version", "python -c pass", 2.5),
    ("asyncflow --help", "edge-tts --help", 0.5),
    ("asyncflow --help", "gtts-cli --help", 0.7),
)


def _held(figures: dict[str, Figure]) -> tuple[list[Figure], list[Claim]]:
    """The ratios that there are limits for, where both sides could be measured."""
    limits = [line for line in LIMITS if line[1] in figures]
    ratios = [ratio(figures[one], figures[other]) for one, other, _ in limits]
    claims = [at_most(r, limit) for r, (_, _, limit) in zip(ratios, limits, strict=True)]
    return ratios, [*claims, at_most(figures["completion"], 150)]
