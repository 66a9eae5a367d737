"""Copies of screens, one file each: how it looks on every width, and where its colours are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.screens.terminal import bare, marked

FOLDER = Path(__file__).parent / "snapshots"
RENEW = "RENEW_SCREENS"


def check(name: str, title: str, screens: Mapping[int, str]) -> None:
    """Compare with the copy; write it in place of that if RENEW_SCREENS is set."""
    text = _page(title, {width: _trimmed(written) for width, written in screens.items()})
    file = FOLDER / f"{name}.txt"
    if os.environ.get(RENEW):
        file.write_text(text, encoding="utf-8")
    assert file.exists(), "there is no copy of it yet: make screens"
    assert text == file.read_text(encoding="utf-8"), "make screens, and look at what changed"


def _trimmed(written: str) -> str:
    return "\n".join(line.rstrip() for line in written.splitlines())


def _page(title: str, screens: Mapping[int, str]) -> str:
    widths: dict[str, list[int]] = {}
    for width, written in screens.items():
        widths.setdefault(bare(written), []).append(width)
    parts = [f"$ {title}"]
    parts += [f"---- {_told(found)} columns\n{text.rstrip()}" for text, found in widths.items()]
    styled = marked(screens[80])
    if styled != bare(screens[80]):
        parts.append(f"---- styles\n{styled}")
    return "\n\n".join(parts).rstrip("\n") + "\n"


def _told(widths: list[int]) -> str:
    return " and ".join(map(str, widths))
