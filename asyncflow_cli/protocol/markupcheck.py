"""What is wrong with the tags of a transcript, before it is sent: where, and in which words.

https://docs.async.com knows `<break time='400ms'/>`, `<digits>…</digits>` and
`<phonemes>…</phonemes>`, and says nothing of what becomes of other tags. Here they are errors. A
lone `<` is text, and so is what only looks like a tag: `a < b`, `<3`, `<me@example.com>`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from asyncflow_cli.columns import columns

PAIRS = ("digits", "phonemes")

SHORTEST_BREAK = 0.02
LONGEST_BREAK = 10.0
"""Seconds; a choice. The service rounds very small values and clamps very large ones, at unnamed
bounds, and calls 80 to 1200 ms natural."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class MarkupProblem:
    offset: int
    """Code points of the text before the place."""
    length: int
    message: str
    severity: Severity = "error"
    """A warning may be spoken otherwise than meant; an error is no mark-up at all."""


# Everything that is read as a tag, or was meant as one. Names we do not know must look like XML.
_TAG = re.compile(
    r"""
      < (?P<close> /? ) (?P<known> break | digits | phonemes ) (?![\w:.-])
          (?P<rest> [^<>]* ) (?P<end> >? )
    | < /? (?P<unknown> [a-z][\w:.-]* ) (?: \s+ [\w:.-]+ \s* = [^<>]* | \s* /? ) >
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME = re.compile(r"""\s+time\s*=\s*(?P<quote>['"])(?P<value>[^'"]*)(?P=quote)\s*""")
_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?P<unit>ms|s)")
_NO_DIGIT = re.compile(r"[^0-9 ().-]")


def check(text: str) -> list[MarkupProblem]:
    """Every problem, in the order of the text."""
    found = [*_tag_problems(text), *_pair_problems(text)]
    return sorted(found, key=lambda problem: problem.offset)


def _tag_problems(text: str) -> Iterator[MarkupProblem]:
    """Of each tag by itself."""
    for tag in _TAG.finditer(text):
        if message := _verdict(tag):
            yield _problem(tag, message)
        elif tag["known"] == "break" and (doubt := _doubt(tag)):
            yield _problem(tag, doubt, severity="warning")


def _verdict(tag: re.Match[str]) -> str | None:
    name = tag["known"]
    if name is None:
        return f"<{tag['unknown']}> is unknown; there are <break>, <digits> and <phonemes>"
    if not tag["end"]:
        return f"<{name} has no >"
    if name != name.lower():
        return f"<{name}> is written in small letters"
    if name == "break":
        return _break_verdict(tag)
    if tag["rest"].strip():
        return f"<{name}> takes nothing but its name"
    return f"<{name}> has a space before its >" if tag["rest"] else None


def _break_verdict(tag: re.Match[str]) -> str | None:
    attributes = tag["rest"].rstrip()
    if tag["close"]:
        return "A break has no closing tag: <break time='400ms'/>"
    if "time" not in attributes:
        return "A break needs a time: <break time='400ms'/>"
    if not attributes.endswith("/"):
        return "A break ends in />: <break time='400ms'/>"
    time = _TIME.fullmatch(attributes[:-1])
    if time is None:
        return "A break has a time in quotes and nothing else: <break time='400ms'/>"
    if not _DURATION.fullmatch(time["value"]):
        return f"{time['value']!r} is no time: a number and ms or s, such as '400ms' or '0.5s'"
    return None


def _doubt(tag: re.Match[str]) -> str | None:
    duration = _DURATION.search(tag["rest"])
    assert duration is not None
    seconds = float(duration["number"]) * (0.001 if duration["unit"] == "ms" else 1)
    if seconds < SHORTEST_BREAK:
        return f"A break of {duration[0]} may not be heard; 80ms to 1200ms is natural"
    if seconds > LONGEST_BREAK:
        return f"A break of {duration[0]} may be cut short; 80ms to 1200ms is natural"
    return None


def _pair_problems(text: str) -> Iterator[MarkupProblem]:
    """Of tags with each other: pairs that do not close, cross or nest, and what stands in them."""
    opened: re.Match[str] | None = None
    for tag in _TAG.finditer(text):
        name = (tag["known"] or "").lower()
        if opened is not None and name and not (tag["close"] and name == _name(opened)):
            yield _problem(tag, f"{tag[0]} may not stand inside <{_name(opened)}>")
        elif name in PAIRS and tag["close"] and opened is None:
            yield _problem(tag, f"{tag[0]} closes nothing")
        elif name in PAIRS and tag["close"] and opened is not None:
            yield from _content_problems(text, opened, tag)
            opened = None
        elif name in PAIRS:
            opened = tag
    if opened is not None:
        yield _problem(opened, f"{opened[0]} is never closed")


def _name(tag: re.Match[str]) -> str:
    return tag["known"].lower()


def _problem(tag: re.Match[str], message: str, *, severity: Severity = "error") -> MarkupProblem:
    return MarkupProblem(tag.start(), len(tag[0]), message, severity)


def _content_problems(
    text: str, opened: re.Match[str], closed: re.Match[str]
) -> Iterator[MarkupProblem]:
    content, start = text[opened.end() : closed.start()], opened.end()
    if not content.strip():
        length = closed.end() - opened.start()
        yield MarkupProblem(
            opened.start(), length, f"{opened[0]} has nothing to say", severity="warning"
        )
    elif _name(opened) == "phonemes":
        # The alphabet is not public; only that a tag's sign cannot be a sound.
        if "<" in content and not _TAG.search(content):
            yield MarkupProblem(start + content.index("<"), 1, "'<' is no phoneme")
    elif not _TAG.search(content):
        for wrong in _NO_DIGIT.finditer(content):
            message = f"{wrong[0]!r} may not stand in <digits>: only 0-9, space, - ( ) and ."
            yield MarkupProblem(start + wrong.start(), 1, message)
            return


def escape(text: str) -> str:
    """The text with no mark-up in it, for `--plain-text`; as long as before.

    The service documents no escape. So the angles of what would be read as a tag become ‹ and ›,
    quotation marks that no reader of tags knows and that are rarely pronounced; captions still look
    right, and places in the text stay. All other angles are left alone: "1 < 2" is to be spoken.
    """
    return _TAG.sub(lambda tag: "‹" + tag[0][1:].replace(">", "›"), text)


def explain(text: str, problem: MarkupProblem, *, width: int = 80) -> str:
    """The line with the problem and, below, a caret under its column: each `width` at most."""
    start = text.rfind("\n", 0, problem.offset) + 1
    end = text.find("\n", problem.offset)
    line = "".join(map(_shown, text[start : end if end >= 0 else len(text)]))
    at = problem.offset - start
    line += " " * (at == len(line))  # The problem is the new line itself.
    first, last = _window(line, at, max(width, 8))
    left, right = "…" * (first > 0), "…" * (last < len(line))
    column = len(left) + columns(line[first:at])
    room = columns(line[at : min(at + problem.length, last)])
    shown = left + line[first:last] + right
    return f"{shown}\n{' ' * column}^{'~' * (room - 1)}"


def _shown(sign: str) -> str:
    """The character as a terminal may show it: no tab, and nothing that steers the terminal."""
    return " " if sign.isspace() else "�" if unicodedata.category(sign) in ("Cc", "Cs") else sign


def _window(line: str, at: int, width: int) -> tuple[int, int]:
    """Which part of the line to show, so that `at` is in it: from a third of the width before."""
    if columns(line) <= width:
        return 0, len(line)
    room = width - 2
    first = last = at
    while first > 0 and columns(line[first - 1 : at]) <= room // 3:
        first -= 1
    while last < len(line) and columns(line[first : last + 1]) <= room:
        last += 1
    while first > 0 and columns(line[first - 1 : last]) <= room:
        first -= 1
    return first, last
