"""The engine's child process as its parent sees it: texts go in, answers come out; it may die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from asyncflow_cli.sandbox.pipe import (
    Answer,
    Begun,
    Done,
    Failed,
    Frames,
    Hello,
    Say,
    Stop,
    answers,
    frame,
)

# -P: never import from the user's directory.
_COMMAND = (sys.executable, "-P", "-m", "asyncflow_cli.sandbox.enginemain")


class Lost:
    """In place of an answer: the child has died."""

    def __init__(self, *, guilty: bool) -> None:
        self.guilty = guilty


class Talk:
    """One text that the child was given: its answers, and whether it is being spoken."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[Answer | Lost] = asyncio.Queue()
        self.begun = False


class EngineProcess:
    """The process, and the task that reads what it says. It speaks one text after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.gone = False
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._talks: dict[int, Talk] = {}
        self._heard = time.monotonic()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> Self:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C at the terminal is for the parent
        )
        return cls(process)

    @property
    def silent_for(self) -> float:
        """Seconds since it last said anything."""
        return time.monotonic() - self._heard

    def say(self, say: Say) -> Talk:
        talk = self._talks[say.id] = Talk()
        self._stdin.write(frame(say))
        return talk

    def leave(self, say_id: int) -> None:
        """Nobody listens to it any more; if it is not over yet, it ends here."""
        if self._talks.pop(say_id, None) is not None and not self.gone:
            self._stdin.write(frame(Stop(say_id)))

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def close(self) -> None:
        """The end of its input ends the child within a millisecond."""
        self._stdin.close()
        try:
            async with asyncio.timeout(1):
                await self._reading
        except TimeoutError:
            self.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self.process.wait()

    async def _read(self) -> None:
        frames = Frames()
        try:
            while data := await self._stdout.read(1 << 16):
                self._heard = time.monotonic()
                for body in frames.feed(data):
                    self._pass_on(answers.decode(body))
        finally:
            self._lose()

    def _pass_on(self, answer: Answer | Hello) -> None:
        if isinstance(answer, Hello):
            self.hello.set_result(answer)
            return
        talk = self._talks.get(answer.id)
        if talk is None:
            return
        if isinstance(answer, Begun):
            talk.begun = True
        if isinstance(answer, Done | Failed):
            del self._talks[answer.id]
        talk.answers.put_nowait(answer)

    def _lose(self) -> None:
        self.gone = True
        if not self.hello.done():
            self.hello.set_result(Hello(None, None, ("the child died at its start",)))
        for talk in self._talks.values():
            talk.answers.put_nowait(Lost(guilty=talk.begun))
        self._talks.clear()
