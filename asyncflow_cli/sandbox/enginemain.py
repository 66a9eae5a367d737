"""The engine's child process: espeak-ng, or flite in its stead, behind two pipes.

    python -m asyncflow_cli.sandbox.enginemain

Only this process loads a library that speaks.
"""

from __future__ import annotations

import ctypes.util
import os
import queue
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from asyncflow_cli.sandbox.espeak import Emit, ESpeak
from asyncflow_cli.sandbox.pipe import (
    Answer,
    Begun,
    Done,
    Failed,
    Frames,
    Hello,
    Pcm,
    Say,
    Stop,
    frame,
    requests,
)
from asyncflow_cli.sandbox.words import Event


class Speaker(Protocol):
    name: str
    library: str

    def speak(self, say: Say, emit: Emit) -> list[Event]: ...


def _from_wheel() -> Speaker:
    loader = import_module("espeakng_loader")
    return ESpeak(loader.get_library_path(), loader.get_data_path())


def _from_system() -> Speaker:
    name = ctypes.util.find_library("espeak-ng") if sys.platform != "linux" else None
    return ESpeak(name or "libespeak-ng.so.1", None)


def _flite() -> Speaker:
    from asyncflow_cli.sandbox.flite import Flite

    return Flite()


def _unknown() -> Speaker:
    raise OSError("not a library the sandbox knows")


LIBRARIES: dict[str, Callable[[], Speaker]] = {
    "wheel": _from_wheel,
    "system": _from_system,
    "flite": _flite,
}
"""Those that are tried, in this order. Names given as arguments leave only some to try."""


def find_speaker(names: list[str]) -> tuple[Speaker | None, tuple[str, ...]]:
    refusals: list[str] = []
    for name in names:
        try:
            return LIBRARIES.get(name, _unknown)(), tuple(refusals)
        except (ImportError, OSError, AttributeError) as error:
            refusals.append(f"{name}: {error}")
    return None, tuple(refusals)


class Pipes:
    """To and from the parent. A thread listens: a stop, or the parent's end, is heard at once."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._asked: queue.SimpleQueue[Say] = queue.SimpleQueue()
        self._stopped: set[int] = set()

    def listen(self) -> None:
        frames = Frames()
        while data := os.read(self._source, 1 << 16):
            for body in frames.feed(data):
                match requests.decode(body):
                    case Say() as say:
                        self._asked.put(say)
                    case Stop(id):
                        self._stopped.add(id)
        os._exit(0)  # even while the library is lost in a loop of its own

    def next(self) -> Say:
        return self._asked.get()

    def send(self, message: Answer | Hello) -> None:
        rest = memoryview(frame(message))
        while rest:
            try:
                rest = rest[os.write(self._sink, rest) :]
            except BrokenPipeError:
                os._exit(0)  # the parent is gone

    def stopped(self, say: Say) -> bool:
        return say.id in self._stopped

    def forget(self, say: Say) -> None:
        self._stopped.discard(say.id)


def _answer(speaker: Speaker, pipes: Pipes, say: Say) -> None:
    def emit(pcm: bytes) -> bool:
        pipes.send(Pcm(say.id, pcm))
        return pipes.stopped(say)

    if not pipes.stopped(say):
        pipes.send(Begun(say.id))
        try:
            pipes.send(Done(say.id, speaker.speak(say, emit)))
        except (ValueError, OSError) as error:
            pipes.send(Failed(say.id, str(error)))
    pipes.forget(say)


def _own_stdout() -> int:
    """Keep the pipe for frames; what a C library prints goes to stderr."""
    sink = os.dup(1)
    os.dup2(2, 1)
    return sink


def main() -> None:
    pipes = Pipes(0, _own_stdout())
    speaker, refusals = find_speaker(sys.argv[1:] or list(LIBRARIES))
    engine, library = (speaker.name, speaker.library) if speaker else (None, None)
    pipes.send(Hello(engine, library, refusals))
    threading.Thread(target=pipes.listen, daemon=True).start()
    while speaker is not None:
        _answer(speaker, pipes, pipes.next())


if __name__ == "__main__":
    main()
