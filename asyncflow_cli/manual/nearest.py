"""What was probably meant by a command or an option that is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import typer
from typer.core import TyperGroup

from asyncflow_cli.manual.page import ROOT

LIKE_ENOUGH = 0.5
"""Of 1, by difflib; `tsst` is 0.57 like `tts`."""


def nearest(word: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The likeliest first; of options `--voise` may mean, those a third as like are left out."""
    names = list(known)
    found = difflib.get_close_matches(word, names, n, LIKE_ENOUGH)
    begun = [name for name in names if len(word.strip("-")) > 1 and name.startswith(word)]
    likeness = {name: difflib.SequenceMatcher(None, word, name).ratio() for name in found}
    best = max(likeness.values(), default=0)
    close = [name for name in found if likeness[name] > best - 0.15]
    return list(dict.fromkeys([*begun, *close]))[:n]


def meant(ctx: typer.Context, word: str) -> list[str]:
    """Command lines, or options, in place of a word the parser does not know."""
    if word.startswith("-"):
        params = ctx.command.params
        return nearest(word, (o for param in params for o in (*param.opts, *param.secondary_opts)))
    assert isinstance(ctx.command, TyperGroup)
    prefix = ctx.command_path.removeprefix(ROOT).strip()
    close = [f"{prefix} {name}".strip() for name in nearest(word, ctx.command.commands)]
    elsewhere = [path for path in _paths(ctx.find_root().command) if path.split()[-1] == word]
    return [f"{ROOT} {path}" for path in dict.fromkeys([*elsewhere, *close])]


def _paths(command: object, path: str = "") -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _paths(child, f"{path} {name}".strip())
    else:
        yield path
