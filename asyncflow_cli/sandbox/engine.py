"""The sandbox's voice: text in, samples and word times out, as they are made.

The engine itself runs in a child process, because some texts crash it. This file starts the child,
starts another when it has died, and tells the text that killed it from those that only waited.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.sandbox.engineprocess import EngineProcess, Lost, Talk
from asyncflow_cli.sandbox.enginevoice import EngineVoice
from asyncflow_cli.sandbox.pipe import Answer, Done, Failed, Pcm, Say
from asyncflow_cli.sandbox.utterance import Silence, Utterance, utterances
from asyncflow_cli.sandbox.words import timings

SAMPLE_RATE = 22050
INSTALL = "pip install 'asyncflow-cli[sandbox]'"
PATIENCE = 10.0
"""Seconds without a sample of any text, after which the child is taken for stuck; it needs
milliseconds."""

_RATES = (80, 450)  # espeak's words per minute


class EngineMissing(PrerequisiteError):
    """There is no engine that could speak this (the sandbox answers 503)."""

    default_code = "ENGINE_MISSING"

    @classmethod
    def because(cls, why: str) -> Self:
        return cls(f"The sandbox has no voice: {why}", hint=INSTALL)


class EngineCrashed(AsyncflowError):
    """This text killed the engine or was refused by it (422). The next text finds a new one."""

    default_code = "ENGINE_CRASHED"


@dataclass(frozen=True)
class Samples:
    """s16le, mono, 22 050 Hz."""

    pcm: bytes


@dataclass(frozen=True)
class Word:
    text: str
    start: float
    """Seconds from the first sample of the whole; so is `end`."""
    end: float
    offset: int
    """Code points of the transcript before the word."""
    length: int


@dataclass(frozen=True)
class Words:
    """Comes once, after the last samples."""

    words: tuple[Word, ...]


Spoken = Samples | Words


@dataclass(frozen=True)
class EngineState:
    """For `doctor`: which engine answered, where it lies, and why those before it did not."""

    engine: str | None
    library: str | None
    refusals: tuple[str, ...]


class Engine:
    """The voice. It starts by itself, takes any number of callers, and speaks for one at a time.

    Nobody waits for a caller who listens slowly: what is spoken is kept for them. To stop early,
    close the generator (`contextlib.aclosing`) or cancel the task.
    """

    def __init__(self, *libraries: str) -> None:
        """`libraries` leaves only some to ask, of "wheel", "system" and "flite"."""
        self._libraries = libraries
        self._child: EngineProcess | None = None
        self._starting = asyncio.Lock()
        self._ids = itertools.count(1)
        self.state: EngineState | None = None
        """Known once the engine has been started."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        async with self._starting:
            child, self._child = self._child, None
            if child is not None:
                await child.close()

    @property
    def pid(self) -> int | None:
        """Of the child, while there is one."""
        return self._child.process.pid if self._child and not self._child.gone else None

    async def start(self) -> EngineState:
        """Start the engine if it is not running; raises EngineMissing if there is none."""
        await self._running()
        assert self.state is not None
        return self.state

    async def speak(
        self, text: str, voice: EngineVoice, *, language: str | None = None, speed: float = 1.0
    ) -> AsyncGenerator[Spoken, None]:
        """Speak a transcript, markup and all: samples as they are made, then the words."""
        voice = voice.in_language(language) if language else voice
        words: list[Word] = []
        clock = 0
        for piece in utterances(text):
            if isinstance(piece, Silence):
                samples = round(piece.seconds * SAMPLE_RATE)
                clock += samples
                yield Samples(bytes(2 * samples))
                continue
            start = clock
            async with contextlib.aclosing(self._say(piece, voice, speed)) as spoken:
                async for answer in spoken:
                    if isinstance(answer, Pcm):
                        clock += len(answer.pcm) // 2
                        yield Samples(answer.pcm)
                    else:
                        words += _words(text, piece, answer, start, clock)
        yield Words(tuple(words))

    async def _say(
        self, piece: Utterance, voice: EngineVoice, speed: float
    ) -> AsyncGenerator[Pcm | Done, None]:
        """The child's answers to one piece, and a new child as often as another text kills it."""
        say = _request(next(self._ids), piece, voice, speed)
        while True:
            child = await self._running(voice)
            talk = child.say(say)
            try:
                while True:
                    match await self._answer(child, talk):
                        case Pcm() as pcm:
                            yield pcm
                        case Done() as done:
                            yield done
                            return
                        case Failed(_, why):
                            raise EngineCrashed(f"The voice cannot speak this text: {why}")
                        case Lost(guilty=True):
                            raise EngineCrashed("This text crashed the sandbox's voice engine")
                        case Lost():
                            break
            finally:
                child.leave(say.id)

    async def _answer(self, child: EngineProcess, talk: Talk) -> Answer | Lost:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await talk.answers.get()
            except TimeoutError:
                if child.silent_for < PATIENCE:
                    continue  # others come first
                child.kill()
                return await talk.answers.get()

    async def _running(self, voice: EngineVoice | None = None) -> EngineProcess:
        async with self._starting:
            child = self._child
            if child is None or child.gone:
                if child is not None:
                    await child.close()
                child = self._child = await EngineProcess.start(self._libraries)
            hello = await asyncio.shield(child.hello)
        self.state = EngineState(hello.engine, hello.library, hello.refusals)
        if hello.engine is None:
            raise EngineMissing.because("; ".join(hello.refusals))
        if hello.engine == "flite" and voice is not None and voice.language != "en":
            raise EngineMissing.because(f"flite speaks English only, not {voice.language}")
        return child


def _request(say_id: int, piece: Utterance, voice: EngineVoice, speed: float) -> Say:
    slowest, fastest = _RATES
    return Say(
        id=say_id,
        text=piece.text,
        voice=voice.name,
        stand_in=voice.stand_in,
        rate=min(max(round(voice.rate * speed), slowest), fastest),
        pitch=voice.pitch,
        volume=voice.volume,
        phonetic=piece.phonetic,
        end_pause=piece.end_pause,
    )


def _words(text: str, piece: Utterance, done: Done, start: int, end: int) -> Iterator[Word]:
    for span, first, last in timings(piece.text, done.events, end - start, piece.spans):
        origin = piece.origin(span)
        yield Word(
            text=text[origin.start : origin.end],
            start=(start + first) / SAMPLE_RATE,
            end=(start + last) / SAMPLE_RATE,
            offset=origin.start,
            length=origin.end - origin.start,
        )
