"""The bridge with many calls, beside the Node script that the vendor's guide describes.

Every call takes in 50 frames a second from its phone, and 5 chunks a second from the speech
service, which it sends on. What counts is the time that a chunk takes, and what it costs.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.bridge import rig
from benchmarks.bridge.rig import Contender, Result, measure
from benchmarks.measure import Claim, Figure, Plan, Section, at_most, ratio

LOADS = (1, 50, 200, 500, 1000)
QUICK = (1, 1000)
ROUNDS, ALONE_ROUNDS = 3, 9
"""One call has but twenty chunks in a round, and how soon a core wakes for them varies."""

TOO_SLOW = 20.0
"""Milliseconds of p99 at which a listener hears it."""

STEP = 1.1
"""The most calls that a bridge can hold are sought by so many times as many, or as few."""

SECONDS = {False: 4.0, True: 2.0}
"""Of one measurement, by whether it is to be quick; besides two in which all warms up."""

OURS, NODE, LIMIT = "asyncflow", "node ws", "C"
MANY = 1000


@dataclass(frozen=True)
class Measured:
    contender: str
    round: int
    result: Result


def run(plan: Plan) -> Section:
    if (why := rig.missing()) is not None:
        return Section("The bridge with many calls", (), notes=(f"Left out: {why}.",))
    load = rig.compiled(plan.folder, "load")
    contenders, notes = _contenders(plan)
    loads = QUICK if plan.quick else LOADS
    rounds = {calls: plan.rounds(ALONE_ROUNDS if calls == 1 else ROUNDS) for calls in loads}
    found = _rounds(load, contenders, rounds, SECONDS[plan.quick])
    most = _most_calls(load, contenders, found, quick=plan.quick)
    figures = [*_figures(found, loads), *(_most_figure(*item) for item in most.items())]
    ratios, claims = _held({figure.name: figure for figure in figures}, most)
    return Section(
        "The bridge with many calls",
        (*figures, *ratios),
        (*claims, _nothing_lost(found)),
        (*notes, _load_was_late(found)),
    )


def _contenders(plan: Plan) -> tuple[list[Contender], list[str]]:
    host = [sys.executable, "-m", "benchmarks.bridge.host"]
    contenders = [Contender(OURS, host, told_calls=True)]
    found, notes = peers.found("ws")
    for ws in found:
        plan.versions["ws"] = ws.version
        modules = {"NODE_PATH": str(ws.folder / "node_modules")}
        contenders.append(Contender(NODE, ["node", str(rig.HERE / "peer.js")], modules))
    contenders.append(Contender(LIMIT, [str(rig.compiled(plan.folder, "limit"))]))
    return contenders, notes


def _rounds(
    load: Path,
    contenders: list[Contender],
    rounds: dict[int, int],
    seconds: float,
) -> list[Measured]:
    """Every contender so many times with each number of calls, another one first each time."""
    found = []
    times = [(calls, count) for calls, most in rounds.items() for count in range(most)]
    for calls, count in times:
        order = itertools.islice(itertools.cycle(contenders), count, count + len(contenders))
        for contender in order:
            if contender.name == LIMIT and calls < MANY:
                continue  # a limit is for what comes near it
            result = measure(load, contender, calls, seconds)
            found.append(Measured(contender.name, count, result))
            sys.stderr.write(f"  {contender.name}: {found[-1].result}\n")
    return found


def _most_calls(
    load: Path, contenders: list[Contender], found: list[Measured], *, quick: bool
) -> dict[str, int]:
    """What each holds. Where it must be quick, ours is not sought beyond twice Node's."""
    most: dict[str, int] = {}
    for contender in sorted(contenders, key=lambda c: c.name == OURS):
        if contender.name == LIMIT:
            continue
        begin = 2 * most.get(NODE, MANY // 2)
        known = [m.result for m in found if m.contender == contender.name]
        holds = begin == MANY and any(_is_held(r) for r in known if r.calls == MANY)
        enough = begin if quick and contender.name == OURS else None
        most[contender.name] = _most(load, contender, begin, holds=holds, enough=enough)
    return most


def _most(load: Path, contender: Contender, begin: int, *, holds: bool, enough: int | None) -> int:
    """Calls that it holds before a listener hears it, from `begin`, which it may be known to."""
    calls = begin
    if holds or _holds(load, contender, calls):
        while calls != enough and _holds(load, contender, round(calls * STEP)):
            calls = round(calls * STEP)
        return calls
    while calls > 1:
        calls = round(calls / STEP)
        if _holds(load, contender, calls):
            break
    return calls


def _holds(load: Path, contender: Contender, calls: int) -> bool:
    """In the better of two runs: something else that wants the core must not pass for a limit."""
    for _ in range(2):
        try:
            result = measure(load, contender, calls, seconds=2.0)
        except RuntimeError:
            return False
        sys.stderr.write(f"  {contender.name}: {result}\n")
        if _is_held(result):
            return True
    return False


def _is_held(result: Result) -> bool:
    return result.p99 <= TOO_SLOW and not result.lost


def _figures(found: list[Measured], loads: Iterable[int]) -> list[Figure]:
    kinds = {"p50": "ms", "p99": "ms", "cpu": "%", "kib": "KiB"}
    names = list(dict.fromkeys(measured.contender for measured in found))
    return [
        Figure(
            _name(name, kind, calls),
            tuple(
                getattr(m.result, kind)
                for m in found
                if m.contender == name and m.result.calls == calls
            ),
            unit,
        )
        for calls in loads
        for kind, unit in kinds.items()
        for name in names
        if (kind != "kib" or calls > 1) and (name != LIMIT or calls >= MANY)
    ]


def _name(contender: str, kind: str, calls: int) -> str:
    words = {"p50": "p50", "p99": "p99", "cpu": "CPU", "kib": "memory per call"}
    return f"{contender}, {words[kind]} at {calls} call{'s' if calls > 1 else ''}"


def _most_figure(name: str, calls: int) -> Figure:
    return Figure(f"{name}, most calls", (float(calls),), "calls")


def _held(figures: dict[str, Figure], most: dict[str, int]) -> tuple[list[Figure], list[Claim]]:
    cpu, limit = (figures[_name(name, "cpu", MANY)] for name in (OURS, LIMIT))
    p99, kib = (figures[_name(OURS, kind, MANY)] for kind in ("p99", "kib"))
    ratios = [ratio(cpu, limit, f"CPU at {MANY} calls, ours / C's")]
    claims = [at_most(p99, 2.0), at_most(kib, 80.0), at_most(ratios[0], 3.0)]
    if NODE in most:
        cpus = ratio(cpu, figures[_name(NODE, "cpu", MANY)], f"CPU at {MANY} calls, ours / Node's")
        ours, theirs = (figures[_name(name, "p50", 1)] for name in (OURS, NODE))
        alone = ratio(ours, theirs, "p50 at 1 call, ours / Node's")
        ratios += [cpus, alone]
        claims += [at_most(cpus, 0.75), at_most(alone, 0.9)]
        share = most[OURS] / most[NODE]
        claims.append(Claim("most calls, ours / Node's", share, 2.0, "×", at_least=True))
    return ratios, claims


def _nothing_lost(found: list[Measured]) -> Claim:
    lost = sum(m.result.lost for m in found if m.contender == OURS)
    return Claim("chunks that asyncflow lost", lost, 0, "")


def _load_was_late(found: list[Measured]) -> str:
    runs = sorted(m.result.late for m in found if m.result.calls == MANY)
    return (
        f"At {MANY} calls the load itself was late by {runs[0]:.2f} to {runs[-1]:.2f} ms (p99 of a "
        f"run; {statistics.median(runs):.2f} of the usual one). Where that is more than 1 ms, "
        "others wanted the machine, and p99 and the most calls tell of them."
    )
