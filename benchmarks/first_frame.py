"""How soon a call speaks: from the media stream's `start` to the first frame of speech.

Makes calls through the library against a sandbox that is served by another process, on a line at
its own pace, and measures at both ends of the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from benchmarks.measure import Figure, Plan, Section, at_most
from benchmarks.processes import sandbox

TO, TEXT = "+15551230001", "Hello."
CALLS = 20
TARGET_MS = 50.0
ENDS = {
    "bridge": "as the bridge counts: `start` read to first frame written",
    "wire": "as the phone counts: `start` sent to first speech received",
}


def run(plan: Plan) -> Section:
    with sandbox(plan.folder, "--callee", "answer after 0.1s") as variables:
        samples = asyncio.run(_measured(variables, plan.folder, plan.rounds(CALLS)))
    figures = {end: Figure(ENDS[end], tuple(found)) for end, found in samples.items()}
    claims = (at_most(figure, TARGET_MS) for figure in figures.values())
    return Section("First frame of a call", tuple(figures.values()), tuple(claims))


async def _measured(
    variables: Mapping[str, str], folder: Path, calls: int
) -> dict[str, list[float]]:
    """Milliseconds of each call, by the end that counted. The first call, which loads all there
    is, is not among them."""
    settings = Settings().pointed_at(variables, "benchmark")
    async with (
        contextlib.aclosing(ApiClient(settings)) as api,
        httpx.AsyncClient(base_url=settings.twilio_base_url, trust_env=False) as service,
    ):
        library, journal = VoiceLibrary(api), Journal(folder / "calls")
        order = CallOrder(to=TO, from_=settings.need("from_"), text=TEXT)
        bridge, wire = [], []
        for _ in range(calls + 1):
            call = PhoneCall(settings, order, journal, library, warn=_complain)
            report = await call.run(lambda _event: None)
            seen = (await service.get(f"/__sandbox/calls/{report.call_sid}")).json()
            bridge.append(report.first_frame_ms or 0.0)
            wire.append(float(seen["report"]["streams"][0]["first_audio_ms"]))
        return {"bridge": bridge[1:], "wire": wire[1:]}


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
