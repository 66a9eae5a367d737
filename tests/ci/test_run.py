"""`asyncflow ci run`: the committed example, and each of its expectations broken in turn."""

from __future__ import annotations

import copy
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from asyncflow_cli.protocol.ci.report import Result
from asyncflow_cli.protocol.ci.verdict import Done, judged
from tests.ci.files import EXAMPLE, suite_of, written
from tests.conftest import TO, Run, ServedSandbox, start

BROKEN = {"exit": 99, "error": "NO_SUCH_CODE"}

ACCOUNTS = {
    "ASYNC_API_KEY": "sk_live_canary",
    "ASYNC_BASE_URL": "http://127.0.0.1:9",
    "TWILIO_API_KEY": "SKcanary",
    "TWILIO_API_SECRET": "secret_canary",
    "TWILIO_REGION": "ie1",
}
"""A user's own, which have no business in the sandbox."""


def broken(name: str, condition: Any) -> Any:
    """The condition, so that what holds for it does not hold."""
    if name in BROKEN:
        return BROKEN[name]
    sign, _, rest = str(condition).partition(" ")
    return {"<": "< 0", ">": f"> 999{rest[-1] if rest.endswith('s') else ''}"}.get(
        sign, f"{sign} xyzzy" if sign in ("contains", "matches") else "999"
    )


def mutants(steps: list[Any]) -> Iterator[tuple[list[Any], int, str]]:
    """Copies of the steps with one condition broken; which step's, and what it says now."""
    for index, step in enumerate(steps):
        expect = step["expect"]
        for holder in ("expect", "fields"):
            source = expect if holder == "expect" else expect.get("fields", {})
            for name, wanted in source.items():
                if name == "fields":
                    continue
                wishes = wanted if isinstance(wanted, list) else [wanted]
                for place, condition in enumerate(wishes):
                    copied = copy.deepcopy(steps)
                    target = copied[index]["expect"]
                    now = [*wishes[:place], broken(name, condition), *wishes[place + 1 :]]
                    (target if holder == "expect" else target["fields"])[name] = now
                    if name in BROKEN:
                        target[name] = now[0]
                    yield copied, index, f"{name} {now[place]}"


def test_the_example_passes_in_the_sandbox_and_fails_for_each_expectation_that_is_broken(
    run: Run, home: Path
) -> None:
    passed = run(
        *("--sandbox", "ci", "run", str(EXAMPLE), "--json", "--junit", "smoke.xml"), **ACCOUNTS
    )
    assert (passed.code, passed.err) == (0, "")
    report = passed.json
    assert {step["result"] for step in report["steps"]} == {"passed"}
    assert report["steps"][0]["document"]["base_url"].startswith("http://127.0.0.1:")
    assert b"canary" not in passed.stdout
    cases = list(ET.parse(home / "smoke.xml").iter("testcase"))
    assert len(cases) == len(report["steps"]) >= 7

    document = yaml.safe_load(EXAMPLE.read_text())
    tried = 0
    for steps, index, now in mutants(document["steps"]):
        suite = suite_of(yaml.safe_dump({**document, "steps": steps}, sort_keys=False))
        runs = zip(suite.steps, report["steps"], strict=True)
        found = [judged(step, was(told), attempts=1) for step, told in runs]
        failed = [step for step in found if step.result is not Result.PASSED]
        assert [step.name for step in failed] == [steps[index]["name"]], now
        assert [check.expected for check in failed[0].failed_checks] == [now]
        tried += 1
    assert tried >= 20


@pytest.mark.soak
def test_each_broken_copy_of_the_example_fails_as_a_command(sandboxed: Run, home: Path) -> None:
    document = yaml.safe_load(EXAMPLE.read_text())
    for steps, index, now in mutants(document["steps"]):
        needed = steps[index].get("needs")
        kept = [step for step in steps if step["name"] in (steps[index]["name"], needed)]
        file = written(home, {**document, "steps": kept})
        result = sandboxed("ci", "run", file, "--json")
        assert result.code == 9, now
        (failed,) = [s for s in result.error["details"]["steps"] if s["result"] == "failed"]
        assert [c["expected"] for c in failed["checks"] if not c["passed"]] == [now]


def was(step: dict[str, Any]) -> Done:
    """What a step did, out of the report of its run."""
    error = {"code": step["error"].rpartition("[")[2].rstrip("]")} if step["error"] else {}
    return Done(
        exit_code=step["exit_code"],
        document=step["document"],
        error=error,
        seconds=step["seconds"],
    )


def test_a_broken_copy_fails_as_a_command_in_words_and_in_json(sandboxed: Run, home: Path) -> None:
    steps = [
        {"name": "in time", "run": "status", "expect": {"latency": "< 0", "outcome": "down"}},
        {"name": "refused", "run": "voices get nobody"},
    ]
    file = written(home, {"steps": steps, "parallel": 2})
    human = sandboxed("ci", "run", file, "--annotations", "--summary", "smoke.md")
    assert human.code == 9
    titles, first, second = human.out.splitlines()
    assert titles.split() == ["result", "step", "seconds", "told"]
    assert first.startswith("failed  in time")
    assert "exit 0: it is 3 (There is no voice 'nobody' [VOICE_NOT_FOUND])" in second
    assert "outcome down: it is up" in human.err
    assert "[STEP_FAILED] asyncflow explain STEP_FAILED" in human.err
    marks = [line for line in human.err.splitlines() if line.startswith("::error file=smoke.yaml,")]
    assert len(marks) == 3
    assert "❌ | refused" in (home / "smoke.md").read_text()

    document = sandboxed("ci", "run", file, "--json", GITHUB_ACTIONS="true")
    assert (document.code, document.out) == (9, "")
    error = document.error
    assert (error["code"], error["exit_code"]) == ("STEP_FAILED", 9)
    assert [step["result"] for step in error["details"]["steps"]] == ["failed", "failed"]


