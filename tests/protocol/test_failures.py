"""Every answer that is no success becomes one error, whatever its body looks like."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    IncompleteError,
    LimitError,
    NetworkError,
    NotFoundError,
    ServiceError,
    UsageError,
)
from asyncflow_cli.protocol.failures import (
    CODES,
    LONGEST_WAIT,
    QUOTA_MARKER,
    disguised,
    from_answer,
    from_code,
)

# Code, status, class, exit code and a word of the hint: docs.async.com, errors.
DOCUMENTED: list[tuple[str, int, type[AsyncflowError], int, str]] = [
    ("INVALID_LANGUAGE", 400, UsageError, 2, "--language"),
    ("FORMAT_NOT_RECOGNIZED", 400, UsageError, 2, "wav"),
    ("SHORT_SPEECH_DURATION", 400, UsageError, 2, "three seconds"),
    ("BAD_SPEECH_QUALITY", 400, UsageError, 2, "microphone"),
    ("VOICE_FIELD_UPDATE_NOT_ALLOWED", 400, UsageError, 2, "voices you cloned"),
    ("INVALID_API_KEY", 401, AuthError, 4, "ASYNC_API_KEY"),
    ("TOKEN_NOT_FOUND", 404, AuthError, 4, "ASYNC_API_KEY"),
    ("VOICE_NOT_FOUND", 404, NotFoundError, 3, "--voice"),
    ("VOICE_PREVIEW_NOT_FOUND", 404, NotFoundError, 3, "--play"),
    ("VERSION_NOT_FOUND", 404, NotFoundError, 3, "Update"),
    ("FILE_TOO_LARGE", 413, UsageError, 2, "10 MB"),
    ("TOO_MANY_CONCURRENT_REQUESTS", 429, LimitError, 5, "--retries"),
    ("RATE_LIMIT_EXCEEDED", 429, LimitError, 5, "--retries"),
    ("USAGE_LIMIT_EXCEEDED", 429, LimitError, 5, "quota"),
    ("VOICE_CLONE_LIMIT_EXCEEDED", 429, LimitError, 5, "Delete"),
    ("QUOTA_EXCEEDED", 200, LimitError, 5, "quota"),
    ("TIMEOUT", 0, NetworkError, 6, "sooner"),
]


def encode(body: Any) -> bytes:
    return msgspec.json.encode(body)


def deciphered(status: int, body: Any, **headers: str) -> AsyncflowError:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return from_answer(status, lines, body if isinstance(body, bytes) else encode(body))


@pytest.mark.parametrize(("code", "status", "cls", "exit_code", "hint"), DOCUMENTED)
def test_a_documented_code_has_its_class_exit_code_and_hint(
    code: str, status: int, cls: type[AsyncflowError], exit_code: int, hint: str
) -> None:
    error = deciphered(status, {"detail": {"error_code": code, "message": "Their words"}})
    assert (type(error), error.exit_code, error.code) == (cls, exit_code, code)
    assert error.message == "Their words"
    assert hint in (error.hint or "")


def test_every_code_we_know_is_a_documented_one() -> None:
    assert sorted(CODES) == sorted(code for code, *_ in DOCUMENTED)


A = {"error_code": "VOICE_NOT_FOUND", "message": "No", "extra": {"voice_id": "v"}}
LOC = {"loc": ["body", "voice", "id"], "msg": "Field required", "type": "missing"}
SILENT = "The service answered 500 without saying why"


@pytest.mark.parametrize(
    ("shape", "status", "body", "code", "message"),
    [
        ("A", 404, {"detail": A}, "VOICE_NOT_FOUND", "No"),
        ("B", 404, A, "VOICE_NOT_FOUND", "No"),
        ("B'", 404, {**A, "request_id": "unknown"}, "VOICE_NOT_FOUND", "No"),
        (
            "C",
            500,
            {"message": "Internal", "method": "POST", "url": "/voices", "detail": "KeyError"},
            "HTTP_500",
            "Internal (KeyError)",
        ),
        ("C, without a detail", 500, {"message": "Internal", "detail": ""}, "HTTP_500", "Internal"),
        ("C, only a detail", 404, {"detail": "Not Found"}, "HTTP_404", "Not Found"),
        ("D", 422, {"detail": [LOC]}, "HTTP_422", "voice.id: Field required"),
        (
            "D, odd entries",
            422,
            {"detail": [LOC, "bad"]},
            "HTTP_422",
            "voice.id: Field required; bad",
        ),
        ("HTML", 502, b"<h1>Bad Gateway</h1>\n", "HTTP_502", "<h1>Bad Gateway</h1>"),
        ("no text", 503, b"\xff\xfe", "HTTP_503", "��"),
        ("a long text", 503, b"x" * 5000, "HTTP_503", "x" * 200),
        ("deeply nested", 400, b"[" * 100_000, "HTTP_400", "[" * 200),
        ("empty", 500, b"", "HTTP_500", SILENT),
        ("empty object", 500, {}, "HTTP_500", SILENT),
        ("empty list", 500, {"detail": []}, "HTTP_500", SILENT),
        ("numbers for texts", 500, {"error_code": 7, "message": 8}, "HTTP_500", SILENT),
        ("a bare text", 500, "Broken", "HTTP_500", "Broken"),
        ("a new code", 404, {"detail": {**A, "error_code": "NEW"}}, "NEW", "No"),
        ("a code without words", 404, {"error_code": "NEW"}, "NEW", SILENT.replace("500", "404")),
    ],
)
def test_a_body_of_any_shape_gives_code_and_message(
    shape: str, status: int, body: Any, code: str, message: str
) -> None:
    error = deciphered(status, body)
    assert (error.code, error.message) == (code, message), shape


@pytest.mark.parametrize("body", [{"detail": A}, A, {**A, "extra": None}, {**A, "extra": "voice"}])
def test_only_an_object_of_extras_becomes_details(body: dict[str, Any]) -> None:
    extra = body.get("detail", body)["extra"]
    assert deciphered(404, body).details == (extra if isinstance(extra, dict) else None)


@pytest.mark.parametrize(
    ("status", "cls", "exit_code"),
    [
        *((status, UsageError, 2) for status in (400, 413, 415, 422)),
        *((status, AuthError, 4) for status in (401, 403)),
        (404, NotFoundError, 3),
        (408, NetworkError, 6),
        (429, LimitError, 5),
        *((status, ServiceError, 7) for status in (302, 402, 418, 500, 502, 503, 504, 599)),
    ],
)
@pytest.mark.parametrize("code", ["", "BRAND_NEW"])
def test_without_a_code_we_know_the_status_decides(
    status: int, cls: type[AsyncflowError], exit_code: int, code: str
) -> None:
    error = deciphered(status, {"error_code": code, "message": "m"})
    assert (type(error), error.exit_code) == (cls, exit_code)
    assert error.code == (code or f"HTTP_{status}")


def test_a_status_alone_has_a_hint_and_a_code_that_is_new_to_us_has_none() -> None:
    assert "asyncflow status" in (deciphered(503, b"").hint or "")
    assert deciphered(503, {"error_code": "BRAND_NEW"}).hint is None


@pytest.mark.parametrize(
    ("retry_after_ms", "header", "expected"),
    [
        (8500, None, 8.5),
        (8500, "3", 8.5),
        (0, "3", 0),
        (None, "3", 3),
        ("8500", "3", 3),
        (-1, "3", 3),
        (None, None, None),
        (None, "", None),
        (None, "-1", None),
        (None, "soon", None),
        (None, "Wed, 21 Oct 2026 07:28:00 GMT", None),
        (10**30, None, LONGEST_WAIT),
        (None, "9" * 400, LONGEST_WAIT),
        (None, "9" * 5000, LONGEST_WAIT),
    ],
)
def test_the_wait_the_service_named_is_taken_first_from_the_body(
    retry_after_ms: Any, header: str | None, expected: float | None
) -> None:
    extra = {"limit": 120, "retry_after_ms": retry_after_ms}
    body = {"detail": {"error_code": "RATE_LIMIT_EXCEEDED", "message": "m", "extra": extra}}
    headers = {} if header is None else {"retry_after": header}
    assert deciphered(429, body, **headers).retry_after == expected


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"request_id": "r1"}, {"x_request_id": "r2"}, "r1"),
        ({}, {"x_request_id": "r2", "request_id": "r3"}, "r2"),
        ({}, {"request_id": "r3"}, "r3"),
        ({"request_id": 7}, {}, None),
    ],
)
def test_the_request_id_comes_from_the_body_or_a_header(
    body: dict[str, Any], headers: dict[str, str], expected: str | None
) -> None:
    assert deciphered(500, body, **headers).request_id == expected


@pytest.mark.parametrize("body", [b"", b"ID3\x04", b"{\x00\x01\x00", b"[1]"])
def test_audio_is_no_error_even_if_it_begins_with_a_brace(body: bytes) -> None:
    assert disguised("audio/pcm", body) is None


@pytest.mark.parametrize(
    ("content_type", "body", "cls", "code", "message"),
    [
        ("application/json; charset=utf-8", encode(A), NotFoundError, "VOICE_NOT_FOUND", "No"),
        ("audio/wav", b"\n " + encode(A), NotFoundError, "VOICE_NOT_FOUND", "No"),
        ("audio/wav", encode({"detail": A}), NotFoundError, "VOICE_NOT_FOUND", "No"),
        ("audio/wav", encode({"error_code": "NEW"}), ServiceError, "NEW", "NEW"),
        *(
            ("application/json", body, IncompleteError, "INCOMPLETE", "The service answered JSON")
            for body in (b"", b"RIFF", b"[]", b'{"error_code":7}', b'{"message":"m"}')
        ),
    ],
)
def test_an_error_that_came_with_200_is_found(
    content_type: str, body: bytes, cls: type[AsyncflowError], code: str, message: str
) -> None:
    error = disguised(content_type, body)
    assert error is not None
    assert (type(error), error.code) == (cls, code)
    assert error.message.startswith(message)


@pytest.mark.parametrize("audio", [b"", bytes(4)])
def test_the_marker_of_an_ended_quota_is_found_in_audio(audio: bytes) -> None:
    error = disguised("audio/wav", audio + QUOTA_MARKER + audio)
    assert isinstance(error, LimitError)
    assert error.code == "QUOTA_EXCEEDED"


def test_a_disguised_error_keeps_the_wait_the_service_named() -> None:
    extra = {"retry_after_ms": 8500}
    body = {"detail": {"error_code": "RATE_LIMIT_EXCEEDED", "message": "m", "extra": extra}}
    error = disguised("application/json", encode(body))
    assert error is not None
    assert (error.retry_after, error.details) == (8.5, extra)


def test_a_code_without_a_message_is_its_own_message() -> None:
    assert from_code("TIMEOUT", "").message == "TIMEOUT"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
INNER = st.fixed_dictionaries(
    {},
    optional={
        "error_code": st.sampled_from([*CODES]) | JSON,
        "message": st.text() | JSON,
        "extra": st.fixed_dictionaries({"retry_after_ms": JSON}) | JSON,
        "request_id": JSON,
        "detail": st.lists(st.fixed_dictionaries({"loc": JSON, "msg": JSON})) | JSON,
    },
)
BODIES = st.binary() | (
    JSON | INNER | st.fixed_dictionaries({"detail": INNER}, optional={"message": JSON})
).map(encode)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-request-id", "request-id"]),
    st.text() | st.integers().map(str),
)


@given(st.integers(0, 999), HEADERS, BODIES)
def test_any_answer_at_all_is_an_error_of_ours(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    error = from_answer(status, headers, body)
    assert isinstance(error, AsyncflowError)
    assert error.message
    assert error.code
    assert error.retry_after is None or 0 <= error.retry_after <= LONGEST_WAIT
    encode(error.details)


@given(st.text(), BODIES)
def test_any_body_at_all_is_audio_or_an_error_of_ours(content_type: str, body: bytes) -> None:
    error = disguised(content_type, body)
    assert error is None or (error.message and error.code)
