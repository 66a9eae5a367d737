"""A thread that tells, so that whoever has something to say never waits for whoever reads it.

A reader may be slow, stopped with Ctrl-S, or gone; a call must go on at the pace of its line.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

Job: TypeAlias = Callable[[], None]


class Teller:
    """Does jobs one after the other, and `beat`, where there is one, every so many seconds."""

    def __init__(self, beat: Job | None = None, every: float = 0.1) -> None:
        self._beat = beat
        self._every = every if beat else None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._bug: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, job: Job) -> None:
        """Have it done, later. A bug in it is raised by `close`."""
        self._jobs.put(job)

    def close(self) -> None:
        """Wait until all is told."""
        self._jobs.put(None)
        self._thread.join()
        if self._bug is not None:
            raise self._bug

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except OSError:
                continue  # nobody reads it, which is no reason to end a call
            except Exception as bug:  # the rest is told nevertheless
                self._bug = self._bug or bug

    def _next(self) -> Job | None:
        try:
            return self._jobs.get(timeout=self._every)
        except queue.Empty:
            return self._beat
