"""Text to speech, whole: ask for it, see that it is all there, and put it where it belongs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asyncflow_cli.protocol.formats import Checked, check
from asyncflow_cli.protocol.models import SpeechRequest
from asyncflow_cli.protocol.reports import SpeechReport
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.files import check_writable, write_file
from asyncflow_cli.transport.player import find_player, play


@dataclass(frozen=True)
class Destination:
    """Any of a file, an open stream and the loudspeaker."""

    path: Path | None = None
    stream: BinaryIO | None = None
    play: bool = False

    def check(self, container: str) -> None:
        """Fail now rather than after the money is spent."""
        if self.path is not None:
            check_writable(self.path)
        if self.play:
            find_player(container)

    async def take(self, audio: bytes, container: str) -> None:
        if self.path is not None:
            write_file(self.path, audio)
        if self.stream is not None:
            self.stream.write(audio)
            self.stream.flush()
        if self.play:
            await play(audio, container)

    @property
    def name(self) -> str | None:
        return str(self.path) if self.path is not None else "-" if self.stream else None


async def synthesize(
    api: ApiClient, request: SpeechRequest, destination: Destination
) -> SpeechReport:
    """Synthesise and deliver. IncompleteError, and nothing delivered, if audio is missing."""
    wanted = request.output_format
    destination.check(wanted.container)
    began = time.perf_counter()
    checked: Checked = check(await api.synthesize(request), wanted)
    elapsed = time.perf_counter() - began
    await destination.take(checked.audio, wanted.container)
    return SpeechReport(
        output=destination.name,
        container=wanted.container,
        encoding=wanted.encoding,
        sample_rate=wanted.sample_rate,
        bytes=len(checked.audio),
        seconds=None if checked.seconds is None else round(checked.seconds, 3),
        characters=len(request.transcript),
        voice_id=request.voice.id,
        model_id=request.model_id,
        elapsed_ms=round(elapsed * 1000, 1),
    )
