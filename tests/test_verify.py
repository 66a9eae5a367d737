"""`asyncflow verify`: nothing against what is sound, and a name for everything that is not."""

from __future__ import annotations

import array
import functools
import io
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest

from asyncflow_cli import cli
from asyncflow_cli.protocol.audio import encode_mulaw, wav_file
from asyncflow_cli.transport.verifying import verify
from tests.conftest import Result, Run, ServedSandbox, environment
from tests.httpservers import saying
from tests.test_timestamps import timed as timed_answer

TEXT = "Your table for two is ready, Ms. Okafor. Please come in, and bring your friends along."
RATE = 16_000
Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def talk(fast: ServedSandbox, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sentence as 16-bit samples; the sandbox makes the same one every time."""
    folder = tmp_path_factory.mktemp("talk")
    path = folder / "talk.raw"
    args = ("tts", TEXT, "-o", str(path), "--sample-rate", str(RATE), "--quiet")
    assert cli.run(args, environment(folder, **fast.environ)) == 0
    return path.read_bytes()


def wav(pcm: bytes, rate: int = RATE) -> bytes:
    return wav_file("pcm_s16le", rate, pcm)


def louder(pcm: bytes, factor: float) -> bytes:
    samples = array.array("h", pcm)
    return array.array("h", (max(-32768, min(32767, round(factor * s))) for s in samples)).tobytes()


def with_pause(pcm: bytes, seconds: float, *, click: bool = False) -> bytes:
    middle = len(pcm) // 4 * 2
    pause = bytearray(2 * round(seconds * RATE))
    if click:
        pause[len(pause) // 2 : len(pause) // 2 + 2] = b"\xff\x3f"
    return pcm[:middle] + bytes(pause) + pcm[middle:]


def noise(pcm: bytes) -> bytes:
    return random.Random(7).randbytes(len(pcm))


def encoded(pcm: bytes, codec: str, container: str) -> bytes:
    """The same in another kind of file, by FFmpeg's libraries."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wav(pcm)), "r") as source,
        av.open(file, "w", format=container) as target,
    ):
        stream = target.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for frame in (*source.decode(audio=0), None):
            target.mux(stream.encode(frame))
    return file.getvalue()


def codes(result: Result) -> list[str]:
    """The findings of the one file, whether it passed or failed."""
    report = result.json if result.code == 0 else result.error["details"]
    return [finding["code"] for finding in report["files"][0]["findings"]]


# What is sound


SHORT = "Your table for two is ready now, please come in."
ORDERS: list[tuple[str, ...]] = [
    ("tts", "16.wav", "--encoding", "pcm_s16le"),
    ("tts", "whole.mp3"),
    ("timestamps", "timed.wav", "--captions", "json"),
    ("tts", "float.wav", "--encoding", "pcm_f32le"),
    ("tts", "least.mp3", "--bit-rate", "32000"),
    ("tts-stream", "live.wav", "--encoding", "pcm_mulaw"),
    ("tts-stream", "live.mp3"),
    ("timestamps", "timed.mp3", "--captions", "srt"),
    ("timestamps", "cues.wav", "--captions", "vtt"),
]


@pytest.mark.parametrize(
    ("rate", "orders"),
    [
        (8000, ORDERS),
        (16_000, ORDERS[:3]),
        (22_050, ORDERS[:3]),
        (44_100, ORDERS[:3]),
        (48_000, ORDERS),
    ],
)
def test_nothing_is_found_in_what_the_sandbox_makes(
    sandboxed: Run, rate: int, orders: list[tuple[str, ...]]
) -> None:
    for command, name, *more in orders:
        made = sandboxed(command, SHORT, "-o", name, "--sample-rate", str(rate), *more)
        assert made.code == 0, made.err
    files = [name for _, name, *_ in orders]
    result = sandboxed("verify", *files, "--sample-rate", str(rate), "--json")
    assert result.code == 0, result.err
    for file in result.json["files"]:
        assert (file["verdict"], file["findings"]) == ("passed", []), file
        assert file["sample_rate"] == rate
        assert 2 < file["seconds"] < 5
        assert (file["words_per_minute"] is not None) == bool(file["timings"]), file


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_nothing_is_found_in_samples_of_which_it_is_said_what_they_are(
    sandboxed: Run, rate: int
) -> None:
    form = ("--encoding", "pcm_f32le", "--sample-rate", str(rate))
    assert sandboxed("tts", SHORT, "-o", "talk.raw", *form).code == 0
    assert codes(sandboxed("verify", "talk.raw", *form, "--text", SHORT, "--json")) == []


