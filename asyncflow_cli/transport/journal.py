"""Our calls on disk: those that may still be live, for the next run if we are killed, and the
latest of those that have ended.

Numbers are kept by their last four digits. A file that is not understood is passed over.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs
from msgspec import Meta

from asyncflow_cli.errors import NotFoundError
from asyncflow_cli.nearest import first
from asyncflow_cli.transport.filelock import hold, is_held
from asyncflow_cli.transport.roads.process import Running

LIVE, ENDED = ".call.json", ".ended.json"
MARK = ".hung-up"
"""Of a call that another run hangs up, for the run that has it: its own file is locked."""

ORDER = "order-"

KEPT = 200
"""Calls that have ended, the latest ones."""

SHOWN = 5
"""How many of the calls that a beginning may mean are told in words."""

Pid = Annotated[int, Meta(gt=0, lt=2**31)]


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended, as far as we know."""

    at: str
    """ISO 8601, UTC."""
    status: str
    end_reason: str | None = None
    duration: int | None = None
    """Seconds from answer to end, as Twilio counts them."""
    seconds_heard: float | None = None
    exit_code: int | None = None


class Entry(msgspec.Struct, frozen=True):
    call_sid: str
    """Twilio's; of a call that was ordered, and has none yet, a name of our own."""
    account_sid: str
    base_url: str
    """The Twilio the call is at."""
    pid: Pid
    """Who owns it."""
    began: str
    """ISO 8601, UTC."""
    to: str = ""
    from_: str = msgspec.field(name="from", default="")
    tunnel: str | None = None
    """Which kind of tunnel Twilio finds us through."""
    agent: Running | None = None
    """The process that holds the tunnel."""
    locked: bool = False
    """Whether the owner holds a lock on the file for as long as it lives."""
    ending: Ending | None = None

    @property
    def is_order(self) -> bool:
        """Whether Twilio was asked for a call, and its answer is not known."""
        return self.call_sid.startswith(ORDER)


