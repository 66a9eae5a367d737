"""What a call is to say, sentence by sentence: what was spoken, sent and heard of it.

A sentence is asked of the speech service as a whole and keeps its audio until the phone has played
it, so that a call whose connection was lost goes on with the first sentence nobody heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.frames import size
from asyncflow_cli.protocol.splitting import SentenceSplitter
from asyncflow_cli.protocol.transcript import spoken_seconds

FASTEST = 4.0
"""Times the estimated pace: the service speaks up to twice as fast, and texts differ by as much."""


def sentences(text: str) -> list[str]:
    """A whole text in its sentences."""
    splitter = SentenceSplitter()
    return [piece for piece in (*splitter.feed(text), splitter.flush()) if piece.strip()]


@dataclass(eq=False, slots=True)
class Line:
    """One sentence. Its audio is base64 of μ-law, as it came."""

    number: int
    """Which sentence of the text it is."""
    text: str
    audio: list[str] = field(default_factory=list)
    complete: bool = False
    """Nothing will be added to the audio."""
    size: int = 0
    """Bytes of audio so far."""
    heard: bool = False
    start: int | None = None
    """Bytes of speech that were sent before it; None unless it is on its way."""
    reached: int = 0
    """Bytes of it that were heard before what was on its way was dropped."""
    queued: int = 0
    """Bytes of audio that was given up, which the phone plays all the same."""

    @property
    def seconds(self) -> float:
        return self.size / PHONE_RATE

    @property
    def is_plausible(self) -> bool:
        """Whether its audio so far can be all of it, however fast it is said."""
        return self.size > 0 and self.seconds * FASTEST >= spoken_seconds(len(self.text))

    def add(self, payload: str) -> int:
        """Bytes that were added."""
        n_bytes = size(payload)
        self.audio.append(payload)
        self.size += n_bytes
        return n_bytes

    def again(self) -> Line:
        """The same sentence, to be sent once more."""
        return Line(self.number, self.text, list(self.audio), self.complete, self.size)

    def cut(self, position: int) -> None:
        """What is on its way is dropped, when `position` bytes of all speech were played."""
        self.reached, self.start, self.queued = self.bytes_heard(position), None, 0

    def give_up(self, sent: int) -> None:
        """Its audio is of no use, of which some may be among the bytes that were `sent`."""
        if self.start is not None:
            self.queued = min(sent - self.start, self.size)
        self.audio, self.size, self.complete = [], 0, False

    def begin(self, position: int) -> None:
        """It is sent from its beginning, behind so many bytes of speech."""
        self.reached, self.queued = max(self.reached, self.queued), 0
        self.start = position

    def bytes_heard(self, position: int) -> int:
        """How much of it was, once `position` bytes of all speech were played."""
        if self.start is None:
            return self.reached
        return max(self.reached, min(position - self.start, max(self.size, self.queued)))

    def words_heard(self, position: int) -> str:
        """Its words up to there, near enough."""
        words = list(re.finditer(r"\S+", self.text))
        count = len(words) if self.heard else int(self._share(position) * len(words))
        return self.text[: words[count - 1].end()].strip() if count else ""

    def _share(self, position: int) -> float:
        whole: float = self.size
        if not self.complete:  # and nobody knows yet how long it will be
            whole = max(whole, spoken_seconds(len(self.text)) * PHONE_RATE)
        return min(self.bytes_heard(position) / whole, 1.0) if whole else 0.0


class Script:
    """Lines, and two places in them: the next to be spoken, and the next piece to be sent.

    With `keep` the audio stays when it was heard, because it may be wanted `again`.
    """

    __slots__ = (
        "_base",
        "_keep",
        "_line",
        "_lines",
        "_piece",
        "_rounds",
        "_unspoken",
        "forgets",
        "more",
        "text",
    )

    def __init__(
        self, lines: Iterable[str] = (), *, more: bool = False, keep: bool = False
    ) -> None:
        self.more = more
        """Whoever writes the text has not ended."""
        self.forgets = False
        """What was sent is of no more use, for nothing will be sent again."""
        self.text: list[Line] = []
        """Each sentence as it was sent, or will be, the last time."""
        self._rounds = [self.text]
        """The text as often as it was begun."""
        self._keep = keep
        self._lines: list[Line] = []
        self._line = self._piece = self._unspoken = self._base = 0
        for text in lines:
            self.add(text)

    def add(self, text: str) -> Line:
        line = Line(len(self.text), text)
        self.text.append(line)
        self._lines.append(line)
        return line

    def add_audio(self, audio: Iterable[str]) -> None:
        """What is no text, and needs no synthesis."""
        line = self.add("")
        for payload in audio:
            line.add(payload)
        line.complete = True

    # Speaking

    def to_speak(self) -> Line | None:
        """The first line that has not all of its audio."""
        while self._unspoken < len(self._lines) and self._lines[self._unspoken].complete:
            self._unspoken += 1
        return self._lines[self._unspoken] if self._unspoken < len(self._lines) else None

    def is_last(self, line: Line) -> bool:
        return not self.more and line is self._lines[-1]

    def respeak(self, line: Line, sent: int) -> None:
        """All of its audio is wanted anew, when so many bytes of all speech were sent."""
        line.give_up(sent)
        if line is self.current:
            self._piece = 0

    def reopen(self, line: Line) -> None:
        """Its audio goes on after all."""
        line.complete = False
        if self.current is None and line is self._lines[-1]:
            self._line, self._piece = self._line - 1, len(line.audio)

    @property
    def waiting(self) -> float:
        """Seconds of audio that were not sent yet."""
        line = self.current
        begun = sum(map(size, line.audio[self._piece :])) if line is not None else 0
        return (begun + sum(line.size for line in self._lines[self._line + 1 :])) / PHONE_RATE

    # Sending

    @property
    def current(self) -> Line | None:
        """The line that is being sent, or comes next."""
        return self._lines[self._line] if self._line < len(self._lines) else None

    @property
    def at_start(self) -> bool:
        """Whether nothing of the current line was sent."""
        return self._piece == 0

    def next(self, position: int) -> str | Line | None:
        """The next piece to send, behind so many bytes of speech; or a line that was sent to its
        end just now, which another one follows; None if what comes next was not spoken yet."""
        line, piece = self.current, self._piece
        if line is None:
            return None
        if piece >= len(line.audio):
            return self._step(line) if line.complete else None
        if piece == 0:
            line.begin(position)
        payload = line.audio[piece]
        if self.forgets and not self._keep:
            line.audio[piece] = ""
        self._piece = piece + 1
        return payload

    def _step(self, line: Line) -> Line:
        self._line, self._piece = self._line + 1, 0
        return line

    @property
    def sent(self) -> bool:
        """Whether there is nothing left to send, and never will be."""
        return not self.more and self._line == len(self._lines)

    # Hearing

    def was_heard(self, heard: Line) -> None:
        """All was heard to the end of this line."""
        for line in self._lines[self._base : self._lines.index(heard) + 1]:
            line.heard = True
            if not self._keep:
                line.audio = []

    @property
    def all_heard(self) -> bool:
        return bool(self._lines) and not self.more and self._lines[-1].heard

    def heard_text(self, position: int) -> str:
        """The text up to the last word that was heard, once so many bytes of all speech were
        played; in mid-sentence that is an estimate."""
        words = (line.words_heard(position) for line in self._round_heard(position))
        return " ".join(filter(None, words))

    def sentences_heard(self, position: int) -> int:
        """Of the same time that the text was said, and to their ends."""
        return sum(line.heard for line in self._round_heard(position))

    def _round_heard(self, position: int) -> list[Line]:
        """The text as it was said the last time that anything of it was heard: the next time is
        queued long before."""
        for lines in reversed(self._rounds):
            if any(line.bytes_heard(position) for line in lines):
                return lines
        return self.text

    # Going back, and leaving out

    def rewind(self) -> None:
        """Send again from the first line that was not heard."""
        unheard = (i for i, line in enumerate(self._lines) if i >= self._base and not line.heard)
        self._line, self._piece = next(unheard, len(self._lines)), 0
        self._unspoken = min(self._unspoken, self._line)

    def cut(self, position: int) -> None:
        """What is on its way is dropped, when `position` bytes of all speech were played."""
        for line in self._lines:
            line.cut(position)

    def skip(self) -> None:
        """Say nothing more of the text there is."""
        del self._lines[self._line + (0 if self.at_start else 1) :]
        self._line = self._unspoken = self._base = len(self._lines)
        self._piece = 0

    def again(self) -> None:
        """Say the text once more, behind what is there."""
        self.text = [line.again() for line in self.text]
        self._rounds.append(self.text)
        self._lines += self.text
