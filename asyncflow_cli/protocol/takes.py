"""What is being synthesised: one sentence at a time, and each time it is tried is a take."""

from __future__ import annotations

from asyncflow_cli.protocol.actions import Action, Hush, Speak
from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.script import Line, Script

TRIES = 3
"""How often in a row the speech service may fail at a sentence."""


class Takes:
    """The takes of a script's sentences."""

    __slots__ = ("_failures", "_number", "_script", "assumed_end", "line", "seconds")

    def __init__(self, script: Script) -> None:
        self._script = script
        self.line: Line | None = None
        """The sentence that is being spoken."""
        self.seconds = 0.0
        """Of speech that was synthesised, sent or not."""
        self.assumed_end = False
        """The service never announced the end of a sentence; we took its silence for it."""
        self._number = 0
        self._failures = 0

    def wanted(self) -> Line | None:
        """The sentence to be spoken next, if none is."""
        return self._script.to_speak() if self.line is None else None

    def concerned(self, take: int | None) -> Line | None:
        """The sentence of this take, None being the latest; no sentence if it was given up."""
        return self.line if take is None or take == self._number else None

    def begin(self, line: Line, *, anew: bool = False) -> Speak:
        self.line = line
        self._number += 1
        return Speak(line.text, self._number, anew)

    def add(self, line: Line, audio: str) -> None:
        self.seconds += line.add(audio) / PHONE_RATE

    def end(self, line: Line) -> None:
        line.complete = True
        self.line, self._failures = None, 0

    def fail(self) -> bool:
        """Whether another try is worth it. What there is of the sentence is of no use."""
        self._failures += 1
        return self._failures < TRIES

    def follow(self) -> None:
        """The script begins anew: what is being spoken is the sentence of its new round."""
        if self.line is not None:
            self.line = self._script.text[self.line.number]

    def stop(self) -> list[Action]:
        """Give up the take there is; what still comes of it is ignored."""
        if self.line is None:
            return []
        self.line = None
        self._number += 1
        return [Hush()]
