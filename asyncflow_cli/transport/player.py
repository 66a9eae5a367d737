"""Audio through whichever player this machine has."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import tempfile
from pathlib import Path

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.protocol.models import OutputFormat

_POWERSHELL = "(New-Object Media.SoundPlayer $args[0]).PlaySync()"

PLAYERS: tuple[tuple[str, tuple[str, ...], frozenset[str]], ...] = (
    ("mpv", ("--no-video", "--really-quiet"), frozenset({"wav", "mp3"})),
    ("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error"), frozenset({"wav", "mp3"})),
    ("afplay", (), frozenset({"wav", "mp3"})),
    ("paplay", (), frozenset({"wav"})),
    ("aplay", ("--quiet",), frozenset({"wav"})),
    ("powershell", ("-NoProfile", "-Command", _POWERSHELL), frozenset({"wav"})),
)
"""Program, arguments before the file, and what it plays; the first that is there is used."""


def find_player(container: str) -> tuple[str, ...]:
    """The command, short of the file, that plays `container`, or a WAV made of it."""
    for wanted in (container, "wav"):
        for program, arguments, containers in PLAYERS:
            found = shutil.which(program)
            if found and wanted in containers:
                return (found, *arguments)
    raise PrerequisiteError(
        f"No program on this machine plays {container}",
        hint="Install mpv or ffmpeg (ffplay), or write a file with -o",
        code="PLAYER_MISSING",
    )


async def play(audio: bytes, form: OutputFormat) -> None:
    """Play to the end. The player is stopped if we are."""
    command = find_player(form.container)
    audio, container = playable(audio, form, Path(command[0]).stem)
    with tempfile.TemporaryDirectory(prefix="asyncflow-") as folder:
        path = Path(folder, f"speech.{container}")
        path.write_bytes(audio)
        process = await started(*command, str(path))
        try:
            code = await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    if code:
        raise AsyncflowError(f"{command[0]} failed with code {code}", code="PLAYER_FAILED")


def playable(audio: bytes, form: OutputFormat, player: str) -> tuple[bytes, str]:
    """The audio in a container that `player` plays, and which that is."""
    plays = next((c for program, _, c in PLAYERS if program == player), frozenset())
    if form.container in plays:
        return audio, form.container
    if form.container == "raw":
        return wav_file(form.encoding or "pcm_s16le", form.sample_rate, audio), "wav"
    return _decoded(audio), "wav"


def _decoded(audio: bytes) -> bytes:
    try:
        import av
    except ImportError:
        raise PrerequisiteError(
            "This machine's player takes no mp3",
            hint="Install mpv or ffmpeg (ffplay), or: pip install 'asyncflow-cli[sandbox]'",
            code="PLAYER_MISSING",
        ) from None
    with av.open(io.BytesIO(audio), "r") as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("s16", "mono", rate)
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    pcm = b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames)
    return wav_file("pcm_s16le", rate, pcm)


async def started(
    *command: str, stdin: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    nowhere = asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=nowhere)
    except OSError as error:
        why = f"{command[0]} cannot be started: {error.strerror}"
        raise AsyncflowError(why, code="PLAYER_FAILED") from error