def test_a_wrong_file_runs_nothing_and_leaves_no_folder(
    sandboxed: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(home))
    file = written(home, "steps:\n  - run: status\n  - run: tts ${UNSET}\n")
    result = sandboxed("ci", "run", file)
    assert (result.code, result.out) == (2, "")
    assert "smoke.yaml, line 3: UNSET is not set" in result.err
    assert [path.name for path in home.iterdir() if path.is_dir()] in ([], ["state"])
    assert sandboxed("ci", "run", "gone.yaml").code == 2
    assert sandboxed("ci", "run", file, "--junit", "gone/smoke.xml").code == 2


def test_a_step_whose_time_is_up_is_ended_and_what_needs_it_is_skipped(
    sandboxed: Run, home: Path
) -> None:
    steps = [
        {"name": "endless", "run": "sandbox serve --port 0", "timeout": "100ms"},
        {"name": "after", "run": "status", "needs": "endless"},
        {"name": "odd", "run": ["tts", "a\0b"]},
    ]
    result = sandboxed("ci", "run", written(home, {"steps": steps}), "--json")
    assert (result.code, result.error["code"]) == (1, "STEP_NOT_RUN")
    endless, after, odd = result.error["details"]["steps"]
    assert (endless["result"], endless["error"]) == ("broken", "it did not end within 0.1 s")
    assert (after["result"], after["attempts"]) == ("skipped", 0)
    assert (odd["result"], odd["error"]) == ("broken", "it did not start: embedded null byte")


def test_a_step_is_tried_again_and_told_of_where_github_looks(run: Run, home: Path) -> None:
    with ServedSandbox(faults=["GET /:503 x1"]) as served:
        file = written(home, {"steps": [{"name": "up", "run": "status", "retries": 2}]})
        result = run(
            *("ci", "run", file, "--retries", "0"),
            **served.environ,
            GITHUB_ACTIONS="true",
            GITHUB_WORKSPACE=str(home.parent),
            GITHUB_STEP_SUMMARY=str(home / "job.md"),
        )
    assert result.code == 0, result.err
    warning = f"::warning file={home.name}/smoke.yaml,line=2,title=up::Passed at attempt 2"
    assert warning in result.err
    assert "### smoke: 1 of 1 steps passed" in (home / "job.md").read_text()


def test_the_sandbox_is_as_the_file_wants_it(run: Run, home: Path) -> None:
    file = written(
        home,
        f"""
        sandbox: {{speed: 20, callees: {{"{TO}": busy}}}}
        steps:
          - run: call Hello --to {TO}
            expect: {{exit: 20, outcome: busy, error: CALLEE_BUSY}}
        """,
    )
    lines = [f"{name}={value}" for name, value in ACCOUNTS.items()]
    (home / ".env").touch(0o600)
    (home / ".env").write_text("\n".join([*lines, "TWILIO_SHARED_KEY_SECRET=shared_canary"]))
    result = run("--sandbox", "ci", "run", file, "-q")
    assert (result.code, result.out, result.err) == (0, "1 of 1 steps passed\n", "")


def test_a_secret_is_in_nothing_that_is_printed_or_written(sandboxed: Run, home: Path) -> None:
    file = written(home, {"steps": [{"run": "voices get ${SMOKE_TOKEN}"}]})
    args = ("ci", "run", file, "--junit", "a.xml", "--summary", "a.md", "--annotations")
    canary = "canary&<0123456789"
    for more in (("--debug",), ("--json",)):
        result = sandboxed(*args, *more, SMOKE_TOKEN=canary)
        assert result.code == 9
        told = [result.out, result.err, *((home / name).read_text() for name in ("a.xml", "a.md"))]
        assert not [text for text in told if "0123456789" in text]
    assert "***" in (home / "a.xml").read_text()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
def test_ctrl_c_ends_the_steps_and_their_calls(home: Path) -> None:
    long = "There is a great deal to say, and it takes its time. " * 4
    with ServedSandbox() as served:
        file = written(home, {"steps": [{"run": ["call", long, "--to", TO]}]})
        with start(home, "ci", "run", file, **served.environ) as process:
            until_rung(served)
            process.send_signal(signal.SIGINT)
            process.communicate()
        assert process.returncode == 130
        served.finish()
        assert served.ended()
    assert not list((home / "state").rglob("*.call.json"))


def until_rung(served: ServedSandbox) -> None:
    """Until there is a call, which nobody here is told of."""
    deadline = time.monotonic() + 20
    while "in-progress" not in served.statuses:
        assert time.monotonic() < deadline, served.statuses
        time.sleep(0.01)