class Journal:
    """A folder with a file for each call. `warn` hears of files that are not understood."""

    def __init__(self, folder: Path, warn: Callable[[str], None] = lambda _text: None) -> None:
        self._folder = folder
        self._warn = warn
        self._held: dict[str, int | None] = {}

    @classmethod
    def usual(cls, warn: Callable[[str], None] = lambda _text: None) -> Journal:
        """The one of the command line, for calls of programs that name none of their own."""
        return cls(Path(platformdirs.user_state_dir("asyncflow", False)) / "calls", warn)

    def add(self, entry: Entry) -> None:
        """Write down a live call of ours, or what has changed of it. OSError if that fails."""
        lock = self._write(self._path(entry.call_sid, LIVE), entry)
        self._release(entry.call_sid)
        self._held[entry.call_sid] = lock

    def end(self, entry: Entry, ending: Ending) -> None:
        """Write down how a call ended. It is no longer live, even if that cannot be written."""
        ended = msgspec.structs.replace(entry, ending=ending)
        try:
            _close(self._write(self._path(entry.call_sid, ENDED), ended))
            for old in (*self._files(ENDED)[KEPT:], *self._files(MARK)[KEPT:]):
                old.unlink(missing_ok=True)
        except OSError as error:
            self._warn(f"Call {entry.call_sid} has ended, and is in no journal: {unwritten(error)}")
        self.forget(entry.call_sid)

    def forget(self, call_sid: str) -> None:
        """Take a call out of those that may be live."""
        self._path(call_sid, LIVE).unlink(missing_ok=True)
        if call_sid in self._held:
            self.unmark(call_sid)
        self._release(call_sid)

    def mark(self, call_sid: str) -> None:
        """Tell whoever has this live call that it is hung up from here."""
        with contextlib.suppress(OSError):  # it is told less well, and ends all the same
            self._path(call_sid, MARK).touch(mode=0o600)

    def unmark(self, call_sid: str) -> None:
        self._path(call_sid, MARK).unlink(missing_ok=True)

    def is_marked(self, call_sid: str) -> bool:
        return self._path(call_sid, MARK).exists()

    def forget_orphans(self) -> None:
        """Take out all calls whose owner is gone."""
        for entry in self._read_all(self._files(LIVE)):
            if self.is_orphan(entry):
                self.forget(entry.call_sid)

    def close(self) -> None:
        """Give up what we own, as the end of the process does."""
        for call_sid in list(self._held):
            self._release(call_sid)

    def entries(self, *, live_only: bool = False) -> list[Entry]:
        """What is written, the latest call first; a call that was not seen to end has no ending."""
        files = [*self._files(LIVE), *([] if live_only else self._files(ENDED))]
        found = [entry for entry in self._read_all(files) if not entry.is_order]
        return sorted(found, key=lambda entry: entry.began, reverse=True)

    def find(self, prefix: str) -> Entry:
        """The one call whose SID begins so. NotFoundError if there is none, or several."""
        found = {e.call_sid: e for e in self.entries() if e.call_sid.startswith(prefix)}
        if len(found) == 1:
            return next(iter(found.values()))
        if not found:
            raise NotFoundError(
                f"There is no call {prefix} in the journal",
                hint="See which there are: asyncflow calls list",
                code="CALL_NOT_FOUND",
            )
        raise NotFoundError(
            f"{prefix} may be any of {len(found)} calls",
            hint=f"Write more of it: {first(sorted(found), SHOWN)}",
            code="CALL_AMBIGUOUS",
        )

    def is_orphan(self, entry: Entry) -> bool:
        """Whether a live call's owner is gone. A lock tells it for certain, for the number of a
        process that is gone may be another's by now."""
        if entry.ending is not None or entry.call_sid in self._held:
            return False
        if not entry.locked:
            return not _is_running(entry.pid)
        try:
            return not is_held(self._path(entry.call_sid, LIVE))
        except FileNotFoundError:
            return False  # its owner has just seen it end

    def orphans(self, account_sid: str, base_url: str) -> Iterator[Entry]:
        """Live calls and orders of this account whose owner is gone."""
        for entry in self._read_all(self._files(LIVE)):
            ours = (entry.account_sid, entry.base_url) == (account_sid, base_url)
            if ours and self.is_orphan(entry):
                yield entry

    def _write(self, path: Path, entry: Entry) -> int | None:
        """Put the entry at `path`, whole or not at all, and locked before it can be seen there.

        Where there are no locks the file is not kept open: Windows renames no open file.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        opened = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        descriptor: int | None = opened
        try:
            written = msgspec.structs.replace(entry, locked=hold(opened))
            os.write(opened, msgspec.json.encode(written))
            os.fsync(opened)
            if not written.locked:
                descriptor = None
                os.close(opened)
            beside.replace(path)
        except BaseException:
            _close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        return descriptor

    def orders(self) -> list[Entry]:
        """Calls that Twilio was asked for, and whose SID is not written yet."""
        return [e for e in self._read_all(self._files(LIVE, ORDER)) if e.is_order]

    def _read_all(self, files: Iterable[Path]) -> list[Entry]:
        return [entry for entry in map(self._read, files) if entry is not None]

    def _read(self, path: Path) -> Entry | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None  # another run has just seen it end
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._warn(f"{path} is no entry of a call, and is passed over")
            return None

    def _files(self, suffix: str, prefix: str = "") -> list[Path]:
        """The latest first."""
        dated = []
        for path in self._folder.glob(f"{prefix}*{suffix}"):
            with contextlib.suppress(FileNotFoundError):
                dated.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(dated, reverse=True)]

    def _release(self, call_sid: str) -> None:
        _close(self._held.pop(call_sid, None))

    def _path(self, call_sid: str, suffix: str) -> Path:
        return self._folder / f"{call_sid}{suffix}"


def _close(descriptor: int | None) -> None:
    """Close it, if it is open."""
    if descriptor is not None:
        os.close(descriptor)


def unwritten(error: OSError) -> str:
    """Why a line is missing, for people."""
    return f"{error.filename or 'it'} cannot be written: {error.strerror or error}"


def masked(number: str) -> str:
    """A number by its last four digits: what a journal is for needs no more."""
    return f"…{number[-4:]}"


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        # There os.kill would end the process it asks about; when in doubt, it is running.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
