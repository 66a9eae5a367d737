"""Where audio goes that is all there: a file, stdout, the loudspeaker.

What each of them takes is imported for it alone: the first audio is waited for.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec

from asyncflow_cli.output import Output
from asyncflow_cli.protocol.models import OutputFormat

if TYPE_CHECKING:
    from asyncflow_cli.protocol.audio import Content
    from asyncflow_cli.transport.spool import Spool


class Destination(msgspec.Struct, frozen=True):
    """Any of a file, an open stream and the loudspeaker."""

    path: Path | None = None
    stream: BinaryIO | None = None
    play: bool = False

    @classmethod
    def of(cls, output: str | None, out: Output, *, play: bool, force: bool) -> Self:
        """The file `output`; stdout for `-`, or where nothing is said and nothing is played.

        UsageError if that is a terminal, unless `force` wants it.
        """
        to_stdout = output == "-" or (output is None and not play)
        return cls(
            path=None if output in (None, "-") else Path(str(output)),
            stream=out.audio(force) if to_stdout else None,
            play=play,
        )

    def check(self, container: str) -> None:
        """Fail now rather than after the money is spent."""
        if self.path is not None:
            from asyncflow_cli.transport.files import check_writable

            check_writable(self.path)
        if self.play:
            from asyncflow_cli.transport.player import find_player

            find_player(container)

    @contextlib.asynccontextmanager
    async def taking(self, form: OutputFormat) -> AsyncIterator[Spool]:
        """Lends a spool for all of the audio. It goes where it belongs once the block is left in
        peace, and not before: nothing is half there."""
        from asyncflow_cli.transport.files import is_special, replacing
        from asyncflow_cli.transport.spool import Spool, spooled

        if self.path is None or is_special(self.path):
            with spooled(None) as spool:
                yield spool
                await self._pass_on(spool, form)
            return
        with replacing(self.path) as file:
            yield Spool(file, self.path)
        if self.play:
            with self.path.open("rb") as file:
                await self._play(Spool(file, self.path), form)

    async def _pass_on(self, audio: Content, form: OutputFormat) -> None:
        """To what cannot be replaced by a file that was written beside it."""
        from asyncflow_cli.protocol.audio import blocks

        if self.path is not None:
            from asyncflow_cli.transport.files import replacing

            with replacing(self.path) as file:
                file.writelines(blocks(audio))
        if self.stream is not None:
            from asyncflow_cli.transport.stdout import writing

            async with writing(self.stream) as write:
                for block in blocks(audio):
                    await write(block)
        if self.play:
            await self._play(audio, form)

    async def _play(self, audio: Content, form: OutputFormat) -> None:
        from asyncflow_cli.transport.player import play

        await play(audio, form)

    @property
    def name(self) -> str | None:
        return str(self.path) if self.path is not None else "-" if self.stream else None
