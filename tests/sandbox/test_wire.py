"""Every fault as a stranger meets it, over HTTP and on the speech socket."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from asyncflow_cli.errors import UsageError
from asyncflow_cli.sandbox.documented import DOCUMENTED
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.speaker import API_KEY
from tests.conftest import Run, ServedSandbox
from tests.sandbox.stranger import ADAM, speech, voice, web

WHOLE, STREAM = "/text_to_speech", "/text_to_speech/streaming"
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000}
MARKER = b"--ERROR:QUOTA_EXCEEDED--"
CONTROL = "/__sandbox/faults"

STATUSES = {
    "INVALID_LANGUAGE": 400,
    "FORMAT_NOT_RECOGNIZED": 400,
    "SHORT_SPEECH_DURATION": 400,
    "BAD_SPEECH_QUALITY": 400,
    "VOICE_FIELD_UPDATE_NOT_ALLOWED": 400,
    "INVALID_API_KEY": 401,
    "VOICE_NOT_FOUND": 404,
    "VOICE_PREVIEW_NOT_FOUND": 404,
    "VERSION_NOT_FOUND": 404,
    "FILE_TOO_LARGE": 413,
    "TOO_MANY_CONCURRENT_REQUESTS": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "USAGE_LIMIT_EXCEEDED": 429,
    "VOICE_CLONE_LIMIT_EXCEEDED": 429,
}
EXTRAS: dict[str, dict[str, type]] = {
    "VOICE_FIELD_UPDATE_NOT_ALLOWED": {"field": str},
    "INVALID_API_KEY": {"api_key": str},
    "VOICE_NOT_FOUND": {"voice_id": str},
    "VOICE_PREVIEW_NOT_FOUND": {"voice_id": str},
    "TOO_MANY_CONCURRENT_REQUESTS": {"limit": int, "current": int},
    "RATE_LIMIT_EXCEEDED": {"limit": int, "retry_after_ms": int},
    "USAGE_LIMIT_EXCEEDED": {"limit": int, "current": int},
}
OPERATIONS = [
    ("GET", "/"),
    ("POST", WHOLE),
    ("POST", STREAM),
    ("POST", "/text_to_speech/with_timestamps"),
    ("POST", "/speech_to_text"),
    ("POST", "/voices"),
    ("POST", "/voices/batch"),
    ("POST", "/voices/clone"),
    ("GET", "/voices/x"),
    ("PUT", "/voices/x"),
    ("DELETE", "/voices/x"),
    ("GET", "/voices/preview/x"),
]


@pytest.fixture
def http(served: ServedSandbox) -> Iterator[httpx.Client]:
    with web(served.sandbox) as client:
        yield client
    served.sandbox.faults.clear()


def arm(http: httpx.Client, *faults: str) -> None:
    assert http.post(CONTROL, json={"faults": faults}).status_code == 200


def ask(http: httpx.Client, path: str = WHOLE) -> httpx.Response:
    return http.post(path, json=speech("Good morning.", output_format=RAW))


def test_the_table_is_the_documentations() -> None:
    assert {code: DOCUMENTED[code].status for code in STATUSES} == STATUSES
    assert set(DOCUMENTED) - set(STATUSES) == {"TOKEN_NOT_FOUND", "TIMEOUT"}


@pytest.mark.parametrize("code", STATUSES)
def test_every_documented_error_at_every_operation(http: httpx.Client, code: str) -> None:
    for method, path in OPERATIONS:
        arm(http, f"{method} {path}:{STATUSES[code]} {code} x1")
        response = http.request(method, path)
        assert response.status_code == STATUSES[code]
        detail = response.json()["detail"]
        assert detail["error_code"] == code
        assert isinstance(detail["message"], str)
        extra = detail.get("extra", {})
        assert {name: type(value) for name, value in extra.items()} == EXTRAS.get(code, {})
    assert http.get(CONTROL).json() == {"faults": []}


def test_server_errors_have_the_documented_shape_or_a_proxys_page(http: httpx.Client) -> None:
    arm(http, "POST /text_to_speech:500 x1", *(f"*:{status} x1" for status in (502, 503, 504)))
    body = ask(http).json()
    assert sorted(body) == ["detail", "message", "method", "url"]
    assert (body["method"], body["url"]) == ("POST", WHOLE)
    for status in (502, 503, 504):
        answer = ask(http)
        assert (answer.status_code, answer.headers["content-type"]) == (
            status,
            "text/html; charset=utf-8",
        )
    assert ask(http).status_code == 200


def listen(http: httpx.Client, path: str, received: bytearray) -> None:
    asked = speech("Good morning.", output_format=RAW)
    with http.stream("POST", path, json=asked) as response:
        for piece in response.iter_raw():
            received += piece


@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_a_cut_connection_is_no_end(http: httpx.Client, path: str) -> None:
    arm(http, f"POST {path}:drop x1", f"POST {path}:drop 1000 x1")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        ask(http, path)
    received = bytearray()
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        listen(http, path, received)
    assert len(received) == 1000
    assert ask(http, path).status_code == 200


def test_a_connection_is_cut_when_all_that_was_sent_has_been_read(http: httpx.Client) -> None:
    arm(http, f"POST {WHOLE}:drop x1")
    there = HTTPConnection(http.base_url.host, http.base_url.port)
    there.request("POST", WHOLE, bytes(10_000_000))  # more than can be on the way
    with pytest.raises(RemoteDisconnected):
        there.getresponse()
    there.close()


@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_a_truncated_answer_looks_like_a_whole_one(http: httpx.Client, path: str) -> None:
    whole = ask(http, path).content
    arm(http, f"{path}:truncate x1", f"{path}:truncate 33 x1")
    for size in (len(whole) // 2, 33):
        response = ask(http, path)
        assert response.status_code == 200
        assert response.content == whole[:size]
        assert int(response.headers["content-length"]) == size


@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_the_quotas_marker_comes_in_two_chunks(http: httpx.Client, path: str) -> None:
    whole = ask(http, path).content
    arm(http, f"POST {path}:quota-marker x1")
    asked = speech("Good morning.", output_format=RAW)
    with http.stream("POST", path, json=asked) as response:
        *audio, first, second = response.iter_raw()
    assert first + second == MARKER
    assert len(first) > 1 < len(second)
    assert b"".join(audio)
    assert whole.startswith(b"".join(audio))


@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_late_and_halting_audio_is_all_there(http: httpx.Client, path: str) -> None:
    whole = ask(http, path).content
    for fault in ("first-byte 150ms", "stall 150ms"):
        arm(http, f"{path}:{fault} x1")
        began = time.monotonic()
        assert ask(http, path).content == whole
        assert time.monotonic() - began >= 0.15


def test_faults_are_armed_listed_and_disarmed(http: httpx.Client) -> None:
    arm(http, "/:500 x2", "*:502")
    assert http.get("/").status_code == 500
    assert http.get(CONTROL).json() == {
        "faults": [{"fault": "/:500 x2", "left": 1}, {"fault": "*:502", "left": None}]
    }
    assert http.delete(CONTROL).status_code == 204
    assert http.get("/").status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b'{"faults": "x"}', b'{"faults": ["/:500", "x"]}'])
def test_what_is_no_fault_is_not_armed(http: httpx.Client, body: bytes) -> None:
    response = http.post(CONTROL, content=body)
    assert response.status_code == 422
    assert response.json()["message"]
    assert http.get(CONTROL).json() == {"faults": []}


SENTENCE = (
    {"model_id": "async_flash_v1.0", "voice": voice(ADAM), "output_format": RAW},
    {"transcript": "Good morning. ", "context_id": "c", "force": True},
)
END = ({"context_id": "c", "close_context": True, "transcript": ""}, {"terminate": True})


def converse(
    http: httpx.Client, *faults: str, says: tuple[dict[str, Any], ...] = SENTENCE + END
) -> tuple[list[Any], int]:
    """What the socket says to one sentence and its end, and its close code."""
    arm(http, *(f"ws:{fault} x1" for fault in faults))
    host = f"{http.base_url.host}:{http.base_url.port}"
    url = f"ws://{host}/text_to_speech/websocket/ws?api_key={API_KEY}&version=v1"
    frames: list[Any] = []
    with connect(url, proxy=None) as socket, contextlib.suppress(ConnectionClosedError):
        for said in says:
            socket.send(json.dumps(said))
        frames += map(json.loads, socket)
    assert socket.close_code is not None
    return frames, socket.close_code


def test_a_handshake_is_refused_with_a_status(http: httpx.Client) -> None:
    for fault, status in (("429 RATE_LIMIT_EXCEEDED", 429), ("503", 503)):
        with pytest.raises(InvalidStatus) as refused:
            converse(http, fault)
        assert refused.value.response.status_code == status


@pytest.mark.parametrize("code", ["USAGE_LIMIT_EXCEEDED", "TIMEOUT"])
def test_an_error_frame_is_flat_and_ends_the_connection(http: httpx.Client, code: str) -> None:
    # Whoever sends on when the service has closed is told so, in place of what came before.
    (frame,), close_code = converse(http, f"error {code}", says=SENTENCE)
    assert (frame["error_code"], close_code) == (code, 1008)
    assert frame["message"]
    assert (frame["extra"] is not None) is (code == "USAGE_LIMIT_EXCEEDED")


@pytest.mark.parametrize(("fault", "count"), [("ws-drop", 1), ("ws-drop 0", 0), ("ws-drop 3", 3)])
def test_a_socket_is_cut_without_a_close_frame(http: httpx.Client, fault: str, count: int) -> None:
    # Who writes to a connection that is cut loses what is unread: the sentence ends what is said.
    frames, close_code = converse(http, fault, says=SENTENCE)
    assert (len(frames), close_code) == (count, 1006)


def kinds(frames: list[Any]) -> list[str]:
    return ["final" if frame["final"] else "audio" for frame in frames]


def test_finals_come_early_and_audio_late(http: httpx.Client) -> None:
    usual = kinds(converse(http)[0])
    assert usual == ["audio"] * (len(usual) - 1) + ["final"]
    assert kinds(converse(http, "early-final")[0]) == ["audio", "final", *usual[1:]]
    assert kinds(converse(http, "late-audio")[0]) == [*usual, "audio"]


def test_frames_without_a_context_id_are_otherwise_the_same(http: httpx.Client) -> None:
    usual, _ = converse(http)
    nameless, _ = converse(http, "no-context-id")
    assert {frame.pop("context_id") for frame in usual} == {"c"}
    assert nameless == usual


@pytest.mark.parametrize("fault", ["first-byte 150ms", "stall 150ms", "late-final 150ms"])
def test_frames_come_late(http: httpx.Client, fault: str) -> None:
    usual, _ = converse(http)
    began = time.monotonic()
    frames, close_code = converse(http, fault)
    assert time.monotonic() - began >= 0.15
    assert (frames, close_code) == (usual, 1000)


def test_faults_may_be_given_to_the_constructor() -> None:
    with ServedSandbox(faults=["GET /:504 x1"]) as made, web(made.sandbox) as http:
        assert [http.get("/").status_code for _ in range(2)] == [504, 200]
    with pytest.raises(UsageError):
        Sandbox(faults=["nonsense"])


def test_the_command_line_says_what_is_no_fault(run: Run) -> None:
    result = run("sandbox", "serve", "--port", "0", "--fault", "nonsense")
    assert (result.code, result.out) == (2, "")
    assert "'nonsense' is no fault" in result.err
