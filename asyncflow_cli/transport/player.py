"""Audio through whichever player this machine has."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError

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
    """The command, short of the file, that plays `container`."""
    for program, arguments, containers in PLAYERS:
        found = shutil.which(program)
        if found and container in containers:
            return (found, *arguments)
    raise PrerequisiteError(
        f"No program on this machine plays {container}",
        hint="Install mpv or ffmpeg (ffplay), or write a file with -o",
        code="PLAYER_MISSING",
    )


async def play(audio: bytes, container: str) -> None:
    """Play to the end. The player is stopped if we are."""
    command = find_player(container)
    with tempfile.TemporaryDirectory(prefix="asyncflow-") as folder:
        path = Path(folder, f"speech.{container}")
        path.write_bytes(audio)
        process = await _started(*command, str(path))
        try:
            code = await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    if code:
        raise AsyncflowError(f"{command[0]} failed with code {code}", code="PLAYER_FAILED")


async def _started(*command: str) -> asyncio.subprocess.Process:
    nowhere = asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=nowhere, stdout=nowhere)
    except OSError as error:
        why = f"{command[0]} cannot be started: {error.strerror}"
        raise AsyncflowError(why, code="PLAYER_FAILED") from error
