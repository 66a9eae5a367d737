"""`python -m benchmarks [NAME ...]`: measure, say what was found, and whether it will do.

Exit code 1 if something that must hold does not.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine, report
from benchmarks.measure import Plan, Section

BENCHMARKS = {
    "start_up": "what --version, --help and completion take",
    "network": "what a command that asks a server takes",
    "first_audio": "how soon tts-stream speaks",
    "streaming": "how fast, and in how much memory, a long answer becomes a file",
    "first_frame": "how soon a call speaks",
    "bridge": "how many calls a core holds, how late their speech is, and what each costs",
    "sandbox_speed": "how fast the sandbox speaks",
    "batch": "how fast a long text is spoken",
}
"""By module, in the order in which they run. Each has `run(plan) -> Section`."""


def main() -> int:
    chosen = _arguments()
    versions = machine.versions()
    began = time.strftime("%Y%m%d-%H%M%S")
    load = machine.load()
    sections = [_section(name, chosen.quick, versions) for name in chosen.names or BENCHMARKS]
    run = report.Run(began, chosen.quick, machine.machine(), versions, load, sections)
    agreement = report.agreement(run)
    page = report.keep(run, agreement)
    sys.stdout.write(page.with_suffix(".json" if chosen.json else ".md").read_text("utf-8"))
    sys.stderr.write(f"{page} and .json\n")
    return int(not all(claim.holds for claim in run.claims))


def _arguments() -> argparse.Namespace:
    told = "\n".join(f"  {name:<14} {what}" for name, what in BENCHMARKS.items())
    options = argparse.ArgumentParser(
        "python -m benchmarks",
        description=f"{__doc__}\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("names", nargs="*", metavar="NAME", help="which; all of them if none")
    options.add_argument("--quick", action="store_true", help="fewer rounds, wider spreads")
    options.add_argument("--json", action="store_true", help="one document in place of Markdown")
    chosen = options.parse_args()
    if unknown := set(chosen.names) - BENCHMARKS.keys():
        options.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    return chosen


def _section(name: str, quick: bool, versions: dict[str, str]) -> Section:
    sys.stderr.write(f"{name}: {BENCHMARKS[name]} ...\n")
    module = importlib.import_module(f"benchmarks.{name}")
    with tempfile.TemporaryDirectory() as folder:
        section: Section = module.run(Plan(Path(folder), quick, versions))
    return section


if __name__ == "__main__":
    sys.exit(main())
