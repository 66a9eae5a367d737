"""Rich's console as we use it. Importing this file imports Rich, which takes 40 ms."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.text import Text

from asyncflow_cli.columns import Row


class _PlainConsole(Console):
    def on_broken_pipe(self) -> None:
        # Rich would throw stdout away and leave, whichever stream it is and whatever goes on.
        raise  # it is called where the BrokenPipeError was caught


def console_on(stream: TextIO, color: str) -> Console:
    """One that takes texts as they are; `color` is auto, always or never."""
    return _PlainConsole(
        file=stream,
        # Names and texts are not ours: "[Demo]" is no style, ":phone:" no picture.
        markup=False,
        emoji=False,
        force_terminal={"always": True, "never": False}.get(color),
        # The flag says it, whatever NO_COLOR says.
        no_color={"always": False, "never": True}.get(color),
    )


def print_row(console: Console, row: Row, end: str) -> None:
    # A style of `print` itself would colour a live view below it, too.
    console.print(Text.assemble(*row), end=end, highlight=False, soft_wrap=True)