def test_nothing_is_found_in_any_voice(sandboxed: Run) -> None:
    listed = sandboxed("voices", "list", "--all", "--json").stdout.splitlines()
    names = [msgspec.json.decode(line)["name"] for line in listed]
    for number, voice in enumerate(names[:: len(names) // 3]):
        file, form = f"{number}.wav", ("--sample-rate", "8000")
        assert sandboxed("tts", SHORT, "--voice", voice, "-o", file, *form).code == 0
        assert codes(sandboxed("verify", file, "--text", SHORT, "--json")) == [], voice


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("talk.flac", "flac", "flac"),
        ("talk.ogg", "libopus", "ogg"),
        ("talk.m4a", "aac", "ipod"),
        ("talk.aiff", "pcm_s16be", "aiff"),
        ("talk.au", "pcm_s16be", "au"),
        ("wide.wav", "pcm_s24le", "wav"),
        ("phone.wav", "pcm_alaw", "wav"),
    ],
)
def test_nothing_is_found_in_other_kinds(
    run: Run, home: Path, talk: bytes, name: str, codec: str, container: str
) -> None:
    (home / name).write_bytes(encoded(talk, codec, container))
    result = run("verify", name, "--text", TEXT, "--json")
    assert codes(result) == []
    assert result.json["files"][0]["seconds"] == pytest.approx(len(talk) / 2 / RATE, abs=0.1)


@pytest.mark.parametrize(
    ("name", "container", "codec", "called"),
    [("talk.ogg", "ogg", "libopus", "opus"), ("adpcm.wav", "wav", "adpcm_ms", "adpcm_ms")],
)
def test_a_codec_is_called_what_the_field_calls_it(
    run: Run, home: Path, talk: bytes, name: str, container: str, codec: str, called: str
) -> None:
    (home / name).write_bytes(encoded(talk, codec, container))
    file = run("verify", name, "--encoding", called, "--json").json["files"][0]
    assert (file["container"], file["encoding"]) == (container, called)


