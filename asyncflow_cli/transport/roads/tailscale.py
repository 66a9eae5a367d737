"""Tailscale's Funnel: https://tailscale.com/docs/reference/tailscale-cli/funnel"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError
from asyncflow_cli.transport.roads.agent import Agent, absent, running
from asyncflow_cli.transport.roads.public import websocket_address
from asyncflow_cli.transport.roads.road import Tunnel

INSTALL = "Install it: tailscale.com/download, then tailscale up"

PORTS = (443, 8443, 10000)
"""The only ones that a Funnel may have."""

ADDRESS = r"(https://[\w.-]+\.ts\.net(?::\d+)?)/?"

STATE = r'"BackendState": *"(\w*)"'

NOT_ENABLED = r"Funnel is not enabled|Serve is not enabled"

TAKEN = "already exists"

HINTS = (
    (r"Access denied|permission denied|operator", "Once: sudo tailscale set --operator=$USER"),
    (TAKEN, "Ports 443, 8443 and 10000 are taken: see tailscale funnel status"),
    (
        r"[Ff]unnel not available|not allowed",
        "Allow Funnel for this machine: tailscale.com/s/funnel",
    ),
)


class Tailscale:
    name = "tailscale"

    def missing(self) -> AsyncflowError | None:
        return absent("tailscale", INSTALL)

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        await _logged_in()
        async with contextlib.AsyncExitStack() as stack:
            agent, address = await _funnel(stack, port)
            agent.opened()
            yield Tunnel(websocket_address(address), agent.lost, agent.running, fresh=False)


async def _funnel(stack: contextlib.AsyncExitStack, port: int) -> tuple[Agent, str]:
    """On the first port that nothing else of this machine has."""
    for https in PORTS:
        # In the foreground, so that the funnel ends with the program, whatever ends it.
        command = ("tailscale", "funnel", f"--https={https}", f"http://127.0.0.1:{port}")
        async with contextlib.AsyncExitStack() as attempt:
            agent = await attempt.enter_async_context(
                running("tailscale", command, reasons="error|already|not ", hints=HINTS)
            )
            try:
                address = await _address(agent)
            except NetworkError as error:
                if TAKEN not in error.message or https == PORTS[-1]:
                    raise
            else:
                stack.push_async_exit(attempt.pop_all())
                return agent, address
    raise AssertionError("the last port returns or raises")


async def _address(agent: Agent) -> str:
    found = await agent.says(f"{ADDRESS}|{NOT_ENABLED}")
    if found[1]:
        return found[1]
    # It prints where to enable it, and waits there.
    link = await agent.says(r"https://login\.\S+")
    raise PrerequisiteError(
        "Funnel is not enabled for this tailnet", hint=f"Enable it: {link[0]}", code="TUNNEL_FAILED"
    )


async def _logged_in() -> None:
    """Raise what stands in the way, before a program that would wait for it without an end."""
    async with running("tailscale", ("tailscale", "status", "--json")) as agent:
        try:
            state = (await agent.says(STATE))[1]
        except NetworkError:
            state = "its daemon does not answer"
    if state != "Running":
        raise PrerequisiteError(
            f"tailscale is not connected: {state}",
            hint="Log in: tailscale up",
            code="TUNNEL_MISSING",
        )
