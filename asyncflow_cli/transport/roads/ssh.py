"""A remote forwarding of the system's own ssh: https://man.openbsd.org/ssh#R

To a server of one's own, whose web server passes on what it is sent: `SSH_TUNNEL_URL` says under
which address. Or to a service that makes addresses up and prints them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError, UsageError
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings import Settings, read_setting
from asyncflow_cli.transport.roads.agent import Agent, absent, running
from asyncflow_cli.transport.roads.public import websocket_address
from asyncflow_cli.transport.roads.road import Tunnel

INSTALL = "Install OpenSSH's client: apt install openssh-client"

OPTIONS = {
    "BatchMode": "yes",  # nobody is there to type a password
    "ExitOnForwardFailure": "yes",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "2",
    "ConnectTimeout": "8",
    "ControlMaster": "no",  # a shared connection would outlive us, forwarding and all
    "ControlPath": "none",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
}

LOSING = r"^Timeout, server|^client_loop|^Connection to .* closed|^packet_write"

HINTS = (
    (r"Host key verification failed", "Accept the server's key once: ssh {server}"),
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "The server has another key: see ssh-keygen -R"),
    (r"Permission denied", "It takes none of your keys: ssh-add, or ssh-copy-id {server}"),
    (r"forwarding failed|administratively", "Allow it there: AllowTcpForwarding yes"),
    (r"Could not resolve hostname", "Check the server's name, and the network"),
    (r"Connection refused|timed out", "Check the server's port, and the network"),
)


@dataclass(frozen=True)
class Service:
    """A public service: the port to ask for there, and how it tells the address."""

    address: str
    user: str | None = None
    ssh_port: str | None = None
    remote_port: int = 80


SERVICES = {
    # https://localhost.run/docs
    "localhost.run": Service(r"tls termination, (https://\S+)", user="nokey"),
    # https://serveo.net
    "serveo.net": Service(r"Forwarding HTTP traffic from (https://\S+)"),
    # https://pinggy.io/docs
    "a.pinggy.io": Service(
        r"(https://[\w.-]+\.pinggy[\w-]*\.link)", user="free", ssh_port="443", remote_port=0
    ),
}


class Ssh:
    """`server` is `[user@]host[:port]`; the host may be a name of the user's own ssh_config.

    `url` is where the web server there is: with `{port}` in it, for the port that ssh was given;
    without, for `remote_port`, which must then be named.
    """

    def __init__(self, server: str | None, *, url: str | None = None, remote_port: int = 0) -> None:
        self.name = f"ssh:{server}" if server else "ssh"
        self._url = url
        self._remote_port = remote_port
        self._user, self._host, self._port = ("", "", "") if server is None else _parts(server)

    @classmethod
    def configured(cls, settings: Settings, named: str | None = None) -> Self:
        """By the settings; `named` is a server that was given in place of theirs."""
        return cls(
            read_setting(settings, "ssh_tunnel", server) if named is None else named,
            url=read_setting(settings, "ssh_tunnel_url", server_url),
            remote_port=settings.ssh_tunnel_port,
        )

    def missing(self) -> AsyncflowError | None:
        if not self._host:
            return PrerequisiteError(
                "No server for ssh is set",
                hint="Name one: --tunnel ssh:user@host, or SSH_TUNNEL",
                code="SETTING_MISSING",
            )
        if self._host not in SERVICES and not self._url:
            return PrerequisiteError(
                f"Under which address {self._host} passes on what it is sent is not set",
                hint="Set SSH_TUNNEL_URL, such as https://{port}.example.com",
                code="SETTING_MISSING",
            )
        if self._url and "{port}" not in self._url and not self._remote_port:
            return PrerequisiteError(
                f"{self._url} has no {{port}} in it, and SSH_TUNNEL_PORT is not set",
                hint="Set SSH_TUNNEL_PORT to the port there that the address leads to",
                code="SETTING_MISSING",
            )
        return absent("ssh", INSTALL)

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        hints = [(sign, hint.format(server=self.name[4:])) for sign, hint in HINTS]
        async with running(
            "ssh", self._command(port), losing=LOSING, reasons=r"^(?!debug)", hints=hints
        ) as agent:
            address = await self._address(agent)
            agent.opened()
            yield Tunnel(
                websocket_address(address), agent.lost, agent.running, fresh=self._url is None
            )

    @property
    def _service(self) -> Service | None:
        return None if self._url else SERVICES.get(self._host)

    def _command(self, port: int) -> list[str]:
        service = self._service
        user, at = self._user, self._port
        # Less would not tell which port was given, or that the one asked for was.
        options = OPTIONS | {"LogLevel": "DEBUG1" if self._remote_port else "INFO"}
        command = ["ssh", "-T", *(f"-o{name}={value}" for name, value in options.items())]
        if service:
            # Its address is what its shell prints.
            user, at = user or service.user or "", at or service.ssh_port or ""
            command += ["-R", f"{service.remote_port}:127.0.0.1:{port}"]
        else:
            command += ["-N", "-R", f"127.0.0.1:{self._remote_port}:127.0.0.1:{port}"]
        command += ["-l", user] if user else []
        command += ["-p", at] if at else []
        return [*command, "--", self._host]

    async def _address(self, agent: Agent) -> str:
        if service := self._service:
            return (await agent.says(service.address))[1]
        assert self._url is not None
        if self._remote_port:
            await agent.says("remote forward success")
            return self._url.replace("{port}", str(self._remote_port))
        allocated = await agent.says(r"Allocated port (\d+) for remote forward")
        return self._url.replace("{port}", allocated[1])


def server(text: str) -> str:
    """UsageError unless it is `[user@]host[:port]`."""
    _parts(text.strip())
    return text.strip()


def server_url(text: str) -> str:
    """UsageError unless it is an address, in which `{port}` may stand for a port."""
    websocket_address(text.replace("{port}", "1"))
    return text


def _parts(server: str) -> tuple[str, str, str]:
    # A leading dash would be an option of ssh's.
    found = re.fullmatch(
        r"(?:([\w.+-]+)@)?([A-Za-z0-9][\w.-]*|\[[0-9a-fA-F:]+\])(?::(\d+))?", server
    )
    if not found:
        raise UsageError(f"{quoted(server)} is no server", hint="Write ssh:[user@]host[:port]")
    return found[1] or "", found[2].strip("[]"), found[3] or ""
