"""--field and --jq: a part of the document, for shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncflow_cli import cli
from asyncflow_cli.commands.printed import documents_of
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.fields import check
from asyncflow_cli.protocol.paths import every
from asyncflow_cli.protocol.picking import field, program
from tests.conftest import Run
from tests.test_schemas import leaves
from tests.test_tts import FOX

DOCUMENT = {"words": [{"text": "a"}, {"text": "b"}], "seconds": 1.5, "output": None, "of": {}}


@pytest.mark.parametrize(
    ("path", "printed"),
    [
        ("words.0.text", ["a"]),
        ("words.*.text", ["a", "b"]),
        ("words.1", ['{"text":"b"}']),
        ("words.*", ['{"text":"a"}', '{"text":"b"}']),
        ("words.0.*", ["a"]),
        ("seconds", ["1.5"]),
        ("output", ["null"]),
        ("of.*", []),
    ],
)
def test_strings_are_bare_and_anything_else_is_json(path: str, printed: list[str]) -> None:
    assert list(field(path)(DOCUMENT)) == printed


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("secnods", "Did you mean seconds?"),
        ("words.*.txt", "Did you mean text?"),
        ("zzz", "There are: of, output, seconds, words"),
        ("words.7", "There are 2 items: 0 to 1, or *"),
        ("seconds.0", "There is nothing below it"),
        ("seconds.*", "There is nothing below it"),
        ("of.x", "There is nothing below it"),
        ("text", "Did you mean words.*.text?"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(path: str, hint: str) -> None:
    with pytest.raises(UsageError, match="There is no") as failure:
        every(DOCUMENT, path)
    assert failure.value.hint == hint


def test_a_field_is_printed_in_place_of_the_document(sandboxed: Run) -> None:
    result = sandboxed("tts", FOX, "-o", "fox.wav", "--field", "container")
    assert (result.code, result.out, result.err) == (0, "wav\n", "")


def test_a_list_of_documents_gives_a_line_of_each(sandboxed: Run) -> None:
    every_one = sandboxed("voices", "list", "--all", "--json").stdout.splitlines()
    names = sandboxed("voices", "list", "--all", "--field=name").out.splitlines()
    assert len(names) == len(every_one) > 1
    assert "Jennie" in names


def test_a_call_prints_the_field_of_its_end_and_no_event(sandboxed: Run) -> None:
    result = sandboxed("call", "Hello.", "--to", "+15551230001", "--field", "end_reason")
    assert (result.code, result.out) == (0, "completed\n")


def test_a_wrong_field_leaves_stdout_empty(sandboxed: Run) -> None:
    result = sandboxed("--field", "statsu", "status")
    assert (result.code, result.out, result.error["code"]) == (2, "", "NO_FIELD")
    assert result.error["hint"] == "Did you mean status?"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("tts Hello. -o fox.wav --field secnods", "Did you mean seconds?"),
        ("--field=secnods tts Hello. -o fox.wav", "Did you mean seconds?"),
        ("tts Hello. -o fox.wav --field estimated_usd", "There are: "),
        ("tts Hello. --dry-run --field seconds", "estimated_seconds"),
        ("tts --field seconds.x -n Hello.", "estimated_seconds"),
        ("tts Hello. -o fox.wav --field seconds.x", "There is nothing below it"),
        ("timestamps Hello. -o fox.wav --field words.*.txt", "Did you mean text?"),
        ("timestamps Hello. -o fox.wav --field words.text", "It is a list: 0 is its first"),
        ("call --to +15551230001 Hello. --field end_raeson", "Did you mean end_reason?"),
        ("voices delete Jennie -y --field deleted.0.x", "There is nothing below it"),
        ("voices clone me.wav --name Me --field voice", "Did you mean voice_id?"),
        ("doctor --field findings.0.cod", "Did you mean code?"),
        ("doctor --field remedy", "Did you mean findings.*.remedy?"),
        ("doctor --field findings.0.x", "There are: findings.0.check, findings.0.code, "),
        ("voices list --field nope", "asyncflow.voices has: next_cursor, schema, "),
        ("voices list --field nope", "voices.*.accent, voices.*.created_at, "),
        ("voices list --field nope", "asyncflow.voice has: accent, created_at, "),
    ],
)
def test_a_wrong_field_is_told_before_anything_is_done(
    run: Run, home: Path, line: str, hint: str
) -> None:
    nobody = {"ASYNC_BASE_URL": "http://127.0.0.1:1", "ASYNC_API_KEY": "k"}
    result = run(*line.split(), **nobody)
    assert (result.code, result.out, result.error["code"]) == (2, "", "NO_FIELD"), result.err
    assert hint in result.error["hint"]
    assert list(home.glob("*.wav")) == []


@pytest.mark.parametrize("path", ["details.any.thing", "a", "b.0", "b.*.c", "n", "m.x.c", "o.q"])
def test_what_may_be_there_is_not_refused(path: str) -> None:
    item = {"type": "object", "properties": {"c": {"type": "string"}}}
    schema = {
        "$ref": "#/$defs/D",
        "$defs": {
            "I": item,
            "D": {
                "type": "object",
                "properties": {
                    "details": {},
                    "a": {"type": "integer"},
                    "b": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/I"}}]},
                    "n": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                    "m": {"type": "object", "additionalProperties": {"$ref": "#/$defs/I"}},
                    "o": {"type": "object"},
                },
            },
        },
    }
    check(path, [schema])


def test_every_command_is_known_by_the_documents_it_prints(run: Run) -> None:
    names = set(run("schema").out.split())
    for command in leaves(cli.build()):
        for dry_run in (False, True):
            assert set(documents_of(command, dry_run=dry_run)) <= names, command


def test_a_warning_is_said_where_its_document_is_not_printed(sandboxed: Run) -> None:
    result = sandboxed("tts", FOX, "--dry-run", "--model", "async_new", "--field", "schema")
    assert (result.code, result.out) == (0, "asyncflow.dry-run\n")
    assert result.err.startswith("Warning: ")
    assert "async_new" in result.err


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (".words[].text", ["a", "b"]),
        (".words | length", ["2"]),
        ("{seconds}", ['{"seconds":1.5}']),
        (".output", ["null"]),
        ("empty", []),
    ],
)
def test_a_program_prints_as_jq_r_does(text: str, printed: list[str]) -> None:
    assert list(program(text)(DOCUMENT)) == printed


def test_a_program_that_stumbles_says_over_what() -> None:
    with pytest.raises(UsageError, match=r"stumbled .* Cannot index array with string"):
        list(program(".words.text")(DOCUMENT))


def test_a_program_is_run_on_the_document(sandboxed: Run) -> None:
    line = sandboxed("voices", "list", "--jq", '.voices[] | select(.name=="Jennie") | .name')
    assert (line.code, line.out, line.err) == (0, "Jennie\n", "")


def test_a_wrong_program_is_refused_before_anything_is_done(sandboxed: Run) -> None:
    result = sandboxed("tts", FOX, "-o", "fox.wav", "--jq", ".a[")
    assert (result.code, result.out, result.error["code"]) == (2, "", "JQ")
    assert not Path("fox.wav").exists()


def test_only_one_of_them_can_say_what_is_wanted(sandboxed: Run) -> None:
    result = sandboxed("status", "--field", "status", "--jq", ".status")
    assert (result.code, result.out, result.error["code"]) == (2, "", "USAGE")
