"""How work in an event loop is stopped by a signal, and which of its errors is told.

Knows nothing of commands: `App.run` runs the work, and asks here.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError

SIGNALS = {
    getattr(signal, name): 128 + getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
}
"""What ends us, after clean-up, and the exit code of each."""


class Stop:
    """The signal that came, if one did."""

    def __init__(self) -> None:
        self._exit_code: int | None = None

    @cached_property
    def error(self) -> InterruptedByUserError:
        """What work ends with that was stopped."""
        return InterruptedByUserError("Stopped", exit_code=self._exit_code or 130)

    @contextlib.contextmanager
    def cancels(self) -> Iterator[None]:
        """In the block a signal cancels this task, which cleans up.

        A second one cancels that, too; a Ctrl-C after the block changes nothing any more.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop(exit_code: int) -> None:
            self._exit_code = exit_code
            task.cancel()

        for number, exit_code in SIGNALS.items():
            try:
                loop.add_signal_handler(number, stop, exit_code)
            except NotImplementedError:  # Windows
                signal.signal(
                    number, lambda *_, code=exit_code: loop.call_soon_threadsafe(stop, code)
                )
        try:
            yield
        finally:
            if self._exit_code is not None:
                _be_deaf(loop)
            for number in SIGNALS:
                with contextlib.suppress(NotImplementedError):
                    loop.remove_signal_handler(number)


def _be_deaf(loop: asyncio.AbstractEventLoop) -> None:
    """Ignore Ctrl-C from here on: only what came of it is still to be told.

    A loop that gives up a handler leaves Python's, which raises anywhere in this thread, whichever
    thread the signal was delivered to: it is raised in here, and here it ends.
    """
    while signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        try:
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:
            continue


def first(group: ExceptionGroup[Any]) -> BaseException:
    """The error a TaskGroup wrapped; ours before anybody else's."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, AsyncflowError)), leaves[0])


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
