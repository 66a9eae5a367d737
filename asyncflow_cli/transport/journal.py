"""Calls that are ours and may still be live, on disk: what a SIGKILL leaves for the next run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

SUFFIX = ".call.json"


class Entry(msgspec.Struct, frozen=True):
    call_sid: str
    account_sid: str
    base_url: str
    """The Twilio the call is at."""
    pid: Annotated[int, Meta(gt=0, lt=2**31)]
    """Who owns it."""
    began: str
    """ISO 8601, UTC."""


class Journal:
    """A folder with one file for each call that has not been seen to end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, entry: Entry) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(entry.call_sid)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(entry))

    def remove(self, call_sid: str) -> None:
        self._path(call_sid).unlink(missing_ok=True)

    def orphans(self, account_sid: str, base_url: str) -> Iterator[Entry]:
        """Calls of this account whose owner is gone."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                entry = msgspec.json.decode(path.read_bytes(), type=Entry)
                ours = (entry.account_sid, entry.base_url) == (account_sid, base_url)
                if ours and not _is_running(entry.pid):
                    yield entry

    def _path(self, call_sid: str) -> Path:
        return self._folder / f"{call_sid}{SUFFIX}"


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
