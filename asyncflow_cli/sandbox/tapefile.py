"""The file of a recording: 16-bit WAV at 8 kHz, or MP3, with one channel or two.

Choice: of two channels the first is the callee's voice, the second what they heard.
"""

from __future__ import annotations

import array
import io
import sys
import wave
from fractions import Fraction

from asyncflow_cli.protocol.audio import PHONE_RATE, decode_mulaw
from asyncflow_cli.sandbox.encode import require_av


def wav_file(said: bytes, heard: bytes, channels: int) -> bytes:
    """Both sides as a WAV; they are μ-law, and as long as each other."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(PHONE_RATE)
        writer.writeframes(_little_endian(_samples(said, heard, channels)))
    return file.getvalue()


def mp3_file(said: bytes, heard: bytes, channels: int) -> bytes:
    """The same as an MP3. EngineMissing without PyAV."""
    require_av()
    import av

    samples, layout = _samples(said, heard, channels), "mono" if channels == 1 else "stereo"
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=PHONE_RATE, layout=layout)
        resampler = av.AudioResampler("s16p", layout, PHONE_RATE)
        if samples:
            frame = av.AudioFrame("s16", layout, samples=len(samples) // channels)
            frame.planes[0].update(samples.tobytes())
            frame.sample_rate, frame.time_base = PHONE_RATE, Fraction(1, PHONE_RATE)
            for planar in resampler.resample(frame):
                container.mux(stream.encode(planar))
        container.mux(stream.encode(None))
    return file.getvalue()


def _samples(said: bytes, heard: bytes, channels: int) -> array.array[int]:
    """16-bit samples, interleaved or mixed."""
    left, right = _decoded(said), _decoded(heard)
    if channels == 1:
        mixed = (max(-32768, min(32767, a + b)) for a, b in zip(left, right, strict=True))
        return array.array("h", mixed)
    both = array.array("h", bytes(4 * len(left)))
    both[::2], both[1::2] = left, right
    return both


def _decoded(mulaw: bytes) -> array.array[int]:
    samples = array.array("h", decode_mulaw(mulaw))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _little_endian(samples: array.array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
