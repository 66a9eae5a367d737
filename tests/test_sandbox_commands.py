"""`asyncflow sandbox`, served by one process and used by others."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.conftest import FROM, TO, Run, environment, start


@dataclass(frozen=True)
class Server:
    """A sandbox in its own process."""

    ready: Any
    """Its first line."""
    state: str
    """The folder where others find it."""

    @property
    def found(self) -> dict[str, str]:
        return {"XDG_STATE_HOME": self.state}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("server")
    with start(home, "sandbox", "serve", "--port", "0", "--speed", "20") as process:
        assert process.stdout is not None
        yield Server(msgspec.json.decode(process.stdout.readline()), str(home / "state"))
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 143


def exports(text: str) -> dict[str, str]:
    lines = [shlex.split(line.removeprefix("export "))[0] for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines)


def test_the_ready_line_names_the_address_and_the_environment(server: Server) -> None:
    assert server.ready["schema"] == "asyncflow.sandbox"
    assert server.ready["url"].startswith("http://127.0.0.1:")
    assert httpx.get(server.ready["url"], trust_env=False).json() == {
        "status": "ok",
        "version": "v1",
    }


def test_env_prints_lines_that_a_shell_evaluates(server: Server, run: Run) -> None:
    result = run("sandbox", "env", **server.found)
    assert result.code == 0, result.err
    assert all(line.startswith("export ") for line in result.out.splitlines())
    assert exports(result.out) == server.ready["environment"]
    assert set(server.ready["environment"]) == {
        *("ASYNC_BASE_URL", "ASYNC_API_KEY", "TWILIO_BASE_URL"),
        *("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "INBOUND_NUMBER"),
    }


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_shell_that_has_its_keys_is_told_them_again_and_no_other_secret(
    more: tuple[str, ...], server: Server, home: Path, run: Run
) -> None:
    own = {**server.ready["environment"], "NGROK_AUTHTOKEN": "2canary_2CANARY"}
    folder = home / "2canary_2CANARY"
    folder.mkdir()
    with start(folder, "sandbox", "serve", "--port", "0", *more, **own) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
    ready = msgspec.json.decode(line)
    address = {"ASYNC_BASE_URL": ready["url"], "TWILIO_BASE_URL": ready["url"]}
    assert ready["environment"] == {**server.ready["environment"], **address}
    assert "CANARY" not in ready["state"]
    told = run("sandbox", "env", *more, **server.found, **own)
    shown = told.json["environment"] if more else exports(told.out)
    assert shown == server.ready["environment"]


def test_env_is_one_document_for_programs(server: Server, run: Run) -> None:
    result = run("sandbox", "env", "--json", **server.found)
    assert result.json["schema"] == "asyncflow.sandbox-env"
    assert result.json["environment"] == server.ready["environment"]


def test_a_shell_that_evaluated_it_speaks_and_calls(server: Server, home: Path) -> None:
    asyncflow = f"{shlex.quote(sys.executable)} -m asyncflow_cli"
    script = f"""
        set -eu
        eval "$({asyncflow} sandbox env)"
        {asyncflow} tts "Hello" -o hello.wav
        {asyncflow} call --to {TO} "Hello" --save-heard heard.wav --quiet
    """
    done = subprocess.run(
        ["sh", "-c", script],
        env=environment(home, **server.found),
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hello.wav\ncompleted\n"
    assert (home / "heard.wav").stat().st_size > 4000


def test_env_without_a_server_says_how_to_start_one(run: Run) -> None:
    result = run("sandbox", "env", "--wait", "0s")
    assert (result.code, result.out) == (10, "")
    assert "asyncflow sandbox serve" in result.err


def test_env_sees_that_a_server_is_gone(home: Path, run: Run) -> None:
    with start(home, "sandbox", "serve", "--port", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    result = run("sandbox", "env", "--wait", "0s")
    assert (result.code, result.out) == (10, "")
    assert "does not answer" in result.err


def test_env_waits_for_a_server_that_is_starting(home: Path, run: Run) -> None:
    with start(home, "sandbox", "serve", "--port", "0") as process:
        result = run("sandbox", "env", "--wait", "20s")
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert result.code == 0, result.err


def test_a_second_server_leaves_the_first_one_to_be_found(
    server: Server, home: Path, run: Run
) -> None:
    first = run("sandbox", "env", **server.found).out
    with start(home, "sandbox", "serve", "--port", "0", **server.found) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert run("sandbox", "env", **server.found).out != first
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert run("sandbox", "env", **server.found).out == first


def test_twilios_own_client_creates_fetches_lists_and_completes(server: Server) -> None:
    variables = server.ready["environment"]
    client = Client(variables["TWILIO_ACCOUNT_SID"], variables["TWILIO_AUTH_TOKEN"])
    client.api.base_url = variables["TWILIO_BASE_URL"]
    twiml = "<Response><Pause length='60'/></Response>"
    call = client.calls.create(to="+15551230480", from_=FROM, twiml=twiml, timeout=600)
    assert call.status == "queued"
    assert client.calls(call.sid).fetch().status in ("queued", "ringing")
    assert [c.sid for c in client.calls.list(to="+15551230480")] == [call.sid]
    assert client.calls(call.sid).update(status="completed").status in ("completed", "canceled")
    assert client.calls(call.sid).fetch().status in ("completed", "canceled")


def test_twilios_own_validator_accepts_the_sandboxs_signatures() -> None:
    from asyncflow_cli.sandbox.signature import sign

    url, form = "https://bridge.example.com/status", {"CallSid": "CA1", "CallStatus": "completed"}
    signature = sign("token", url, list(form.items()))
    assert RequestValidator("token").validate(url, form, signature)
    assert not RequestValidator("other").validate(url, form, signature)


def test_reset_forgets_calls_and_recordings(run: Run) -> None:
    run("--sandbox", "tts", "Hi", "-o", "hi.wav")
    first = run("sandbox", "reset", "--json")
    assert first.code == 0, first.err
    assert first.json["speeches"] == 1
    assert run("sandbox", "reset", "--json").json["speeches"] == 0


def test_a_taken_port_is_told(run: Run, server: Server) -> None:
    port = server.ready["url"].rpartition(":")[2]
    result = run("sandbox", "serve", "--port", port, "--json")
    assert (result.code, result.out, result.error["code"]) == (10, "", "PORT_TAKEN")
    assert f"Port {port}" in result.error["message"]
    assert "--port 0" in result.error["hint"]


def test_the_state_is_for_its_owner_only(run: Run, home: Path) -> None:
    run("--sandbox", "tts", "Hi", "-o", "hi.wav")
    files = [path for path in (home / "state").rglob("*") if path.is_file()]
    assert files
    if os.name == "posix":
        assert {path.stat().st_mode & 0o077 for path in files} == {0}
