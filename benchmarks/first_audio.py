"""How long a shell waits for the first byte of audio, beside the least that can be written."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks.measure import Plan, Section, at_most, interleaved, ratio
from benchmarks.processes import OURS, sandbox, to_first_byte

ROUNDS = 40
TEXT = "Hello there."
BARE = Path(__file__).with_name("bare_stream.py")


def run(plan: Plan) -> Section:
    # A WAV's header would be there before any audio is.
    ours = [str(OURS), "tts-stream", "--format", "raw", TEXT]
    with sandbox(plan.folder) as env:
        figures = interleaved(
            {
                "asyncflow tts-stream": partial(to_first_byte, ours, env),
                "over HTTP": partial(to_first_byte, [*ours, "--transport", "http"], env),
                "a bare websockets script": partial(
                    to_first_byte, [sys.executable, str(BARE), TEXT], env
                ),
            },
            plan.rounds(ROUNDS),
        )
    beside = ratio(figures["asyncflow tts-stream"], figures["a bare websockets script"])
    return Section("First audio", (*figures.values(), beside), (at_most(beside, 1.25),))
