"""A page of voices, by either reading of the cursor, well-mannered or not. Pure.

https://docs.async.com/list-voices-16699698e0

`after` is the id of a voice, and the page begins behind it. The order is stable. An unknown
`after` gives an empty page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from asyncflow_cli.sandbox.choices import Choices, Paging
from asyncflow_cli.sandbox.voices import LibraryVoice

DEFAULT_LIMIT = 10


class Page(NamedTuple):
    voices: Sequence[LibraryVoice]
    next_cursor: str


def page(
    voices: Sequence[LibraryVoice], after: str | None, limit: int | None, choices: Choices
) -> Page:
    ids = [voice.voice_id for voice in voices]
    start = ids.index(after) + 1 if after in ids else len(ids) if after else 0
    end = min(start + (limit or DEFAULT_LIMIT), len(ids))
    again = Paging.DUPLICATES in choices.paging and 0 < start < end
    shown = voices[start - 1 if again else start : end]
    return Page(shown, _cursor(ids, start, end, after, choices))


def _cursor(ids: Sequence[str], start: int, end: int, after: str | None, choices: Choices) -> str:
    """What the page says of the next one: nothing if it is the last."""
    if after and Paging.REPEATED_CURSOR in choices.paging:
        return after
    more = end < len(ids)
    if not more and not (start < end and Paging.EMPTY_LAST_PAGE in choices.paging):
        return ""
    return ids[end] if more and choices.cursor == "next" else ids[end - 1]
