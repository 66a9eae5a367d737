"""What the commands around a served sandbox do: serve it, find it, empty it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncflow_cli.errors import StrictSandboxError
from asyncflow_cli.output import Output
from asyncflow_cli.protocol.reports import EnvironmentReport, ResetReport, SandboxReport
from asyncflow_cli.sandbox.client import announced, served
from asyncflow_cli.sandbox.store import Store

if TYPE_CHECKING:  # its servers take long to load, and whoever only looks for one needs none
    from asyncflow_cli.sandbox.server import Sandbox


async def serve(sandbox: Sandbox, state: Path, out: Output) -> None:
    """Serve until cancelled. StrictSandboxError if it is strict, and saw failures."""
    try:
        await _announced(sandbox, state, out)
    finally:
        if failures := sandbox.failures:
            raise StrictSandboxError(
                "\n".join(["The sandbox saw failures:", *map(str, failures)]),
                hint=f"asyncflow explain {failures[0].code}",
                details={"failures": msgspec.to_builtins(failures)},
            )


async def _announced(sandbox: Sandbox, state: Path, out: Output) -> None:
    """Serve until cancelled, and let others on this machine find it."""
    # Its keys are for everybody, also in a shell that has them as its own.
    out.redactor.spare(sandbox.environment.values())
    async with sandbox:
        with announced(state, sandbox.environment):
            out.ready(
                SandboxReport(
                    url=sandbox.url,
                    pid=os.getpid(),
                    state=str(state),
                    environment=sandbox.environment,
                )
            )
            out.step('Ready. In another shell: eval "$(asyncflow sandbox env)"')
            await asyncio.Event().wait()


def environment(state: Path, *, patience: float) -> EnvironmentReport:
    """What leads to the sandbox that is being served."""
    return EnvironmentReport(environment=dict(served(state, patience=patience)))


def reset(state: Path) -> ResetReport:
    with contextlib.closing(Store(state)) as store:
        sizes = store.sizes()
        store.reset()
    return ResetReport(state=str(state), calls=sizes["calls"], speeches=sizes["speeches"])
