"""How the sandbox's Async half says no: the service's codes, in the service's shapes.

Documented are the codes, shape A for 4xx, C for 500 and the flat one on WebSockets. Choices of
the sandbox, for want of a source: 422 with a FastAPI-style list for what does not validate, and
503 in the shape of a 500 where the engine is missing.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.protocol.models import (
    ErrorAnswer,
    ErrorBody,
    ServerErrorAnswer,
    ValidationAnswer,
    Violation,
)
from asyncflow_cli.protocol.speech import Fault


class Refusal(Exception):
    """A documented 4xx."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(error_code=code, message=message, extra=extra or None)

    def answer(self, _request: Request) -> Response:
        return _json(self.status, ErrorAnswer(detail=self.body))

    def fault(self) -> Fault:
        return Fault(self.body.message, self.body.error_code, self.body.extra)


class Invalid(Exception):
    """A request that does not validate. `loc` is the path to what is wrong."""

    def __init__(self, message: str, *loc: str | int, kind: str = "value_error") -> None:
        super().__init__(message)
        self.violation = Violation(loc=list(loc), msg=message, type=kind)

    @classmethod
    def because(cls, error: msgspec.DecodeError) -> Invalid:
        """From msgspec's words: `Expected `int`, got `str` - at `$.output_format.sample_rate``."""
        message, _, path = str(error).partition(" - at ")
        loc = [int(p) if p.isdecimal() else p for p in re.findall(r"\w+", path)]
        if not isinstance(error, msgspec.ValidationError):
            return cls(f"JSON decode error: {message}", "body", kind="json_invalid")
        missing = re.fullmatch(r"Object missing required field `(\w+)`", message)
        if missing:
            return cls("Field required", "body", *loc, missing[1], kind="missing")
        return cls(message, "body", *loc)

    def answer(self, _request: Request) -> Response:
        return _json(422, ValidationAnswer(detail=[self.violation]))

    def fault(self) -> Fault:
        where = ".".join(str(part) for part in self.violation.loc)
        # The service's code for this is unknown; the name says whose it is.
        return Fault(f"{where}: {self.violation.msg}", "SANDBOX_VALIDATION_ERROR")


class Broken(Exception):
    """The sandbox itself cannot: no engine (503), or a text that the engine cannot speak (422)."""

    def __init__(self, status: int, message: str, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail

    def answer(self, request: Request) -> Response:
        body = ServerErrorAnswer(
            message=str(self), method=request.method, url=request.url.path, detail=self.detail
        )
        return _json(self.status, body)

    def fault(self) -> Fault:
        return Fault(str(self), "SANDBOX_VOICE_ERROR")


def _json(status: int, body: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