def test_the_numbers_are_those_of_the_audio(run: Run, home: Path) -> None:
    """A second of a sine at half of full scale, between half a second and a whole of nothing."""
    turn = [round(16384 * s) for s in (0, 0.5**0.5, 1, 0.5**0.5, 0, -(0.5**0.5), -1, -(0.5**0.5))]
    tone = array.array("h", turn * (RATE // 8)).tobytes()
    (home / "tone.wav").write_bytes(wav(bytes(RATE) + tone + bytes(2 * RATE)))
    file = run("verify", "tone.wav", "--json").json["files"][0]
    assert (file["container"], file["encoding"], file["channels"]) == ("wav", "pcm_s16le", 1)
    assert (file["seconds"], file["bytes"]) == (2.5, 44 + 5 * RATE)
    assert file["sound"] == {
        "peak_dbfs": -6.0,
        "level_dbfs": -9.0,
        "clipped_ms": 0.0,
        "silences": [{"start": 0.0, "end": 0.5}, {"start": 1.5, "end": 2.5}],
        "longest_silence": 1.0,
        "sounding": 1.0,
    }


# What is not


def cut(pcm: bytes) -> bytes:
    return wav(pcm)[: len(pcm) // 2]


DEFECTS: list[tuple[str, Change, tuple[str, ...], str]] = [
    ("cut.wav", cut, (), "AUDIO_TRUNCATED"),
    ("cut.wav", lambda pcm: wav(pcm)[:40], (), "AUDIO_TRUNCATED"),
    ("odd.wav", lambda pcm: wav_file("pcm_s16le", RATE, pcm[:-1]), (), "AUDIO_TRUNCATED"),
    ("cut.mp3", lambda pcm: encoded(pcm, "libmp3lame", "mp3")[:9000], (), "AUDIO_TRUNCATED"),
    ("cut.flac", lambda pcm: encoded(pcm, "flac", "flac")[:50_000], (), "AUDIO_DAMAGED"),
    ("cut.ogg", lambda pcm: encoded(pcm, "libopus", "ogg")[:9000], (), "AUDIO_TRUNCATED"),
    ("odd.raw", lambda pcm: pcm[:-1], ("--encoding", "pcm_s16le"), "AUDIO_TRUNCATED"),
    ("none.wav", lambda _: wav(b""), (), "AUDIO_EMPTY"),
    ("page.wav", lambda _: b"<html>No</html>", (), "CONTAINER_MISMATCH"),
    ("really.mp3", wav, (), "CONTAINER_MISMATCH"),
    ("really.raw", wav, (), "CONTAINER_MISMATCH"),
    ("talk", wav, ("--container", "mp3"), "CONTAINER_MISMATCH"),
    ("talk.wav", wav, ("--encoding", "pcm_mulaw"), "ENCODING_MISMATCH"),
    ("talk.wav", lambda pcm: wav(pcm, 8000), (), "SAMPLE_RATE_MISMATCH"),
    ("talk.wav", lambda pcm: lying(wav(pcm), 28, "<I", 44_100), (), "HEADER_MISMATCH"),
    ("talk.wav", lambda pcm: lying(wav(pcm), 40, "<I", 40_000), (), "HEADER_MISMATCH"),
    ("noise.wav", lambda pcm: wav(noise(pcm)), (), "NOISE"),
    ("noise.wav", lambda pcm: wav(encode_mulaw(pcm)), (), "NOISE"),
    ("loud.wav", lambda pcm: wav(louder(pcm, 8)), (), "CLIPPED"),
    ("loud.mp3", lambda pcm: encoded(louder(pcm, 8), "libmp3lame", "mp3"), (), "CLIPPED"),
    ("loud.ul", lambda pcm: encode_mulaw(louder(pcm, 8)), (), "CLIPPED"),
    ("soft.wav", lambda pcm: wav(louder(pcm, 0.1)), (), "TOO_QUIET"),
    ("talk.wav", wav, ("--max-level", "-40"), "TOO_LOUD"),
    ("silent.wav", lambda pcm: wav(bytes(len(pcm))), (), "SILENT"),
    ("hiss.wav", lambda pcm: wav(louder(noise(pcm), 0.001)), (), "SILENT"),
    ("pause.wav", lambda pcm: wav(with_pause(pcm, 3)), (), "DEAD_AIR"),
    ("click.wav", lambda pcm: wav(with_pause(pcm, 3, click=True)), (), "DEAD_AIR"),
    ("pause.mp3", lambda pcm: encoded(with_pause(pcm, 3), "libmp3lame", "mp3"), (), "DEAD_AIR"),
    ("late.wav", lambda pcm: wav(bytes(6 * RATE) + pcm), (), "DEAD_AIR"),
    ("talk.wav", wav, ("--max-silence", "200ms"), "DEAD_AIR"),
    ("talk.wav", wav, ("--max-duration", "2s"), "TOO_LONG"),
    ("talk.wav", wav, ("--min-duration", "1m"), "TOO_SHORT"),
    ("half.wav", lambda pcm: wav(pcm[: len(pcm) // 4 * 2]), ("--text", TEXT), "TOO_FAST"),
    ("talk.wav", wav, ("--text", TEXT, "--min-wpm", "600"), "TOO_SLOW"),
]


def lying(file: bytes, at: int, form: str, number: int) -> bytes:
    """A file with another number in its header."""
    told = bytearray(file)
    struct.pack_into(form, told, at, number)
    return bytes(told)


@pytest.mark.parametrize(("name", "change", "args", "code"), DEFECTS)
def test_a_defect_made_on_purpose_is_found_by_its_name(
    run: Run, home: Path, talk: bytes, name: str, change: Change, args: tuple[str, ...], code: str
) -> None:
    (home / name).write_bytes(change(talk))
    rate = () if name.endswith(".ul") else ("--sample-rate", str(RATE))
    result = run("verify", name, *rate, *args, "--json")
    assert (result.code, result.out, result.error["code"]) == (9, "", "AUDIO_DEFECTIVE")
    assert code in codes(result)


def test_people_see_the_table_and_the_findings(run: Run, home: Path, talk: bytes) -> None:
    (home / "good.wav").write_bytes(wav(talk))
    (home / "bad.wav").write_bytes(wav(with_pause(louder(talk, 8), 3))[:-2000])
    result = run("verify", "good.wav", "bad.wav")
    assert result.code == 9
    assert [line.split()[:2] for line in result.out.splitlines()[1:]] == [
        ["good.wav", "passed"],
        ["bad.wav", "defective"],
    ]
    for code in ("AUDIO_TRUNCATED", "DEAD_AIR", "CLIPPED"):
        assert f"bad.wav: {code} at " in result.err
    assert "asyncflow explain AUDIO_TRUNCATED" in result.err


def test_dead_air_is_found_where_it_is(run: Run, home: Path, talk: bytes) -> None:
    (home / "pause.wav").write_bytes(wav(with_pause(talk, 3)))
    (finding,) = run("verify", "pause.wav", "--json").error["details"]["files"][0]["findings"]
    middle = len(talk) / 4 / RATE
    assert finding["start"] == pytest.approx(middle, abs=0.4)
    assert finding["end"] == pytest.approx(middle + 3, abs=0.4)
    assert (finding["limit"], finding["value"]) == (2.0, pytest.approx(3, abs=0.5))


def test_a_break_that_the_text_asks_for_is_no_dead_air(sandboxed: Run) -> None:
    text = "Wait for it. <break time='3s'/> There it is, as I have told you before."
    assert sandboxed("tts", text, "-o", "pause.wav").code == 0
    assert codes(sandboxed("verify", "pause.wav", "--json")) == ["DEAD_AIR"]
    assert codes(sandboxed("verify", "pause.wav", "--text", text, "--json")) == []


def test_a_stream_that_may_have_lost_its_end_is_told_and_passes(
    run: Run, home: Path, talk: bytes
) -> None:
    loudest = max(range(0, len(talk) - 3200, 320), key=lambda at: power(talk[at : at + 640]))
    (home / "cut.wav").write_bytes(wav(talk[: loudest + 640]))
    result = run("verify", "cut.wav")
    assert result.code == 0
    assert "ENDS_ABRUPTLY" in result.err


def power(pcm: bytes) -> int:
    return sum(sample * sample for sample in array.array("h", pcm))


# Words


@pytest.fixture
def timed(sandboxed: Run, home: Path) -> list[dict[str, Any]]:
    """talk.wav, talk.json, talk.srt and talk.vtt; the words of the first."""
    args = ("timestamps", TEXT, "-o", "talk.wav", "--captions", "json,srt,vtt")
    assert sandboxed(*args, "--sample-rate", str(RATE)).code == 0
    words: list[dict[str, Any]] = msgspec.json.decode((home / "talk.json").read_bytes())["words"]
    return words


@pytest.mark.parametrize("name", ["talk.json", "talk.srt", "talk.vtt"])
@pytest.mark.usefixtures("timed")
def test_words_are_held_against_the_sound(run: Run, name: str) -> None:
    result = run("verify", "talk.wav", "--timings", name, "--text", TEXT, "--json")
    assert codes(result) == []
    file = result.json["files"][0]
    assert (file["timings"], file["words"]) == (name, 16)
    assert 100 < file["words_per_minute"] < 250


@pytest.mark.usefixtures("timed")
def test_words_that_are_not_heard_are_missed(run: Run, home: Path) -> None:
    """The second half of the sound is silent, or gone, and the times do not know."""
    audio = (home / "talk.wav").read_bytes()[44:]
    half = len(audio) // 4 * 2
    (home / "talk.wav").write_bytes(wav(audio[:half] + bytes(half)))
    assert "WORD_NOT_HEARD" in codes(run("verify", "talk.wav", "--json"))
    (home / "talk.wav").write_bytes(wav(audio[:half]))
    for name in ("talk.json", "talk.srt", "talk.vtt"):
        result = run("verify", "talk.wav", "--timings", name, "--json")
        assert "TIMES_NOT_TRUE" in codes(result), name


def test_half_the_words_are_missed(run: Run, home: Path, timed: list[dict[str, Any]]) -> None:
    (home / "talk.json").write_bytes(msgspec.json.encode({"words": timed[: len(timed) // 2]}))
    assert codes(run("verify", "talk.wav", "--json")) == ["SPEECH_NOT_TIMED"]
    found = codes(run("verify", "talk.wav", "--text", TEXT, "--json"))
    assert found == ["WORDS_MISSING", "SPEECH_NOT_TIMED"]


def test_another_document_of_the_same_name_is_no_timing(
    run: Run, home: Path, timed: list[dict[str, Any]]
) -> None:
    (home / "talk.json").write_text('{"order": 7}')
    result = run("verify", "talk.wav", "--json")
    assert (codes(result), result.json["files"][0]["timings"]) == ([], "talk.srt")
    refused = run("verify", "talk.wav", "--timings", "talk.json", "--json")
    assert (refused.code, refused.error["code"]) == (2, "TIMES_NOT_READABLE")
    assert timed


@pytest.mark.parametrize(
    "text",
    [
        "Call 1 800 555 0199, or 4155550123, between 9:30 and 17:45 on 24.12.2026, please.",
        "Donaudampfschifffahrtsgesellschaft, Rechtsschutzversicherung, Haltestelle, ja.",
        "A. B. C. D. E. F. G. H. I. J. K. L. M. N.",
    ],
)
def test_odd_texts_have_usual_rates(sandboxed: Run, text: str) -> None:
    assert sandboxed("tts", text, "-o", "odd.wav").code == 0
    assert codes(sandboxed("verify", "odd.wav", "--text", text, "--json")) == []


# How it is asked


def test_one_call_three_renderings(run: Run, home: Path, talk: bytes) -> None:
    (home / "talk.wav").write_bytes(wav(talk))
    human = run("verify", "talk.wav")
    quiet = run("verify", "talk.wav", "--quiet")
    document = run("verify", "talk.wav", "--json")
    assert "passed" in human.out
    assert "wav pcm_s16le 16000 Hz" in human.out
    assert (quiet.out, human.err, quiet.err, document.err) == ("passed\n", "", "", "")
    assert document.json["schema"] == "asyncflow.verify"
    assert codes(run("verify", "-", "--json", stdin=wav(talk))) == []


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("missing.wav",), "NOT_READABLE", "missing.wav cannot be read"),
        (("empty.wav",), "AUDIO_EMPTY", "There is nothing in empty.wav"),
        (("talk.txt",), "NOT_AUDIO", "no audio"),
        (("talk.raw",), "NOT_AUDIO", "no header"),
        (("rifx.wav",), "NOT_AUDIO", "the other byte order"),
        (("talk.wav", "--container", "tape"), "USAGE", "'tape' is no container"),
        (("talk.raw", "--encoding", "mp3"), "USAGE", "no encoding of raw samples"),
        (("talk.wav", "talk.wav", "--text", "Hi"), "USAGE", "Words are of one file"),
        (("talk.wav", "--max-wpm", "200"), "USAGE", "no words of talk.wav to count"),
        (("talk.wav", "--timings", "none.srt"), "NOT_READABLE", "none.srt cannot be read"),
        (("talk.wav", "--max-silence", "soon"), "USAGE", "'soon' is no duration"),
        (("talk.wav", "--max-silence", "199ms"), "USAGE", "'199ms' is no silence yet"),
    ],
)
def test_what_cannot_be_measured_is_told(
    run: Run, home: Path, talk: bytes, args: tuple[str, ...], code: str, says: str
) -> None:
    (home / "talk.wav").write_bytes(wav(talk))
    (home / "talk.txt").write_text("This is no audio.")
    (home / "rifx.wav").write_bytes(b"RIFX" + wav(talk)[4:])
    (home / "talk.raw").write_bytes(talk)
    (home / "empty.wav").touch()
    result = run("verify", *args, "--json")
    assert (result.code, result.out, result.error["code"]) == (2, "", code)
    assert says in result.error["message"]


def test_a_defect_outweighs_what_cannot_be_measured(run: Run, home: Path, talk: bytes) -> None:
    (home / "good.wav").write_bytes(wav(talk))
    (home / "bad.wav").write_bytes(cut(talk))
    result = run("verify", "missing.wav", "good.wav", "bad.wav", "--json")
    assert result.code == 9
    verdicts = [file["verdict"] for file in result.error["details"]["files"]]
    assert verdicts == ["unmeasured", "passed", "defective"]
    assert run("verify", "missing.wav", "good.wav").code == 2


WITHOUT_PYAV = """
import sys
sys.modules["av"] = None
from asyncflow_cli.__main__ import main
main()
"""


def test_without_a_decoder_an_mp3_is_measured_by_its_frames(home: Path, talk: bytes) -> None:
    (home / "talk.mp3").write_bytes(encoded(talk, "libmp3lame", "mp3"))
    (home / "cut.mp3").write_bytes(encoded(talk, "libmp3lame", "mp3")[:9000])
    (home / "talk.flac").write_bytes(encoded(talk, "flac", "flac"))
    without = functools.partial(
        subprocess.run, cwd=home, capture_output=True, text=True, timeout=30, check=False
    )
    program = (sys.executable, "-c", WITHOUT_PYAV, "verify")
    told = without((*program, "talk.mp3"))
    assert told.returncode == 0
    assert "takes PyAV" in told.stderr
    assert without((*program, "cut.mp3")).returncode == 9
    assert without((*program, "talk.flac")).returncode == 10


def test_any_bytes_have_a_verdict(home: Path, talk: bytes) -> None:
    """Files as a bad disk leaves them: each is passed, defective or unmeasured, and no error."""
    from asyncflow_cli.protocol.verify.findings import VerifyOrder

    chance = random.Random(11)
    whole = [wav(talk), encoded(talk, "libmp3lame", "mp3"), encoded(talk, "flac", "flac")]
    for number in range(30):
        file = bytearray(whole[number % 3][: chance.randrange(1, 30_000)])
        for _ in range(4):
            file[chance.randrange(min(len(file), 200))] = chance.randrange(256)
        path = home / f"{number}.{('wav', 'mp3', 'flac')[number % 3]}"
        path.write_bytes(file)
        (verdict,) = verify([str(path)], VerifyOrder()).files
        assert verdict.verdict in ("passed", "defective", "unmeasured")


def test_nothing_is_asked_of_anybody(
    fast: ServedSandbox, run: Run, home: Path, talk: bytes
) -> None:
    (home / "talk.wav").write_bytes(wav(talk))
    assert run("verify", "talk.wav", ASYNC_BASE_URL="http://127.0.0.1:1", HTTPS_PROXY="x").code == 0
    assert fast.ended()


# While it is made


@pytest.mark.parametrize(
    ("command", "name", "more"),
    [
        ("tts", "talk.wav", ()),
        ("tts", "talk.mp3", ()),
        ("tts", "talk.raw", ("--encoding", "pcm_f32le")),
        ("tts", "fast.wav", ("--speed", "2", "--model", "async_flash_v1.0")),
        ("tts", "slow.wav", ("--speed", "0.7", "--model", "async_flash_v1.0")),
        ("tts-stream", "talk.wav", ("--encoding", "pcm_mulaw", "--sample-rate", "8000")),
        ("tts-stream", "talk.mp3", ("--transport", "http")),
        ("timestamps", "talk.wav", ()),
        ("timestamps", "talk.mp3", ("--captions", "srt")),
    ],
)
def test_what_is_sound_is_put_in_place(
    sandboxed: Run, home: Path, command: str, name: str, more: tuple[str, ...]
) -> None:
    text = f"{SHORT} <break time='3s'/> {SHORT}"
    result = sandboxed(command, text, "-o", name, "--verify", *more, "--json")
    assert result.code == 0, result.err
    verification = result.json["verification"]
    assert (verification["verdict"], verification["findings"]) == ("passed", [])
    assert verification["words"] == 20
    assert verification["bytes"] >= (home / name).stat().st_size - 60
    assert "warnings" not in result.json


DEFECTIVE: list[tuple[Change, str]] = [
    (lambda pcm: bytes(len(pcm)), "SILENT"),
    (lambda pcm: with_pause(pcm, 3), "DEAD_AIR"),
    (lambda pcm: louder(pcm, 8), "CLIPPED"),
    (lambda pcm: pcm[: len(pcm) // 4 * 2], "TOO_FAST"),
    (lambda pcm: encode_mulaw(pcm[: len(pcm) // 4 * 4]), "NOISE"),
]


@pytest.mark.parametrize(("change", "code"), DEFECTIVE)
def test_after_a_defect_the_old_file_is_still_there(
    run: Run, home: Path, talk: bytes, change: Change, code: str
) -> None:
    (home / "talk.wav").write_bytes(b"old")
    order = ("tts", TEXT, "-o", "talk.wav", "--sample-rate", str(RATE), "--json")
    with saying(wav(change(talk)), "audio/wav") as service:
        refused = run(*order, "--verify", **service)
        assert (refused.code, refused.out, refused.error["code"]) == (9, "", "AUDIO_DEFECTIVE")
        assert code in [finding["code"] for finding in refused.error["details"]["findings"]]
        assert sorted(path.name for path in home.iterdir() if path.is_file()) == ["talk.wav"]
        assert (home / "talk.wav").read_bytes() == b"old"
        assert run(*order, **service).json["verification"] is None


def test_a_stream_with_a_defect_leaves_no_file(run: Run, home: Path, talk: bytes) -> None:
    order = ("tts-stream", TEXT, "-o", "talk.wav", "--transport", "http", "--verify")
    with saying(with_pause(talk, 3), "audio/wav") as service:
        result = run(*order, "--sample-rate", str(RATE), **service)
    assert result.code == 9
    assert "DEAD_AIR" in result.err
    assert not (home / "talk.wav").exists()


def test_words_that_are_not_in_the_sound_leave_no_file(run: Run, home: Path) -> None:
    ends = [300.0 * (n + 1) for n in range(16)]
    answer = timed_answer(TEXT.split(), [end - 300 for end in ends], ends, wav(bytes(200_000)))
    order = ("timestamps", TEXT, "-o", "talk.wav", "--captions", "srt", "--verify")
    with saying(msgspec.json.encode(answer)) as service:
        result = run(*order, "--sample-rate", str(RATE), **service)
    assert result.code == 9
    assert "SILENT" in result.err
    assert [path.suffix for path in home.iterdir() if path.is_file()] == []


def test_breaks_alone_are_rightly_silent(sandboxed: Run) -> None:
    assert sandboxed("tts", "<break time='1s'/>", "-o", "rest.wav", "--verify").code == 0
