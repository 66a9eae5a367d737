"""Answers of the service, read into the shapes they are documented to have."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from asyncflow_cli.errors import IncompleteError, RemoteProtocolError
from asyncflow_cli.settings import is_loopback

T = TypeVar("T")


def to_reach(url: str, variable: str) -> str:
    """What to do where nothing answers at an address that `variable` may have set."""
    if is_loopback(url):
        return "Nothing answers there. Is a sandbox served? asyncflow sandbox serve &"
    return f"Check the network, a proxy in the way, and {variable}"


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
        from asyncflow_cli.protocol import failures

        error = failures.disguised("application/json", body)
        if error is not None and error.code in failures.CODES:
            raise error from None
        if "truncated" in failure.message:
            raise IncompleteError("The answer is cut short", code="BODY_CUT") from None
        raise
