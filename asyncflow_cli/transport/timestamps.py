"""Text to speech with word times: ask for it, see that both are true, write all of it or none."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.output import Format, Output
from asyncflow_cli.protocol.captions import cues
from asyncflow_cli.protocol.products import AUDIO, Product, TimedOrder
from asyncflow_cli.protocol.reports import FileReport, TimestampsReport, WordReport
from asyncflow_cli.protocol.timed import Timed, decipher, insist, join_timed, told
from asyncflow_cli.protocol.verify.verdict import FileVerdict
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.files import all_or_none, check_writable
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.showing import show
from asyncflow_cli.transport.stdout import write_out
from asyncflow_cli.transport.synthesis import in_order
from asyncflow_cli.transport.verifying import insist_on_sound


async def synthesize_timed(api: ApiClient, order: TimedOrder, out: Output) -> TimestampsReport:
    """Synthesise, time and deliver. IncompleteError, and nothing delivered, if it is not true.

    The words alone are what `--json` is for.
    """
    shown = order.show and out.draws
    if not order.products and not shown and out.format is not Format.JSON:
        raise UsageError(
            "Nothing is asked for", hint="Add -o talk.mp3, --captions srt, both, or --json"
        )
    stream = _stdout_for(order, out)
    _check_places([Path(p.path) for p in order.products if p.path is not None])
    request = await VoiceLibrary(api).with_id(order.request)
    order = replace(order, request=request)
    began = time.perf_counter()
    spoken = join_timed(await _in_order(api, order, out), request.output_format)
    elapsed = time.perf_counter() - began
    if spoken.problems:
        out.warning(f"Word times were put right. {told(spoken.problems)}")
    verification = _verified(order, spoken) if order.verify else None
    captions = cues(spoken.words, order.rules)
    contents = {product: product.content(spoken, captions) for product in order.products}
    await _deliver(contents, stream)
    if shown:
        show(out, spoken.audio, request.output_format, spoken.words)
    report = _report(order, spoken, contents, n_cues=len(captions), elapsed=elapsed)
    return msgspec.structs.replace(report, verification=verification)


def _stdout_for(order: TimedOrder, out: Output) -> BinaryIO | None:
    """Where the product goes that has no path."""
    kinds = [product.kind for product in order.products if product.path is None]
    if not kinds:
        return None
    return out.audio(order.force) if AUDIO in kinds else out.pipe()


def _verified(order: TimedOrder, spoken: Timed) -> FileVerdict:
    name = next((p.path for p in order.products if p.kind == AUDIO), None)
    return insist_on_sound(name, spoken.audio, order.request, spoken.words)


def _check_places(paths: Sequence[Path]) -> None:
    for path in paths:
        check_writable(path)
    if len({path.resolve() for path in paths}) < len(paths):
        raise UsageError(
            f"Two results want one file: {', '.join(map(str, paths))}",
            hint="Give each a file of its own",
        )


async def _in_order(api: ApiClient, order: TimedOrder, out: Output) -> list[Timed]:
    """Each piece's audio and words."""

    async def one(piece: str) -> Timed:
        request = msgspec.structs.replace(order.request, transcript=piece)
        answer = await api.synthesize_with_timestamps(request)
        spoken = decipher(answer, piece, request.output_format)
        if order.strict:
            insist(spoken)
        return spoken

    spoken: list[Timed] = []
    await in_order(order.pieces, one, spoken.append, out, jobs=order.jobs)
    return spoken


async def _deliver(contents: Mapping[Product, bytes], stream: BinaryIO | None) -> None:
    files = {Path(p.path): content for p, content in contents.items() if p.path is not None}
    streamed = b"".join(content for p, content in contents.items() if p.path is None)
    with all_or_none(files):
        if stream is not None:
            await write_out(stream, streamed)


def _report(
    order: TimedOrder,
    spoken: Timed,
    contents: Mapping[Product, bytes],
    *,
    n_cues: int,
    elapsed: float,
) -> TimestampsReport:
    request = order.request
    container = request.output_format.container
    return TimestampsReport(
        files=tuple(
            FileReport(p.path or "-", container if p.kind == AUDIO else p.kind, len(content))
            for p, content in contents.items()
        ),
        seconds=round(spoken.seconds, 3),
        words=tuple(WordReport(w.text, w.start / 1000, w.end / 1000) for w in spoken.words),
        cues=n_cues,
        requests=len(order.pieces),
        characters=sum(map(len, order.pieces)),
        voice_id=request.voice.id,
        model_id=request.model_id,
        elapsed_ms=round(elapsed * 1000, 1),
    )
