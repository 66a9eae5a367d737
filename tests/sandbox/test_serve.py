"""`asyncflow sandbox serve`: who answers, how the account stands, and how strict it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from asyncflow_cli.sandbox.account import ACCOUNT_SID, AUTH_TOKEN
from tests.conftest import FROM, TO, Run, start

PAUSE = '<Response><Pause length="999"/></Response>'


@contextlib.contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[httpx.Client, list[str]]]:
    """A client of the sandbox, and a list that has its exit code and stderr in the end."""
    ending: list[str] = []
    with start(home, "sandbox", "serve", "--port", "0", "--speed", "20", *arguments) as process:
        assert process.stdout is not None
        url = msgspec.json.decode(process.stdout.readline())["url"]
        auth = (ACCOUNT_SID, AUTH_TOKEN)
        with httpx.Client(base_url=url, auth=auth, trust_env=False, timeout=20) as web:
            try:
                yield web, ending
            finally:
                process.terminate()
        _, err = process.communicate(timeout=20)
    ending += [str(process.returncode), err.decode()]


def order(web: httpx.Client, to: str = TO) -> httpx.Response:
    form = {"To": to, "From": FROM, "Twiml": PAUSE}
    return web.post(f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json", data=form)


def test_a_strict_one_exits_1_and_names_the_call_that_was_left_alive(home: Path) -> None:
    with serving(home, "--strict") as (web, ending):
        sid = order(web).json()["sid"]
    code, err = ending
    assert code == "1"
    assert sid in err
    assert "SANDBOX_LIVE_CALL" in err
    assert "Traceback" not in err


def test_one_that_is_not_strict_is_stopped_as_ever(home: Path) -> None:
    with serving(home) as (web, ending):
        assert order(web).status_code == 201
    assert ending[0] == "143"


def test_callees_and_knobs_are_options_that_may_be_repeated(home: Path) -> None:
    callees = ("--callee", f"{TO}=busy", "--callee", "decline")
    knobs = ("--account", "concurrency=9", "--account", "block:+15551230009")
    with serving(home, *callees, *knobs) as (web, _):
        listed = web.get("/__sandbox/callees").json()["callees"]
        assert listed == [{"number": TO, "script": "busy"}, {"number": "*", "script": "decline"}]
        standing = web.get("/__sandbox/account").json()
        assert standing["knobs"] == ["concurrency=9", "block:+15551230009"]
        assert order(web, "+15551230009").json()["code"] == 21216


@pytest.mark.parametrize(("option", "value"), [("--callee", "dance"), ("--account", "rich")])
def test_what_is_neither_is_refused_before_anything_is_served(
    run: Run, option: str, value: str
) -> None:
    result = run("sandbox", "serve", "--port", "0", option, value)
    assert (result.code, result.out) == (2, "")
    assert value in result.err
    assert "There are:" in result.err
