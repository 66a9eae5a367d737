"""espeak-ng's library, as its header has it: speak_lib.h of 1.52. Runs in the child only.

It is one global that text can crash, and it is under the GPL. What has been learnt by breaking it:
identifiers, never language codes, take variants (`gmw/en-US+klatt4`); threads without a lock
segfault, so one thread alone calls it; between two utterances it keeps state that changes samples,
so it is unloaded and loaded again (0.5 ms); an exception must never cross its callback; a path to
its data of 160 characters fails.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from asyncflow_cli.sandbox.pipe import Say
from asyncflow_cli.sandbox.words import Event

Emit = Callable[[bytes], bool]
"""Takes samples, s16le mono at 22 050 Hz; true says that nobody wants more."""

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples go to the callback, inside espeak_Synth
_PHONEME_EVENTS, _DONT_EXIT = 0x0001, 0x8000
_UTF8, _PHONEMES, _END_PAUSE = 0x0001, 0x0100, 0x1000
_RATE, _VOLUME, _PITCH = 1, 2, 3
_END_OF_EVENTS, _WORD, _PHONEME = 0, 1, 7


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Events = ctypes.POINTER(_Event)
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, _Events)


class _Listener:
    """What the library calls back while it speaks one text."""

    def __init__(self, emit: Emit) -> None:
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self._emit = emit

    def __call__(self, wave: object, count: int, events: object) -> int:
        """The callback: 0 to go on, 1 to stop. What goes wrong in here waits outside."""
        try:
            self.events += _read(events)
            return int(count > 0 and bool(wave) and self._emit(ctypes.string_at(wave, 2 * count)))  # type: ignore[arg-type]
        except BaseException as error:
            self.error = error
            return 1


def _read(events: object) -> Iterator[Event]:
    for index in range(1 << 16):
        event = events[index]  # type: ignore[index]
        if event.type == _END_OF_EVENTS:
            return
        if event.type == _WORD:
            yield Event("word", event.sample, event.text_position - 1)
        elif event.type == _PHONEME:
            name = event.id.string
            # "(en)" is no sound: the reader changes language there and back.
            if not name.startswith(b"("):
                pause = not name or name.startswith(b"_")
                yield Event("pause" if pause else "sound", event.sample)


class ESpeak:
    """One library with its data; fails with OSError if the two cannot speak."""

    def __init__(self, library: str, data: str | None) -> None:
        self.library = library
        self._data: bytes | None = None
        if data is not None:
            # A relative path is short, wherever the package lies.
            os.chdir(Path(data).parent)
            self._data = Path(data).name.encode()
        lib = self._load()
        lib.espeak_Info.restype = ctypes.c_char_p
        self.name = f"espeak-ng {lib.espeak_Info(None).decode().split()[0]}"
        self._unload(lib)

    def speak(self, say: Say, emit: Emit) -> list[Event]:
        listener = _Listener(emit)
        callback = _Callback(listener)  # must live as long as the library may call it
        lib = self._load()
        if sys.platform != "win32":
            ctypes.CDLL(None).srand(1)  # breath is rand(), and the same text must be the same bytes
        try:
            lib.espeak_SetSynthCallback(callback)
            self._prepare(lib, say)
            self._synthesise(lib, say)
        finally:
            self._unload(lib)
        if listener.error is not None:
            raise listener.error
        return listener.events

    def _load(self) -> ctypes.CDLL:
        lib = ctypes.CDLL(self.library)
        lib.espeak_Initialize.argtypes = (
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
        )
        options = _PHONEME_EVENTS | _DONT_EXIT
        if lib.espeak_Initialize(_SYNCHRONOUS, 0, self._data, options) != 22050:
            raise OSError(f"{self.library} does not find its data")
        return lib

    def _unload(self, lib: ctypes.CDLL) -> None:
        lib.espeak_Terminate()
        if sys.platform != "win32":
            import _ctypes

            _ctypes.dlclose(lib._handle)

    def _prepare(self, lib: ctypes.CDLL, say: Say) -> None:
        if lib.espeak_SetVoiceByName(say.voice.encode()) != 0:
            raise ValueError(f"espeak has no voice {say.voice}")
        lib.espeak_SetParameter(_RATE, say.rate, 0)
        lib.espeak_SetParameter(_PITCH, say.pitch, 0)
        lib.espeak_SetParameter(_VOLUME, say.volume, 0)

    def _synthesise(self, lib: ctypes.CDLL, say: Say) -> None:
        text = say.text.encode("utf-8", "replace") + b"\0"
        flags = _UTF8 | _PHONEMES * say.phonetic | _END_PAUSE * say.end_pause
        lib.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        code = lib.espeak_Synth(text, len(text), 0, 1, 0, flags, None, None)
        if code != 0:
            raise ValueError(f"espeak refuses the text with code {code}")
