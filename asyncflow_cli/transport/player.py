"""Audio through whichever player this machine has."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.protocol.audio import Content, blocks, wav_file, wav_header
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.sniff import kind_of
from asyncflow_cli.transport.decoding import INSTALL, decode_as_is
from asyncflow_cli.transport.files import explained

_POWERSHELL = "(New-Object Media.SoundPlayer $args[0]).PlaySync()"

_WAV = frozenset({"wav"})
_BOTH = frozenset({"wav", "mp3"})


@dataclass(frozen=True)
class Player:
    program: str
    arguments: tuple[str, ...]
    """Those before the file."""
    plays: frozenset[str]
    piped: tuple[str, ...] | None = None
    """Those in place of the file, to play stdin while it comes; None if it cannot."""


PLAYERS = (
    Player("mpv", ("--no-video", "--really-quiet"), _BOTH, piped=("-",)),
    Player("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error"), _BOTH, piped=("-i", "-")),
    Player("afplay", (), _BOTH),
    Player("paplay", (), _WAV),
    Player("aplay", ("--quiet",), _WAV, piped=("-",)),
    Player("powershell", ("-NoProfile", "-Command", _POWERSHELL), _WAV),
)
"""The first that is there, and does, is used."""


def find_player(container: str) -> tuple[str, ...]:
    """The command, short of the file, that plays `container`, or a WAV made of it."""
    for wanted in (container, "wav"):
        for player in PLAYERS:
            found = shutil.which(player.program)
            if found and wanted in player.plays:
                return (found, *player.arguments)
    raise _missing(container)


def find_stream_player(container: str) -> tuple[str, ...]:
    """The command that plays `container` while it comes on its stdin."""
    for player in PLAYERS:
        found = shutil.which(player.program)
        if found and player.piped is not None and container in player.plays:
            return (found, *player.arguments, *player.piped)
    raise _missing(f"{container} while it comes")


def _missing(what: str) -> PrerequisiteError:
    return PrerequisiteError(
        f"No program on this machine plays {what}",
        hint="Install mpv or ffmpeg (ffplay), or write a file with -o",
        code="PLAYER_MISSING",
    )


async def play(audio: Content, form: OutputFormat) -> None:
    """Play to the end. The player is stopped if we are."""
    command = find_player(form.container)
    parts, container = playable(audio, form, Path(command[0]).stem)
    with tempfile.TemporaryDirectory(prefix="asyncflow-") as folder:
        path = Path(folder, f"speech.{container}")
        _write(path, parts)
        async with playing(*command, str(path)):
            pass


def _write(path: Path, parts: Iterator[bytes]) -> None:
    with explained(None), path.open("wb") as file:
        file.writelines(parts)


def playable(audio: Content, form: OutputFormat, player: str) -> tuple[Iterator[bytes], str]:
    """The audio, in parts, in a container that `player` plays, and which that is. Only what has to
    be decoded is all in memory."""
    plays = next((known.plays for known in PLAYERS if known.program == player), frozenset())
    if form.container in plays:
        return blocks(audio), form.container
    if form.container == "raw":
        header = wav_header(form.encoding or "pcm_s16le", form.sample_rate, len(audio))
        return chain((header,), blocks(audio)), "wav"
    return iter((_decoded(audio[:]),)), "wav"


def _decoded(audio: bytes) -> bytes:
    """A WAV of an mp3, or of what came in place of one. IncompleteError if it is no audio."""
    try:
        decoded = decode_as_is(audio, kind_of(audio) or "mp3")
    except PrerequisiteError:
        raise PrerequisiteError(
            "This machine's player takes no mp3",
            hint=f"Install mpv or ffmpeg (ffplay), or: {INSTALL}",
            code="PLAYER_MISSING",
        ) from None
    return wav_file("pcm_s16le", decoded.sample_rate, decoded.pcm)


@contextlib.asynccontextmanager
async def playing(
    *command: str, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A player, which has played to its end when the block is left; it is stopped if we are."""
    process = await _started(*command, stdin=stdin)
    try:
        yield process
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
    if code:
        raise AsyncflowError(f"{command[0]} failed with code {code}", code="PLAYER_FAILED")


async def _started(*command: str, stdin: int) -> asyncio.subprocess.Process:
    nowhere = asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=nowhere)
    except OSError as error:
        why = f"{command[0]} cannot be started: {error.strerror}"
        raise AsyncflowError(why, code="PLAYER_FAILED") from error
