"""What a person sees of a call while it goes on: events and a moment in, rows of text out.

Which words were heard is known at the end of each sentence; within one it is reckoned by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncflow_cli.columns import Row
from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.tracer import Tracer

STAGES = ("Preparing", "Ringing", "Answered", "Speaking", "Heard", "Hung up")
TRACK = " > "
TRACK_WIDTH = 10 + len(TRACK.join(STAGES))

PACE = 15.0
"""Characters a second, of speech whose length is not known yet."""

NEARLY = 0.97
"""How much of a sentence the clock alone can prove: its end is the phone's to tell."""

METER = 12
FLOOR = -48.0
"""dBFS of an empty meter."""

ABBREVIATED = "... "

UNTIL_HERE = " | "
"""Between what was heard and what comes."""


class CallView:
    """The state of one call. `sentences` are those known beforehand, by their index."""

    def __init__(self, sentences: Iterable[str] = (), tracer: Tracer | None = None) -> None:
        self._texts = dict(enumerate(sentences))
        self._tracer = tracer
        self._stage = 0
        self._seconds: dict[int, float] = {}
        self._current = 0
        """The sentence that is being played."""
        self._since: float | None = None
        """When it began to be; None while nothing plays."""
        self._over: float | None = None
        self._keys = ""
        self._facts: dict[str, str] = {}
        self._note = ""
        self._awaited = ""
        """The note that is true until the call ends."""

    def tell(self, event: ev.AnyCallEvent) -> None:
        match event:
            case ev.Ready():
                self._fact("first speech", event.first_audio_ms)
            case ev.Status(status="ringing"):
                self._reach("Ringing")
            case ev.Status(status="in-progress"):
                self._reach("Answered")
                self._facts["answer"] = f"{event.at:.1f} s"
            case ev.FirstFrame():
                self._reach("Speaking")
                self._fact("first frame", event.after_start_ms)
                self._since = event.at
            case ev.Sentence():
                self._texts[event.index] = event.text
                self._seconds[event.index] = event.seconds
            case ev.Heard():
                self._go_on(event.index + 1, event.at)
            case ev.Key():
                self._keys += event.digit
            case ev.Repeating():
                self._go_on(0, event.at)
                self._note = event.words
            case ev.Resumed():
                self._go_on(event.index, event.at)
                self._note = ""
            case ev.Interrupted():
                self._since = None
                self._note = event.words
            case ev.Machine() | ev.Lost() | ev.Waiting():
                self._note = event.words
            case ev.AwaitingKey():
                self._note = self._awaited = event.words
            case ev.LastWord():
                self._reach("Heard")
                self._go_on(len(self._texts), event.at)
            case ev.HungUp():
                self._reach("Hung up")
                self._since, self._over = None, event.at
                self._note = "" if self._note == self._awaited else self._note
            case _:
                pass

    def frame(self, now: float, width: int) -> list[Row]:
        """The rows at this moment, in seconds since the call was asked for; the text may wrap."""
        rows = [self._head(now, width), self._words(now, width), self._levels(now, width)]
        rows += [self._told(now, width), ((self._note, "yellow"),)]
        return [row for row in rows if any(text for text, _ in row)]

    # What it was told

    def _reach(self, stage: str) -> None:
        self._stage = max(self._stage, STAGES.index(stage))

    def _go_on(self, index: int, at: float) -> None:
        self._current, self._since = index, at

    def _fact(self, name: str, milliseconds: float | None) -> None:
        if milliseconds is not None:
            self._facts[name] = f"{milliseconds:.0f} ms"

    # Its rows

    def _head(self, now: float, width: int) -> Row:
        clock = (f"{now if self._over is None else self._over:5.1f} s  ", "")
        if width < TRACK_WIDTH:
            return (clock, (STAGES[self._stage], "bold"))
        spans = [clock]
        for number, stage in enumerate(STAGES):
            style = "green" if number < self._stage else "dim"
            here = number == self._stage
            spans.append((f"[{stage}]" if here else stage, "bold" if here else style))
            spans.append((TRACK if stage != STAGES[-1] else "", "dim"))
        return tuple(spans)

    def _words(self, now: float, width: int) -> Row:
        """About three lines: what was heard last, set off from what comes next."""
        before = " ".join(t.strip() for i, t in sorted(self._texts.items()) if i < self._current)
        after = " ".join(t.strip() for i, t in sorted(self._texts.items()) if i > self._current)
        current = self._texts.get(self._current, "").strip()
        cut = _word_end(current, self._share(now, current))
        heard = _tail(f"{before} {current[:cut]}".strip(), width - len(UNTIL_HERE))
        coming = _head(f"{current[cut:].strip()} {after}".strip(), 2 * width)
        return ((heard, "bold"), (UNTIL_HERE if heard and coming else "", ""), (coming, "dim"))

    def _share(self, now: float, text: str) -> float:
        """How much of the sentence was heard by now: an estimate."""
        if self._since is None or not text:
            return 0.0
        seconds = self._seconds.get(self._current) or len(text) / PACE
        return min(max((now - self._since) / seconds, 0.0), NEARLY)

    def _levels(self, now: float, width: int) -> Row:
        if self._tracer is None or self._over is not None or self._stage < STAGES.index("Answered"):
            return ()
        long = METER if width >= 60 else METER // 2
        ours, theirs = self._tracer.level(now), self._tracer.callee_level(now)
        spans = [("sent ", "dim"), *_meter(ours, long)]
        if theirs is not None:
            spans += [("  callee ", "dim"), *_meter(theirs, long)]
        return tuple(spans)

    def _told(self, now: float, width: int) -> Row:
        facts = dict(self._facts)
        if self._tracer is not None and self._over is None and self._since is not None:
            facts["held ahead"] = f"{self._tracer.lead(now):.1f} s"
        if self._keys:
            facts = {"keys": self._keys, **facts}
        return ((_fitting([f"{name} {value}" for name, value in facts.items()], width), "dim"),)


def _word_end(text: str, share: float) -> int:
    """Where the last whole word within this share of the text ends."""
    cut = int(len(text) * share)
    return cut if cut == len(text) else max(text.rfind(" ", 0, cut + 1), 0)


def _tail(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    start = len(text) - longest + len(ABBREVIATED)
    space = text.find(" ", start)
    return ABBREVIATED + (text[space + 1 :] if space >= 0 else text[start:])


def _head(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    end = longest - len(ABBREVIATED)
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > 0 else end] + ABBREVIATED.rstrip().rjust(4)


def _meter(level: float, long: int) -> Sequence[tuple[str, str]]:
    full = round(long * min(max((level - FLOOR) / -FLOOR, 0.0), 1.0))
    return (("#" * full, "green"), ("." * (long - full), "dim"))


def _fitting(texts: Sequence[str], width: int) -> str:
    """As many as fit in a line, the first ones first."""
    row = ""
    for text in texts:
        longer = f"{row}, {text}" if row else text
        if len(longer) > width:
            break
        row = longer
    return row
