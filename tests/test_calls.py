"""`asyncflow calls`, whole: what was called, and ending what has not ended."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncflow_cli.protocol.callrequest import stream_twiml
from asyncflow_cli.transport.journal import Ending, Entry, Journal
from tests.conftest import FROM, TO, Run, ServedSandbox, start, wait_for_line

RINGS = "+15551230480"
"""Nobody answers there."""


@pytest.fixture(scope="module")
def line() -> Iterator[ServedSandbox]:
    """A phone line at its own pace, on which a phone rings for long."""
    with ServedSandbox() as served:
        yield served


def ringing(home: Path, line: ServedSandbox) -> subprocess.Popen[bytes]:
    """A run of ours whose call rings."""
    process = start(home, "call", "--to", RINGS, "Hello.", "--ring-timeout", "600s", **line.environ)
    wait_for_line(process.stderr, "Ringing")
    return process


def left_ringing(home: Path, line: ServedSandbox) -> None:
    """A call whose run was killed."""
    with ringing(home, line) as process:
        process.kill()


def listed(run: Run, *args: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = run("calls", "list", "--json", *args).json["calls"]
    return calls


def test_a_call_is_history_once_it_has_ended(sandboxed: Run) -> None:
    made = sandboxed("call", "--to", TO, "Hello.", "--json").json
    (call,) = listed(sandboxed)
    assert call["call_sid"] == made["call_sid"]
    assert (call["state"], call["to"], call["from"]) == ("completed", "…0001", "…4321")
    assert listed(sandboxed, "--live") == []
    assert TO not in sandboxed("calls", "list").out


def test_one_list_three_renderings(sandboxed: Run) -> None:
    empty = sandboxed("calls", "list")
    assert (empty.code, empty.out, empty.err) == (0, "", "0 calls, 0 live\n")
    sid = sandboxed("call", "--to", TO, "Hello.", "--json").json["call_sid"]
    human, quiet = sandboxed("calls", "list"), sandboxed("calls", "list", "-q")
    assert human.out.splitlines()[0].split()[:3] == ["call", "began", "to"]
    assert sid.startswith(human.out.splitlines()[1].split()[0])
    assert (quiet.out, quiet.err) == (f"{sid}\n", "")


def test_the_list_needs_no_account(run: Run) -> None:
    assert run("calls", "list").code == 0


def test_calls_of_the_sandbox_are_listed_wherever_it_was_switched_on(run: Run, home: Path) -> None:
    journal = Journal(home / "state" / "asyncflow" / "sandbox" / "calls")
    entry = Entry("CA" + "1" * 32, "AC" + "1" * 32, "http://127.0.0.1:1", 1, "2026-01-01T00:00Z")
    journal.end(entry, Ending(at="2026-01-01T00:01Z", status="completed"))
    assert listed(run) == []
    assert [call["call_sid"] for call in listed(run, "--sandbox")] == [entry.call_sid]
    for variables in ({"ASYNCFLOW_SANDBOX": "1"}, {"ASYNCFLOW_PROFILE": "sandbox"}):
        assert len(run("calls", "list", "--json", **variables).json["calls"]) == 1
        assert run("calls", "list", "--no-sandbox", "-q", **variables).out == ""


def test_a_call_is_shown_with_what_twilio_says_of_it(sandboxed: Run) -> None:
    sid = sandboxed("call", "--to", TO, "Hello.", "--json").json["call_sid"]
    shown = sandboxed("calls", "show", sid[:12], "--json").json
    assert (shown["call_sid"], shown["twilio"]["status"]) == (sid, "completed")
    assert shown["journal"]["to"] == "…0001"
    assert sandboxed("calls", "show", sid, "-q").out == "completed\n"


def test_what_twilio_complained_of_is_explained_even_of_a_call_of_somebody_else(
    sandboxed: Run, fast: ServedSandbox
) -> None:
    sid = ordered(fast, stream_twiml("ws://127.0.0.1:1/", "http://127.0.0.1:1/"))
    fast.finish()
    shown = sandboxed("calls", "show", sid, "--json").json
    assert shown["journal"] is None
    (refused, *_) = [n for n in shown["notifications"] if n["code"] == "31902"]
    assert (refused["level"], refused["title"]) == ("error", "Stream: connection refused")
    assert refused["next"]
    assert "connection refused" in sandboxed("calls", "show", sid).out


def ordered(served: ServedSandbox, twiml: str) -> str:
    """A call that another program made."""
    environ = served.environ
    account = environ["TWILIO_ACCOUNT_SID"]
    made = httpx.post(
        f"{environ['TWILIO_BASE_URL']}/2010-04-01/Accounts/{account}/Calls.json",
        data={"To": TO, "From": FROM, "Twiml": twiml},
        auth=(account, environ["TWILIO_AUTH_TOKEN"]),
        trust_env=False,
    )
    sid: str = made.json()["sid"]
    return sid


def test_a_call_that_twilio_cannot_be_asked_about_is_shown_from_the_journal(
    sandboxed: Run,
) -> None:
    sandboxed("call", "--to", TO, "Hello.")
    shown = sandboxed("calls", "show", "CA", "--json", TWILIO_BASE_URL="http://127.0.0.1:1").json
    assert (shown["twilio"], shown["journal"]["state"]) == (None, "completed")
    assert "Twilio was not asked" in shown["warnings"][0]


@pytest.mark.parametrize("command", ["show", "hangup"])
def test_a_call_that_is_none_is_not_found(sandboxed: Run, command: str) -> None:
    result = sandboxed("calls", command, "CA9", "-y", "--json")
    assert (result.code, result.error["code"]) == (3, "CALL_NOT_FOUND")
    unknown = sandboxed("calls", "show", "CA" + "0" * 32, "--json")
    assert unknown.error["code"] == "TWILIO_20404"


def test_a_live_call_is_hung_up_and_its_run_ends(run: Run, line: ServedSandbox, home: Path) -> None:
    with ringing(home, line) as process:
        (live,) = listed(run, "--live")
        assert (live["state"], live["pid"]) == ("live", process.pid)
        assert run("calls", "reap", "--json", **line.environ).json["calls"] == []
        ended = run("calls", "hangup", live["call_sid"][:10], "-y", "--json", **line.environ)
        (call,) = ended.json["calls"]
        assert (call["outcome"], call["call_sid"]) == ("hung-up", live["call_sid"])
        process.communicate(timeout=20)
    assert process.returncode == 22
    assert listed(run, "--live") == []
    assert line.ended()


def test_a_call_that_is_hung_up_from_elsewhere_says_so(
    run: Run, line: ServedSandbox, home: Path
) -> None:
    call = ("call", "--to", TO, " ".join(["One. Two. Three. Four. Five. Six. Seven."] * 5))
    with start(home, *call, "--json", **line.environ) as process:
        wait_for_line(process.stdout, '"first-frame"')
        assert run("calls", "hangup", "--all", "-y", **line.environ).code == 0
        out, err = process.communicate(timeout=20)
    assert process.returncode == 24
    assert (json.loads(err)["error"]["details"]["end_reason"]) == "hung-up"
    assert '"end_reason":"hung-up"' in out.decode()
    (ended,) = listed(run)
    assert (ended["end_reason"], ended["exit_code"]) == ("hung-up", 24)
    assert not list((home / "state").rglob("*.hung-up"))


def test_a_call_in_the_sandbox_of_another_terminal_is_shown_and_hung_up(
    run: Run, home: Path
) -> None:
    call = ("call", "--to", TO, " ".join(["One. Two. Three. Four. Five. Six. Seven."] * 5))
    with start(home, "--sandbox", *call, "--json") as process:
        wait_for_line(process.stdout, '"first-frame"')
        live = run("--sandbox", "calls", "show", "CA", "--json").json
        assert live["twilio"]["status"] == "in-progress"
        told = run("--sandbox", "calls", "hangup", "--all", "-y")
        assert (told.code, told.out.split()[-2:]) == (0, ["hung", "up"]), told.err
        process.communicate(timeout=20)
    assert process.returncode == 24
    shown = run("--sandbox", "calls", "show", "CA", "--json")
    assert (shown.json["twilio"]["status"], shown.err) == ("completed", "")
    again = run("--sandbox", "calls", "hangup", "CA", "-y")
    assert "had ended before: completed" in again.out
    assert "1 of 1 call had ended before" in again.err


def test_nobody_is_hung_up_without_a_yes(run: Run, line: ServedSandbox, home: Path) -> None:
    left_ringing(home, line)
    result = run("calls", "hangup", "--all", "--json", **line.environ)
    assert (result.code, result.error["code"]) == (2, "CONFIRMATION_NEEDED")
    sid = listed(run)[0]["call_sid"]
    assert f"{sid} (to …0480)" in result.error["message"]
    assert not line.ended()
    told = run("calls", "hangup", "--all", "-y", **line.environ)
    assert "1 of 1 call hung up" in told.err
    assert (told.code, told.out.split()) == (0, ["call", "outcome", sid, "hung", "up"])
    assert line.ended()
    again = run("calls", "hangup", sid, "-y", **line.environ).out
    assert "had ended before: canceled" in again
    unknown = run("calls", "hangup", "CA" + "0" * 32, "-y", **line.environ).out
    assert "over: Twilio knows it no more" in unknown


def test_nobody_is_asked_about_nothing(sandboxed: Run) -> None:
    result = sandboxed("calls", "hangup", "--all")
    assert (result.code, result.out) == (0, ""), result.err
    gone = sandboxed("calls", "hangup", "CA9", "--json")
    assert (gone.code, gone.error["code"]) == (3, "CALL_NOT_FOUND")


@pytest.mark.parametrize("args", [(), ("CA1", "--all")])
def test_which_calls_to_end_must_be_said_once(sandboxed: Run, args: tuple[str, ...]) -> None:
    assert sandboxed("calls", "hangup", "-y", *args).code == 2


def test_what_a_killed_run_left_is_reaped(run: Run, line: ServedSandbox, home: Path) -> None:
    left_ringing(home, line)
    (left,) = listed(run)
    assert left["state"] == "left"
    assert "asyncflow calls reap" in run("calls", "list").err
    (reaped,) = run("calls", "reap", "--json", **line.environ).json["calls"]
    assert (reaped["call_sid"], reaped["outcome"]) == (left["call_sid"], "hung-up")
    (ended,) = listed(run)
    assert (ended["state"], ended["end_reason"]) == (reaped["status"], "owner-gone")
    assert line.ended()
    assert run("calls", "reap", "-q", **line.environ).out == ""


def test_a_call_that_could_not_be_ended_is_a_failure(
    run: Run, line: ServedSandbox, home: Path
) -> None:
    left_ringing(home, line)
    elsewhere = {**line.environ, "TWILIO_BASE_URL": "http://127.0.0.1:1"}
    result = run("calls", "hangup", "--all", "-y", "--json", **elsewhere)
    assert (result.code, result.out, result.error["code"]) == (1, "", "CALL_NOT_ENDED")
    assert result.error["details"]["calls"][0]["outcome"] == "failed"
    told = run("calls", "hangup", "--all", "-y", **elsewhere).err.splitlines()
    assert told[0] == "Error: 1 of 1 calls could not be ended"
    assert told[1].startswith(f"  {result.error['details']['calls'][0]['call_sid']}: ")
    assert [call["state"] for call in listed(run)] == ["left"]
    assert run("calls", "reap", **line.environ).code == 0
    assert line.ended()


def test_a_run_that_is_killed_before_it_knows_its_call_leaves_it_to_the_next(
    run: Run, home: Path
) -> None:
    with ServedSandbox(faults=["call:slow-answer 20s x1"]) as served:
        environ = served.environ
        call = ("call", "--to", RINGS, "Hello.", "--ring-timeout", "60s")
        with start(home, *call, **environ) as process:
            until = time.monotonic() + 30
            while not served.statuses:
                assert time.monotonic() < until, "nobody was called"
                time.sleep(0.01)
            process.kill()
        assert not served.ended()
        ordered(served, "<Response><Pause length='60'/></Response>")
        assert listed(run) == []
        (reaped,) = run("calls", "reap", "--json", **environ).json["calls"]
        assert reaped["outcome"] == "hung-up"
        (ended,) = listed(run)
        assert (ended["call_sid"], ended["to"]) == (reaped["call_sid"], "…0480")
        assert run("calls", "reap", "--json", **environ).json["calls"] == []
        assert not served.ended(), "the call of somebody else goes on"
    assert not list((home / "state").rglob("*.call.json"))
