"""How soon a call speaks: from the media stream's `start` to the first frame of speech.

Makes calls through the library against a sandbox that is served by another process, on a line at
its own pace, and measures at both ends of the socket. Run it with `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from asyncflow_cli import __version__
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary

TO, TEXT = "+15551230001", "Hello."
TARGET_MS = 50.0
PARTS = ("uvicorn", "starlette", "websockets", "msgspec", "httpx")
ENDS = {
    "bridge_ms": "as the bridge counts: `start` read to first frame written",
    "wire_ms": "as the phone counts: `start` sent to first speech received",
}


def main() -> int:
    """Exit code 1 if the median at either end is above the target."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=20, help="how many; one more is not counted")
    options.add_argument("--json", action="store_true", help="one document in place of Markdown")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as environment:
        samples = asyncio.run(measured(environment, Path(folder), chosen.calls))
    result = {
        "calls": chosen.calls,
        "target_ms": TARGET_MS,
        **{end: summary([sample[end] for sample in samples]) for end in ENDS},
        "machine": machine(),
    }
    sys.stdout.write(json.dumps(result) + "\n" if chosen.json else markdown(result))
    return int(any(result[end]["median"] > TARGET_MS for end in ENDS))


@contextlib.contextmanager
def served(home: Path) -> Iterator[dict[str, str]]:
    """The environment of a sandbox in a process of its own."""
    command = ("-m", "asyncflow_cli", "-q", "sandbox", "serve", "--port", "0")
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)}
    with subprocess.Popen(
        [sys.executable, *command, "--callee", "answer after 0.1s"],
        env={**environment, "XDG_STATE_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["environment"]
        finally:
            process.terminate()


async def measured(environment: dict[str, str], folder: Path, calls: int) -> list[dict[str, float]]:
    """Milliseconds of each call, at both ends. The first call, which loads all there is, is
    not among them."""
    settings = Settings().pointed_at(environment, "benchmark")
    async with (
        contextlib.aclosing(ApiClient(settings)) as api,
        httpx.AsyncClient(base_url=settings.twilio_base_url, trust_env=False) as sandbox,
    ):
        library, journal = VoiceLibrary(api), Journal(folder / "calls")
        order = CallOrder(to=TO, from_=settings.need("from_"), text=TEXT)
        samples = []
        for _ in range(calls + 1):
            call = PhoneCall(settings, order, journal, library, warn=complain)
            report = await call.run(lambda _event: None)
            seen = (await sandbox.get(f"/__sandbox/calls/{report.call_sid}")).json()
            wire = seen["report"]["streams"][0]["first_audio_ms"]
            samples.append({"bridge_ms": report.first_frame_ms or 0.0, "wire_ms": wire})
        return samples[1:]


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def summary(samples: list[float]) -> dict[str, float]:
    ordered = sorted(samples)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return {"median": round(statistics.median(ordered), 1), "p95": p95, "max": ordered[-1]}


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "asyncflow": __version__,
        **{part: importlib.metadata.version(part) for part in PARTS},
    }


def markdown(result: dict[str, Any]) -> str:
    rows = [
        f"| {what} | {result[end]['median']} | {result[end]['p95']} | {result[end]['max']} |"
        for end, what in ENDS.items()
    ]
    facts = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    head = f"| `start` to first frame, ms, {result['calls']} calls | median | p95 | max |"
    verdict = f"The target is a median of {result['target_ms']:.0f} ms or less."
    return "\n".join([head, "| --- | ---: | ---: | ---: |", *rows, "", verdict, "", facts, ""])


if __name__ == "__main__":
    sys.exit(main())
