"""Tunnels of the sandbox's own, which die when they are told to.

A tunnel is a loopback port whose connections are carried to another port of this machine, as ngrok
or ssh carry those of a public address. It ends in order, dies, or goes quiet.

Choices: it has no TLS; its times are real seconds, whatever the speed of the telephone line.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.faultwords import CARRIER
from asyncflow_cli.sandbox.relay import HOST, Relayed

_FAREWELL = 1.0
"""Seconds in which connections may end in order before they are cut."""


class Tunnel:
    """`url` leads to `port`. It is `open`, `frozen`, `dead` or `closed`."""

    def __init__(self, id: str, port: int, die_after: float | None) -> None:
        self.id = id
        self.port = port
        self.url = ""
        self.state = "open"
        self._die_after = die_after
        self._carried: list[Relayed] = []
        self._joining: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, HOST, 0)
        self.url = f"ws://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def die(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._leave("dead")
        for relayed in self._carried:
            relayed.sever()

    def freeze(self) -> None:
        """Keep every connection open, take new ones, and carry nothing any more."""
        if self.state == "open":
            self.state = "frozen"
        for relayed in self._carried:
            relayed.freeze()

    async def close(self) -> None:
        """End every connection in order, and refuse new ones. A second time does nothing."""
        self._leave("closed")
        for relayed in self._carried:
            relayed.close()
        await self._gone(_FAREWELL)
        for relayed in self._carried:
            relayed.sever()
        await self._gone(_FAREWELL)

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "port": self.port,
            "state": self.state,
            "connections": len(self._live()),
            "accepted": len(self._carried),
            "bytes_in": sum(relayed.bytes_in for relayed in self._carried),
            "bytes_out": sum(relayed.bytes_out for relayed in self._carried),
        }

    def _accept(self) -> asyncio.Protocol:
        relayed = Relayed(self.port)
        self._carried.append(relayed)
        if self.state == "frozen":
            relayed.freeze()
        else:
            joining = asyncio.create_task(relayed.join())
            self._joining.add(joining)
            joining.add_done_callback(self._joining.discard)
        if self._die_after is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._die_after, self.die)
        return relayed.accepted

    def _leave(self, state: str) -> None:
        if self.state in ("open", "frozen"):
            self.state = state
        self._server.close()
        if self._timer is not None:
            self._timer.cancel()

    def _live(self) -> list[Relayed]:
        return [relayed for relayed in self._carried if not relayed.over.is_set()]

    async def _gone(self, seconds: float) -> None:
        waiting = [asyncio.create_task(relayed.over.wait()) for relayed in self._live()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=seconds)
            for task in late:
                task.cancel()


class Tunnels:
    """Those that were opened and not yet closed, by id."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._opened = 0
        self._tunnels: dict[str, Tunnel] = {}

    def __getitem__(self, id: str) -> Tunnel:
        """KeyError if there is none of that id."""
        return self._tunnels[id]

    async def open(self, port: int, *, die_after: float | None = None) -> Tunnel:
        """A tunnel to `port`, which dies `die_after` seconds after its first connection.

        A fault `tunnel:die-after TIME` says the same of a tunnel whose opener does not.
        """
        if die_after is None and (fault := self._faults.take(CARRIER, "tunnel")) is not None:
            die_after = fault.seconds
        self._opened += 1
        tunnel = Tunnel(f"t{self._opened}", port, die_after)
        await tunnel.listen()
        self._tunnels[tunnel.id] = tunnel
        return tunnel

    async def close(self, id: str) -> None:
        """End it in order and forget it. KeyError if there is none of that id."""
        await self._tunnels.pop(id).close()

    async def close_all(self) -> None:
        for id in list(self._tunnels):
            await self.close(id)

    def listed(self) -> list[dict[str, Any]]:
        return [tunnel.described() for tunnel in self._tunnels.values()]
