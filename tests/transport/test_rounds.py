"""One timer for all that is looked at again and again."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncflow_cli.transport.rounds import rounds


class Watched:
    def __init__(self, enough: asyncio.Event) -> None:
        self.looks = 0
        self._enough = enough

    def look(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self._enough.set()


class Bad:
    def look(self) -> None:
        raise ValueError("a bug")


def test_what_fails_when_it_is_looked_at_does_not_end_the_rounds() -> None:
    async def test() -> None:
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        enough = asyncio.Event()
        for watched in (Watched(enough), Bad()):
            rounds(0.001).add(watched)
        async with asyncio.timeout(5):
            await enough.wait()
        assert complaints

    asyncio.run(test())
