"""What can be told of a clip: its format, how much of it is speech, whether it is any good, and
how high the voice in it is.

Choices where the service is unknown: speech is what is louder than -40 dB below full scale, with
the pauses in it that are shorter than half a second; a clip is bad if nothing in it is that loud,
or if a hundredth of it is cut off at full scale.
"""

from __future__ import annotations

import array
import io
import math
import operator
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from asyncflow_cli.sandbox.encode import require_av

RATE = 8000
_FRAME = RATE // 50
_LOUD = 32768 * 10 ** (-40 / 20)
_PAUSE = 25
"""Frames of 20 ms: half a second."""

_FULL_SCALE = 32_700
_CLIPPED = 0.01

_MAGIC = {"wav": (b"RIFF", b"WAVE"), "flac": (b"fLaC", b""), "aiff": (b"FORM", b"AIF")}


_ALONE = {"protocol_whitelist": "none"}
"""For FFmpeg, of whose formats some are lists of other files: it opens none of them."""


def format_of(content: bytes) -> str | None:
    """wav, mp3, flac or aiff, by content; None for everything else."""
    for name, (head, kind) in _MAGIC.items():
        if content.startswith(head) and content[8:12].startswith(kind):
            return name
    # An ID3 tag, or the eleven set bits of a frame's sync word.
    is_mp3 = content.startswith(b"ID3") or (content[:1] == b"\xff" and content[1:2] >= b"\xe0")
    return "mp3" if is_mp3 else None


def decode(content: bytes, rate: int = RATE) -> array.array[int] | None:
    """Any audio that FFmpeg reads, as 16-bit samples, mono; None if it reads none."""
    require_av()
    import av

    try:
        with av.open(io.BytesIO(content), "r", options=_ALONE) as container:
            resampler = av.AudioResampler("s16", "mono", rate)
            frames = [
                made
                for frame in (*container.decode(audio=0), None)
                for made in resampler.resample(frame)
            ]
    except (av.FFmpegError, IndexError, ValueError):
        return None
    samples = array.array("h")
    for frame in frames:
        samples.frombytes(bytes(frame.planes[0])[: 2 * frame.samples])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples or None


@dataclass(frozen=True)
class Recording:
    """Samples at 8 kHz, mono."""

    samples: array.array[int]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def clipped(self) -> bool:
        beyond = sum(abs(sample) >= _FULL_SCALE for sample in self.samples)
        return beyond > _CLIPPED * len(self.samples)

    @property
    def speech_seconds(self) -> float:
        loud = [index for index, frame in enumerate(self._frames()) if _level(frame) > _LOUD]
        steps = [after - before for before, after in pairwise(loud)]
        return 0.02 * (bool(loud) + sum(step if step <= _PAUSE else 1 for step in steps))

    @property
    def pitch(self) -> float | None:
        """The median of its voiced parts in Hz; None if there are none."""
        stretches = self._loudest_stretches()
        found = [hz for hz in map(_pitch, stretches) if hz is not None]
        return statistics.median(found) if found else None

    def _frames(self) -> Iterator[array.array[int]]:
        for start in range(0, len(self.samples) - _FRAME + 1, _FRAME):
            yield self.samples[start : start + _FRAME]

    def _loudest_stretches(self) -> list[array.array[int]]:
        """Some 50 stretches, spread over the clip: more would only take longer."""
        length = _WINDOW + _LAGS[-1]
        starts = range(0, len(self.samples) - length, _FRAME)
        stretches = [self.samples[start : start + length] for start in starts]
        peak = max(map(_level, stretches), default=0.0)
        loud = [stretch for stretch in stretches if _level(stretch) > peak / 4]
        return loud[:: max(len(loud) // 50, 1)]


def _level(samples: Sequence[int]) -> float:
    return math.sqrt(sum(map(operator.mul, samples, samples)) / len(samples))


_WINDOW = 2 * _FRAME
_LAGS = range(RATE // 420, RATE // 60)
_VOICED = 0.6
"""Correlation of a stretch with itself a period later, above which it is voiced."""


def _pitch(stretch: array.array[int]) -> float | None:
    """By autocorrelation: the first lag that is about as good as the best."""
    mean = sum(stretch) // len(stretch)
    centred = [sample - mean for sample in stretch]
    still = centred[:_WINDOW]
    energy = sum(map(operator.mul, still, still))
    powers = [0, *accumulate(sample * sample for sample in centred)]
    scores = []
    for lag in _LAGS:
        product = sum(map(operator.mul, still, centred[lag : lag + _WINDOW]))
        power = powers[lag + _WINDOW] - powers[lag]
        scores.append(product / math.sqrt(energy * power + 1))
    best = max(scores)
    if best < _VOICED:
        return None
    for index in range(1, len(scores) - 1):
        left, here, right = scores[index - 1 : index + 2]
        if here >= 0.9 * best and here >= left and here >= right:
            curve = left - 2 * here + right
            shift = (left - right) / (2 * curve) if curve else 0.0
            return RATE / (_LAGS[index] + shift)
    return None
