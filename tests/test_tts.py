"""`asyncflow tts`, through the real client into the sandbox and back to a file."""

from __future__ import annotations

import io
import os
import stat
import wave
from pathlib import Path

import av
import pytest

from asyncflow_cli.sandbox.voices import LIBRARY
from tests.conftest import Run, ServedSandbox, start

FOX = "The quick brown fox jumps over the lazy dog."


def seconds_of(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def test_a_sentence_becomes_a_valid_wav(sandboxed: Run, home: Path) -> None:
    result = sandboxed("tts", FOX, "-o", "fox.wav", "--json")
    assert result.code == 0, result.err
    with wave.open("fox.wav") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
    assert result.json["seconds"] == pytest.approx(seconds_of(home / "fox.wav"), abs=0.001)
    assert 2 < result.json["seconds"] < 4
    assert result.json["bytes"] == (home / "fox.wav").stat().st_size


def test_one_call_three_renderings(sandboxed: Run) -> None:
    human = sandboxed("tts", "Hi", "-o", "hi.wav")
    quiet = sandboxed("tts", "Hi", "-o", "hi.wav", "--quiet")
    document = sandboxed("tts", "Hi", "-o", "hi.wav", "--json")
    assert (human.out, quiet.out) == ("hi.wav\n", "hi.wav\n")
    assert human.err.startswith("Written: 0.")
    assert (quiet.err, document.err) == ("", "")
    assert document.json["schema"] == "asyncflow.tts"


def test_the_same_text_from_anywhere_is_the_same_audio(sandboxed: Run, home: Path) -> None:
    (home / "text.txt").write_text(FOX + "\n")
    sources: list[tuple[tuple[str, ...], bytes]] = [
        ((FOX,), b""),
        (("-f", "text.txt"), b""),
        (("-",), FOX.encode()),
        ((), FOX.encode() + b"\n"),
        (("-f", "-"), FOX.encode()),
    ]
    made = []
    for args, stdin in sources:
        assert sandboxed("tts", *args, "-o", "out.wav", stdin=stdin).code == 0
        made.append((home / "out.wav").read_bytes())
    assert len(set(made)) == 1


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        (("Hi", "-f", "text.txt"), b"", "Two texts"),
        (("-", "-f", "text.txt"), b"", "Two texts"),
        (("  ",), b"", "There is no text in the argument"),
        ((), b" \n", "There is no text in stdin"),
        (("-f", "missing.txt"), b"", "No such file"),
        (("-",), b"\xff\xfe", "not UTF-8"),
        (("Hi", "-o", "x.ogg"), b"", "'x.ogg' tells no audio format"),
        (("Hi", "-o", "nowhere/x.wav"), b"", "There is no folder nowhere"),
        (("Hi", "-o", "x.mp3", "--encoding", "pcm_s16le"), b"", "mp3 has no --encoding"),
        (("Hi", "-o", "x.wav", "--bit-rate", "64000"), b"", "--bit-rate is for mp3 only"),
        (("Hi", "-o", "x.wav", "--encoding", "pcm_mulaw"), b"", "not made in pcm_mulaw"),
        (("Hi", "-o", "x.wav", "--sample-rate", "4000"), b"", "--sample-rate"),
        (("Hi", "-o", "x.wav", "--timeout", "soon"), b"", "--timeout: 'soon' is no duration"),
        (("Hi", "-o", "-", "--json"), b"", "both want stdout"),
        (("Hi", "--no-such-option"), b"", "No such option"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    sandboxed: Run, fast: ServedSandbox, home: Path, args: tuple[str, ...], stdin: bytes, says: str
) -> None:
    (home / "text.txt").write_text("Hi")
    before = fast.sandbox.store.count_speeches()
    result = sandboxed("tts", *args, stdin=stdin)
    assert (result.code, result.out) == (2, "")
    assert says in result.err
    assert "Traceback" not in result.err
    assert fast.sandbox.store.count_speeches() == before


@pytest.mark.parametrize(
    ("args", "variables", "code", "error"),
    [
        ((), {"ASYNC_API_KEY": ""}, 10, "SETTING_MISSING"),
        ((), {"ASYNC_API_KEY": "sk_wrong"}, 4, "INVALID_API_KEY"),
        (("--voice", "nobody"), {}, 3, "VOICE_NOT_FOUND"),
        (("--language", "xx"), {}, 2, "INVALID_LANGUAGE"),
        (("--model", "async_future_v9"), {}, 2, "HTTP_422"),
        (("--base-url", "http://127.0.0.1:1", "--retries", "0"), {}, 6, "CONNECTION_FAILED"),
    ],
)
def test_refusals_leave_no_file_and_keep_the_old_one(
    sandboxed: Run,
    home: Path,
    args: tuple[str, ...],
    variables: dict[str, str],
    code: int,
    error: str,
) -> None:
    (home / "old.wav").write_bytes(b"old")
    result = sandboxed("tts", "Hi", "-o", "old.wav", "--json", *args, **variables)
    assert (result.code, result.out) == (code, "")
    assert result.error["code"] == error
    assert result.error["exit_code"] == code
    assert (home / "old.wav").read_bytes() == b"old"
    assert [path.name for path in home.iterdir() if path.is_file()] == ["old.wav"]


@pytest.mark.parametrize("name", ["x.mp3", "x.raw", "x.pcm", "x.wav"])
def test_the_ending_chooses_the_format(sandboxed: Run, home: Path, name: str) -> None:
    result = sandboxed("tts", FOX, "-o", name, "--sample-rate", "16000", "--json")
    assert result.code == 0, result.err
    audio = (home / name).read_bytes()
    magic = {"x.mp3": b"ID3", "x.wav": b"RIFF"}.get(name, b"")
    assert audio.startswith(magic) or audio[0] == 0xFF
    if name != "x.mp3":
        assert result.json["seconds"] == pytest.approx(3.09, abs=0.2)


def test_an_mp3_decodes_to_what_the_wav_holds(sandboxed: Run, home: Path) -> None:
    sandboxed("tts", FOX, "-o", "fox.wav")
    sandboxed("tts", FOX, "-o", "fox.mp3", "--bit-rate", "64000")
    with av.open("fox.mp3") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 44100 == pytest.approx(seconds_of(home / "fox.wav"), abs=0.03)


def test_stdout_takes_the_audio_and_nothing_else(sandboxed: Run) -> None:
    result = sandboxed("tts", "Hi", "-o", "-")
    assert result.code == 0
    with wave.open(io.BytesIO(result.stdout)) as file:
        assert file.getnframes() > 1000
    assert result.err.startswith("Sent: ")


def test_every_voice_of_the_library_speaks(sandboxed: Run) -> None:
    assert len(LIBRARY) >= 10
    assert {voice.gender for voice in LIBRARY} >= {"Male", "Female"}
    assert "e0f39dc4-f691-4e78-bba5-5c636692cc04" in {voice.voice_id for voice in LIBRARY}
    for voice in LIBRARY[:3]:
        assert sandboxed("tts", "Hi", "-o", "x.wav", "--voice", voice.voice_id).code == 0


def test_speed_is_honoured_by_the_model_that_has_it(sandboxed: Run) -> None:
    flash = ("--model", "async_flash_v1.0", "-o", "x.wav")
    slow = sandboxed("tts", FOX, *flash, "--speed", "0.8", "--json").json["seconds"]
    quick = sandboxed("tts", FOX, *flash, "--speed", "1.6", "--json").json["seconds"]
    assert slow > 1.5 * quick
    other = sandboxed("tts", FOX, "-o", "x.wav", "--speed", "1.6", "--json")
    assert "ignores speed" in other.json["warnings"][0]


def test_a_player_gets_the_audio(sandboxed: Run, home: Path) -> None:
    player = home / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\nfor last; do :; done\ncp "$last" {home}/played.wav\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    path = f"{player.parent}{os.pathsep}/bin{os.pathsep}/usr/bin"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", path)
        result = sandboxed("tts", FOX, "--play")
    assert result.code == 0, result.err
    assert result.out == ""
    assert 2 < seconds_of(home / "played.wav") < 4


def test_a_reader_that_has_enough_ends_it_quietly(fast: ServedSandbox, home: Path) -> None:
    process = start(home, "tts", FOX * 20, "-o", "-", **fast.environ)
    assert process.stdout is not None
    assert process.stdout.read(4) == b"RIFF"
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    assert process.wait(20) == 0
    process.stderr.close()
