"""A person's text as it will be sent: its mark-up checked, and cut where it is too long."""

from __future__ import annotations

from collections.abc import Callable

from asyncflow_cli.errors import UsageError

FIRST = 200
"""Characters of the first piece of a stream at most: it is heard while the others are made."""

MOST = 1500
"""Characters of any other piece at most: a minute or two. The service documents no limit."""

CHARACTERS_A_SECOND = 15.0
"""How fast English is read, near enough for an estimate."""

TEXT_COMES = "Give it as an argument, with -f FILE, or through a pipe"


def spoken_seconds(characters: int) -> float:
    """About how long it takes to say so much."""
    return characters / CHARACTERS_A_SECOND


def no_text(place: str | None = None) -> UsageError:
    """There is nothing to say, `place` being where it was looked for, if it was one."""
    if place not in (None, "stdin"):
        return UsageError(f"There is no text in {place}", code="TEXT_EMPTY")
    where = f"in {place}" if place else "to speak"
    return UsageError(f"There is no text {where}", hint=TEXT_COMES, code="TEXT_EMPTY")


def not_utf8(place: str) -> UsageError:
    return UsageError(
        f"The text in {place} is not UTF-8",
        hint="Write it anew, such as: iconv -f latin1 -t utf-8 old.txt > new.txt",
        code="TEXT_NOT_UTF8",
    )


def prepared(text: str, *, plain: bool, warn: Callable[[str], None], width: int = 80) -> str:
    """The text to send. UsageError, with a caret under the place, for mark-up that is none.

    `width` is how many columns the line with the place may take. `plain` takes the text literally:
    what looks like mark-up is made to look like text.
    """
    if "<" not in text:
        return text  # and what knows of mark-up need not be loaded
    from asyncflow_cli.protocol.markupcheck import check, escape, explain

    if plain:
        return escape(text)
    problems = check(text)
    for problem in problems:
        shown = f"{problem.message}\n{explain(text, problem, width=width)}"
        if problem.severity == "error":
            raise UsageError(
                shown, hint="Mend it, or take it literally: --plain-text", code="BAD_MARKUP"
            )
        warn(shown)
    return text


def pieces(text: str) -> list[str]:
    """The requests it takes: one, unless the text is long. They are cut at sentences."""
    return [text] if len(text) <= MOST else _split(text)


def stream_pieces(text: str) -> list[str]:
    """The same for a stream, whose first piece is small."""
    return [text] if len(text) <= FIRST else _split(text)


def _split(text: str) -> list[str]:
    # What knows of sentences takes a while to load.
    from asyncflow_cli.protocol.splitting import split

    return split(text)
