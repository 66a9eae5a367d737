"""Text to speech, whole: ask for it, see that it is all there, and put it where it belongs.

It may be longer than memory: what came is on disk, and whatever is done with it takes a block at a
time. Only what looks at the samples, to verify or to draw them, has them all at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from asyncflow_cli.output import Output
from asyncflow_cli.protocol.checked import Checked, check
from asyncflow_cli.protocol.joining import joint
from asyncflow_cli.protocol.models import SpeechRequest
from asyncflow_cli.protocol.reports import SpeechReport
from asyncflow_cli.protocol.transcript import pieces
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.showing import show
from asyncflow_cli.transport.spool import Spool, spooled
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
    began, name = time.perf_counter(), destination.name
    async with destination.taking(wanted) as spool:
        checked = await _fill(spool, api, request, parts, out, jobs=jobs)
        elapsed = time.perf_counter() - began
        verification = insist_on_sound(name, spool[:], request) if verify else None
        if shown and out.draws:
            show(out, spool[:], wanted)
        n_bytes = len(spool)
    return SpeechReport(
        output=name,
        container=wanted.container,
        encoding=wanted.encoding,
        sample_rate=wanted.sample_rate,
        bytes=n_bytes,
        seconds=None if checked.seconds is None else round(checked.seconds, 3),
        requests=len(parts),
        characters=sum(map(len, parts)),
        voice_id=request.voice.id,
        model_id=request.model_id,
        elapsed_ms=round(elapsed * 1000, 1),
        verification=verification,
    )


async def _fill(
    into: Spool,
    api: ApiClient,
    request: SpeechRequest,
    parts: Sequence[str],
    out: Output,
    *,
    jobs: int,
) -> Checked:
    """All of the audio. IncompleteError if it is not all there, or not what was asked for."""
    if len(parts) == 1:
        return await _ask(into, api, request)
    await _join(into, api, request, parts, out, jobs=jobs)
    return _checked(into, request)


async def _ask(into: Spool, api: ApiClient, request: SpeechRequest) -> Checked:
    await api.synthesize_into(into.write, request)
    return _checked(into, request)


def _checked(spool: Spool, request: SpeechRequest) -> Checked:
    checked = check(spool, request.output_format)
    spool.mend(checked.head)
    return checked


async def _join(
    into: Spool,
    api: ApiClient,
    request: SpeechRequest,
    parts: Sequence[str],
    out: Output,
    *,
    jobs: int,
) -> None:
    """Each piece to a spool of its own, which is gone once its turn came and it is in `into`."""
    joined = joint(request.output_format)

    async def one(piece: str) -> Spool:
        spool = spools.enter_context(spooled(into.path))
        await _ask(spool, api, msgspec.structs.replace(request, transcript=piece))
        return spool

    def take(spool: Spool) -> None:
        for data in joined.add(spool):
            into.write(data)
        spool.close()

    with contextlib.ExitStack() as spools:
        await in_order(parts, one, take, out, jobs=jobs)
    head, tail = joined.edges()
    into.write(tail)
    into.mend(head)


async def in_order(
    pieces: Sequence[str],
    one: Callable[[str], Coroutine[Any, Any, T]],
    take: Callable[[T], None],
    out: Output,
    *,
    jobs: int,
) -> None:
    """`take` what `one` makes of each piece, which it does `jobs` at a time; the first failure ends
    them all. What is made before its turn waits, and if much does, no more is made."""
    at_once, waiting = asyncio.Semaphore(jobs), asyncio.Semaphore(2 * jobs)

    async def in_turn(piece: str) -> T:
        await waiting.acquire()
        async with at_once:
            made = await one(piece)
        done()
        return made

    with out.progress("pieces", len(pieces)) as done:
        async with asyncio.TaskGroup() as group:
            for task in [group.create_task(in_turn(piece)) for piece in pieces]:
                take(await task)
                waiting.release()
