"""What one request to a local server costs from a shell, beside httpie and curl."""

from __future__ import annotations

from functools import partial

from benchmarks import peers
from benchmarks.measure import Plan, Section, at_most, interleaved, ratio
from benchmarks.processes import OURS, milliseconds, sandbox

ROUNDS = 20
CURL = ("curl", "--silent", "--fail", "--output", "/dev/null")


def run(plan: Plan) -> Section:
    found, notes = peers.found("httpie")
    plan.versions.update({peer.name: peer.version for peer in found})
    with sandbox(plan.folder) as env:
        address = env["ASYNC_BASE_URL"]
        commands = {
            "asyncflow voices list": [str(OURS), "voices", "list"],
            "asyncflow status": [str(OURS), "status"],
            "curl GET": [*CURL, address],
        }
        for peer in found:
            commands["httpie GET"] = [peer.program, "--ignore-stdin", address]
        figures = interleaved(
            {name: partial(milliseconds, command, env) for name, command in commands.items()},
            plan.rounds(ROUNDS),
        )
    if not found:
        return Section("A request", tuple(figures.values()), notes=tuple(notes))
    beside = ratio(figures["asyncflow voices list"], figures["httpie GET"])
    return Section("A request", (*figures.values(), beside), (at_most(beside, 0.8),))
