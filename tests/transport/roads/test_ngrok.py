"""ngrok's agent, played by a stand-in.

It is a program of its own that pyngrok finds, starts, reads and asks like the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.transport.roads import ngrok
from asyncflow_cli.transport.roads.ngrok import Ngrok, find_agent
from asyncflow_cli.transport.roads.process import identify
from asyncflow_cli.transport.roads.road import Tunnel
from tests.conftest import FROM, TO, start

TOKEN = "2abcDEF_secretauthtoken"
AGENT = """#!{python} -IS
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

seen = {{"argv": sys.argv, "pid": os.getpid(), "session": os.getsid(0), "asked": []}}

def tell():
    with open({record!r}, "w") as file:
        json.dump(seen, file)

if "--config" in sys.argv:
    config = sys.argv[sys.argv.index("--config") + 1]
    seen |= {{"config": config, "mode": os.stat(config).st_mode, "text": open(config).read()}}
tell()

class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, {{"endpoints": []}})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        seen["asked"].append(asked)
        tell()
        if {end!r} == "dies":
            os._exit(1)
        if {end!r} == "refuses":
            details = {{"err": "failed to start tunnel: ERR_NGROK_334"}}
            return self.answer(502, {{"status_code": 502, "details": details}})
        self.answer(201, {{"name": asked["name"], "url": "https://a.example", **asked}})

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args):
        pass

if {end!r} == "silent":
    time.sleep(600)
if {end!r}.startswith("ERR"):
    print('t=1 lvl=eror msg="session closed" obj=tunnels.session err="authentication failed: '
          'No proper authtoken.\\\\nYour authtoken: {token}\\\\r\\\\n\\\\r\\\\n{end}\\\\r\\\\n"')
    sys.exit(1)
server = HTTPServer(("127.0.0.1", 0), Api)
print('t=1 lvl=info msg="starting web service" obj=web addr=127.0.0.1:%d' % server.server_port)
print('t=1 lvl=info msg="tunnel session started" obj=tunnels.session')
print('t=1 lvl=info msg="client session established" obj=csess id=1', flush=True)
if {end!r} == "loses":
    import threading
    loss = 't=1 lvl=eror msg="session closed, starting reconnect loop" obj=tunnels.session err=EOF'
    threading.Timer(0.5, print, [loss], {{"flush": True}}).start()
