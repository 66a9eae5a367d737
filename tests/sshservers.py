"""An ssh server, and the system's own ssh as its client, with keys made for one test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shlex
import shutil
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from tests.conftest import InThread

SSH = shutil.which("ssh")

genuine = pytest.mark.skipif(
    SSH is None, reason="the system has no ssh: apt install openssh-client"
)


class Server(asyncssh.SSHServer):
    """Forwards whatever is asked for, or nothing."""

    forwards = True

    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def begin_auth(self, _username: str) -> bool:
        return True

    def server_requested(self, _host: str, _port: int) -> bool:
        return self.forwards


class Refusing(Server):
    forwards = False


@dataclass
class Far:
    """A server's port, the folder of the ssh_config that knows its key and ours, and who came."""

    port: int
    folder: Path
    connections: list[asyncssh.SSHServerConnection]


def wrapped_ssh(folder: Path) -> None:
    """In `folder`, the system's ssh, which reads a configuration of ours and no other."""
    assert SSH is not None
    wrapper = folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {shlex.quote(str(folder / "config"))} "$@"\n')
    wrapper.chmod(0o755)


@contextlib.asynccontextmanager
async def far_end(
    folder: Path,
    server: type[Server] = Server,
    *,
    key_is_known: bool = True,
    ours_is_known: bool = True,
) -> AsyncIterator[Far]:
    host_key, our_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    our_key.write_private_key(folder / "id")
    (folder / "id").chmod(0o600)
    other = asyncssh.generate_private_key("ssh-ed25519")
    (folder / "authorized").write_bytes((our_key if ours_is_known else other).export_public_key())
    connections: list[asyncssh.SSHServerConnection] = []
    listening = await asyncssh.create_server(
        lambda: server(connections),
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=str(folder / "authorized"),
    )
    port = listening.get_port()
    known = f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}" if key_is_known else ""
    (folder / "known").write_text(known)
    (folder / "config").write_text(
        f"Host *\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {folder}/known\n  GlobalKnownHostsFile none\n"
    )
    try:
        yield Far(port, folder, connections)
    finally:
        listening.close()
        await listening.wait_closed()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()


class ServedSsh(InThread):
    """A far end with a thread of its own, and what the environment of its users must have."""

    def __init__(self, folder: Path, server: type[Server] = Server) -> None:
        super().__init__()
        folder.mkdir()
        wrapped_ssh(folder)
        self.folder = str(folder)
        self._server = server
        self.road = ""
        """As `--tunnel` takes it."""
        self.environ = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with far_end(Path(self.folder), self._server) as far:
            self.road = f"ssh:me@127.0.0.1:{far.port}"
            yield
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest, timeout=5)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        with warnings.catch_warnings():
            # asyncssh forgets a port that it opened for a client who was gone before.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
