"""What the Async Voice API answers when it cannot: any body becomes the most specific error.

Codes and body shapes: https://docs.async.com (error components of every operation). Message
texts are for people and not stable, so only `error_code` and the HTTP status decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

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

QUOTA_MARKER = b"--ERROR:QUOTA_EXCEEDED--"
"""Written into a running audio stream when the quota ends."""

CODES: dict[str, tuple[type[AsyncflowError], str | None]] = {
    "INVALID_LANGUAGE": (UsageError, "Leave --language out, or use a documented code such as en"),
    "FORMAT_NOT_RECOGNIZED": (UsageError, "Use wav, mp3, flac or aiff"),
    "SHORT_SPEECH_DURATION": (UsageError, "Record at least three seconds of speech"),
    "BAD_SPEECH_QUALITY": (UsageError, "Record closer to the microphone, without music or noise"),
    "VOICE_FIELD_UPDATE_NOT_ALLOWED": (UsageError, None),
    "INVALID_API_KEY": (AuthError, "Check ASYNC_API_KEY: is it current, and may it synthesise?"),
    "TOKEN_NOT_FOUND": (AuthError, "Make a new key and set ASYNC_API_KEY"),
    "VOICE_NOT_FOUND": (NotFoundError, "Check the voice id given with --voice or ASYNC_VOICE_ID"),
    "VOICE_PREVIEW_NOT_FOUND": (NotFoundError, None),
    "VERSION_NOT_FOUND": (NotFoundError, "Update asyncflow: it speaks version v1 of the API"),
    "FILE_TOO_LARGE": (UsageError, "The limit is 10 MB; an mp3 is a tenth of a wav"),
    "TOO_MANY_CONCURRENT_REQUESTS": (LimitError, "Run fewer commands at once, or raise --retries"),
    "RATE_LIMIT_EXCEEDED": (LimitError, "Wait as long as the service says, or raise --retries"),
    "USAGE_LIMIT_EXCEEDED": (LimitError, "The plan's quota is used up: upgrade it, or wait for it"),
    "VOICE_CLONE_LIMIT_EXCEEDED": (LimitError, "Delete a cloned voice first, or upgrade the plan"),
    "QUOTA_EXCEEDED": (LimitError, "The plan's quota ran out while audio was being sent"),
    "TIMEOUT": (NetworkError, None),
}
"""Every documented code, with its class and what to do about it."""

STATUSES: dict[int, type[AsyncflowError]] = {
    400: UsageError,
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: NetworkError,
    413: UsageError,
    415: UsageError,
    422: UsageError,
    429: LimitError,
}
"""For answers without a code we know; any other status is a ServiceError."""

RETRIED_CODES = frozenset({"RATE_LIMIT_EXCEEDED", "TOO_MANY_CONCURRENT_REQUESTS"})
RETRIED_STATUSES = frozenset({502, 503, 504})

LONGEST_WAIT = 86_400.0
"""Seconds; whatever a service names beyond a day is no instruction to wait."""


def from_code(
    code: str, message: str, *, extra: Any = None, status: int = 0, request_id: str | None = None
) -> AsyncflowError:
    """The error for a code of the service, or for the HTTP status if the code is new to us."""
    cls, hint = CODES.get(code, (STATUSES.get(status, ServiceError), None))
    return cls(
        message or code,
        hint=hint,
        code=code,
        request_id=request_id,
        retry_after=_milliseconds(extra),
        details=extra if isinstance(extra, dict) else None,
    )


def from_answer(status: int, headers: Mapping[str, str], body: bytes) -> AsyncflowError:
    """The error in an answer that is not a success, whatever its body looks like."""
    request_id = headers.get("x-request-id") or headers.get("request-id")
    flat = _flat(body)
    code, message = _text(flat.get("error_code")), _text(flat.get("message"))
    error = from_code(
        code or f"HTTP_{status}",
        message or f"The service answered {status} without saying why",
        extra=flat.get("extra"),
        status=status,
        request_id=_text(flat.get("request_id")) or request_id,
    )
    if error.retry_after is None:
        error.retry_after = _seconds(headers.get("retry-after"))
    error.passing = (
        status in RETRIED_STATUSES or code in RETRIED_CODES or (status == 429 and code not in CODES)
    )
    return error


def disguised(content_type: str, body: bytes) -> AsyncflowError | None:
    """The error in a body that came with 200 but is no audio, or not all of it.

    The vendor's own n8n node looks for JSON the same way.
    """
    if QUOTA_MARKER in body:
        return from_code("QUOTA_EXCEEDED", "The quota ended before the audio did")
    if not (content_type.startswith("application/json") or _is_object(body)):
        return None
    flat = _flat(body)
    code = _text(flat.get("error_code"))
    if code:
        return from_code(code, _text(flat.get("message")), extra=flat.get("extra"))
    return IncompleteError("The service answered JSON where audio was due")


_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _is_object(body: bytes) -> bool:
    # A brace alone proves nothing: raw audio may begin with any byte.
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except _NOT_JSON:
        return False


def _flat(body: bytes) -> dict[str, Any]:
    """Shapes A to D as one flat mapping; what is none of them becomes the message."""
    try:
        answer = msgspec.json.decode(body)
    except _NOT_JSON:
        return {"message": body[:200].decode(errors="replace").strip()}
    match answer:
        case {"detail": dict(detail)}:
            return detail
        case {"detail": list(violations)}:
            return {"message": "; ".join(map(_violation, violations))}
        case {"message": str(message), "detail": str(detail)}:
            return {**answer, "message": f"{message} ({detail})" if detail else message}
        case {"detail": str(detail)}:
            return {**answer, "message": detail}
        case dict():
            return answer
        case _:
            return {"message": str(answer)[:200]}


def _violation(violation: Any) -> str:
    match violation:
        case {"loc": list(loc), "msg": str(msg)}:
            return f"{'.'.join(str(part) for part in loc if part != 'body')}: {msg}"
        case _:
            return str(violation)[:200]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _milliseconds(extra: Any) -> float | None:
    value = extra.get("retry_after_ms") if isinstance(extra, dict) else None
    if not isinstance(value, int | float) or not value >= 0:
        return None
    return min(value, LONGEST_WAIT * 1000) / 1000


def _seconds(header: str | None) -> float | None:
    # The other form, a date, is for people who plan downtime; no API of this kind sends it.
    return min(float(header), LONGEST_WAIT) if header and header.isdecimal() else None
