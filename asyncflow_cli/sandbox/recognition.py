"""Who can tell what is said: the sandbox's own memory, and pocketsphinx if it is installed.

The memory knows the sandbox's own speech again, as a file, from a phone line or out of an mp3, and
gives the exact text. It never answers for audio that it did not make. pocketsphinx really listens,
in English. Where neither can there is no transcript.
"""

from __future__ import annotations

import array
import asyncio
from typing import NamedTuple

import msgspec

from asyncflow_cli.protocol.audio import SAMPLE_BYTES, wav_file
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.sandbox.fingerprint import Fingerprint, Match, covered, find, fingerprint
from asyncflow_cli.sandbox.recording import decode
from asyncflow_cli.sandbox.store import Speech, Store

INSTALL = "pip install 'asyncflow-cli[stt]'"

_ENOUGH = 0.95
"""Of what is loud in a recording; the rest may be a click."""

_CERTAIN = 0.04
"""Errors of a match that no other one needs to be compared with."""

_LISTENS_AT = 16_000


class Heard(NamedTuple):
    text: str
    engine: str


async def recognise(content: bytes, language: str | None, store: Store) -> Heard | None:
    """What is said in a file; None if nobody here can tell. ValueError if it is no audio."""
    samples = await asyncio.to_thread(decode, content)
    if samples is None:
        raise ValueError("no audio")
    text = await asyncio.to_thread(_remembered, samples, store)
    if text is not None:
        return Heard(text, "echo")
    if language not in (None, "en"):
        return None
    return await asyncio.to_thread(_listen, content)


def _remembered(samples: array.array[int], store: Store) -> str | None:
    """The text of the speech, or of the speeches one after the other, that this is."""
    recording = fingerprint(samples)
    found: list[tuple[Match, int]] = []
    # The latest first: that is what people ask for.
    for number, kept in reversed(store.fingerprints().items()):
        match = find(_fingerprint(number, kept, store), recording)
        if match is not None:
            found.append((match, number))
            if match.errors < _CERTAIN and covered(recording, [match]) >= _ENOUGH:
                return _transcript(number, store)
    whole = [pair for pair in found if covered(recording, [pair[0]]) >= _ENOUGH]
    chosen = [min(whole, key=lambda pair: pair[0].errors)] if whole else _chosen(found)
    if covered(recording, [match for match, _ in chosen]) < _ENOUGH:
        return None
    return " ".join(_transcript(number, store) for _, number in chosen)


def _chosen(found: list[tuple[Match, int]]) -> list[tuple[Match, int]]:
    """The longest that do not overlap, in the order in which they are heard."""
    chosen: list[tuple[Match, int]] = []
    for match, number in sorted(found, key=lambda pair: pair[0].start - pair[0].end):
        middle = (match.start + match.end) / 2
        if not any(other.start <= middle < other.end for other, _ in chosen):
            chosen.append((match, number))
    return sorted(chosen)


def _transcript(number: int, store: Store) -> str:
    speech = store.speech(number)
    return speech.transcript.strip() if speech else ""


def _fingerprint(number: int, kept: bytes | None, store: Store) -> Fingerprint:
    """Taken when it is first needed (30 ms for a second of audio), and kept."""
    if kept is not None:
        return msgspec.msgpack.decode(kept, type=Fingerprint)
    speech = store.speech(number)
    samples = decode(_as_file(speech)) if speech else None
    taken = fingerprint(samples or array.array("h"))
    store.set_fingerprint(number, msgspec.msgpack.encode(taken))
    return taken


def _as_file(speech: Speech) -> bytes:
    form = msgspec.convert(speech.output_format, OutputFormat)
    if form.container != "raw":
        return speech.audio
    encoding = form.encoding or "pcm_s16le"
    whole = len(speech.audio) - len(speech.audio) % SAMPLE_BYTES[encoding]
    return wav_file(encoding, form.sample_rate, speech.audio[:whole])


def _listen(content: bytes) -> Heard | None:
    try:
        import pocketsphinx
    except ImportError:
        return None
    samples = decode(content, _LISTENS_AT)
    decoder = pocketsphinx.Decoder(samprate=_LISTENS_AT, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw((samples or array.array("h")).tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return Heard(hypothesis.hypstr if hypothesis else "", "pocketsphinx")
