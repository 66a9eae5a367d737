"""Files into a call: byte for byte where they fit, by independent measures where they do not."""

from __future__ import annotations

import array
import io
import math
import random
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from asyncflow_cli.errors import AsyncflowError, IncompleteError, UsageError
from asyncflow_cli.protocol.audio import (
    PHONE_RATE,
    Encoding,
    decode_mulaw,
    encode_mulaw,
    wav_file,
    wav_header,
)
from asyncflow_cli.transport.phoneclip import read_phone_clip
from tests.protocol.lines import silence, tone

PITCH = 440.0
PEAK = 8000
CHANCE = random.Random(7)


class Kind(NamedTuple):
    codec: str
    container: str
    rate: int = 44_100

    @property
    def named(self) -> str:
        return f"{self.codec}-{self.container}-{self.rate}"


LOSSLESS = [
    Kind("pcm_s16le", "wav"),
    Kind("pcm_s24le", "wav", 48_000),
    Kind("pcm_u8", "wav", 11_025),
    Kind("pcm_f32le", "wav", 16_000),
    Kind("pcm_alaw", "wav"),
    Kind("pcm_mulaw", "wav", 22_050),
    Kind("flac", "flac"),
    Kind("pcm_s16be", "aiff"),
    Kind("pcm_s16be", "au"),
    Kind("alac", "ipod"),
]
LOSSY = [
    Kind("libmp3lame", "mp3"),
    Kind("libmp3lame", "mp3", 16_000),
    Kind("libopus", "ogg", 48_000),
    Kind("libopus", "webm", 48_000),
    Kind("aac", "ipod"),
]


def sine(rate: int, seconds: float = 1.0, pitch: float = PITCH, peak: float = PEAK) -> bytes:
    turn = 2 * math.pi * pitch / rate
    samples = (round(peak * math.sin(turn * n)) for n in range(round(seconds * rate)))
    return array.array("h", samples).tobytes()


def plain_wav(pcm: bytes, rate: int, channels: int = 1) -> bytes:
    """By the standard library, which knows nothing of us."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


def made(kind: Kind, seconds: float = 1.0) -> bytes:
    """A tone in stereo, the same on both sides, as FFmpeg writes it."""
    both = array.array("h", (s for s in array.array("h", sine(kind.rate, seconds)) for _ in "lr"))
    file = io.BytesIO()
    source = io.BytesIO(plain_wav(both.tobytes(), kind.rate, channels=2))
    with av.open(file, "w", format=kind.container) as target, av.open(source, "r") as reader:
        stream = target.add_stream(kind.codec, rate=kind.rate)
        assert isinstance(stream, av.AudioStream)
        codec = stream.codec_context
        codec.layout = "stereo"
        codec.open()
        resampler = av.AudioResampler(codec.format, "stereo", kind.rate, codec.frame_size or 1024)
        for frame in (*reader.decode(audio=0), None):
            for piece in resampler.resample(frame):
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return file.getvalue()


class Reader:
    """`read_phone_clip` of bytes in a file of some name, and what it warned of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []

    def __call__(
        self,
        content: bytes,
        name: str = "clip.wav",
        *,
        rate: int | None = None,
        encoding: Encoding | None = None,
        limit: float | None = None,
    ) -> bytes:
        path = self.folder / name
        path.write_bytes(content)
        return read_phone_clip(
            str(path), rate=rate, encoding=encoding, limit=limit, warn=self.warnings.append
        )


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def heard(mulaw: bytes) -> list[int]:
    return list(array.array("h", decode_mulaw(mulaw)))


