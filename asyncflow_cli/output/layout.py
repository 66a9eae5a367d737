"""Texts in rows and columns, on as many columns as there are: where lines break, what stands beside
what. Pure; it knows no secrets, so what it gets must be clean.

A width of None is any number: a pipe gets a line for each row, however long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from asyncflow_cli.columns import Row, columns

NAME, TITLE = "dim", "bold"
"""How a field's name is told from its value, and a column's title from its cells."""

GAP = 2
"""Blanks between columns, and before what stands below its name."""

TALLEST = 4
"""Lines of a cell; a table that needs more is easier to read as blocks."""


def wrapped(text: str, width: int | None, *, first: int = 0, hang: int = 0) -> list[str]:
    """Its lines, broken between words alone: an address is there to be copied.

    Before the first line `first` columns are taken; those that follow begin with `hang` blanks.
    """
    if width is None:
        return [text]
    lines: list[str] = []
    for part in text.split("\n"):
        lines += _folded(part, width, 0 if lines else first, hang)
    return lines


def _folded(part: str, width: int, first: int, hang: int) -> Iterator[str]:
    if first + columns(part) <= width:
        yield part
        return
    margin = _margin(part)
    line, taken = margin, first
    for word in part.split():
        if line.strip() and taken + columns(line) + 1 + columns(word) > width:
            yield line
            line, taken = " " * hang + margin, 0
        line += f" {word}" if line.strip() else word
    yield line


def grid(fields: Mapping[str, str], width: int | None) -> Iterator[Row]:
    """A value beside each name; below it where it would be broken or cut."""
    edge = max(map(columns, fields), default=0) + GAP
    for name, value in fields.items():
        room = None if width is None else width - edge
        if room is not None and room < _longest(value):
            yield ((name, NAME),)
            below = wrapped(value, edge + room - GAP)
            yield from (((" " * GAP + line, ""),) for line in below)
            continue
        head, *rest = wrapped(value, room)
        yield (name + " " * (edge - columns(name)), NAME), (head, "")
        yield from (((" " * edge + line, ""),) for line in rest)


def blocks(records: Iterable[Mapping[str, str]], width: int | None) -> Iterator[Row]:
    """Grids with a blank line between."""
    for number, fields in enumerate(records):
        if number:
            yield (("", ""),)
        yield from grid(fields, width)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[Row]:
    """A column for each title, its cells in several lines where they must be; none for a title
    that has nothing below it.

    On too few columns for that, the widest cell of a row stands below the others; on fewer still,
    each row is a block with its first cell for a heading.
    """
    known = [column for column in zip(titles, *rows, strict=True) if any(column[1:])]
    if not known:
        return
    shown = list(zip(*known, strict=True))
    lines = _in_columns(shown, width) or _with_one_below(shown, width)
    yield from lines or _headed(shown[0], shown[1:], width)


def _in_columns(rows: Sequence[Sequence[str]], width: int | None) -> list[Row]:
    """Rows, the first of which are titles; nothing if there is no room for them."""
    widths = _widths(rows, width)
    return [
        ((line, "" if number else TITLE),)
        for number, row in enumerate(rows if widths else [])
        for line in _beside(row, widths or [])
    ]


def _with_one_below(rows: Sequence[Sequence[str]], width: int | None) -> list[Row]:
    """The same, without the column that needs most room: that follows each row, indented."""
    wide = max(range(len(rows[0])), key=lambda i: max(_longest(row[i]) for row in rows))
    rest = [[cell for i, cell in enumerate(row) if i != wide] for row in rows]
    widths = _widths(rest, width) if len(rest[0]) > 1 else None
    lines: list[Row] = []
    for number, row in enumerate(rest if widths else []):
        below = wrapped(rows[number][wide], width and width - GAP)
        own = [*_beside(row, widths or []), *(" " * GAP + line for line in below)]
        lines += [((line, "" if number else TITLE),) for line in own if line.strip()]
    return lines


def _headed(
    titles: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number:
            yield (("", ""),)
        yield from (((line, TITLE),) for line in wrapped(row[0], width))
        named = {title: cell for title, cell in zip(titles[1:], row[1:], strict=True) if cell}
        inner = None if width is None else width - GAP
        yield from (((" " * GAP, ""), *line) for line in grid(named, inner))


def _widths(rows: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """Of each column; None if it is no table any more on so little room."""
    upright = list(zip(*rows, strict=True))
    widths = [max(map(columns, column)) for column in upright]
    if width is None:
        return widths
    least = [max(map(_longest, column)) for column in upright]
    room = width - GAP * (len(upright) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        wide = max(range(len(widths)), key=lambda i: (widths[i] > least[i], widths[i]))
        widths[wide] -= 1
    tallest = max(len(wrapped(c, w)) for row in rows for c, w in zip(row, widths, strict=True))
    return widths if tallest <= TALLEST else None


def _longest(text: str) -> int:
    """Columns of its longest word, which is not broken, and of the margin that each line keeps."""
    parts = text.split("\n")
    return max(
        columns(_margin(part)) + max(map(columns, part.split()), default=0) for part in parts
    )


def _margin(part: str) -> str:
    return " " * (len(part) - len(part.lstrip()))


def _beside(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The lines of a row."""
    cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, cells))):
        line = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = (c + " " * (w - columns(c)) for c, w in zip(line, widths, strict=True))
        yield (" " * GAP).join(padded).rstrip()
