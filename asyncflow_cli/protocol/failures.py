"""What the Async Voice API answers when it cannot: any body becomes the most specific error.

Codes and body shapes: https://docs.async.com (error components of every operation). Message
texts are for people and not stable, so only `error_code` and the HTTP status decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from asyncflow_cli.errors import AsyncflowError, IncompleteError, ServiceError
from asyncflow_cli.protocol.catalogue import async_codes, own_codes

QUOTA_MARKER = b"--ERROR:QUOTA_EXCEEDED--"
"""Written into a running audio stream when the quota ends."""

CODES = {entry.code: entry for entry in async_codes.CODES}
"""Every documented code, with its class and what to do about it."""

SANDBOX_CODES = {
    entry.code: entry
    for entry in own_codes.ENTRIES
    if entry.code in ("ENGINE_MISSING", "RECOGNISER_MISSING")
}
"""What our sandbox says where it lacks an extra."""

STATUSES = {int(entry.number or 0): entry for entry in async_codes.STATUSES}
"""For answers without a code we know; any other status is a ServiceError."""

RETRIED_CODES = frozenset({"RATE_LIMIT_EXCEEDED", "TOO_MANY_CONCURRENT_REQUESTS"})
RETRIED_STATUSES = frozenset({502, 503, 504})

LONGEST = 1 << 16
"""Bytes of an answer that says why there is none, at most; what is longer is audio."""

LONGEST_WAIT = 86_400.0
"""Seconds; whatever a service names beyond a day is no instruction to wait."""


def from_code(
    code: str, message: str, *, extra: Any = None, status: int = 0, request_id: str | None = None
) -> AsyncflowError:
    """The error for a code of the service, or for the HTTP status if the code is new to us."""
    known = CODES.get(code) or SANDBOX_CODES.get(code) or STATUSES.get(status)
    cls = known.raises if known and known.raises else ServiceError
    return cls(
        message or code,
        # The status alone tells too little of a code that is new to us.
        hint=known.next if known and known.code == code else None,
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
    error.passing = code not in SANDBOX_CODES and (
        status in RETRIED_STATUSES or code in RETRIED_CODES or (status == 429 and code not in CODES)
    )
    return error


def disguised(content_type: str, body: bytes) -> AsyncflowError | None:
    """The error in a body, or its first `LONGEST` bytes, that came with 200 but is no audio, or not
    all of it.

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
