"""Every code of the service, provoked in the sandbox and met on the command line."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from asyncflow_cli.protocol.catalogue import ENTRIES, async_codes
from asyncflow_cli.sandbox.documented import DOCUMENTED
from tests.conftest import Run, ServedSandbox

JENNIE = "cca0e076-94b9-4c6d-86b7-546168f11174"

MANY = 99
"""More often than anybody tries."""


@dataclass(frozen=True)
class Command:
    args: tuple[str, ...]
    where: str
    """What it asks, as faults name it."""
    says: str = ""
    """In place of what the code usually means."""


TTS = Command(("tts", "Hi", "-o", "made.wav"), "POST /text_to_speech")
HTTP = Command(
    ("tts-stream", "Hi", "-o", "made.wav", "--transport", "http"), "POST /text_to_speech/streaming"
)
SOCKET = Command(("tts-stream", "Hi", "-o", "made.wav"), "ws")
TIMED = Command(("timestamps", "Hi", "-o", "made.wav"), "POST /text_to_speech/with_timestamps")
STT = Command(("stt", "clip.wav"), "POST /speech_to_text")
STATUS = Command(("status",), "GET /")
LIST = Command(("voices", "list"), "POST /voices")
GET = Command(("voices", "get", JENNIE), "GET /voices/{id}")
UPDATE = Command(
    ("voices", "update", JENNIE, "--name", "J"), "PUT /voices/{id}", "nobody can change"
)
PREVIEW = Command(("voices", "preview", JENNIE, "-o", "made.mp3"), "GET /voices/preview/{id}")
CLONE = Command(("voices", "clone", "clip.wav", "--name", "Me"), "POST /voices/clone")

TABLE: list[tuple[str, int, Command, str]] = [
    ("INVALID_LANGUAGE", 2, TTS, "Leave --language out"),
    ("INVALID_LANGUAGE", 2, TIMED, "Leave --language out"),
    ("INVALID_LANGUAGE", 2, STT, "Leave --language out"),
    ("INVALID_LANGUAGE", 2, CLONE, "Leave --language out"),
    ("FORMAT_NOT_RECOGNIZED", 2, CLONE, "Use wav"),
    ("FORMAT_NOT_RECOGNIZED", 2, HTTP, "Use wav"),
    ("SHORT_SPEECH_DURATION", 2, CLONE, "three seconds"),
    ("BAD_SPEECH_QUALITY", 2, CLONE, "microphone"),
    ("VOICE_FIELD_UPDATE_NOT_ALLOWED", 2, UPDATE, "voices list --mine"),
    ("INVALID_API_KEY", 4, TTS, "Check ASYNC_API_KEY"),
    ("INVALID_API_KEY", 4, LIST, "Check ASYNC_API_KEY"),
    ("INVALID_API_KEY", 4, SOCKET, "Check ASYNC_API_KEY"),
    ("TOKEN_NOT_FOUND", 4, TTS, "Make a new key"),
    ("VOICE_NOT_FOUND", 3, TTS, "--voice"),
    ("VOICE_NOT_FOUND", 3, GET, "--voice"),
    ("VOICE_PREVIEW_NOT_FOUND", 3, PREVIEW, "--play"),
    ("VERSION_NOT_FOUND", 3, STATUS, "Update asyncflow"),
    ("FILE_TOO_LARGE", 2, CLONE, "10 MB"),
    ("TOO_MANY_CONCURRENT_REQUESTS", 5, TTS, "Run fewer"),
    ("RATE_LIMIT_EXCEEDED", 5, LIST, "Wait as long"),
    ("USAGE_LIMIT_EXCEEDED", 5, TTS, "upgrade it"),
    ("USAGE_LIMIT_EXCEEDED", 5, STT, "upgrade it"),
    ("VOICE_CLONE_LIMIT_EXCEEDED", 5, CLONE, "Delete a cloned voice"),
    ("TIMEOUT", 6, SOCKET, "sooner"),
]
"""Code, exit code, who meets it, and what the hint says."""

RETRIED = {"TOO_MANY_CONCURRENT_REQUESTS", "RATE_LIMIT_EXCEEDED"}


@pytest.fixture
def faulty(fast: ServedSandbox, home: Path) -> Iterator[ServedSandbox]:
    """A sandbox to arm, and beside it a clip that is good enough to be sent."""
    with wave.open(str(home / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 8000, 0, "NONE", ""))
        tone = (round(9000 * math.sin(i / 3) * math.sin(i / 900)) for i in range(32_000))
        clip.writeframes(array("h", tone).tobytes())
    yield fast
    fast.sandbox.faults.clear()


def tries(served: ServedSandbox) -> int:
    """How often the armed fault was met."""
    (armed,) = served.sandbox.faults.listed()
    return MANY - int(armed["left"])


def arm(served: ServedSandbox, where: str, what: str) -> None:
    served.sandbox.faults.add([f"{where}:{what} x{MANY}"])


@pytest.mark.parametrize(
    ("code", "exit_code", "command", "hint"),
    TABLE,
    ids=[f"{code}-{' '.join(command.args[:2])}" for code, _, command, _ in TABLE],
)
def test_a_code_of_the_service_becomes_an_exit_code_and_a_hint(
    faulty: ServedSandbox, sandboxed: Run, code: str, exit_code: int, command: Command, hint: str
) -> None:
    wait = " retry_after_ms=1" if code == "RATE_LIMIT_EXCEEDED" else ""
    error = "error " if command is SOCKET else ""
    arm(faulty, command.where, f"{error}{code}{wait}")
    result = sandboxed(*command.args, "--json", "--retries", "1")
    assert (result.code, result.out) == (exit_code, "")
    assert (result.error["code"], result.error["exit_code"]) == (code, exit_code)
    said = result.error["message"]
    assert command.says in said if command.says else said == DOCUMENTED[code].message
    assert hint in result.error["hint"]
    assert tries(faulty) == (2 if code in RETRIED else 1)
    assert not [path for path in Path().iterdir() if path.name.startswith("made")]


def test_the_table_has_every_documented_code() -> None:
    assert {code for code, *_ in TABLE} == set(DOCUMENTED)
    assert set(DOCUMENTED) | {"QUOTA_EXCEEDED"} == {entry.code for entry in async_codes.CODES}
    for code, exit_code, *_ in TABLE:
        assert ENTRIES[code].exit_code == exit_code


@pytest.mark.parametrize("command", [TTS, HTTP])
def test_the_quota_that_ends_in_mid_stream_is_a_limit(
    faulty: ServedSandbox, sandboxed: Run, command: Command
) -> None:
    arm(faulty, command.where, "quota-marker")
    result = sandboxed(*command.args, "--json")
    assert (result.code, result.out, result.error["code"]) == (5, "", "QUOTA_EXCEEDED")
    assert "quota" in result.error["hint"]
    assert tries(faulty) == 1
    assert not Path("made.wav").exists()


@pytest.mark.parametrize("command", [TTS, STATUS, LIST, CLONE])
def test_a_failure_without_a_code_is_told_by_its_status(
    faulty: ServedSandbox, sandboxed: Run, command: Command
) -> None:
    arm(faulty, command.where, "500")
    result = sandboxed(*command.args, "--json", "--retries", "1")
    assert (result.code, result.out, result.error["code"]) == (7, "", "HTTP_500")
    assert "Try again" in result.error["hint"]
    assert tries(faulty) == 1


def test_what_the_service_tells_beside_the_code_comes_along(
    faulty: ServedSandbox, sandboxed: Run
) -> None:
    arm(faulty, TTS.where, "TOO_MANY_CONCURRENT_REQUESTS limit=3 current=4")
    details = sandboxed(*TTS.args, "--json", "--retries", "0").error["details"]
    assert details == {"limit": 3, "current": 4}


def test_a_limit_that_passes_is_waited_out(faulty: ServedSandbox, sandboxed: Run) -> None:
    faulty.sandbox.faults.add([f"{TTS.where}:RATE_LIMIT_EXCEEDED retry_after_ms=1 x1"])
    assert sandboxed(*TTS.args, "--retries", "1").code == 0
    assert faulty.sandbox.faults.listed() == []


def test_people_get_the_reason_the_hint_the_code_and_where_to_read_on(
    faulty: ServedSandbox, sandboxed: Run
) -> None:
    arm(faulty, TTS.where, "USAGE_LIMIT_EXCEEDED")
    result = sandboxed(*TTS.args)
    assert (result.code, result.out) == (5, "")
    assert result.err.splitlines() == [
        "Error: The plan's quota is used up",
        "  The plan's quota is used up: upgrade it, or wait for it",
        "  [USAGE_LIMIT_EXCEEDED] asyncflow explain USAGE_LIMIT_EXCEEDED",
    ]


def test_waiting_ends_with_the_last_failure(faulty: ServedSandbox, sandboxed: Run) -> None:
    assert sandboxed("status", "--wait", "60s", "--json").json["status"] == "up"
    arm(faulty, STATUS.where, "503")
    down = sandboxed("status", "--wait", "0s", "--json")
    assert (down.code, down.out, down.error["code"]) == (7, "", "HTTP_503")
    gone = sandboxed("status", "--wait", "0s", "--base-url", "http://127.0.0.1:1", "--json")
    assert (gone.code, gone.out, gone.error["code"]) == (6, "", "CONNECTION_FAILED")
    assert sandboxed("status", "--wait", "soon").code == 2
