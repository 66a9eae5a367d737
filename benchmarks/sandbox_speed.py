"""How fast the sandbox speaks: to the first frame of a WebSocket answer, and beside real time."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping

from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.protocol.speechmessages import Audio, Initialize
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.speech import SpeechSession
from benchmarks.measure import Figure, Plan, Section, at_least, at_most
from benchmarks.processes import sandbox

ROUNDS = 20
RATE = 8000
"""μ-law bytes a second."""
SHORT = "Your table is ready."
LONG = "The quick brown fox jumps over the lazy dog, and then it goes to sleep. " * 20
"""A text that nobody has had spoken before, by the number in front of it."""


def run(plan: Plan) -> Section:
    rounds = plan.rounds(ROUNDS)
    with sandbox(plan.folder) as env:
        first, pace = asyncio.run(_measured(env, rounds))
    frames = Figure("text sent to first μ-law frame received", tuple(first))
    speed = Figure("speech made, beside real time", tuple(pace), "×")
    return Section("The sandbox", (frames, speed), (at_most(frames, 15), at_least(speed, 100)))


async def _measured(env: Mapping[str, str], rounds: int) -> tuple[list[float], list[float]]:
    settings = Settings().pointed_at(env, "benchmark")
    first, pace = [], []
    for count in range(rounds + 1):
        to_first, _ = await _spoken(settings, f"{count}. {SHORT}")
        _, speed = await _spoken(settings, f"{count}. {LONG}")
        if count:  # the first loads the voice
            first.append(to_first)
            pace.append(speed)
    return first, pace


async def _spoken(settings: Settings, text: str) -> tuple[float, float]:
    """Milliseconds to the first audio, and how many times as fast as it plays all of it came."""
    form = OutputFormat(container="raw", encoding="pcm_mulaw", sample_rate=RATE)
    request = SpeechRequest(
        model_id=settings.model,
        transcript="",
        voice=VoiceSelector(settings.voice),
        output_format=form,
    )
    async with SpeechSession(settings, Initialize.for_request(request)) as session:
        began, first, heard = time.perf_counter(), 0.0, 0
        async for event in session.speak(text):
            if isinstance(event, Audio) and event.audio:
                first = first or time.perf_counter() - began
                heard += len(base64.b64decode(event.audio))
        took = time.perf_counter() - began
    return first * 1000, heard / RATE / took
