"""Where audio goes that is all there: a file, stdout, the loudspeaker.

What each of them takes is imported for it alone: the first audio is waited for.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from asyncflow_cli.output import Output
from asyncflow_cli.protocol.models import OutputFormat


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

    async def take(self, audio: bytes, form: OutputFormat) -> None:
        if self.path is not None:
            from asyncflow_cli.transport.files import write_file

            write_file(self.path, audio)
        if self.stream is not None:
            from asyncflow_cli.transport.stdout import write_out

            await write_out(self.stream, audio)
        if self.play:
            from asyncflow_cli.transport.player import play

            await play(audio, form)

    @property
    def name(self) -> str | None:
        return str(self.path) if self.path is not None else "-" if self.stream else None
