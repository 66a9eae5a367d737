"""What is prevented by how a call is made, whoever makes it."""

from __future__ import annotations

import ast
import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import asyncflow_cli
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import load
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from tests.conftest import FROM, TO, ServedSandbox, environment, wait_for_line
from tests.failures.conftest import Caller, sounds

TEXTS = ("Your table is ready.", "We look forward to seeing you.")
GONE = {"audioop", "cgi", "crypt", "imghdr", "sndhdr", "telnetlib"}
"""Modules that left Python in 3.13: https://peps.python.org/pep-0594/"""

ON_WINDOWS = """
import asyncio, os, sys
from asyncflow_cli import cli
def none(*_): raise NotImplementedError
asyncio.SelectorEventLoop.add_signal_handler = none
asyncio.SelectorEventLoop.remove_signal_handler = none
sys.exit(cli.run(sys.argv[1:], dict(os.environ)))
"""
"""Our program, as it finds asyncio there."""


@pytest.mark.parametrize("machine", ["continue", "hangup", "after-beep"])
def test_a_call_is_asked_for_whole_with_its_limits_and_no_document_to_fetch(
    call: Caller, machine: str
) -> None:
    asked = call(TEXTS[0], "--machine", machine, "--dry-run").json["parameters"]
    verbs = [(verb.tag, [inner.tag for inner in verb]) for verb in ET.fromstring(asked["Twiml"])]
    assert verbs == [("Connect", ["Stream"])], "nothing keeps the line open behind us"
    assert len(asked["Twiml"]) <= 4000
    assert "Url" not in asked
    assert (asked["Timeout"], asked["TimeLimit"]) == (30, 120)
    assert asked.get("AsyncAmd") == (None if machine == "continue" else "true"), "no dead air"
    assert call.calls == []


def test_two_calls_of_one_process_share_nothing(ticking: ServedSandbox, home: Path) -> None:
    async def test() -> None:
        settings = load({}, ticking.environ, {}, {}, {})
        api = ApiClient(settings)
        warnings: list[str] = []
        journal = Journal(home / "calls", warn=warnings.append)
        library = VoiceLibrary(api)
        orders = [CallOrder(to=TO, from_=FROM, text=text) for text in TEXTS]
        calls = [PhoneCall(settings, o, journal, library, warn=warnings.append) for o in orders]
        reports = await asyncio.gather(*(one.run(lambda _: None) for one in calls))
        await api.aclose()
        assert [report.heard_text for report in reports] == list(TEXTS)
        assert len({report.call_sid for report in reports}) == 2
        assert warnings == []
        ticking.finish()
        heard = [sounds(ticking.sandbox.heard(report.call_sid)) for report in reports]
        lengths = [round(report.seconds_sent * 8000) for report in reports]
        assert heard[0] != heard[1]
        assert all(len(a) <= n for a, n in zip(heard, lengths, strict=True)), "one voice on each"

    asyncio.run(test())


def test_nothing_is_imported_that_newer_pythons_lack() -> None:
    for path in Path(asyncflow_cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not GONE & {name.partition(".")[0] for name in names}, path


def test_ctrl_c_hangs_up_where_asyncio_knows_no_signals(ticking: ServedSandbox, home: Path) -> None:
    ticking.sandbox.register("answer after 60s")
    process = subprocess.Popen(
        [sys.executable, "-c", ON_WINDOWS, "call", "--to", TO, TEXTS[0]],
        env=environment(home, **ticking.environ),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        wait_for_line(process.stderr, "Ringing")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        words = process.stderr.read().decode()
    ticking.sandbox.carrier.callees.clear()
    assert process.returncode == 130, words
    assert "Traceback" not in words
    ticking.finish()
    assert ticking.ended()
