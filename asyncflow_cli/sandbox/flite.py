"""The stand-in: flite speaks English when there is no espeak-ng. Runs in the child only.

Debian's `libflite1` comes with ffmpeg, Homebrew has `flite`. Its voices are 16 kHz, and it tells
the end of each word exactly. Header: flite.h of 2.2.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sys
from collections.abc import Callable, Iterator

from asyncflow_cli.sandbox.encode import Resampler
from asyncflow_cli.sandbox.pipe import Say
from asyncflow_cli.sandbox.words import Event

RATE = 22050
_CHUNK = 1324 * 2  # bytes; what espeak hands out at a time
_NORMAL_RATE = 165  # words per minute at a duration stretch of 1


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.c_void_p),
    )


class _Voice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


def _open(name: str) -> ctypes.CDLL:
    if sys.platform == "linux":
        return ctypes.CDLL(f"lib{name}.so.1", ctypes.RTLD_GLOBAL)
    found = ctypes.util.find_library(name)
    if found is None:
        raise OSError(f"{name} not found")
    return ctypes.CDLL(found, ctypes.RTLD_GLOBAL)


_POINTERS = ("flite_synth_text", "utt_relation", "utt_wave", "relation_head", "item_next")


class Flite:
    def __init__(self) -> None:
        self._lib = _open("flite")
        self._libc = ctypes.CDLL(None)
        for function in _POINTERS:
            getattr(self._lib, function).restype = ctypes.c_void_p
        self._lib.flite_ffeature_string.restype = ctypes.c_char_p
        self._lib.flite_ffeature_float.restype = ctypes.c_float
        self._lib.flite_init()
        self._voices = {name: self._register(name) for name in ("rms", "slt")}
        self.name = "flite"
        self.library = self._lib._name

    def _register(self, name: str) -> ctypes.c_void_p:
        register = getattr(_open(f"flite_cmu_us_{name}"), f"register_cmu_us_{name}")
        register.restype = ctypes.c_void_p
        return ctypes.c_void_p(register(None))

    def speak(self, say: Say, emit: Callable[[bytes], bool]) -> list[Event]:
        voice = self._voices[say.stand_in]
        features = ctypes.cast(voice, ctypes.POINTER(_Voice)).contents.features
        self._lib.flite_feat_set_float(
            ctypes.c_void_p(features),
            b"duration_stretch",
            ctypes.c_float(_NORMAL_RATE / say.rate),
        )
        events: list[Event] = []
        heard = 0
        for sentence in re.finditer(r"\S.*?(?:[.!?]+(?=\s)|\Z)", say.text, re.DOTALL):
            pcm, found = self._sentence(sentence[0], voice)
            events += (
                Event(e.kind, e.sample + heard, e.position + sentence.start()) for e in found
            )
            for start in range(0, len(pcm), _CHUNK):
                if emit(pcm[start : start + _CHUNK]):
                    return events
            heard += len(pcm) // 2
        return events

    def _sentence(self, text: str, voice: ctypes.c_void_p) -> tuple[bytes, list[Event]]:
        # Flite reads ASCII only, and no mnemonics. One character for another keeps the count.
        encoded = text.translate({ord("["): " ", ord("]"): " "}).encode("ascii", "replace")
        self._libc.srand(1)  # its breath is rand(), and the same text must be the same bytes
        utterance = ctypes.c_void_p(self._lib.flite_synth_text(encoded, voice))
        if not utterance:
            raise ValueError("flite refuses the text")
        try:
            wave = _Wave.from_address(self._lib.utt_wave(utterance))
            pcm = ctypes.string_at(wave.samples, 2 * wave.num_samples)
            resampler = Resampler("s16", RATE, source_rate=wave.sample_rate)
            events = list(self._events(utterance, encoded.decode()))
            return resampler.feed(pcm) + resampler.finish(), events
        finally:
            self._lib.delete_utterance(utterance)

    def _events(self, utterance: ctypes.c_void_p, text: str) -> Iterator[Event]:
        """The words; where each ends, a pause, which the next word may cut to nothing."""
        position = 0
        token = ctypes.c_void_p(
            self._lib.relation_head(ctypes.c_void_p(self._lib.utt_relation(utterance, b"Token")))
        )
        while token:
            name = self._lib.flite_ffeature_string(token, b"name").decode()
            position = max(text.find(name, position), position)
            start, end = (self._seconds(token, path) for path in _SEGMENTS)
            if end > start:
                yield Event("word", round(start * RATE), position)
                yield Event("sound", round(start * RATE))
                yield Event("pause", round(end * RATE))
            position += len(name)
            token = ctypes.c_void_p(self._lib.item_next(token))

    def _seconds(self, token: ctypes.c_void_p, path: bytes) -> float:
        return float(self._lib.flite_ffeature_float(token, path))


# From a token to the first and last sound of its words: the end of what precedes, and its own.
_SEGMENTS = (
    b"daughter1.R:SylStructure.daughter1.daughter1.R:Segment.p.end",
    b"daughtern.R:SylStructure.daughtern.daughtern.R:Segment.end",
)
