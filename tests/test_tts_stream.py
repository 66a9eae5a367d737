"""`asyncflow tts-stream`: text goes in and audio comes out, both while they are made."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from asyncflow_cli.protocol.audio import UNKNOWN_LENGTH
from tests.conftest import Run, ServedSandbox, environment
from tests.test_tts import seconds_of

FOX = "The quick brown fox jumps over the lazy dog. It was not amused."


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_a_file_is_whole_and_its_header_true(sandboxed: Run, home: Path, transport: str) -> None:
    result = sandboxed("tts-stream", FOX, "-o", "x.wav", "--transport", transport, "--json")
    assert result.code == 0, result.err
    assert 2 < seconds_of(home / "x.wav") < 8
    assert result.json["seconds"] == pytest.approx(seconds_of(home / "x.wav"), abs=0.001)
    assert result.json["transport"] == transport
    assert result.json["first_byte_ms"] > 0
    assert result.json["characters"] == len(FOX)


def test_one_call_three_renderings(sandboxed: Run) -> None:
    human = sandboxed("tts-stream", FOX, "-o", "x.mp3")
    quiet = sandboxed("tts-stream", FOX, "-o", "x.mp3", "-q")
    document = sandboxed("tts-stream", FOX, "-o", "x.mp3", "--json")
    assert (human.out, quiet.out) == ("x.mp3\n", "x.mp3\n")
    assert "first audio after" in human.err
    assert (quiet.err, document.err) == ("", "")
    assert document.json["schema"] == "asyncflow.tts-stream"


def test_a_wav_on_a_pipe_says_that_its_length_is_unknown(sandboxed: Run) -> None:
    audio = sandboxed("tts-stream", FOX, "-o", "-").stdout
    assert audio[:4] == b"RIFF"
    assert struct.unpack_from("<I", audio, 4) == (UNKNOWN_LENGTH,)
    assert struct.unpack_from("<I", audio, 40) == (UNKNOWN_LENGTH,)
    assert len(audio) > 100_000


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "pcm_mulaw"])
def test_every_encoding_streams(sandboxed: Run, home: Path, encoding: str) -> None:
    asked = ("-o", "x.raw", "--encoding", encoding, "--sample-rate", "8000", "--json")
    result = sandboxed("tts-stream", FOX, *asked)
    assert result.code == 0, result.err
    width = {"pcm_s16le": 2, "pcm_f32le": 4, "pcm_mulaw": 1}[encoding]
    size = (home / "x.raw").stat().st_size
    assert result.json["seconds"] == pytest.approx(size / width / 8000, abs=0.001)


def test_audio_leaves_before_the_text_is_all_there(fast: ServedSandbox, home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncflow_cli", "tts-stream", "-", "-o", "-", "--format", "raw"],
        env=environment(home, **fast.environ),
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"This is the first sentence. And this")
    process.stdin.flush()
    first = process.stdout.read(4000)
    assert len(first) == 4000
    rest, words = process.communicate(b" is the second one.", timeout=20)
    assert process.returncode == 0, words
    assert len(rest) > 4000


def test_text_that_pauses_is_spoken_without_cutting_a_word(fast: ServedSandbox, home: Path) -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "asyncflow_cli", "tts-stream", "-o", "-"),
            *("--format", "raw", "--flush-after", "100ms"),
        ],
        env=environment(home, **fast.environ),
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"one two thr")
        process.stdin.flush()
        assert len(process.stdout.read(4000)) == 4000
        process.communicate(b"ee four", timeout=20)
    said = fast.sandbox.store.speeches()[-1].transcript
    assert said.split() == ["one", "two", "three", "four"]


def test_a_reader_that_has_enough_ends_it_quietly(fast: ServedSandbox, home: Path) -> None:
    asyncflow = f"{sys.executable} -m asyncflow_cli"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {asyncflow} tts-stream '{FOX * 20}' -o - | head -c 1000"],
        env=environment(home, **fast.environ),
        cwd=home,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, len(done.stdout)) == (0, 1000)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("fault", "transport", "code", "error"),
    [
        ("POST /text_to_speech/streaming:quota-marker", "http", 5, "QUOTA_EXCEEDED"),
        ("POST /text_to_speech/streaming:drop 3000", "http", 8, "BODY_CUT"),
        ("ws:ws-drop 2", "ws", 8, "BODY_CUT"),
        ("ws:error USAGE_LIMIT_EXCEEDED", "ws", 5, "USAGE_LIMIT_EXCEEDED"),
    ],
)
def test_a_stream_that_fails_leaves_no_file(
    run: Run, home: Path, fault: str, transport: str, code: int, error: str
) -> None:
    with ServedSandbox(faults=[fault]) as served:
        args = ("tts-stream", FOX, "-o", "x.wav", "--transport", transport, "--json")
        result = run(*args, "--retries", "0", **served.environ)
    assert (result.code, result.out) == (code, ""), result.err
    assert result.error["code"] == error
    assert [path for path in home.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(
    "gate", [("--assert-ttfb", "0ms"), ("--assert-max-gap", "0ms"), ("--assert-rtf", "0.0001")]
)
def test_a_gate_that_fails_is_exit_9_and_keeps_the_file(
    sandboxed: Run, home: Path, gate: tuple[str, str]
) -> None:
    result = sandboxed("tts-stream", FOX, "-o", "x.wav", "--json", *gate)
    assert (result.code, result.out) == (9, ""), result.err
    assert result.error["details"]["seconds"] > 2
    assert seconds_of(home / "x.wav") > 2


def test_gates_that_hold_say_nothing(sandboxed: Run) -> None:
    gates = ("--assert-ttfb", "20s", "--assert-max-gap", "20s", "--assert-rtf", "20")
    assert sandboxed("tts-stream", FOX, "-o", "x.wav", *gates).code == 0


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        (("-",), b" \n", "There is no text to speak"),
        (("-",), b"\xff", "not UTF-8"),
        (("Hi", "-o", "x.ogg"), b"", "'x.ogg' tells no audio format"),
        (("Hi", "-o", "x.mp3", "--encoding", "pcm_mulaw"), b"", "mp3 has no --encoding"),
        (("Hi", "-o", "no/x.wav"), b"", "There is no folder no"),
        (("Hi", "-o", "x.wav", "--assert-ttfb", "soon"), b"", "no duration"),
    ],
)
def test_wrong_usage_asks_nothing(
    sandboxed: Run, fast: ServedSandbox, args: tuple[str, ...], stdin: bytes, says: str
) -> None:
    before = fast.sandbox.store.count_speeches()
    result = sandboxed("tts-stream", *args, stdin=stdin)
    assert (result.code, result.out) == (2, ""), result.err
    assert says in result.err
    assert fast.sandbox.store.count_speeches() == before


def test_what_streams_is_what_is_made_whole(sandboxed: Run, home: Path) -> None:
    sandboxed("tts", "Hello there.", "-o", "whole.wav", "--sample-rate", "8000")
    for transport in ("ws", "http"):
        args = ("-o", "s.wav", "--sample-rate", "8000", "--transport", transport)
        assert sandboxed("tts-stream", "Hello there.", *args).code == 0
        streamed, whole = (io.BytesIO((home / n).read_bytes()) for n in ("s.wav", "whole.wav"))
        with wave.open(streamed) as ours, wave.open(whole) as theirs:
            assert ours.readframes(10**6) == theirs.readframes(10**6)


@pytest.mark.parametrize(("transport", "method"), [("ws", "WebSocket"), ("http", "POST")])
def test_a_dry_run_opens_no_socket(run: Run, transport: str, method: str) -> None:
    args = ("tts-stream", FOX, "-o", "x.mp3", "-n", "--json", "--transport", transport)
    plan = run(*args, ASYNC_BASE_URL="http://127.0.0.1:1", ASYNC_API_KEY="sk_0123456789").json
    assert plan["method"] == method
    assert plan["characters"] == len(FOX)
    assert plan["body"]["output_format"]["container"] == "mp3"
    assert "sk_0123456789" not in str(plan)
    assert not Path("x.mp3").exists()
