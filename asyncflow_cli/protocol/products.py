"""Which files come of timed speech: the audio, and captions beside it or elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.captions import Cue, CueRules
from asyncflow_cli.protocol.models import SpeechRequest
from asyncflow_cli.protocol.subtitles import FORMATS, format_of
from asyncflow_cli.protocol.timed import Timed

AUDIO = "audio"


@dataclass(frozen=True)
class Product:
    kind: str
    """`audio`, or a format of captions."""
    path: str | None
    """None is stdout."""

    def content(self, spoken: Timed, cues: Sequence[Cue]) -> bytes:
        if self.kind == AUDIO:
            return spoken.audio
        return FORMATS[self.kind](spoken.words, cues, spoken.seconds, self._title).encode()

    @property
    def _title(self) -> str:
        return re.split(r"[/\\]", _stem(self.path))[-1] if self.path else ""


@dataclass(frozen=True, kw_only=True)
class TimedOrder:
    """What to say, what to make of it, and how."""

    request: SpeechRequest
    pieces: Sequence[str]
    """Its transcript, cut where it is too long for one request."""
    products: Sequence[Product]
    rules: CueRules
    strict: bool
    """Whether times that cannot be true are an error."""
    jobs: int
    """Requests at a time."""
    verify: bool = False
    """Whether the sound is held against the words before anything is written."""
    show: bool = False
    """Whether to draw it on the terminal."""
    force: bool = False
    """Whether audio may be written to one."""

    @property
    def piped(self) -> bool:
        return any(product.path is None for product in self.products)


def products(
    output: str | None, captions: str | None, captions_output: str | None
) -> tuple[Product, ...]:
    """What `-o`, `--captions` and `--captions-output` ask for, the audio first.

    UsageError if a place or a format is missing, or if both want stdout.
    """
    formats = captions_wanted(captions)
    found = [Product(AUDIO, _place(output))] if output is not None else []
    if captions_output is not None:
        found.append(Product(_format(formats, captions_output), _place(captions_output)))
    else:
        found += _beside(output, formats)
    if sum(product.path is None for product in found) > 1:
        raise UsageError("Audio and captions both want stdout", hint="Give a file to one of them")
    return tuple(found)


def _place(name: str) -> str | None:
    return None if name == "-" else name


def captions_wanted(captions: str | None) -> list[str]:
    """The formats that `--captions srt,vtt` lists. UsageError for one that is none."""
    names = [] if captions is None else captions.split(",")
    # In their order, and each once.
    return list(dict.fromkeys(_known(name.strip()) for name in names))


def _known(name: str) -> str:
    found = None if "." in name else format_of(name)
    if found is None:
        raise UsageError(f"{name!r} is no format of captions", hint=f"Use {', '.join(FORMATS)}")
    return found


def _format(formats: Sequence[str], place: str) -> str:
    """The one format of what goes to `place`."""
    told = None if place == "-" else format_of(place)
    if len(formats) > 1:
        raise UsageError(
            f"{place} holds captions of one format, not of {len(formats)}",
            hint="Leave --captions-output out, and they stand beside the audio",
        )
    if formats and told not in (None, formats[0]):
        raise UsageError(f"{place} and --captions {formats[0]} disagree", hint="Leave one out")
    kind = formats[0] if formats else told
    if kind is None:
        raise UsageError(
            f"{place} tells no format of captions", hint=f"Add --captions {', '.join(FORMATS)}"
        )
    return kind


def _beside(output: str | None, formats: Sequence[str]) -> Iterator[Product]:
    if output is None and len(formats) == 1:
        yield Product(formats[0], None)
        return
    if formats and output in (None, "-"):
        raise UsageError(
            "The captions have no name", hint="Name the audio with -o, or them with -c FILE"
        )
    for kind in formats:
        yield Product(kind, f"{_stem(output or '')}.{kind}")


def _stem(path: str) -> str:
    return re.sub(r"(?<=[^/\\])\.\w+$", "", path)
