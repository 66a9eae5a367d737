"""What --json prints is what docs/schemas says, of every command there is."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError
from typer.core import TyperGroup

import asyncflow_cli
from asyncflow_cli import cli
from asyncflow_cli.protocol.schemas import Shape, name_of, schema_of, shapes_in, written
from tests.conftest import Run, start, wait_for_line
from tests.documents import SCHEMAS, checked, validator
from tests.test_tts import FOX

EXAMPLES = {
    "status": ("status",),
    "tts": ("tts", f"{FOX} {FOX}", "-o", "me.wav"),
    "tts-stream": ("tts-stream", FOX, "-o", "stream.wav"),
    "timestamps": ("timestamps", FOX, "-o", "talk.wav", "--captions", "srt"),
    "stt": ("stt", "me.wav"),
    "verify": ("verify", "me.wav", "talk.wav"),
    "call": ("call", "Hello.", "--to", "+15551230001"),
    "calls list": ("calls", "list"),
    "calls show": ("calls", "show", "CA"),
    "calls hangup": ("calls", "hangup", "--all", "-y"),
    "calls reap": ("calls", "reap"),
    "doctor": ("doctor",),
    "explain": ("explain", "404"),
    "schema": ("schema", "tts"),
    "voices list": ("voices", "list"),
    "voices get": ("voices", "get", "Jennie"),
    "voices clone": ("voices", "clone", "me.wav", "--name", "Schemata"),
    "voices update": ("voices", "update", "Schemata", "--description", "of schemata"),
    "voices delete": ("voices", "delete", "Schemata", "-y"),
    "voices preview": ("voices", "preview", "Jennie", "-o", "jennie.mp3"),
    "sandbox reset": ("sandbox", "reset"),
    "ci run": ("ci", "run", str(Path(__file__).with_name("smallest.yaml"))),
    "auth status": ("auth", "status"),
    "auth logout": ("auth", "logout", "--all"),
    "config path": ("config", "path"),
    "config set": ("config", "set", "timeout", "60s"),
    "config get": ("config", "get", "timeout"),
    "config list": ("config", "list"),
    "completion": ("completion", "bash"),
    "config unset": ("config", "unset", "timeout"),
}
"""A command line for each command, in an order in which they work."""

ELSEWHERE = {"sandbox serve", "sandbox env", "auth login"}
"""Two need each other, see below; the last needs a key on stdin, see test_auth.py."""

VARIANTS = [
    ("tts", FOX, "-o", "me.wav", "--verify"),
    ("schema",),
    ("explain", "--list"),
    ("tts", FOX, "--dry-run"),
    ("tts-stream", FOX, "-o", "stream.wav", "--transport", "http"),
    ("voices", "get", "Jennie", "Stella"),
    ("voices", "clone", "me.wav", "--name", "Schemata", "--dry-run"),
]
"""Further documents of the same commands."""


def leaves(group: TyperGroup, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}"


def shapes() -> set[Shape]:
    """Every document that any module of the package defines."""
    folder = str(Path(asyncflow_cli.__file__).parent)
    names = (m.name for m in pkgutil.walk_packages([folder], "asyncflow_cli."))
    return shapes_in(importlib.import_module(n) for n in names if not n.endswith("__main__"))


def test_every_command_has_an_example() -> None:
    assert set(leaves(cli.build())) == set(EXAMPLES) | ELSEWHERE


def test_every_command_prints_what_its_schema_says(sandboxed: Run) -> None:
    for args in (*EXAMPLES.values(), *VARIANTS):
        result = sandboxed(*args, "--json")
        assert (result.code, result.err) == (0, ""), (args, result.err)
        assert result.json["schema_version"] == 1, args


def test_a_line_of_an_endless_list_is_a_document_of_its_own(sandboxed: Run) -> None:
    lines = sandboxed("voices", "list", "--all", "--json").stdout.splitlines()
    assert len(lines) > 1
    for line in lines:
        checked(msgspec.json.decode(line))


def test_a_served_sandbox_prints_what_its_schemas_say(run: Run, home: Path) -> None:
    with start(home, "sandbox", "serve", "--port", "0", "--json") as process:
        (ready,) = wait_for_line(process.stdout, "asyncflow.sandbox")
        environment = run("sandbox", "env", "--json")
        process.terminate()
        process.communicate()
    assert checked(msgspec.json.decode(ready))["environment"] == environment.json["environment"]


def test_every_document_is_published_and_its_file_is_what_the_code_says() -> None:
    now = {f"{name_of(shape)}.json": written(schema_of(shape)) for shape in shapes()}
    assert {path.name for path in SCHEMAS.iterdir()} == set(now)
    stale = [name for name, text in now.items() if (SCHEMAS / name).read_text() != text]
    assert stale == [], "make schemas"


def test_every_schema_is_one() -> None:
    for path in SCHEMAS.iterdir():
        Draft202012Validator.check_schema(msgspec.json.decode(path.read_bytes()))


def test_a_schema_refuses_what_it_does_not_describe() -> None:
    report = {"schema": "asyncflow.status", "schema_version": 1, "status": "up"}
    with pytest.raises(ValidationError, match="is a required property"):
        validator("status").validate(report)


def test_one_call_three_renderings(run: Run) -> None:
    human, quiet, document = (run("schema", "tts", *f) for f in ((), ("-q",), ("--json",)))
    assert human.out == quiet.out == (SCHEMAS / "tts.json").read_text()
    assert document.json["name"] == "tts"
    assert document.json["json_schema"] == msgspec.json.decode(human.stdout)


def test_without_a_name_all_names_are_listed(run: Run) -> None:
    names = run("schema").out.split()
    assert names == sorted(path.stem for path in SCHEMAS.iterdir())
    assert run("schema", "--json").json["names"] == names


@pytest.mark.parametrize("name", ["sandbox-env", "sandbox env", "asyncflow.sandbox-env"])
def test_a_schema_is_found_by_its_name_or_its_command(run: Run, name: str) -> None:
    assert msgspec.json.decode(run("schema", name).stdout)["title"] == "asyncflow.sandbox-env"


def test_an_unknown_schema_is_not_found(run: Run) -> None:
    result = run("schema", "nonsense", "--json")
    assert (result.code, result.out, result.error["code"]) == (3, "", "SCHEMA_UNKNOWN")
    assert "tts" in result.error["hint"]
