"""Text to speech, whole: ask for it, see that it is all there, and put it where it belongs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from asyncflow_cli.output import Output
from asyncflow_cli.protocol.checked import Checked, check
from asyncflow_cli.protocol.joining import join
from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest
from asyncflow_cli.protocol.reports import SpeechReport
from asyncflow_cli.protocol.transcript import pieces
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.showing import show
from asyncflow_cli.transport.verifying import insist_on_sound

T = TypeVar("T")


async def synthesize(
    api: ApiClient,
    request: SpeechRequest,
    destination: Destination,
    out: Output,
    *,
    jobs: int = 1,
    verify: bool = False,
    shown: bool = False,
) -> SpeechReport:
    """Synthesise the pieces of one text, `jobs` at a time, and deliver them as one file.

    `out` sees how far it is, and with `shown` a drawing of the speech.

    IncompleteError, and nothing delivered, if audio is missing anywhere; GateError, if `verify`
    finds a defect in it.
    """
    wanted, parts = request.output_format, pieces(request.transcript)
    destination.check(wanted.container)
    request = await VoiceLibrary(api).with_id(request)
    began = time.perf_counter()

    async def one(piece: str) -> Checked:
        return check(
            await api.synthesize(msgspec.structs.replace(request, transcript=piece)), wanted
        )

    spoken = await in_order(parts, one, out, jobs=jobs)
    checked = spoken[0] if len(spoken) == 1 else _joined(spoken, wanted)
    elapsed = time.perf_counter() - began
    name = destination.name
    verification = insist_on_sound(name, checked.audio, request) if verify else None
    if shown:
        show(out, checked.audio, wanted)
    await destination.take(checked.audio, wanted)
    return SpeechReport(
        output=name,
        container=wanted.container,
        encoding=wanted.encoding,
        sample_rate=wanted.sample_rate,
        bytes=len(checked.audio),
        seconds=None if checked.seconds is None else round(checked.seconds, 3),
        requests=len(parts),
        characters=sum(map(len, parts)),
        voice_id=request.voice.id,
        model_id=request.model_id,
        elapsed_ms=round(elapsed * 1000, 1),
        verification=verification,
    )


async def in_order(
    pieces: Sequence[str], one: Callable[[str], Coroutine[Any, Any, T]], out: Output, *, jobs: int
) -> list[T]:
    """What `one` makes of each piece, `jobs` at a time; the first failure ends them all."""
    at_once = asyncio.Semaphore(jobs)

    async def in_turn(piece: str) -> T:
        async with at_once:
            made = await one(piece)
        done()
        return made

    with out.progress("pieces", len(pieces)) as done:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_turn(piece)) for piece in pieces]
    return [task.result() for task in tasks]


def _joined(spoken: Sequence[Checked], wanted: OutputFormat) -> Checked:
    return check(join([piece.audio for piece in spoken], wanted), wanted)
