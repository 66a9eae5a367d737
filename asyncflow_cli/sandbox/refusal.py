"""How the sandbox's Async half says no: the service's codes, in the service's shapes.

Documented are the codes, shape A for 4xx, C for 500 and the flat one on WebSockets. Choices of
the sandbox, for want of a source: 422 with a FastAPI-style list for what does not validate (or 400
with a code of our own, if told so), and 501 or 503 for want of an engine.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.protocol.models import (
    ErrorAnswer,
    ErrorBody,
    ServerErrorAnswer,
    ValidationAnswer,
    Violation,
)
from asyncflow_cli.protocol.speechmessages import Fault
from asyncflow_cli.sandbox.jsonresponse import as_json

INVALID = "SANDBOX_VALIDATION_ERROR"
"""The service's code for what does not validate is unknown; the name says whose this one is."""


class Refusal(Exception):
    """A documented 4xx, or in its shape what the sandbox lacks."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(error_code=code, message=message, extra=extra or None)

    def answer(self, _request: Request) -> Response:
        return as_json(ErrorAnswer(detail=self.body), status=self.status)

    def fault(self) -> Fault:
        return Fault(self.body.message, self.body.error_code, self.body.extra)


def unable(missing: PrerequisiteError) -> Refusal:
    """For want of what an extra brings: a code of our own, which tells our client to say so."""
    return Refusal(503, missing.code, f"{missing.message}. Install: {missing.hint}")


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

    def answer(self, _request: Request, *, status: int = 422) -> Response:
        if status == 422:
            return as_json(ValidationAnswer(detail=[self.violation]), status=422)
        body = ErrorBody(error_code=INVALID, message=self._text)
        return as_json(ErrorAnswer(detail=body), status=status)

    def fault(self) -> Fault:
        return Fault(self._text, INVALID)

    @property
    def _text(self) -> str:
        where = ".".join(str(part) for part in self.violation.loc)
        return f"{where}: {self.violation.msg}"


class Broken(Exception):
    """The sandbox itself cannot: nobody listens to that language (501), or a fault asked for it."""

    def __init__(self, status: int, message: str, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail

    def answer(self, request: Request) -> Response:
        body = ServerErrorAnswer(
            message=str(self), method=request.method, url=request.url.path, detail=self.detail
        )
        return as_json(body, status=self.status)

    def fault(self) -> Fault:
        return Fault(str(self), "SANDBOX_VOICE_ERROR")