def loudness_of(pitch: float, samples: list[int]) -> float:
    """The amplitude of one pitch: a single line of the Fourier transform."""
    turn = 2 * math.pi * pitch / PHONE_RATE
    real = sum(sample * math.cos(turn * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * n) for n, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


def correlation(one: list[int], other: list[int]) -> float:
    products = sum(a * b for a, b in zip(one, other, strict=False))
    return products / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def refusal(read: Callable[[], bytes]) -> AsyncflowError:
    with pytest.raises(AsyncflowError) as raised:
        read()
    return raised.value


# As it is


def test_mulaw_at_eight_kilohertz_passes_byte_for_byte(read: Reader) -> None:
    every_code = bytes(range(256)) * 50
    assert read(wav_file("pcm_mulaw", 8000, every_code)) == every_code
    assert read(every_code, "clip.ulaw") == every_code
    assert read(every_code[:-1], "odd.raw") == every_code[:-1]
    assert read.warnings == []


def test_a_wav_of_unknown_length_is_read_to_its_end(read: Reader) -> None:
    audio = bytes(range(256)) * 10
    assert read(wav_header("pcm_mulaw", 8000, None) + audio) == audio


def test_pcm_at_eight_kilohertz_is_encoded_and_no_more(read: Reader) -> None:
    pcm = sine(8000)
    assert read(plain_wav(pcm, 8000)) == encode_mulaw(pcm)
    assert read(pcm, "clip.pcm", encoding="pcm_s16le") == encode_mulaw(pcm)


def test_what_fits_needs_no_decoder(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_file("pcm_mulaw", 8000, tone(PITCH, seconds=0.1)))
    (tmp_path / "b.wav").write_bytes(plain_wav(sine(8000, 0.1), 8000))
    (tmp_path / "c.wav").write_bytes(plain_wav(sine(16_000, 0.1), 16_000))
    result = in_a_python_without_av(tmp_path, "a.wav", "b.wav", "c.wav")
    assert result == ["800", "800", "AUDIO_LIBRARY_MISSING pip install 'asyncflow-cli[audio]'"]


def in_a_python_without_av(folder: Path, *names: str) -> list[str]:
    program = """
import sys
sys.modules["av"] = None
from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.transport.phoneclip import read_phone_clip
for name in sys.argv[1:]:
    try:
        print(len(read_phone_clip(name, warn=print)))
    except PrerequisiteError as error:
        print(error.code, error.hint)
"""
    command = [sys.executable, "-c", program, *names]
    return subprocess.check_output(command, cwd=folder, text=True).splitlines()


# Made to fit


@pytest.mark.parametrize("kind", LOSSLESS, ids=lambda kind: kind.named)
def test_any_rate_and_width_becomes_the_same_tone(read: Reader, kind: Kind) -> None:
    samples = heard(read(made(kind)))
    expected = heard(encode_mulaw(sine(PHONE_RATE)))
    assert len(samples) == pytest.approx(PHONE_RATE, abs=2)
    assert correlation(samples, expected) > 0.999
    assert loudness_of(PITCH, samples) == pytest.approx(PEAK, rel=0.03)
    assert read.warnings == []


@pytest.mark.parametrize("kind", LOSSY, ids=lambda kind: kind.named)
def test_what_encoders_add_at_both_ends_is_not_heard(read: Reader, kind: Kind) -> None:
    samples = heard(read(made(kind)))
    expected = heard(encode_mulaw(sine(PHONE_RATE)))
    # AAC's last frame cannot say how much of it is filling.
    assert PHONE_RATE - 2 <= len(samples) <= PHONE_RATE + (200 if kind.codec == "aac" else 2)
    assert correlation(samples[:8000], expected) > 0.99
    assert loudness_of(PITCH, samples[:8000]) == pytest.approx(PEAK, rel=0.05)


def test_pitches_that_a_telephone_does_not_have_are_not_folded_down(read: Reader) -> None:
    too_high = heard(read(plain_wav(sine(16_000, pitch=6000), 16_000)))[400:-400]
    assert loudness_of(2000, too_high) < PEAK / 1000
    high = heard(read(plain_wav(sine(16_000, pitch=3000), 16_000)))[400:-400]
    assert loudness_of(3000, high) == pytest.approx(PEAK, rel=0.05)


def test_both_sides_of_stereo_are_heard(read: Reader) -> None:
    left, right = (array.array("h", sine(16_000, pitch=pitch)) for pitch in (500, 700))
    both = array.array("h", (s for pair in zip(left, right, strict=True) for s in pair))
    samples = heard(read(plain_wav(both.tobytes(), 16_000, channels=2)))
    assert loudness_of(500, samples) == pytest.approx(PEAK / 2, rel=0.05)
    assert loudness_of(700, samples) == pytest.approx(PEAK / 2, rel=0.05)


def test_raw_samples_are_what_they_are_said_to_be(read: Reader) -> None:
    pcm = array.array("h", sine(24_000))
    floats = array.array("f", (sample / 32768 for sample in pcm)).tobytes()
    for content, encoding in ((pcm.tobytes(), "pcm_s16le"), (floats, "pcm_f32le")):
        samples = heard(read(content, "x.bin", rate=24_000, encoding=encoding))  # type: ignore[arg-type]
        assert len(samples) == PHONE_RATE
        assert loudness_of(PITCH, samples) == pytest.approx(PEAK, rel=0.03)


# Content decides


@pytest.mark.parametrize("kind", [LOSSLESS[0], LOSSLESS[6], LOSSY[0], LOSSY[2], LOSSY[4]])
def test_a_header_in_a_file_called_raw_is_noticed(read: Reader, kind: Kind) -> None:
    content = made(kind)
    samples = heard(read(content, "noise.raw"))
    assert loudness_of(PITCH, samples[:8000]) == pytest.approx(PEAK, rel=0.05)
    assert len(read.warnings) == 1
    assert "noise.raw is no raw audio but" in read.warnings[0]


def test_an_extension_that_lies_is_no_obstacle(read: Reader) -> None:
    truth = read(made(LOSSY[0]), "clip.mp3")
    assert read(made(LOSSY[0]), "clip.wav") == truth
    assert read.warnings == []


def test_soft_noise_in_raw_mulaw_is_not_taken_for_an_mp3(read: Reader) -> None:
    audio = b"\xff\xfb\x90\x64" + tone(PITCH, seconds=0.5)
    assert read(audio, "soft.ulaw") == audio


def test_a_dash_is_stdin(tmp_path: Path) -> None:
    audio = tone(PITCH, seconds=0.1)
    program = "import sys; from asyncflow_cli.transport.phoneclip import read_phone_clip as read;"
    program += "sys.stdout.buffer.write(read('-', warn=print))"
    result = subprocess.run(
        [sys.executable, "-c", program],
        input=wav_file("pcm_mulaw", 8000, audio),
        stdout=subprocess.PIPE,
        check=True,
        cwd=tmp_path,
    )
    assert result.stdout == audio


# What is wrong with it


@pytest.mark.parametrize(
    "content",
    [b"Hello, I am a text.\n" * 50, CHANCE.randbytes(5000), b"#EXTM3U\nhttp://127.0.0.1/a\n"],
)
def test_what_is_no_audio_is_not_played_as_noise(read: Reader, content: bytes) -> None:
    error = refusal(lambda: read(content, "notes.wav"))
    assert (type(error), error.code) == (UsageError, "NOT_AUDIO")


def test_no_file_and_an_empty_one_are_told_apart(read: Reader, tmp_path: Path) -> None:
    absent = refusal(lambda: read_phone_clip(str(tmp_path / "absent.wav"), warn=print))
    assert absent.code == "NOT_READABLE"
    assert "No such file" in absent.message
    assert refusal(lambda: read(b"")).code == "AUDIO_EMPTY"
    assert refusal(lambda: read(wav_file("pcm_mulaw", 8000, b""))).code == "AUDIO_EMPTY"
    assert refusal(lambda: read(plain_wav(b"", 44_100))).code == "AUDIO_EMPTY"


@pytest.mark.parametrize("kind", [*LOSSLESS, *LOSSY], ids=lambda kind: kind.named)
def test_audio_that_was_cut_is_not_played(read: Reader, kind: Kind) -> None:
    content = made(kind)
    error = refusal(lambda: read(content[: len(content) * 2 // 3]))
    assert isinstance(error, IncompleteError)
    assert error.code in ("AUDIO_TRUNCATED", "AUDIO_DAMAGED")
    assert "clip.wav" in error.message
    assert error.hint


def test_the_last_bytes_of_an_ogg_are_missed(read: Reader) -> None:
    assert refusal(lambda: read(made(LOSSY[2])[:-50])).code == "AUDIO_TRUNCATED"


def test_audio_that_was_changed_within_is_not_played(read: Reader) -> None:
    content = bytearray(made(Kind("flac", "flac")))
    content[-(len(content) // 2) :] = CHANCE.randbytes(len(content) // 2)
    assert refusal(lambda: read(bytes(content))).exit_code == 8


def test_silence_is_played_with_a_warning(read: Reader) -> None:
    assert read(silence(0.5), "quiet.ulaw") == silence(0.5)
    assert read.warnings == ["quiet.ulaw is silent: nothing will be heard of it"]


def test_a_clip_longer_than_the_call_is_played_with_a_warning(read: Reader) -> None:
    audio = tone(PITCH, seconds=2)
    assert read(audio, "long.ulaw", limit=2) == audio
    assert read.warnings == []
    assert read(audio, "long.ulaw", limit=1.5) == audio
    (warning,) = read.warnings
    assert "2.0 s" in warning
    assert "1.5 s" in warning
