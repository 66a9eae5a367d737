"""Files, all or nothing: written beside, synced, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from asyncflow_cli.errors import AsyncflowError, UsageError

NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""A full disk, or what one user may have of it."""


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put `content` at `path`. A failure leaves no new file, and the old one as it was."""
    with replacing(path, private=private) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block is left in peace, and not before. Unless
    `path` is special it can be read, too.

    A `private` one is for its owner's eyes only, whatever was there before.
    """
    with explained(path):
        # A device or a pipe is written to, not replaced.
        mode = 0o600 if private else None
        with path.open("wb") if is_special(path) else _beside(path, mode) as file:
            yield file


def is_special(path: Path) -> bool:
    """Whether something is there that is no file, such as a device or a pipe."""
    return path.exists() and not path.is_file()


@contextlib.contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """What the system says of writing to `path` in our words. None is a file that has no name."""
    try:
        yield
    except BrokenPipeError:
        raise  # nothing is wrong with a file; whoever reads has had enough
    except OSError as error:
        raise _explained(path, error) from error


@contextlib.contextmanager
def all_or_none(contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Put every content at its path for the block. If one cannot be written, or the block fails,
    none is new and the old ones are as they were."""
    with contextlib.ExitStack() as kept:
        for path in contents:
            kept.enter_context(_kept(path))
        with contextlib.ExitStack() as replaced:
            for path, content in contents.items():
                replaced.enter_context(replacing(path)).write(content)
        yield


def check_writable(path: Path) -> None:
    """Refuse, before anything is spent, a path that cannot be written later."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="Name a file in it")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}", hint=f"mkdir -p {path.parent}")


@contextlib.contextmanager
def _beside(path: Path, mode: int | None) -> Iterator[BinaryIO]:
    # Through a link, so that the link stays and its target changes.
    path = path.resolve()
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:32]}.")
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(_mode(path) if mode is None else mode)
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[None]:
    """What is at `path`, a file or nothing, is there again if the block fails."""
    if is_special(path):
        yield  # what went into a device or a pipe is gone
        return
    path = path.resolve()
    old = _second_name(path) if path.exists() else None
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads our stdout has had enough, and the files are whole
    except BaseException:
        with contextlib.suppress(OSError):
            old.replace(path) if old else path.unlink()
        raise
    finally:
        # Also where it was to replace itself, which does nothing.
        if old is not None:
            old.unlink(missing_ok=True)


def _second_name(path: Path) -> Path:
    """Another name for the same file; of a copy, where the file system has no such thing."""
    other = path.with_name(f".{path.name[:32]}.{secrets.token_hex(4)}")
    try:
        other.hardlink_to(path)
    except OSError:
        try:
            shutil.copy2(path, other)
        except OSError as error:
            raise _explained(path, error) from error
    return other


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _explained(path: Path | None, error: OSError) -> AsyncflowError:
    what, why = path or "A temporary file", error.strerror or str(error)
    hint = None if path else "Choose a folder for such files: export TMPDIR=FOLDER"
    if error.errno in NO_ROOM:
        return AsyncflowError(f"{what} was not written: {why}", hint=hint, code="DISK_FULL")
    return UsageError(f"{what} cannot be written: {why}", hint=hint, code="NOT_WRITABLE")
