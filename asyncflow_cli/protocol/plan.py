"""How a call is made, beyond what it says: its manners, and how long each phase may last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncflow_cli.errors import UsageError

BargeIn = Literal["key", "speech"]
MachinePolicy = Literal["continue", "hangup", "after-beep"]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each phase may last, in seconds of the caller's clock."""

    first_audio: float = 10.0
    stall: float = 10.0
    """Without a frame of speech that was asked for."""
    ring: float = 30.0
    ring_grace: float = 15.0
    """Twilio may ring five seconds longer than it was asked to."""
    media: float = 10.0
    """From the answer to the stream's `start`."""
    reconnect: float = 0.0
    """For another socket in place of one that was lost; 0 is not to try."""
    drain_grace: float = 5.0
    """Beyond what is left to play when the last audio was sent."""
    writer: float | None = None
    """Silence on the line while text is awaited; None for as long as the call may last."""
    keys: float = 5.0
    """Behind the last word, for a key that says it again."""
    verdict: float = 35.0
    """From the answer to Twilio's word on who answered: its own limit is 30."""
    total: float = 120.0
    """The time limit Twilio was given."""
    total_grace: float = 30.0


@dataclass(frozen=True, slots=True)
class Manners:
    """What the call does besides saying its text once."""

    repeat: int = 1
    """How often the text is said."""
    repeat_key: str | None = None
    """The callee's key that says it again, from the beginning."""
    stop_key: str | None = None
    """The callee's key that ends it."""
    barge_in: BargeIn | None = None
    """What the callee does to make us stop speaking; None is nothing."""
    machine: MachinePolicy = "continue"
    """What to do if a machine answers: "after-beep" says all of it to the machine's tape."""
    keep_open: bool = False
    """Text is typed in while the call lasts: an interruption ends what is said, not the call."""
    lead: float = 30.0
    """Seconds of audio that the phone holds ahead of what it plays, at most."""

    def __post_init__(self) -> None:
        if self.repeat_key is not None and self.repeat_key == self.stop_key:
            raise UsageError(f"Key {self.stop_key} cannot both repeat the text and stop it")

    @property
    def keeps_audio(self) -> bool:
        """Whether what was heard may be wanted again."""
        again = self.repeat > 1 or self.repeat_key is not None
        return again or self.machine == "after-beep"


USUAL, PLAIN = Deadlines(), Manners()
"""What holds unless something else was asked for."""
