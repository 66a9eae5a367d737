"""`asyncflow explain`: one entry for every code that anybody can meet."""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import asyncflow_cli
from asyncflow_cli import errors
from asyncflow_cli.errors import NotFoundError
from asyncflow_cli.protocol.catalogue import ENTRIES, find
from asyncflow_cli.protocol.catalogue.entry import Owner
from asyncflow_cli.sandbox.documented import DOCUMENTED
from tests.conftest import Run
from tests.test_docs import subclasses

PACKAGE = Path(asyncflow_cli.__file__).parent


@functools.cache
def trees() -> list[ast.Module]:
    """The package's source. It takes two seconds to read, so whoever only collects does not."""
    return [ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")]


@functools.cache
def constants() -> dict[str, set[str]]:
    """What the names of the package's modules stand for, where it is a text."""
    found: dict[str, set[str]] = defaultdict(set)
    for tree in trees():
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    found[name].add(text)
    return found


def texts(node: ast.expr) -> Iterator[str]:
    """Every text that an expression can be, as far as one can see without running it."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name):
            yield from constants().get(name, ())
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts(body)
            yield from texts(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from texts(value)


def written_codes() -> Iterator[tuple[str, str | None]]:
    """Every code that stands in the source, and the class it is given to, if that is seen."""
    for node in (node for tree in trees() for node in ast.walk(tree)):
        match node:
            case ast.Call(func=func, keywords=keywords):
                name = func.id if isinstance(func, ast.Name) else None
                for keyword in keywords:
                    if keyword.arg == "code":
                        yield from ((text, name) for text in texts(keyword.value))
            case ast.ClassDef(name=name, body=body):
                for statement in body:
                    match statement:
                        case (
                            ast.Assign(targets=[ast.Name("default_code")], value=value)
                            | ast.AnnAssign(
                                target=ast.Name("default_code"), value=ast.expr() as value
                            )
                        ):
                            yield from ((text, name) for text in texts(value))


def test_every_code_in_our_source_has_an_entry() -> None:
    codes = {code for code, _ in written_codes()}
    assert len(codes) > 40
    assert {code for code in codes if not code.isdecimal()} - set(ENTRIES) == set()
    assert {code for code in codes if code.isdecimal() and f"TWILIO_{code}" not in ENTRIES} == set()


def test_the_exit_code_of_an_own_entry_is_that_of_a_class_that_carries_it() -> None:
    carried = defaultdict(set)
    for code, name in written_codes():
        cls = getattr(errors, name or "", None)
        if isinstance(cls, type) and issubclass(cls, errors.AsyncflowError):
            carried[code].add(cls.exit_code)
    for entry in ENTRIES.values():
        if entry.owner is Owner.OWN and carried[entry.code]:
            assert entry.exit_code in carried[entry.code], entry.code


def test_every_documented_code_of_the_service_has_an_entry() -> None:
    assert set(DOCUMENTED) <= {c for c, entry in ENTRIES.items() if entry.owner is Owner.ASYNC}
    assert "QUOTA_EXCEEDED" in ENTRIES


def test_every_exit_code_has_an_entry_that_says_the_same_as_its_class() -> None:
    entries = {e.exit_code: e for e in ENTRIES.values() if e.owner is Owner.EXIT}
    used = {cls.exit_code for cls in subclasses(errors.AsyncflowError)}
    assert set(entries) == used | {0, 129, 143}
    for number, entry in entries.items():
        assert entry.raises is None or entry.raises.exit_code == number


def test_every_entry_says_what_it_is_and_what_to_do() -> None:
    for entry in ENTRIES.values():
        assert entry.title, entry.code
        assert entry.meaning.endswith("."), entry.code
        assert entry.next, entry.code
        assert not entry.next.endswith("."), entry.code
        assert not entry.cause or entry.cause.endswith("."), entry.code
    assert all(e.link for e in ENTRIES.values() if e.owner not in (Owner.OWN, Owner.EXIT))


def test_the_commands_that_entries_name_exist(run: Run) -> None:
    named = {
        match[1]
        for entry in ENTRIES.values()
        for match in re.finditer(r"asyncflow ([a-z]+)", f"{entry.next} {entry.cause}")
    }
    commands = set(re.findall(r"^  ([a-z-]+) ", run("--help").out, re.M))
    assert named - {"may", "does"} <= commands


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("RATE_LIMIT_EXCEEDED", ["RATE_LIMIT_EXCEEDED"]),
        ("rate_limit_exceeded", ["RATE_LIMIT_EXCEEDED"]),
        ("--ERROR:QUOTA_EXCEEDED--", ["QUOTA_EXCEEDED"]),
        ("TWILIO_21211", ["TWILIO_21211"]),
        ("21211", ["TWILIO_21211"]),
        ("err_ngrok_108", ["ERR_NGROK_108"]),
        ("108", ["ERR_NGROK_108"]),
        ("24", ["EXIT_24"]),
        ("exit 24", ["EXIT_24"]),
        ("SIP 486", ["SIP_486"]),
        ("404", ["HTTP_404", "SIP_404"]),
    ],
)
def test_a_code_is_found_however_it_is_written(text: str, codes: list[str]) -> None:
    assert [entry.code for entry in find(text)] == codes


@pytest.mark.parametrize(
    ("text", "near"),
    [("RATE_LIMIT_EXCEDED", "RATE_LIMIT_EXCEEDED"), ("21299", "TWILIO_2129"), ("zzzz", "--list")],
)
def test_an_unknown_code_is_answered_with_its_neighbours(text: str, near: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        find(text)
    assert near[:9] in (caught.value.hint or "")
    assert "asyncflow explain --list" in (caught.value.hint or "")


def test_one_call_three_renderings(run: Run) -> None:
    human, quiet, document = (run("explain", "108", *f) for f in ((), ("-q",), ("--json",)))
    assert (human.code, human.err, quiet.err, document.err) == (0, "", "", "")
    assert "next       Stop your other ngrok agent" in human.out
    assert "exit code  10" in human.out
    assert quiet.out == "ERR_NGROK_108: Too many agents\n"
    entry = ENTRIES["ERR_NGROK_108"]
    assert document.json["schema"] == "asyncflow.explain"
    assert document.json["entries"] == [
        {
            "code": "ERR_NGROK_108",
            "owner": "ngrok",
            "title": "Too many agents",
            "meaning": entry.meaning,
            "cause": entry.cause,
            "next": entry.next,
            "exit_code": 10,
            "link": "https://ngrok.com/docs/errors/err_ngrok_108",
        }
    ]


def test_a_number_with_two_meanings_shows_both(run: Run) -> None:
    out = run("explain", "404").out
    assert re.findall(r"^code +(\w+)", out, re.M) == ["HTTP_404", "SIP_404"]
    assert "\n\n" in out


def test_the_list_has_every_code(run: Run) -> None:
    out = run("explain", "--list").out
    assert set(re.findall(r"^(\w+)", out, re.M)) - {"code"} == set(ENTRIES)
    assert len(run("explain", "--list", "--json").json["entries"]) == len(ENTRIES)


def test_an_unknown_code_is_not_found(run: Run) -> None:
    result = run("explain", "TWILIO_2121")
    assert (result.code, result.out) == (3, "")
    assert "Near it: TWILIO_2121" in result.err


def test_an_error_leads_to_its_explanation(run: Run) -> None:
    lines = run("tts", "Hi", "-o", "x.wav").err.splitlines()
    assert lines[-1] == "  [SETTING_MISSING] asyncflow explain SETTING_MISSING"
    assert run("explain", lines[-1].split()[-1]).code == 0
