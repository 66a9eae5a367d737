"""What shall go wrong, and where: the grammar of `--fault`. Pure.

fault    = where ":" what [ "x" COUNT ]       without a count, every time
where    = [ METHOD ] path | "*"              {id} stands for one part of a path
         | "ws" | "call"                      the speech socket; the request that makes a call
         | "media" | "callback" | "twiml"     what Twilio does: sockets it dials, status
                                              callbacks, documents it fetches
         | "tunnel"                           a tunnel of the sandbox's own
what     = [ STATUS ] CODE { name "=" value } a documented error, its extras changed
         | STATUS                             400 to 599; 500 has the documented body
         | "first-byte" TIME                  nothing comes before that
         | "stall" TIME                       half of it, a pause, the rest
         | "drop" [ BYTES ]                   the connection is cut after so many bytes
         | "truncate" [ BYTES ]               a proper end after so many bytes, or after half
         | "quota-marker"                     half of it, and the marker in two chunks
         | "lost-answer"                      all is done, and the connection cut
         | STATUS "-after"                    all is done, and that is the answer
         | "slow-answer" TIME                 all is done, and answered so much later
on ws:   | "error" CODE { name "=" value }    an error frame in place of the first audio
         | "ws-drop" [ FRAMES ]               the socket is cut after so many audio frames
         | "early-final"                      a final behind the first audio
         | "late-final" TIME                  the final comes so much later
         | "late-audio"                       audio behind the final
         | "no-context-id"                    frames name no context

The words of the telephone's places stand in `faultwords`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from asyncflow_cli.errors import UsageError
from asyncflow_cli.sandbox.documented import DOCUMENTED
from asyncflow_cli.sandbox.faultwords import (
    ANSWERED,
    CARRIER,
    DOCUMENTING,
    NAMED,
    SOCKET,
    WORDS,
    nothing,
)

HINT = (
    "For example: 'POST /text_to_speech:429 RATE_LIMIT_EXCEEDED x2', 'ws:ws-drop', "
    "or 'tunnel:die-after 1s'"
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
        if self.method not in (None, method) or not self._possible(method):
            return False
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path)).replace(r"\*", ".*")
        return re.fullmatch(pattern, path) is not None

    def _possible(self, method: str) -> bool:
        """`*` is every request, but not everything can happen on a socket."""
        if method == SOCKET:
            return self.kind in WORDS["ws"] or self.kind in ("answer", "error")
        return method != CARRIER or self.method == CARRIER


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
        for fault, _ in self._armed:
            if fault.concerns(method, path):
                self._use(fault)
                return fault
        return None

    def take_each(self, place: str) -> dict[str, Fault]:
        """All that concern what Twilio does at `place`, by kind: of each kind the first.

        One that stands in the way of a connection is alone, and the others keep their times.
        """
        method, path = NAMED[place]
        found: dict[str, Fault] = {}
        for fault, _ in list(self._armed):
            if fault.concerns(method, path) and fault.kind not in found:
                found[fault.kind] = fault
        if in_the_way := [fault for fault in found.values() if fault.kind in _IN_THE_WAY]:
            found = {in_the_way[0].kind: in_the_way[0]}
        for fault in found.values():
            self._use(fault)
        return found

    def _use(self, used: Fault) -> None:
        index = next(i for i, (fault, _) in enumerate(self._armed) if fault is used)
        left = self._armed[index][1]
        if left is not None and left > 1:
            self._armed[index] = (used, left - 1)
        elif left is not None:
            del self._armed[index]


_IN_THE_WAY = frozenset({"answer", "timeout", "refused", "tls", "unreachable"})

_FAULT = re.compile(
    rf"\s*(?:(?P<method>[A-Za-z]+)\s+)?(?P<path>{'|'.join(NAMED)}|\*|/[^\s:]*)\s*:\s*(?P<what>.*?)"
    r"(?:\s+x(?P<count>\d{1,6}))?\s*"
)

_STATUS = re.compile(r"[45]\d\d")

_ELSEWHERE: dict[str, dict[str, Any]] = {
    # The same at any place: Twilio's, not the wire's.
    "skewed-clock": {"method": CARRIER, "path": "call"},
    "slow-answer": {"kind": "first-byte"},
}
"""Words that mean more than themselves."""


def parse(written: str) -> Fault:
    """UsageError if it is not of the grammar."""
    match = _FAULT.fullmatch(written)
    if match is None:
        _refuse(written, "it is not WHERE:WHAT")
    if match["count"] and int(match["count"]) == 0:
        _refuse(written, "x0 is never")
    place = "ws" if match["path"] == NAMED["ws"][1] else match["path"]
    method, path = NAMED.get(place, ((match["method"] or "").upper() or None, place))
    word, *rest = match["what"].split() or [""]
    try:
        what = _what(place if place in NAMED else "HTTP", word, rest)
    except ValueError as error:
        _refuse(written, str(error))
    count = int(match["count"]) if match["count"] else None
    place = {"method": method, "path": path, **what}
    return Fault(written=written.strip(), count=count, **place)


def _what(place: str, word: str, rest: Sequence[str]) -> dict[str, Any]:
    if word in WORDS[place]:
        return {"kind": word, **_ELSEWHERE.get(word, {}), **WORDS[place][word](rest)}
    if word == "error" and rest and place == "ws":
        return {"kind": word, **_documented(0, rest[0], rest[1:])}
    if re.fullmatch(r"[45]\d\d-after", word) and place in ("HTTP", "call"):
        return {"kind": "after", "status": int(word[:3]), **nothing(rest)}
    elsewhere = [name for name, words in WORDS.items() if word in words]
    if elsewhere or (word == "error" and rest):
        raise ValueError(f"{word} is for {' and '.join(elsewhere or ['ws'])}")
    if place in DOCUMENTING or (place in ANSWERED and _STATUS.fullmatch(word) and not rest):
        return {"kind": "answer", **_answer(word, rest)}
    known = ", ".join(WORDS[place])
    raise ValueError(f"{place} knows no {word or 'such thing'}, but {known}")


def _answer(word: str, rest: Sequence[str]) -> dict[str, Any]:
    if _STATUS.fullmatch(word) and not rest:
        return {"status": int(word)}
    if re.fullmatch(r"\d{3}", word) and rest:
        return _documented(int(word), rest[0], rest[1:])
    return _documented(0, word, rest)


def _documented(status: int, code: str, extras: Sequence[str]) -> dict[str, Any]:
    documented = DOCUMENTED.get(code)
    if documented is None:
        raise ValueError(f"{code or 'nothing'} is neither a documented code nor a behaviour")
    if status not in (0, documented.status):
        raise ValueError(f"the status of {code} is {documented.status}")
    extra = {}
    for pair in extras:
        name, sign, value = pair.partition("=")
        if not (name and sign):
            raise ValueError(f"{pair} is not name=value")
        extra[name] = int(value) if value.isascii() and value.isdigit() else value
    return {"status": documented.status, "code": code, "extra": extra}


def _refuse(written: str, why: str) -> NoReturn:
    raise UsageError(f"{written!r} is no fault: {why}", hint=HINT, code="FAULT_UNKNOWN")
