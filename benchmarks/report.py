"""What was found as Markdown and JSON, and whether two runs agree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Claim, Figure, Section

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Run:
    """One run of some benchmarks, whole."""

    at: str
    """Local time, such as `20260131-120000`, which is also what its files are called."""
    quick: bool
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    load: float | None
    sections: Sequence[Section]

    @property
    def claims(self) -> list[Claim]:
        return [claim for section in self.sections for claim in section.claims]


def keep(run: Run, agreement: Sequence[str]) -> Path:
    """Write both forms to `results/`; the path of the Markdown."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{run.at}.json").write_text(json.dumps(document(run), indent=1) + "\n", "utf-8")
    page = RESULTS / f"{run.at}.md"
    page.write_text(markdown(run, agreement), "utf-8")
    return page


def document(run: Run) -> dict[str, Any]:
    return {
        **{"at": run.at, "quick": run.quick, "load": run.load},
        **{"machine": dict(run.machine), "versions": dict(run.versions)},
        "sections": [
            {
                "title": section.title,
                "figures": [_figure(figure) for figure in section.figures],
                "notes": list(section.notes),
            }
            for section in run.sections
        ],
        "claims": [vars(claim) | {"holds": claim.holds} for claim in run.claims],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    spread = {"median": figure.median, "low": figure.low, "high": figure.high}
    return {"name": figure.name, "unit": figure.unit, **spread, "samples": list(figure.samples)}


def markdown(run: Run, agreement: Sequence[str]) -> str:
    parts = [*map(_chapter, run.sections), *([_verdicts(run.claims)] if run.claims else [])]
    parts += ["\n".join(f"- {line}" for line in agreement)] if agreement else []
    facts = {**run.machine, "load": run.load, **run.versions}
    parts.append(", ".join(f"{name} {value}" for name, value in facts.items()))
    return "\n\n".join(parts) + "\n"


def _chapter(section: Section) -> str:
    rows = [
        f"| {f.name} | {number(f.median)} {f.unit} | {number(f.low)} – {number(f.high)} "
        f"| {len(f.samples)} |"
        for f in section.figures
    ]
    head = ["| | median | spread | samples |", "| --- | ---: | ---: | ---: |"]
    notes = ["", *section.notes] if section.notes else []
    return "\n".join([f"## {section.title}", "", *head, *rows, *notes])


def _verdicts(claims: Iterable[Claim]) -> str:
    rows = [
        f"| {claim.text} | {number(claim.figure)} {claim.unit} "
        f"| {'≥' if claim.at_least else '≤'} {number(claim.limit)} "
        f"| {'holds' if claim.holds else '**fails**'} |"
        for claim in claims
    ]
    head = ["| what must hold | measured | limit | |", "| --- | ---: | ---: | --- |"]
    return "\n".join(["## Verdict", "", *head, *rows])


def number(value: float) -> str:
    """Three digits that count, and no more: 0.123, 1.23, 12.3, 123, 1230."""
    if value == 0:
        return "0"
    digits = next((d for limit, d in ((0.1, 4), (1, 3), (10, 2), (100, 1)) if value < limit), 0)
    return f"{value:.{digits}f}"


def agreement(run: Run) -> list[str]:
    """How each figure stands to its last one on this machine: a line, or nothing."""
    before: dict[str, Mapping[str, Any]] = {}
    for earlier in _earlier(run):
        before = dict(_named(earlier["sections"])) | before
    now = dict(_named(document(run)["sections"]))
    shared = sorted(before.keys() & now.keys())
    off = [name for name in shared if not _agree(before[name], now[name])]
    if not shared:
        return []
    held = {f"{section.title}: {c.text}" for section in run.sections for c in section.claims}
    told = f"{len(shared) - len(off)} of {len(shared)} figures agree with the run before, each "
    judged, astray = held.intersection(shared), held.intersection(off)
    told += f"within its spread; of the verdict's, {len(judged) - len(astray)} of {len(judged)}"
    return [told + (f"; not {', '.join(off)}" if off else "")]


def _earlier(run: Run) -> Iterator[dict[str, Any]]:
    """The results of earlier runs that can be compared, newest first."""
    for path in sorted(RESULTS.glob("*.json"), reverse=True):
        found = json.loads(path.read_text("utf-8"))
        if (found["machine"], found["quick"]) == (dict(run.machine), run.quick):
            yield found


def _named(sections: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section in sections:
        for figure in section["figures"]:
            yield f"{section['title']}: {figure['name']}", figure


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The other's median within the one's spread, or the one's within the other's."""
    return bool(
        one["low"] <= other["median"] <= one["high"]
        or other["low"] <= one["median"] <= other["high"]
    )
