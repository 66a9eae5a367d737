"""The failure that hides in a running stream: 24 ASCII bytes in place of audio.

https://docs.async.com/text-to-speech-stream-16699696e0
"""

from __future__ import annotations

from asyncflow_cli.errors import LimitError
from asyncflow_cli.protocol.failures import QUOTA_MARKER, from_code


class QuotaScan:
    """Passes audio on, and holds back what may be the beginning of the marker.

    When `feed` raises, earlier chunks were passed on; QuotaReached holds the rest of the audio.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """The audio that is safe to use. QuotaReached once the marker is complete."""
        data = self._held + chunk
        before, found, _ = data.partition(QUOTA_MARKER)
        if found:
            self._held = b""
            raise QuotaReached(before)
        keep = next(n for n in range(len(QUOTA_MARKER) - 1, -1, -1) if _begins(data, n))
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def finish(self) -> bytes:
        """What was held back: the stream ended, so it was audio after all."""
        held, self._held = self._held, b""
        return held


class QuotaReached(Exception):
    """The marker was found; `audio` is what came before it in the same chunk."""

    def __init__(self, audio: bytes) -> None:
        super().__init__()
        self.audio = audio

    @property
    def error(self) -> LimitError:
        error = from_code("QUOTA_EXCEEDED", "The plan's quota ran out in the middle of the audio")
        assert isinstance(error, LimitError)
        return error


def _begins(data: bytes, length: int) -> bool:
    """Whether the last `length` bytes are the marker's first."""
    return length <= len(data) and data[len(data) - length :] == QUOTA_MARKER[:length]
