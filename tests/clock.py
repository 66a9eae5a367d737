"""A loop's clock, put forward: what falls due in a while does so now, and nobody has waited."""

from __future__ import annotations

import asyncio


def pass_time(seconds: float) -> None:
    """In the running loop."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]
