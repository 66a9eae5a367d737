"""How text leaves on stdout and stderr, on every system. Help needs no more than this."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable
from typing import TextIO


def settle(streams: Iterable[TextIO | None]) -> None:
    """A pipe or a file gets UTF-8 and plain line ends, whatever the locale or code page.

    JSON is UTF-8 (https://www.rfc-editor.org/rfc/rfc8259#section-8.1), and a shell that reads
    `sandbox env` would take a carriage return for part of a value. A terminal keeps what it
    speaks, and shows a `?` for what it cannot.
    """
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="replace", newline="\n")


def drop(stream: TextIO) -> None:
    """Who reads it is gone; Python must not complain about it again on its way out."""
    with contextlib.suppress(OSError, ValueError):  # not everything has a number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
