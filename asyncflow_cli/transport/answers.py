"""Answers of the service, read into the shapes they are documented to have."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from asyncflow_cli.errors import IncompleteError, RemoteProtocolError
from asyncflow_cli.protocol import failures

T = TypeVar("T")


def decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"The service's answer is not understood: {error}") from None


def decode_result(body: bytes, shape: type[T]) -> T:
    """`decode` for answers that are the work itself: cut short, they are incomplete."""
    try:
        return decode(body, shape)
    except RemoteProtocolError as failure:
        error = failures.disguised("application/json", body)
        if error is not None and error.code in failures.CODES:
            raise error from None
        if "truncated" in failure.message:
            raise IncompleteError("The answer is cut short", code="BODY_CUT") from None
        raise