server.serve_forever()
"""


@dataclass
class Agent:
    """`ngrok` on PATH, ending in one of several ways, and what it wrote down."""

    folder: Path

    def make(self, end: str = "well") -> None:
        made = AGENT.format(
            python=sys.executable, record=str(self.folder / "record"), end=end, token=TOKEN
        )
        (self.folder / "ngrok").write_text(made)
        (self.folder / "ngrok").chmod(0o755)

    @property
    def record(self) -> dict[str, Any]:
        # Through a pipe two may come at once: the second tells what it was asked meanwhile.
        found: dict[str, Any]
        found, _ = json.JSONDecoder().raw_decode((self.folder / "record").read_text())
        return found

    @property
    def is_gone(self) -> bool:
        try:
            os.kill(self.record["pid"], 0)
        except ProcessLookupError:
            return not Path(self.record["config"]).exists()
        return False


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NGROK_AUTHTOKEN", TOKEN)
    return Agent(tmp_path)


def opened(authtoken: str = TOKEN) -> contextlib.AbstractAsyncContextManager[Tunnel]:
    return Ngrok(authtoken).open(8123)


async def address(authtoken: str = TOKEN) -> str:
    async with opened(authtoken) as found:
        return found.url


def test_the_agent_opens_a_tunnel_and_is_gone_afterwards(
    agent: Agent, capfd: pytest.CaptureFixture[str]
) -> None:
    agent.make()

    async def test() -> None:
        async with opened() as found:
            record = agent.record
            assert found.url == "wss://a.example"
            assert found.agent == identify(record["pid"])
            assert not agent.is_gone
        assert agent.is_gone
        assert [asked["upstream"]["url"] for asked in record["asked"]] == ["http://127.0.0.1:8123"]
        assert TOKEN not in " ".join(record["argv"])
        assert f'authtoken: "{TOKEN}"' in record["text"]
        assert stat.S_IMODE(record["mode"]) == 0o600
        assert record["session"] == record["pid"]

    asyncio.run(test())
    assert capfd.readouterr() == ("", "")


def test_one_tunnel_after_the_other(agent: Agent) -> None:
    agent.make()

    async def test() -> None:
        for _ in range(2):
            assert await address() == "wss://a.example"
            assert agent.is_gone

    asyncio.run(test())


def test_a_token_with_quotes_is_handed_over_as_it_is(agent: Agent) -> None:
    agent.make()
    asyncio.run(address('a"b: {'))
    assert r'"a\"b: {"' in agent.record["text"]


@pytest.mark.parametrize(
    ("end", "code", "hint"),
    [
        ("ERR_NGROK_105", "ERR_NGROK_105", "without quotes"),
        ("ERR_NGROK_108", "ERR_NGROK_108", "Stop your other ngrok agent"),
        ("ERR_NGROK_999", "ERR_NGROK_999", "https://ngrok.com/docs/errors/err_ngrok_999"),
        ("refuses", "ERR_NGROK_334", "Another agent serves this address"),
        ("dies", "NGROK_FAILED", None),
    ],
)
def test_an_agent_that_fails_is_explained(
    agent: Agent, end: str, code: str, hint: str | None
) -> None:
    agent.make(end)
    with pytest.raises(PrerequisiteError) as caught:
        asyncio.run(address())
    error = caught.value
    assert (error.code, error.exit_code) == (code, 10)
    assert error.hint == hint or (hint and error.hint and hint in error.hint)
    assert error.message.startswith("ngrok opened no tunnel: ")
    assert TOKEN not in error.message
    assert "\\n" not in error.message
    assert agent.is_gone


@pytest.mark.parametrize("end", ["well", "silent"])
def test_cancelling_at_any_moment_leaves_no_agent(agent: Agent, end: str) -> None:
    agent.make(end)
    record = agent.folder / "record"

    async def cancelled(when: Callable[[], Any]) -> None:
        opening = asyncio.create_task(address())
        await asyncio.to_thread(when)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(opening, 10)

    asyncio.run(cancelled(lambda: None))
    record.unlink(missing_ok=True)
    os.mkfifo(record)
    seen: list[dict[str, Any]] = []
    asyncio.run(cancelled(lambda: seen.append(agent.record)))
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0]["pid"], 0)
    assert not Path(seen[0]["config"]).exists()


def test_cancelling_an_open_tunnel_ends_its_agent(agent: Agent) -> None:
    agent.make()

    async def test() -> None:
        is_open = asyncio.Event()

        async def hold() -> None:
            async with opened():
                is_open.set()
                await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        await is_open.wait()
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert agent.is_gone

    asyncio.run(test())


def test_a_domain_of_the_account_is_asked_for(agent: Agent) -> None:
    agent.make()

    async def test() -> None:
        async with Ngrok(TOKEN, "mine.example").open(8123) as tunnel:
            assert not tunnel.fresh
        assert [asked["url"] for asked in agent.record["asked"]] == ["https://mine.example"]

    asyncio.run(test())


@pytest.mark.parametrize(
    ("end", "reason"),
    [("loses", "ngrok: session closed, starting reconnect loop"), ("well", "ended with status -9")],
)
def test_a_lost_session_and_a_dead_agent_are_told(agent: Agent, end: str, reason: str) -> None:
    agent.make(end)

    async def test() -> None:
        async with opened() as tunnel:
            if end == "well":
                os.kill(agent.record["pid"], 9)
            assert reason in await asyncio.wait_for(tunnel.lost.wait(), 10)
        assert agent.is_gone

    asyncio.run(test())


def test_closing_is_no_loss(agent: Agent) -> None:
    agent.make()

    async def test() -> None:
        async with opened() as tunnel:
            pass
        assert tunnel.lost.reason is None

    asyncio.run(test())


def test_a_second_tunnel_outlives_the_lost_one_it_replaces(agent: Agent) -> None:
    agent.make()

    async def test() -> None:
        async with contextlib.AsyncExitStack() as first:
            lost = await first.enter_async_context(opened())
            async with opened() as second:
                await asyncio.wait_for(lost.lost.wait(), 10)
                await first.aclose()
                assert second.agent is not None
                assert identify(second.agent.pid) == second.agent
                assert second.lost.reason is None

    asyncio.run(test())


def test_a_missing_agent_is_a_remedy_and_no_download(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = agent.folder / "kept" / "ngrok"
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(kept))
    with pytest.raises(PrerequisiteError) as caught:
        asyncio.run(address())
    assert (caught.value.code, caught.value.exit_code) == ("NGROK_MISSING", 10)
    assert caught.value.hint == ngrok.NO_AGENT
    assert not list(agent.folder.iterdir())
    assert capfd.readouterr() == ("", "")


def test_the_agent_on_path_comes_before_the_one_pyngrok_keeps(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = agent.folder / "kept"
    kept.touch()
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(kept))
    assert find_agent() == str(kept)
    agent.make()
    assert find_agent() == str(agent.folder / "ngrok")


def test_what_the_agent_says_of_the_token_reaches_no_terminal(agent: Agent, home: Path) -> None:
    agent.make("ERR_NGROK_105")
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "ASYNC_API_KEY": "k",
    }
    call = ("call", "--to", TO, "--from", FROM, "Hello.")
    with start(home, *call, NGROK_AUTHTOKEN=TOKEN, **account) as process:
        out, err = process.communicate()
    assert process.returncode == PrerequisiteError.exit_code
    assert "[ERR_NGROK_105]" in err.decode()
    assert "lvl=eror" not in err.decode()
    assert TOKEN not in (out + err).decode()
