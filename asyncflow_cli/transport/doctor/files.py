"""Our files and folders: whether there is room in them, and who may read them."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.transport.doctor.examination import Answer, Doubt
from asyncflow_cli.transport.files import NO_ROOM

PROBE = 1_000_000
"""Bytes that are written to see that they can be: half a minute of speech."""

TOO_LITTLE = NO_ROOM | {errno.EFBIG}

LOOSE = "FILE_MODE_LOOSE"


@dataclass(frozen=True)
class Places:
    state: Path
    """The folder of the journal and the sandbox; it is made when it is first needed."""
    secret: tuple[Path, ...]
    """Files that hold keys."""

    @property
    def loose(self) -> list[Path]:
        """Those that others may read, or write."""
        if os.name != "posix":
            return []  # there the bits say nothing
        return [path for path in self._ours if _mode(path) & 0o077]

    @property
    def _ours(self) -> Iterator[Path]:
        yield from (path for path in (*self.secret, self.state / "calls") if path.exists())


async def disk(folder: Path, variable: str | None = None) -> Answer:
    """Whether a file of some size can be written there, and a folder that is not there be made.

    `variable` chooses another folder, if one does.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0" * PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(there, error, variable) from None
    return f"{folder} can be written" if there == folder else f"{folder} will be made when needed"


async def modes(places: Places) -> Answer:
    """Whether nobody else may read what may hold a key, or whom we called."""
    loose = places.loose
    if not loose:
        return "nobody else may read them"
    told = ", ".join(f"{path} (mode {_mode(path):o})" for path in loose)
    return Doubt(
        PrerequisiteError(f"Others on this machine may read {told}", hint=_chmod(loose), code=LOOSE)
    )


def tighten(path: Path) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)


def _chmod(loose: list[Path]) -> str:
    return f"chmod go= {' '.join(map(str, loose))}, or asyncflow doctor --fix"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _unwritable(folder: Path, error: OSError, variable: str | None) -> AsyncflowError:
    elsewhere = f", or export {variable}=FOLDER" if variable else ""
    if error.errno in TOO_LITTLE:
        return PrerequisiteError(
            f"There is no room in {folder}: {error.strerror}",
            hint=f"Make some: df -h {folder}{elsewhere}",
            code="DISK_FULL",
        )
    return PrerequisiteError(
        f"{folder} cannot be written: {error.strerror}",
        hint=f"Give yourself the right to: ls -ld {folder}{elsewhere}",
        code="NOT_WRITABLE",
    )
