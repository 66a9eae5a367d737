"""Every error code of the service, with its documented status, and its example for extras.

https://docs.async.com (error components of every operation)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asyncflow_cli.sandbox.refusal import Refusal

_NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Documented:
    status: int
    message: str
    extra: dict[str, Any] = field(default_factory=dict)

    def refusal(self, code: str, extra: dict[str, Any]) -> Refusal:
        return Refusal(self.status, code, self.message, **{**self.extra, **extra})


DOCUMENTED = {
    "INVALID_LANGUAGE": Documented(400, "The language is not supported"),
    "FORMAT_NOT_RECOGNIZED": Documented(400, "The audio format is not recognized"),
    "SHORT_SPEECH_DURATION": Documented(400, "The clip holds less than 3 seconds of speech"),
    "BAD_SPEECH_QUALITY": Documented(400, "The quality of the clip is too low"),
    "VOICE_FIELD_UPDATE_NOT_ALLOWED": Documented(
        400, "The field cannot be changed", {"field": "name"}
    ),
    "INVALID_API_KEY": Documented(401, "The API key is not valid", {"api_key": "sk_fa..."}),
    # Seen only in a model embedded in the vendor's export, without a status; 401 is a choice.
    "TOKEN_NOT_FOUND": Documented(401, "The token does not exist"),
    "VOICE_NOT_FOUND": Documented(404, "There is no such voice", {"voice_id": _NOBODY}),
    "VOICE_PREVIEW_NOT_FOUND": Documented(404, "The voice has no preview", {"voice_id": _NOBODY}),
    "VERSION_NOT_FOUND": Documented(404, "There is no such API version"),
    "FILE_TOO_LARGE": Documented(413, "The file is larger than 10 MB"),
    "TOO_MANY_CONCURRENT_REQUESTS": Documented(
        429, "Too many requests at once", {"limit": 5, "current": 7}
    ),
    "RATE_LIMIT_EXCEEDED": Documented(
        429, "Too many requests in a minute", {"limit": 120, "retry_after_ms": 8500}
    ),
    "USAGE_LIMIT_EXCEEDED": Documented(
        429, "The plan's quota is used up", {"limit": 1_000_000, "current": 1_250_000}
    ),
    "VOICE_CLONE_LIMIT_EXCEEDED": Documented(429, "The plan's clones are used up"),
    # Seen on the WebSocket only; the status is a choice.
    "TIMEOUT": Documented(408, "No message was received for 60.0 seconds"),
}
