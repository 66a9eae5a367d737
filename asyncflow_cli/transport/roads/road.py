"""What every way to a public address has in common: it is opened, it leads here, it may be lost."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.transport.roads.process import Running


class Loss:
    """That a tunnel is gone, told once and with the reason."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """None as long as nobody has noticed a loss."""
        self._told = asyncio.Event()

    def tell(self, reason: str) -> None:
        """From the event loop's own thread. The first reason stays."""
        if self.reason is None:
            self.reason = reason
            self._told.set()

    async def wait(self) -> str:
        """The reason, as soon as there is one."""
        await self._told.wait()
        return self.reason or ""


@dataclass(frozen=True)
class Tunnel:
    url: str
    """`wss://host[:port][/path]`; on this machine `ws://…`. No trailing slash."""
    lost: Loss = field(default_factory=Loss)
    """Told when whoever holds the tunnel dies, or says that it lost its session. A tunnel that
    carries nothing any more tells nothing."""
    agent: Running | None = None
    """The process that holds it, for the journal: `process.kill_if_ours` ends one left behind."""
    fresh: bool = True
    """Whether its name is new, so that DNS and certificates may take some seconds."""

    @property
    def pid(self) -> int | None:
        return self.agent.pid if self.agent else None


class Road(Protocol):
    @property
    def name(self) -> str:
        """As `--tunnel` takes it."""

    def missing(self) -> AsyncflowError | None:
        """What stands in the way of trying it here; its hint tells how to install it.

        Cheap, and without the network: the program is not here, or a token is not set.
        """

    def open(self, port: int, /) -> AbstractAsyncContextManager[Tunnel]:
        """A tunnel to this port of 127.0.0.1 until the end of the block.

        Opening has no deadline of its own, and may be cancelled at any moment. An AsyncflowError
        that is `passing` is worth another try.
        """
