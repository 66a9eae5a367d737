"""What is asked of `asyncflow ci run`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SmokeOrder:
    file: str
    """`-` for stdin."""
    commands: Iterable[str]
    """Those there are, of which a step may be any but this one."""
    jobs: int | None
    """Steps at a time; None for as many as the file says."""
    junit: str | None
    summary: str | None
    """Paths of files to write."""
    annotations: bool | None
    """Whether to mark the file's lines for GitHub; None for where that is listening."""
