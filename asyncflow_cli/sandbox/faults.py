"""What shall go wrong, and where: the grammar of `--fault`. Pure.

fault    = where ":" what [ "x" COUNT ]       without a count, every time
where    = [ METHOD ] path | "ws" | "*"       {id} stands for one part of a path
what     = [ STATUS ] CODE { name "=" value } a documented error, its extras changed
         | STATUS                             400 to 599; 500 has the documented body
         | "first-byte" TIME                  nothing comes before that
         | "stall" TIME                       half of it, a pause, the rest
         | "drop" [ BYTES ]                   the connection is cut after so many bytes
         | "truncate" [ BYTES ]               a proper end after so many bytes, or after half
         | "quota-marker"                     half of it, and the marker in two chunks
on ws:   | "error" CODE { name "=" value }    an error frame in place of the first audio
         | "ws-drop" [ FRAMES ]               the socket is cut after so many audio frames
         | "early-final"                      a final behind the first audio
         | "late-final" TIME                  the final comes so much later
         | "late-audio"                       audio behind the final
         | "no-context-id"                    frames name no context
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.speech import PATH
from asyncflow_cli.sandbox.documented import DOCUMENTED

HINT = "For example: 'POST /text_to_speech:429 RATE_LIMIT_EXCEEDED x2', or 'ws:ws-drop'"

SOCKET = "WS"
"""The method of a WebSocket, which has none."""

_TIMED = frozenset({"first-byte", "stall", "late-final"})
_COUNTED = frozenset({"drop", "truncate", "ws-drop"})
_PLAIN = frozenset({"quota-marker", "early-final", "late-audio", "no-context-id"})
_ON_BODY = frozenset({"drop", "truncate", "quota-marker"})
_ON_SOCKET = frozenset(
    {"error", "ws-drop", "early-final", "late-final", "late-audio", "no-context-id"}
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    written: str
    method: str | None
    path: str
    kind: str
    """`answer`, or the word of the grammar."""
    status: int = 0
    code: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    number: int | None = None
    """Bytes or frames."""
    count: int | None = None

    def concerns(self, method: str, path: str) -> bool:
        if self.method not in (None, method) or (method == SOCKET and self.kind in _ON_BODY):
            return False
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path)).replace(r"\*", ".*")
        return re.fullmatch(pattern, path) is not None


class Faults:
    """Those that are armed, each with the times it has left."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        self._armed: list[tuple[Fault, int | None]] = []
        self.add(written)

    def add(self, written: Iterable[str]) -> None:
        """All of them, or none and UsageError."""
        self._armed += [(fault, fault.count) for fault in map(parse, list(written))]

    def clear(self) -> None:
        self._armed.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [{"fault": fault.written, "left": left} for fault, left in self._armed]

    def take(self, method: str, path: str) -> Fault | None:
        """The first that concerns this; it has one time less from now on."""
        for index, (fault, left) in enumerate(self._armed):
            if fault.concerns(method, path):
                if left is not None and left > 1:
                    self._armed[index] = (fault, left - 1)
                elif left is not None:
                    del self._armed[index]
                return fault
        return None


_FAULT = re.compile(
    r"\s*(?:(?P<method>[A-Za-z]+)\s+)?(?P<path>ws|\*|/[^\s:]*)\s*:\s*(?P<what>.*?)"
    r"(?:\s+x(?P<count>\d{1,6}))?\s*"
)
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)")


def parse(written: str) -> Fault:
    """UsageError if it is not of the grammar."""
    match = _FAULT.fullmatch(written)
    if match is None:
        _refuse(written, "it is not WHERE:WHAT")
    socket = match["path"] in ("ws", PATH)
    place: dict[str, Any] = {
        "written": written.strip(),
        "method": SOCKET if socket else (match["method"] or "").upper() or None,
        "path": PATH if socket else match["path"],
        "count": int(match["count"]) if match["count"] else None,
    }
    if place["count"] == 0:
        _refuse(written, "x0 is never")
    word, *rest = match["what"].split() or [""]
    fault = Fault(**place, **_what(written, word, rest))
    _check_place(fault)
    return fault


def _what(written: str, word: str, rest: Sequence[str]) -> dict[str, Any]:
    if word in _TIMED:
        return {"kind": word, "seconds": _seconds(written, rest)}
    if word in _COUNTED:
        return {"kind": word, "number": _number(written, rest)}
    if word in _PLAIN and not rest:
        return {"kind": word}
    if word == "error" and rest:
        return {"kind": word, **_documented(written, 0, rest[0], rest[1:])}
    if re.fullmatch(r"[45]\d\d", word) and not rest:
        return {"kind": "answer", "status": int(word)}
    if re.fullmatch(r"\d{3}", word) and rest:
        return {"kind": "answer", **_documented(written, int(word), rest[0], rest[1:])}
    return {"kind": "answer", **_documented(written, 0, word, rest)}


def _documented(written: str, status: int, code: str, extras: Sequence[str]) -> dict[str, Any]:
    documented = DOCUMENTED.get(code)
    if documented is None:
        _refuse(written, f"{code or 'nothing'} is neither a documented code nor a behaviour")
    if status not in (0, documented.status):
        _refuse(written, f"the status of {code} is {documented.status}")
    extra = {}
    for pair in extras:
        name, sign, value = pair.partition("=")
        if not (name and sign):
            _refuse(written, f"{pair} is not name=value")
        extra[name] = int(value) if value.isascii() and value.isdigit() else value
    return {"status": documented.status, "code": code, "extra": extra}


def _seconds(written: str, rest: Sequence[str]) -> float:
    match = _TIME.fullmatch(rest[0]) if len(rest) == 1 else None
    if match is None:
        _refuse(written, "a time such as 400ms or 2s is missing")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def _number(written: str, rest: Sequence[str]) -> int | None:
    if not rest:
        return None
    if len(rest) > 1 or not re.fullmatch(r"[0-9]{1,9}", rest[0]):
        _refuse(written, "only a number may follow")
    return int(rest[0])


def _check_place(fault: Fault) -> None:
    socket = fault.method == SOCKET
    if fault.kind in _ON_SOCKET and not socket:
        _refuse(fault.written, f"{fault.kind} is for ws")
    if fault.kind in _ON_BODY and socket:
        _refuse(fault.written, f"{fault.kind} is for HTTP")


def _refuse(written: str, why: str) -> NoReturn:
    raise UsageError(f"{written!r} is no fault: {why}", hint=HINT, code="FAULT_UNKNOWN")
