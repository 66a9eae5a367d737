"""Ways to a public `wss://` address for a port of this machine, each a context manager."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from asyncflow_cli.errors import NetworkError, PrerequisiteError, UsageError
from asyncflow_cli.protocol.catalogue import ngrok_codes
from asyncflow_cli.settings import is_loopback

OPEN_WITHIN = 20.0
"""Seconds; pyngrok's own limit does not hold while the agent prints nothing."""

HINTS = {entry.code: entry.next for entry in ngrok_codes.ENTRIES}

NO_AGENT = (
    "Install it from ngrok.com/download so that `ngrok` is on PATH; or give an address of your "
    "own with --public-url wss://… and --port; or try without: asyncflow --sandbox call …"
)


@contextlib.asynccontextmanager
async def open_tunnel(
    port: int,
    *,
    public_url: str | None,
    twilio_base_url: str,
    authtoken: str | None,
    open_within: float = OPEN_WITHIN,
) -> AsyncIterator[str]:
    """The `wss://` (on this machine `ws://`) address at which Twilio finds `port`."""
    if public_url:
        yield websocket_address(public_url)
    elif is_loopback(twilio_base_url):
        # Whoever plays Twilio on this machine finds us without a tunnel.
        yield f"ws://127.0.0.1:{port}"
    else:
        async with _ngrok(port, authtoken, open_within) as address:
            yield address


def websocket_address(public_url: str) -> str:
    """A public address as Twilio's <Stream> takes it: wss, without a query or trailing slash."""
    try:
        parts = urlsplit(public_url.strip())
        host = parts.hostname if parts.port != 0 else None
    except ValueError:  # a port beyond 65535, an unclosed [
        host = None
    scheme = host and {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}.get(parts.scheme)
    if not scheme:
        raise UsageError(f"{public_url!r} is no public address", hint="Write wss://host.example")
    if parts.query or parts.fragment:
        raise UsageError("Twilio drops everything from ? on", hint="Leave the query out")
    if scheme == "ws" and not is_loopback(public_url):
        raise UsageError("Twilio connects to wss:// addresses only", hint="Put TLS in front")
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"


@contextlib.asynccontextmanager
async def _ngrok(port: int, authtoken: str | None, open_within: float) -> AsyncIterator[str]:
    """ngrok's agent, in a session of its own so that Ctrl-C does not end it before the call."""
    agent = await asyncio.to_thread(find_agent)
    with contextlib.ExitStack() as stack:
        config = stack.enter_context(_private_config(authtoken)) if authtoken else None
        try:
            yield await _connect(agent, port, config, open_within)
        finally:
            await asyncio.shield(asyncio.to_thread(_forget_agent, agent))


def find_agent() -> str:
    """The ngrok on PATH, or where pyngrok keeps it. It is never downloaded behind your back."""
    from pyngrok import conf

    known = next(_agents_on_path(), None) or os.environ.get(
        "PYNGROK_NGROK_PATH", conf.DEFAULT_NGROK_PATH
    )
    if not Path(known).is_file():
        raise PrerequisiteError(
            "ngrok is not installed, so Twilio has no way to reach this machine",
            hint=NO_AGENT,
            code="NGROK_MISSING",
        )
    return known


def _agents_on_path() -> Iterator[str]:
    """pyngrok installs a script called ngrok, which would download the agent: that one is none."""
    for folder in os.get_exec_path():
        found = shutil.which("ngrok", path=folder)
        if found and b"pyngrok" not in Path(found).read_bytes()[:500]:
            yield found


@contextlib.contextmanager
def _private_config(authtoken: str) -> Iterator[str]:
    # Handed over as a file of mode 0600: as an argument the process list would show it.
    with tempfile.TemporaryDirectory(prefix="asyncflow-") as folder:
        path = Path(folder, "ngrok.yml")
        path.touch(mode=0o600)
        # YAML reads JSON, so whatever stands in the token is quoted.
        quoted = msgspec.json.encode(authtoken).decode()
        path.write_text(f'version: "3"\nagent:\n  authtoken: {quoted}\n')
        yield str(path)


async def _connect(agent: str, port: int, config_path: str | None, open_within: float) -> str:
    from pyngrok import ngrok
    from pyngrok.conf import PyngrokConfig
    from pyngrok.exception import PyngrokError

    config = PyngrokConfig(ngrok_path=agent, config_path=config_path, start_new_session=True)
    # pyngrok puts a token it finds in the environment on the agent's command line.
    config.auth_token = None
    # It also logs what the agent says, tokens and all, and Python prints such logs on stderr.
    logging.getLogger("pyngrok").addHandler(logging.NullHandler())
    # Not localhost: the agent would try IPv6 first, where nobody listens. Without a scheme
    # pyngrok would put localhost in front.
    upstream = f"http://127.0.0.1:{port}"
    opening = asyncio.create_task(asyncio.to_thread(ngrok.connect, upstream, pyngrok_config=config))
    try:
        async with asyncio.timeout(open_within):
            tunnel = await asyncio.shield(opening)
    except TimeoutError:
        raise NetworkError("ngrok opened no tunnel in time", code="NGROK_SILENT") from None
    # pyngrok lets through what http.client raises when the agent dies while it is being asked.
    except (PyngrokError, OSError, HTTPException) as error:
        raise _explained(error) from None
    finally:
        # Only the agent's death frees the thread that reads from it, and it may not live yet.
        while not opening.done():
            _kill_agent(agent)
            await asyncio.wait([opening], timeout=0.05)
        opening.exception()
    return websocket_address(str(tunnel.public_url))


def _kill_agent(agent: str) -> None:
    from pyngrok import process

    # pyngrok's own kill waits for a lock that its start holds while the agent stays silent.
    running = process._current_processes.get(agent)
    if running is not None:
        running.proc.kill()
        running.proc.wait()


def _forget_agent(agent: str) -> None:
    from pyngrok import process

    _kill_agent(agent)
    process.kill_process(agent)


def _explained(error: Exception) -> PrerequisiteError:
    logs = getattr(error, "ngrok_logs", None) or ()
    words = " ".join(str(part) for part in (error, getattr(error, "body", ""), *logs))
    found = re.search(r"ERR_NGROK_\d+", words)
    code = found[0] if found else "NGROK_FAILED"
    # The agent escapes its line ends, and quotes the token on one of the later lines.
    why = re.split(r"\\[rn]|[\r\n]", str(error) or type(error).__name__)[0]
    return PrerequisiteError(
        f"ngrok opened no tunnel: {why}",
        hint=HINTS.get(code, f"https://ngrok.com/docs/errors/{code.lower()}" if found else None),
        code=code,
    )
