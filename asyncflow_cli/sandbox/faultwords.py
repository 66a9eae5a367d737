"""The words of a fault: where each is legal, and what may follow it. Pure tables.

Knows spelling only; what a word does stands in the file that does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from asyncflow_cli.protocol.speech import PATH

Argument: TypeAlias = Callable[[Sequence[str]], dict[str, Any]]
"""What follows a word, as fields of a Fault. ValueError says what is wrong with it."""

SOCKET = "WS"
"""The method of a WebSocket, which has none."""

TUNNEL = "TUNNEL"
"""The method of what is no request: a tunnel that is opened."""

NAMED = {"ws": (SOCKET, PATH), "tunnel": (TUNNEL, "tunnel")}
"""Places with a name of their own: method and path."""

_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)")


def nothing(rest: Sequence[str]) -> dict[str, Any]:
    if rest:
        raise ValueError(f"nothing may follow, and {rest[0]} does")
    return {}


def time(rest: Sequence[str]) -> dict[str, Any]:
    match = _TIME.fullmatch(rest[0]) if len(rest) == 1 else None
    if match is None:
        raise ValueError("a time such as 400ms or 2s is missing")
    return {"seconds": float(match[1]) / (1000 if match[2] == "ms" else 1)}


def number_if_any(rest: Sequence[str]) -> dict[str, Any]:
    if not rest:
        return {}
    if len(rest) > 1 or not re.fullmatch(r"[0-9]{1,9}", rest[0]):
        raise ValueError("only a number may follow")
    return {"number": int(rest[0])}


_ANYWHERE: dict[str, Argument] = {"first-byte": time, "stall": time}

_ON_HTTP: dict[str, Argument] = {
    **_ANYWHERE,
    "drop": number_if_any,
    "truncate": number_if_any,
    "quota-marker": nothing,
}

_ON_WS: dict[str, Argument] = {
    **_ANYWHERE,
    "ws-drop": number_if_any,
    "early-final": nothing,
    "late-final": time,
    "late-audio": nothing,
    "no-context-id": nothing,
}

_ON_TUNNEL: dict[str, Argument] = {"die-after": time}

WORDS: Mapping[str, Mapping[str, Argument]] = {
    "HTTP": _ON_HTTP,
    "ws": _ON_WS,
    "tunnel": _ON_TUNNEL,
}
"""Place → word → what may follow. HTTP is every place that has no name of its own."""

REQUESTS = frozenset({"HTTP", "ws"})
"""Places at which an answer is possible: a status, or a documented code."""
