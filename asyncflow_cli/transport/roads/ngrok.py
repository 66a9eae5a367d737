"""ngrok's agent, by way of pyngrok: https://ngrok.com/docs/agent"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.protocol.catalogue import ngrok_codes
from asyncflow_cli.transport.roads.process import guarded, identify
from asyncflow_cli.transport.roads.public import websocket_address
from asyncflow_cli.transport.roads.road import Loss, Tunnel

if TYPE_CHECKING:
    from pyngrok.log import NgrokLog
    from pyngrok.process import NgrokProcess

HINTS = {entry.code: entry.next for entry in ngrok_codes.ENTRIES}

NO_AGENT = (
    "Install it from ngrok.com/download so that `ngrok` is on PATH; or give an address of your "
    "own with --public-url wss://… and --port; or try without: asyncflow --sandbox call …"
)

LOSING = re.compile("session closed|terminating session|failed to reconnect")
"""What the agent logs when it lost its session. It finds another in time, but not the calls."""


class Ngrok:
    name = "ngrok"

    def __init__(self, authtoken: str | None, domain: str | None = None) -> None:
        """Without a token the agent's own configuration must have one."""
        self._authtoken = authtoken
        self._domain = domain

    def missing(self) -> AsyncflowError | None:
        try:
            find_agent()
        except PrerequisiteError as error:
            return error
        return None

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        """In a session of its own, so that Ctrl-C does not end the agent before the call."""
        agent = await asyncio.to_thread(find_agent)
        lost = Loss()
        with contextlib.ExitStack() as stack:
            config = stack.enter_context(_config(self._authtoken, lost))
            config.ngrok_path = agent
            # pyngrok knows one agent a path: one that lost its session must make room.
            await asyncio.to_thread(_forget, agent, None)
            held: NgrokProcess | None = None
            try:
                address = await _connect(config, port, self._domain)
                held = _current(agent)
                with _watching(held, lost):
                    pid = held.proc.pid if held else 0
                    if held:
                        stack.enter_context(guarded(pid))
                    yield Tunnel(address, lost, identify(pid), fresh=self._domain is None)
            finally:
                await asyncio.shield(asyncio.to_thread(_forget, agent, held))


def find_agent() -> str:
    """The ngrok on PATH, or where pyngrok keeps it. It is never downloaded behind your back."""
    from pyngrok import conf

    known = next(_agents_on_path(), None) or os.environ.get(
        "PYNGROK_NGROK_PATH", conf.DEFAULT_NGROK_PATH
    )
    if not Path(known).is_file():
        raise PrerequisiteError(
            "ngrok's agent is not installed, so Twilio has no way to reach this machine",
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
def _config(authtoken: str | None, lost: Loss) -> Iterator[Any]:
    from pyngrok.conf import PyngrokConfig

    # pyngrok also logs what the agent says, tokens and all, and Python prints such logs on stderr.
    logging.getLogger("pyngrok").addHandler(logging.NullHandler())
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(_private_config(authtoken)) if authtoken else None
        config = PyngrokConfig(
            config_path=path, start_new_session=True, log_event_callback=_listener(lost)
        )
        # pyngrok puts a token it finds in the environment on the agent's command line.
        config.auth_token = None
        yield config


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


def _listener(lost: Loss) -> Any:
    """What pyngrok calls, in a thread of its own, with every line of the agent."""
    loop = asyncio.get_running_loop()

    def heard(log: NgrokLog) -> None:
        if LOSING.search(log.msg or ""):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lost.tell, f"ngrok: {log.msg}")

    return heard


async def _connect(config: Any, port: int, domain: str | None) -> str:
    from pyngrok import ngrok
    from pyngrok.exception import PyngrokError

    # Not localhost: the agent would try IPv6 first, where nobody listens. Without a scheme
    # pyngrok would put localhost in front.
    upstream = f"http://127.0.0.1:{port}"
    options = {"url": f"https://{domain}"} if domain else {}
    opening = asyncio.create_task(
        asyncio.to_thread(ngrok.connect, upstream, pyngrok_config=config, **options)
    )
    try:
        tunnel = await asyncio.shield(opening)
    # pyngrok lets through what http.client raises when the agent dies while it is being asked.
    except (PyngrokError, OSError, HTTPException) as error:
        raise _explained(error) from None
    finally:
        # Only the agent's death frees the thread that reads from it, and it may not live yet.
        while not opening.done():
            _kill(_current(config.ngrok_path))
            await asyncio.wait([opening], timeout=0.05)
        opening.exception()
    return websocket_address(str(tunnel.public_url))


@contextlib.contextmanager
def _watching(held: NgrokProcess | None, lost: Loss) -> Iterator[None]:
    """Tell of the agent's end, unless it is we who end it."""

    async def watch(proc: subprocess.Popen[bytes]) -> None:
        lost.tell(f"ngrok ended with status {await asyncio.to_thread(proc.wait)}")

    watching = asyncio.create_task(watch(held.proc)) if held else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()


def _current(agent: str) -> NgrokProcess | None:
    from pyngrok import process

    # pyngrok's own way to ask waits for a lock that its start holds while the agent stays silent.
    return process._current_processes.get(agent)


def _kill(running: NgrokProcess | None) -> None:
    if running is not None:
        running.proc.kill()
        running.proc.wait()


def _forget(agent: str, held: NgrokProcess | None) -> None:
    """End one agent, or the present one. Another that took its place is left alone."""
    from pyngrok import process

    _kill(held or _current(agent))
    if held in (None, _current(agent)):
        process.kill_process(agent)


def _explained(error: Exception) -> PrerequisiteError:
    logs = getattr(error, "ngrok_logs", None) or ()
    words = " ".join(str(part) for part in (error, getattr(error, "body", ""), *logs))
    # The agent escapes its line ends, and quotes the token on one of the later lines.
    why = re.split(r"\\[rn]|[\r\n]", str(error) or type(error).__name__)[0]
    return failure(why, words)


def failure(why: str, words: str) -> PrerequisiteError:
    """ngrok's refusal, explained by the code that stands somewhere in these words."""
    found = re.search(r"ERR_NGROK_\d+", words)
    code = found[0] if found else "NGROK_FAILED"
    error = PrerequisiteError(
        f"ngrok opened no tunnel: {why}",
        hint=HINTS.get(code, f"https://ngrok.com/docs/errors/{code.lower()}" if found else None),
        code=code,
    )
    error.passing = not found
    return error
