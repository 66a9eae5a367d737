"""Locks on files, which end with the process that holds them, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":

    def hold(_descriptor: int) -> bool:
        return False

    def is_held(_path: Path) -> bool:
        raise NotImplementedError("Nothing is held here")

else:
    import fcntl

    def hold(descriptor: int) -> bool:
        """Lock an open file until it is closed; False where the file system has no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def is_held(path: Path) -> bool:
        """Whether somebody, we included, holds the file. FileNotFoundError if there is none."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False
