"""The bridge with many calls, beside the Node script that the vendor's guide describes.

Every call takes in 50 frames a second from its phone, and 5 chunks a second from the speech
service, which it sends on. What counts is the time that a chunk takes, and what it costs.
"""

from __future__ import annotations

import itertools
import math
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.bridge import rig
from benchmarks.bridge.most import STEP, STRIDE, Tried, crossing
from benchmarks.bridge.rig import Contender, Result, measure
from benchmarks.measure import Claim, Figure, Plan, Section, at_least, at_most, ratio


@dataclass(frozen=True)
class Load:
    calls: int
    rounds: int
    seconds: float
    """Of one measurement; besides two in which all warms up."""


LOADS = (
    Load(1, 15, 3.0),  # has but five chunks in a second, and how soon a core wakes for them varies
    Load(50, 4, 1.5),
    Load(200, 4, 1.5),
    Load(500, 4, 1.5),
    Load(1000, 5, 3.0),
)
QUICK = (Load(1, 3, 5.0), Load(1000, 3, 2.0))
SEARCH = 3
"""Rounds in which the most calls are sought; besides one that finds where to begin."""

SEARCH_SECONDS, SEARCH_ATTEMPTS = 2.0, 3
AT_ITS_END, NEAR_IT = 0.05, 0.9
"""The share of the time for which a load stands still that has no more to offer; from such a share
of that many calls on, a run is not done again because the load stood still."""

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
    found = _rounds(load, contenders, loads)
    most, beyond = _most_calls(load, contenders, quick=plan.quick)
    figures = [*_figures(found, loads), *most]
    ratios, claims = _held({figure.name: figure for figure in figures})
    return Section(
        "The bridge with many calls",
        (*figures, *ratios),
        (*claims, _nothing_lost(found)),
        (*notes, *beyond, _load_stood_still(found)),
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


def _rounds(load: Path, contenders: list[Contender], loads: Iterable[Load]) -> list[Measured]:
    """Every contender so many times with each number of calls, another one first each time.

    The rounds of each are spread over all the time there is: a machine is slower for minutes.
    """
    found = []
    times = [(of, count) for of in loads for count in range(of.rounds)]
    for of, count in sorted(times, key=lambda time: (time[1] + 0.5) / time[0].rounds):
        for contender in _turns(contenders, count):
            if contender.name == LIMIT and of.calls < MANY:
                continue  # a limit is for what comes near it
            result = measure(load, contender, of.calls, of.seconds)
            found.append(Measured(contender.name, count, result))
    return found


def _turns(contenders: list[Contender], count: int) -> Iterator[Contender]:
    return itertools.islice(itertools.cycle(contenders), count, count + len(contenders))


def _most_calls(
    load: Path, contenders: list[Contender], *, quick: bool
) -> tuple[list[Figure], list[str]]:
    """What each holds, and a note on each that the load could not offer more.

    Where it must be quick, ours is not sought beyond twice what Node holds in the same round.
    """
    sought = [c for c in contenders if c.name != LIMIT]
    sought.sort(key=lambda contender: contender.name == OURS)
    crossed: dict[str, list[float]] = {contender.name: [] for contender in sought}
    beyond: dict[str, float] = {}
    for count in range(SEARCH + 1):
        for contender in sought if quick or not count else _turns(sought, count):
            begin, enough = _begin(crossed, contender.name), math.inf
            if quick and contender.name == OURS and NODE in crossed:
                enough = 2 * crossed[NODE][-1]
                begin = math.ceil(enough)
            attempt = partial(_try, load, contender, beyond)
            step = STEP if count else STRIDE
            crossed[contender.name].append(crossing(attempt, begin, step, enough))
    figures = [Figure(_most(n), tuple(found[1:]), "calls") for n, found in crossed.items()]
    return figures, [
        f"The load could not offer {name} more: it holds at least that." for name in beyond
    ]


def _begin(crossed: dict[str, list[float]], name: str) -> int:
    """Where it was last found, the round that only sought it left out as soon as it can be."""
    if before := crossed[name][1:] or crossed[name]:
        return round(statistics.median(before))
    return round(2 * crossed[NODE][0]) if name == OURS and NODE in crossed else MANY


def _try(load: Path, contender: Contender, beyond: dict[str, float], calls: int) -> Tried:
    """`beyond` is with how many calls of each contender the load was at its end."""
    near = NEAR_IT * beyond.get(contender.name, math.inf)
    try:
        attempts = 1 if calls >= near else SEARCH_ATTEMPTS
        result = measure(load, contender, calls, SEARCH_SECONDS, attempts)
    except RuntimeError:
        return Tried(calls, math.inf)
    tried = Tried(result.offered, result.p99, last=result.stood > AT_ITS_END)
    if tried.last and tried.held:
        beyond[contender.name] = min(calls, beyond.get(contender.name, math.inf))
    return tried


def _figures(found: list[Measured], loads: Iterable[Load]) -> list[Figure]:
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
        for calls in (of.calls for of in loads)
        for kind, unit in kinds.items()
        for name in names
        if (kind != "kib" or calls > 1) and (name != LIMIT or calls >= MANY)
    ]


def _name(contender: str, kind: str, calls: int) -> str:
    words = {"p50": "p50", "p99": "p99", "cpu": "CPU", "kib": "memory per call"}
    return f"{contender}, {words[kind]} at {calls} call{'s' if calls > 1 else ''}"


def _most(contender: str) -> str:
    return f"{contender}, most calls"


def _held(figures: dict[str, Figure]) -> tuple[list[Figure], list[Claim]]:
    cpu, limit = (figures[_name(name, "cpu", MANY)] for name in (OURS, LIMIT))
    p99, kib = (figures[_name(OURS, kind, MANY)] for kind in ("p99", "kib"))
    ratios = [ratio(cpu, limit, f"CPU at {MANY} calls, ours / C's")]
    claims = [at_most(p99, 2.0), at_most(kib, 80.0), at_most(ratios[0], 3.0)]
    if _most(NODE) in figures:
        cpus = ratio(cpu, figures[_name(NODE, "cpu", MANY)], f"CPU at {MANY} calls, ours / Node's")
        ours, theirs = (figures[_name(name, "p50", 1)] for name in (OURS, NODE))
        alone = ratio(ours, theirs, "p50 at 1 call, ours / Node's")
        most = ratio(figures[_most(OURS)], figures[_most(NODE)], "most calls, ours / Node's")
        ratios += [cpus, alone, most]
        claims += [at_most(cpus, 0.75), at_most(alone, 0.9), at_least(most, 2.0)]
    return ratios, claims


def _nothing_lost(found: list[Measured]) -> Claim:
    lost = sum(m.result.lost for m in found if m.contender == OURS)
    return Claim("chunks that asyncflow lost", lost, 0, "")


def _load_stood_still(found: list[Measured]) -> str:
    runs = sorted(100 * m.result.stood for m in found if m.result.calls == MANY)
    bad = sum(not m.result.counts for m in found)
    return (
        f"At {MANY} calls the load stood still for {runs[0]:.2f} to {runs[-1]:.2f} % of a run "
        f"({statistics.median(runs):.2f} % of the usual one). {bad} of the {len(found)} runs in "
        f"the table are ones in which it did so for more than {100 * rig.MOST_STOOD:.0f} %, and "
        "each time that they were done again: others wanted the machine."
    )
