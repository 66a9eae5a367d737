"""Text that is written while the call lasts, a line at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from asyncflow_cli.protocol.script import sentences
from asyncflow_cli.transport.stdin import raw_stdin, read_text


async def typed(texts: AsyncIterator[str] | None = None) -> AsyncGenerator[str, None]:
    """The sentences of each line as it is entered; a blank line is the end, as is the end of
    the input."""
    kept = ""
    async for text in texts or read_text(raw_stdin()):
        *lines, kept = (kept + text.replace("\r\n", "\n")).split("\n")
        for line in lines:
            if not line.strip():
                return
            for sentence in sentences(line):
                yield sentence
    for sentence in sentences(kept):
        yield sentence
