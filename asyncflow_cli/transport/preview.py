"""A voice's sample, fetched and put where it belongs."""

from __future__ import annotations

from asyncflow_cli.protocol.clips import format_of
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.voicereports import PreviewReport
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.library import VoiceLibrary


async def preview(library: VoiceLibrary, name: str, destination: Destination) -> PreviewReport:
    """The format is not documented: the content tells it."""
    destination.check("mp3")
    voice_id = await library.find_id(name)
    clip = await library.preview(voice_id)
    found = format_of(clip)
    # What is neither goes to players as an mp3: they look for themselves.
    container = OutputFormat(container="wav" if found == "wav" else "mp3", sample_rate=44_100)
    async with destination.taking(container) as spool:
        spool.write(clip)
    return PreviewReport(voice_id=voice_id, output=destination.name, format=found, bytes=len(clip))
