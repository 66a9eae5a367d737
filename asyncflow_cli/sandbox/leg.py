"""The leg of a call between Twilio and the callee: what is played, said, pressed and heard."""

from __future__ import annotations

from collections.abc import Callable

from asyncflow_cli.sandbox.callee import LISTENER, Callee
from asyncflow_cli.sandbox.clock import TICK, Clock, Metronome
from asyncflow_cli.sandbox.line import Line
from asyncflow_cli.sandbox.mediafeed import Ticked


class CalleeHungUp(Exception):
    """The person at the other end put the phone down. How a call ends, not a failure."""


class Leg:
    """A line, and the callee who listens to it. Its time passes only while a verb runs."""

    def __init__(self, clock: Clock, *, skip_silence: bool = False) -> None:
        self.line = Line(skip_silence=skip_silence)
        self.pressed = ""
        """Every key the callee has pressed."""
        self.listeners: list[Callable[[Ticked], None]] = []
        self._clock = clock
        self._handset = LISTENER.handset()

    def pick_up(self, callee: Callee) -> None:
        """Who listens, and speaks, from now on."""
        self._handset = callee.handset()

    async def play(self, audio: bytes) -> None:
        """Play μ-law to its end."""
        self.line.queue(audio, more=False)
        await self.run(until=lambda: self.line.empty)

    async def wait(self, seconds: float) -> None:
        """Let the line be silent."""
        ticks_left = round(seconds / TICK)

        def passed() -> bool:
            nonlocal ticks_left
            ticks_left -= 1
            return ticks_left < 0

        await self.run(until=passed)

    async def run(self, *, until: Callable[[], bool]) -> None:
        """Let the line's time pass; `until` is asked before every 20 ms of it."""
        metronome = Metronome(self._clock)
        while True:
            for _ in range(await metronome.beats()):
                if until():
                    return
                self._tick()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something when so much of the line's time has passed."""
        ticks_left = round(seconds / TICK)

        def count(_: Ticked) -> None:
            nonlocal ticks_left
            ticks_left -= 1
            if ticks_left <= 0:
                self.listeners.remove(count)
                act()

        self.listeners.append(count)

    def _tick(self) -> None:
        if self._handset.hung_up(self.line):
            raise CalleeHungUp
        said, digits = self._handset.tick()
        heard, marks = self.line.tick()
        self.pressed += digits
        for listener in tuple(self.listeners):
            listener(Ticked(said, heard, digits, marks))
