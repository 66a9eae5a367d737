"""Where a stream of audio goes while it comes: each a context that lends a `write`.

What a file or a player takes is imported for it alone: the first audio is waited for.

Leaving in peace finishes what was written; leaving by an exception leaves no file and stops the
player.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import BinaryIO

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import wav_header
from asyncflow_cli.protocol.formats import streamed
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.stdout import Write, writing


def open_sink(
    form: OutputFormat, destination: Destination
) -> tuple[AbstractAsyncContextManager[Write], OutputFormat]:
    """Where audio in `form` goes, and the format to ask for, which knows no wav: its header is
    written here. UsageError for two places."""
    if destination.play and destination.name is not None:
        raise UsageError("A stream goes to one place", hint="Leave out -o or --play")
    wav = (form.encoding or "pcm_s16le", form.sample_rate) if form.container == "wav" else None
    sent = streamed(form)
    if destination.path is not None:
        from asyncflow_cli.transport.files import check_writable

        check_writable(destination.path)
        return to_file(destination.path, wav), sent
    if destination.stream is not None:
        return to_stream(destination.stream, wav), sent
    if form.container == "raw":
        wav = (form.encoding or "pcm_s16le", form.sample_rate)
    return to_player("wav" if wav else "mp3", wav), sent


@contextlib.asynccontextmanager
async def to_file(path: Path, wav: tuple[str, int] | None) -> AsyncIterator[Write]:
    """A file that is there only once it is whole. `wav` is the encoding and rate of its header,
    which is put right at the end."""
    from asyncflow_cli.transport.files import replacing

    with replacing(path) as file:
        written = 0

        async def write(audio: bytes) -> None:
            nonlocal written
            file.write(audio)
            written += len(audio)

        if wav is not None:
            file.write(wav_header(*wav, None))
        yield write
        if wav is not None and file.seekable():
            file.write(b"\0" * (written % 2))
            file.seek(0)
            file.write(wav_header(*wav, written))


@contextlib.asynccontextmanager
async def to_stream(stream: BinaryIO, wav: tuple[str, int] | None) -> AsyncIterator[Write]:
    """A pipe: its WAV header says that the length is unknown, which is legal."""

    async with writing(stream) as write:
        if wav is not None:
            await write(wav_header(*wav, None))
        yield write


@contextlib.asynccontextmanager
async def to_player(container: str, wav: tuple[str, int] | None) -> AsyncIterator[Write]:
    """The loudspeaker; the block is left once all was played."""
    from asyncflow_cli.transport.player import find_stream_player, playing

    async with playing(*find_stream_player(container), stdin=asyncio.subprocess.PIPE) as process:
        stdin = process.stdin
        assert stdin is not None

        async def write(audio: bytes) -> None:
            # A player that was closed has had enough.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stdin.write(audio)
                await stdin.drain()

        if wav is not None:
            await write(wav_header(*wav, None))
        yield write
        stdin.close()
