"""A file of the user's to play into a call: whatever it is, it becomes μ-law, 8 kHz, mono.

What is that already is passed on byte for byte; 8 kHz PCM needs no library either.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asyncflow_cli.errors import IncompleteError, UsageError
from asyncflow_cli.protocol import mp3, wav
from asyncflow_cli.protocol.audio import PHONE_RATE, Encoding, encode_mulaw, wav_file
from asyncflow_cli.protocol.clips import QUIETEST
from asyncflow_cli.protocol.levels import FULL_SCALE, peak
from asyncflow_cli.protocol.sniff import kind_of
from asyncflow_cli.transport.decoding import decode
from asyncflow_cli.transport.reading import read_whole

RAW_NAMES = frozenset({".raw", ".ulaw", ".ul", ".mulaw", ".pcm"})
"""What files of bare samples are called; other files without a header are no audio."""

_TRUNCATED = "AUDIO_TRUNCATED"


def read_phone_clip(
    file: str,
    *,
    rate: int | None = None,
    encoding: Encoding | None = None,
    limit: float | None = None,
    warn: Callable[[str], None],
) -> bytes:
    """The μ-law of the file at this path, or on stdin for `-`.

    `rate` and `encoding` are of samples without a header (8000 and pcm_mulaw if not said); a
    header wins over both, and over the file's name. `limit` is how many seconds a call may last.

    UsageError for no file, an empty one, or none of audio; IncompleteError for audio that is cut
    or damaged; PrerequisiteError where it takes PyAV.
    """
    name = "stdin" if file == "-" else Path(file).name
    content = read_whole(file)
    if not content:
        raise UsageError(f"There is no audio in {name}", code="AUDIO_EMPTY")
    is_raw = bool(rate or encoding) or Path(file).suffix.lower() in RAW_NAMES
    kind = kind_of(content)
    if kind is None:
        content = _headed(content, rate, encoding) if is_raw else _refuse(name)
    elif is_raw:
        warn(f"{name} is no raw audio but {kind}, and is played as that")
    mulaw = _converted(name, content, kind or "wav")
    _doubt(name, mulaw, limit, warn)
    return mulaw


def _refuse(name: str) -> bytes:
    raise UsageError(
        f"{name} is no wav, mp3, flac, ogg or m4a, whatever its name says",
        hint="If these are raw samples, say of which encoding and sample rate",
        code="NOT_AUDIO",
    )


def _headed(samples: bytes, rate: int | None, encoding: Encoding | None) -> bytes:
    """Raw samples with the header that they lack."""
    if rate is not None and rate <= 0:
        raise UsageError(f"No audio has {rate} samples a second")
    return wav_file(encoding or "pcm_mulaw", rate or PHONE_RATE, samples)


def _converted(name: str, content: bytes, kind: str) -> bytes:
    try:
        mulaw = _mulaw(content, kind)
    except IncompleteError as error:
        hint = "Get the file anew, and listen to it in a player"
        raise IncompleteError(f"{name}: {error.message}", hint=hint, code=error.code) from None
    if not mulaw:
        raise UsageError(f"There is no audio in {name}", code="AUDIO_EMPTY")
    return mulaw


def _mulaw(content: bytes, kind: str) -> bytes:
    _insist_on_all(content, kind)
    plain = _plain(content) if kind == "wav" else None
    return encode_mulaw(decode(content, kind, PHONE_RATE)) if plain is None else plain


def _plain(file: bytes) -> bytes | None:
    """The audio of a WAV at 8 kHz that takes no library; None for all others."""
    try:
        found = wav.read(file)
    except IncompleteError as error:
        if error.code == _TRUNCATED:
            raise
        return None
    match found:
        case wav.Wav("pcm_mulaw", 8000):
            return found.audio
        case wav.Wav("pcm_s16le", 8000):
            return encode_mulaw(found.audio)
        case _:
            return None


def _insist_on_all(content: bytes, kind: str) -> None:
    try:
        if kind in _CHECKS:
            _CHECKS[kind](content)
    except IncompleteError as error:
        # Strange tags at the end of an MP3 are FFmpeg's to judge.
        if error.code == _TRUNCATED:
            raise


def insist_on_last_page(ogg: bytes) -> None:
    """Bit 4 marks it; a table tells its length. https://www.rfc-editor.org/rfc/rfc3533#section-6"""
    page = ogg[ogg.rfind(b"OggS") :].ljust(27, b"\0")
    table = page[27 : 27 + page[26]]
    if not page[5] & 4 or len(page) < 27 + page[26] + sum(table):
        raise IncompleteError("The ogg ends before its last page does", code=_TRUNCATED)


_CHECKS: dict[str, Callable[[bytes], object]] = {
    "wav": wav.insist_on_all,
    "mp3": mp3.parse,
    "ogg": insist_on_last_page,
}
"""FFmpeg plays what is there of a file that was cut, and for these kinds says nothing."""


def _doubt(name: str, mulaw: bytes, limit: float | None, warn: Callable[[str], None]) -> None:
    if peak(mulaw) < QUIETEST * FULL_SCALE:
        warn(f"{name} is silent: nothing will be heard of it")
    seconds = len(mulaw) / PHONE_RATE
    if limit is not None and seconds > limit:
        warn(f"{name} lasts {seconds:.1f} s, but the call {limit:g} s at most: its end will be cut")
