"""`asyncflow stt`, through the real client into the sandbox, which knows its own voice again."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

import pytest

from tests.conftest import Run, ServedSandbox
from tests.httpservers import saying

TALK = "Your table for two is ready, Ms. Okafor: please come in."


def noise() -> bytes:
    """A WAV of a second that is nobody's speech."""
    sound = io.BytesIO()
    wobble = (round(9000 * math.sin(n * n / 9000)) for n in range(16000))
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in wobble))
    return sound.getvalue()


@pytest.fixture
def recording(sandboxed: Run) -> str:
    assert sandboxed("tts", TALK, "-o", "talk.wav").code == 0
    return "talk.wav"


def test_one_call_three_renderings(sandboxed: Run, recording: str) -> None:
    human = sandboxed("stt", recording)
    quiet = sandboxed("stt", recording, "--quiet")
    document = sandboxed("stt", recording, "--language", "en", "--json")
    assert (human.out, quiet.out) == (TALK + "\n", TALK + "\n")
    assert (human.err, quiet.err, document.err) == ("", "", "")
    assert document.json["schema"] == "asyncflow.stt"
    assert (document.json["text"], document.json["language"]) == (TALK, "en")
    assert document.json["model_id"] == "async_asr_v1.0"
    assert document.json["bytes"] == Path(recording).stat().st_size


@pytest.mark.parametrize("command", ["tts", "timestamps"])
@pytest.mark.parametrize("name", ["talk.wav", "talk.mp3"])
def test_what_was_said_is_heard(sandboxed: Run, home: Path, command: str, name: str) -> None:
    text = f"This is {command} into {name}, and nothing but that."
    (home / "a folder").mkdir()
    path = f"a folder/{name}"
    assert sandboxed(command, text, "-o", path).code == 0
    assert sandboxed("stt", path).out == text + "\n"
    assert sandboxed("stt", "-", stdin=(home / path).read_bytes()).out == text + "\n"


@pytest.mark.parametrize(
    ("args", "stdin", "code", "says"),
    [
        ((), b"", 2, "Missing argument 'FILE'"),
        (("missing.wav",), b"", 2, "missing.wav cannot be read: No such file"),
        (("folder",), b"", 2, "folder cannot be read"),
        (("empty.wav",), b"", 2, "There is no audio in empty.wav"),
        (("-",), b"", 2, "There is no audio in stdin"),
        (("text.txt",), b"", 2, "FORMAT_NOT_RECOGNIZED"),
        (("talk.wav", "--language", "xx"), b"", 2, "INVALID_LANGUAGE"),
        (("talk.wav", "--model", "async_future_v9"), b"", 2, "is not one we have heard of"),
        (("talk.wav", "--retries", "0", "--base-url", "http://127.0.0.1:1"), b"", 6, "reached"),
    ],
)
def test_refusals_say_why(
    sandboxed: Run, home: Path, args: tuple[str, ...], stdin: bytes, code: int, says: str
) -> None:
    (home / "folder").mkdir()
    (home / "empty.wav").touch()
    (home / "text.txt").write_text("This is no audio.")
    (home / "talk.wav").write_bytes(noise())
    result = sandboxed("stt", *args, stdin=stdin)
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("variables", "code", "error"),
    [
        ({"ASYNC_API_KEY": ""}, 10, "SETTING_MISSING"),
        ({"ASYNC_API_KEY": "sk_wrong"}, 4, "INVALID_API_KEY"),
    ],
)
def test_keys_are_checked(
    sandboxed: Run, recording: str, variables: dict[str, str], code: int, error: str
) -> None:
    result = sandboxed("stt", recording, "--json", **variables)
    assert (result.code, result.out, result.error["code"]) == (code, "", error)


def test_where_nobody_can_listen_it_is_said(run: Run, home: Path) -> None:
    (home / "noise.wav").write_bytes(noise())
    # With a memory of its own: the session's is long, and would have to be gone through.
    with ServedSandbox() as served:
        result = run("stt", "noise.wav", "--language", "de", "--json", **served.environ)
    assert (result.code, result.out) == (7, "")
    assert result.error["code"] == "HTTP_501"
    assert "cannot listen" in result.error["message"]


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        ("429 USAGE_LIMIT_EXCEEDED", 5, "USAGE_LIMIT_EXCEEDED"),
        ("500", 7, "HTTP_500"),
        ("truncate 9", 8, "BODY_CUT"),
    ],
)
def test_a_service_that_fails_gives_no_text(
    sandboxed: Run, fast: ServedSandbox, recording: str, fault: str, code: int, error: str
) -> None:
    fast.sandbox.faults.add([f"POST /speech_to_text:{fault} x1"])
    result = sandboxed("stt", recording, "--json")
    fast.sandbox.faults.clear()
    assert (result.code, result.out, result.error["code"]) == (code, "", error)


def test_an_answer_without_text_is_a_broken_protocol(run: Run, home: Path) -> None:
    (home / "noise.wav").write_bytes(noise())
    with saying(b'{"transcript":"Hello"}') as service:
        result = run("stt", "noise.wav", **service)
    assert result.code == 7
    assert "not understood" in result.err
