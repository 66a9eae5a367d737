"""The words of a fault: where each is legal, and what may follow it. Pure tables.

Knows spelling only; what a word does stands in the file that does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from asyncflow_cli.protocol.speechmessages import PATH

Argument: TypeAlias = Callable[[Sequence[str]], dict[str, Any]]
"""What follows a word, as fields of a Fault. ValueError says what is wrong with it."""

SOCKET = "WS"
"""The method of a WebSocket, which has none."""

CARRIER = "CARRIER"
"""The method of what Twilio does of its own accord, and of tunnels: no request to the sandbox."""

CALLS = "/2010-04-01/Accounts/{sid}/Calls.json"

NAMED = {
    "ws": (SOCKET, PATH),
    "call": ("POST", CALLS),
    "media": (CARRIER, "media"),
    "callback": (CARRIER, "callback"),
    "twiml": (CARRIER, "twiml"),
    "tunnel": (CARRIER, "tunnel"),
}
"""Places with a name of their own: method and path."""

_TIME = re.compile(r"([+-]?)(\d{1,6}(?:\.\d{1,6})?)(ms|s)")


def nothing(rest: Sequence[str]) -> dict[str, Any]:
    if rest:
        raise ValueError(f"nothing may follow, and {rest[0]} does")
    return {}


def moment(rest: Sequence[str]) -> dict[str, Any]:
    """A time that may lie in the past."""
    match = _TIME.fullmatch(rest[0]) if len(rest) == 1 else None
    if match is None:
        raise ValueError("a time such as 400ms or 2s is missing")
    seconds = float(match[2]) / (1000 if match[3] == "ms" else 1)
    return {"seconds": -seconds if match[1] == "-" else seconds}


def time(rest: Sequence[str]) -> dict[str, Any]:
    if rest and rest[0].startswith(("+", "-")):
        raise ValueError("a time such as 400ms or 2s is missing")
    return moment(rest)


def time_or(seconds: float) -> Argument:
    return lambda rest: time(rest) if rest else {"seconds": seconds}


def number(rest: Sequence[str]) -> dict[str, Any]:
    if len(rest) != 1 or not re.fullmatch(r"[0-9]{1,9}", rest[0]):
        raise ValueError("only a number may follow" if rest else "a number is missing")
    return {"number": int(rest[0])}


def number_if_any(rest: Sequence[str]) -> dict[str, Any]:
    return number(rest) if rest else {}


def rate(rest: Sequence[str]) -> dict[str, Any]:
    found = number(rest)
    if not found["number"]:
        raise ValueError("a rate is more than nothing")
    return found


def percent(rest: Sequence[str]) -> dict[str, Any]:
    found = number([part.removesuffix("%") for part in rest])
    if found["number"] > 100:
        raise ValueError("there is no more than 100 %")
    return found


def bytes_then_time(rest: Sequence[str]) -> dict[str, Any]:
    """Both may be left out. Twilio was seen to notice a dead path 30 to 45 s before we did."""
    bytes_ = number(rest[:1]) if rest and rest[0].isdecimal() else {"number": 0}
    return bytes_ | time_or(30.0)(rest[1:] if rest and rest[0].isdecimal() else rest)


_ANYWHERE: dict[str, Argument] = {"first-byte": time, "stall": time}

_ON_HTTP: dict[str, Argument] = {
    **_ANYWHERE,
    "drop": number_if_any,
    "truncate": number_if_any,
    "quota-marker": nothing,
    "lost-answer": nothing,
    "slow-answer": time,
}

_ON_WS: dict[str, Argument] = {
    **_ANYWHERE,
    "ws-drop": number_if_any,
    "early-final": nothing,
    "late-final": time,
    "late-audio": nothing,
    "no-context-id": nothing,
}

_AT_EDGE: dict[str, Argument] = dict.fromkeys(("timeout", "refused", "tls", "unreachable"), nothing)

_SIGNED: dict[str, Argument] = dict.fromkeys(
    ("wrong-signature", "no-signature", "shared-key"), nothing
)

_ON_MEDIA: dict[str, Argument] = {
    **_AT_EDGE,
    **_SIGNED,
    "abort": number_if_any,
    "half-open": bytes_then_time,
    "slow-reader": rate,
    "duplicate-mark": nothing,
    "late-marks": time,
    "no-marks": nothing,
    "jitter": time,
    "loss": percent,
    "no-inbound": nothing,
    "second-socket": nothing,
    "wrong-call-sid": nothing,
    "wrong-account-sid": nothing,
    "late-start": time,
    "stop-late": time_or(2.0),
}

_ON_CALLBACK: dict[str, Argument] = {
    **_AT_EDGE,
    **_SIGNED,
    "drop": nothing,
    "late": time,
    "duplicate": nothing,
    "reorder": nothing,
}

WORDS: Mapping[str, Mapping[str, Argument]] = {
    "HTTP": _ON_HTTP,
    "ws": _ON_WS,
    "call": {**_ON_HTTP, "skewed-clock": moment},
    "media": _ON_MEDIA,
    "callback": _ON_CALLBACK,
    "twiml": {**_AT_EDGE, **_SIGNED, "late": time},
    "tunnel": {"die-after": time},
}
"""Place → word → what may follow. HTTP is every place that has no name of its own."""

ANSWERED = frozenset({"HTTP", "ws", "call", "media", "callback", "twiml"})
"""Places at which a status may be answered."""

DOCUMENTING = frozenset({"HTTP", "ws"})
"""Places at which it may be one of Async's documented errors."""
