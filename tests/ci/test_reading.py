"""A file of steps as it is read: what it comes to, and every way to be wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ci.conditions import read_conditions, seconds
from asyncflow_cli.protocol.ci.source import read
from asyncflow_cli.protocol.ci.variables import UnsetError, filled, secrets
from tests.ci.files import EXAMPLE, suite_of


def test_a_step_is_as_short_as_its_command_line() -> None:
    (step,) = suite_of("steps: [run: status]").steps
    assert (step.name, step.args, step.timeout, step.retries) == ("status", ("status",), 120, 0)
    assert [each.text for each in step.expectations] == ["exit 0"]


def test_what_stands_above_the_steps_is_of_all_that_do_not_say_otherwise() -> None:
    first, second = suite_of("""
        timeout: 2m
        retries: 1
        env: {A: 1, B: x}
        steps:
          - run: status
          - run: tts Hello
            timeout: 400ms
            retries: 3
            env: {B: y}
    """).steps
    assert (first.timeout, first.retries, first.env) == (120, 1, {"A": "1", "B": "x"})
    assert (second.timeout, second.retries, second.env) == (0.4, 3, {"A": "1", "B": "y"})


def test_a_call_and_a_clone_are_made_once_whatever_the_file_says_of_all_steps() -> None:
    steps = suite_of("""
        retries: 2
        steps:
          - run: call Hello --to +15551230001
          - run: voices clone me.wav --name Me
          - run: voices list
    """).steps
    assert [step.retries for step in steps] == [0, 0, 2]


def test_a_value_is_one_word_and_its_name_is_what_reports_show() -> None:
    (step,) = suite_of("steps: [{run: 'asyncflow tts ${SAID} -o ${SCRATCH}/a.wav'}]").steps
    assert step.args == ("tts", "two words; 'and more'", "-o", "/scratch/a.wav")
    assert "two words" not in step.name + step.run


def test_words_may_be_listed_and_need_no_quotes_then() -> None:
    (step,) = suite_of("steps: [{run: [tts, It's $5, --sample-rate, 8000]}]").steps
    assert step.args == ("tts", "It's $5", "--sample-rate", "8000")


def test_what_the_sandbox_settles_is_not_even_asked_for() -> None:
    text = "{env: {ASYNC_API_KEY: '${UNSET}', C: d}, steps: [run: status]}"
    (step,) = suite_of(text, ASYNC_API_KEY="sandbox").steps
    assert step.env == {"C": "d"}
    with pytest.raises(UsageError, match="UNSET is not set"):
        suite_of(text)


def test_the_committed_example_expects_something_of_every_kind() -> None:
    steps = suite_of(EXAMPLE.read_text()).steps
    measured = {each.name for step in steps for each in step.expectations if not each.is_field}
    assert measured == {
        *("exit", "error", "latency", "duration", "elapsed", "words", "outcome"),
    }
    assert {step.args[0] for step in steps} == {
        *("status", "voices", "tts", "tts-stream", "timestamps", "stt", "call"),
    }


WRONG = {
    "": (1, "the file is empty", ""),
    "steps: []": (1, "steps must be a list of 1 or more", ""),
    "- run: status": (1, "the file must be keys and values, not a list", ""),
    "name: x": (1, "there is no steps", ""),
    "name: x\nstepps: []": (2, "no key 'stepps'", "Did you mean steps?"),
    "steps:\n  - run: status\n    expct: {}": (3, "no key 'expct'", "Did you mean expect?"),
    "steps:\n - run: status\n   expect:\n    latncy: < 2s": (4, "'latncy'", "mean latency?"),
    "steps:\n - run: status\n   expect:\n    zzz: 1": (4, "'zzz'", "There are: duration, elapsed"),
    "sandbox:\n  sped: 2\nsteps: [run: status]": (2, "'sped'", "Did you mean speed?"),
    "steps:\n - name: x": (2, "there is no run", ""),
    "steps:\n - run: status\n   retries: 99": (
        3,
        "retries of step 1 must be a whole number, 10 or less",
        "",
    ),
    "steps:\n - run: status\n   env:\n     A: []": (
        3,
        "a value of env of step 1 must be a number or a text",
        "",
    ),
    "steps:\n - run: sttus": (2, "'sttus' is no command", "Did you mean status?"),
    "steps:\n - run: ci run x": (2, "'ci' is no command", "There are: auth, call"),
    "steps:\n - run: ''": (2, "'' is no command", ""),
    "steps:\n - run: tts 'Hello": (2, "no command line: No closing quotation", ""),
    "steps:\n - run: tts ${NO}": (2, "NO is not set", "${NO:-default}"),
    "steps:\n - run: status\n - run: status": (3, "two steps are named 'status'", ""),
    "steps:\n - run: status\n   needs: stats": (3, "no step 'stats' before", "There are: "),
    "steps:\n - run: status\n   timeout: soon": (3, "'soon' is no duration", "Write 400ms"),
    "timeout: 0\nsteps: [run: status]": (1, "0 is no duration", ""),
    "steps:\n - run: call Hi\n   retries: 1": (3, "call is never done twice", ""),
    "steps:\n - run: status\n   expect:\n    latency: < soon": (4, "'soon' is no duration", ""),
    "steps:\n - run: status\n   expect:\n    latency: up": (4, "'up' is no duration", ""),
    "steps:\n - run: status\n   expect:\n    words: < many": (4, "'many' is no number", ""),
    "steps:\n - run: status\n   expect:\n    fields:\n      a: matches (": (
        5,
        "no regular",
        "",
    ),
    "steps:\n - run: status\n   expect: {latency: > 2s}": (3, "no YAML", "in quotes"),
    "steps:\n - run: status\n   run: tts": (3, "run stands here a second time", ""),
    "steps: [run: status": (1, "no YAML", ""),
    "steps:\n - run: \0": (1, "no YAML: ", ""),
    "steps: [run: status]\n---\nsteps: []": (2, "no YAML", ""),
    "steps:\n - {run: status, <<: {}}": (2, "no key '<<'", ""),
    "retries: " + "9" * 5000 + "\nsteps: [run: status]": (
        1,
        "retries must be a whole number, not a text",
        "",
    ),
    "[" * 5000: (1, "no end to what stands here", ""),
    "a: &a [*a]": (1, "no end to what stands here", ""),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_told_with_the_line_and_the_nearest_key(text: str) -> None:
    line, what, hint = WRONG[text]
    with pytest.raises(UsageError) as caught:
        suite_of(text or "# nothing")
    error = caught.value
    assert error.code == "CI_FILE_WRONG"
    assert what in error.message
    assert hint in (error.hint or "")
    place = error.details or {}
    assert place["file"] == "smoke.yaml"
    assert place["line"] == line
    assert error.message.startswith(f"smoke.yaml, line {place['line']}: ")


PLACES = (
    *("name", "parallel", "timeout", "retries", "env", "env.A", "sandbox", "sandbox.speed"),
    *("sandbox.callees", "sandbox.callees.a", "sandbox.faults", "steps.0", "steps.0.run"),
    *("steps.0.name", "steps.0.expect", "steps.0.expect.exit", "steps.0.expect.latency"),
    *("steps.0.expect.fields", "steps.0.expect.fields.a", "steps.0.needs", "steps.0.env.A"),
)


def complaint(data: object) -> str:
    try:
        suite_of(yaml.safe_dump(data))
    except UsageError as error:
        return error.message
    return ""


@pytest.mark.parametrize("place", PLACES)
def test_whatever_stands_in_the_wrong_place_is_told_in_words(place: str) -> None:
    told = []
    for value in ("text", -1, 1e9, True, None, [], ["x", [1]], {"a": {"b": 1}}):
        data: dict[str, Any] = {"steps": [{"run": "status"}]}
        *outer, last = (int(key) if key.isdigit() else key for key in place.split("."))
        at: Any = data
        for key in outer:
            at = at[key] if key in (0, "steps") else at.setdefault(key, {})
        at[last] = value
        told.append(complaint(data))
    assert any(told)
    assert not re.search(r"Expected|`|\$\.|\.\.\.|object|array|null", "\n".join(told))


def test_a_few_anchors_cannot_make_millions_of_values() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(UsageError, match="no end to what stands here"):
        read("\n".join(rows), "smoke.yaml")


@pytest.mark.parametrize(
    ("wanted", "holds", "fails"),
    [
        ("completed", ["completed"], ["busy", None, 3]),
        ("== completed", ["completed"], ["busy"]),
        ("!= busy", ["completed", None], ["busy"]),
        (4, [4, 4.0, "4"], [5, "four", None, True]),
        ("4", [4, "4"], ["04"]),
        (True, [True, "true"], [False, 1]),
        (None, [None], ["", 0]),
        ("< 2", [1, 1.99, -3], [2, "1", None, True]),
        ("<= 2", [2], [2.01]),
        ("> 2", [2.5], [2]),
        (">= 2", [2], [1]),
        ("contains fox", ["The fox.", ["a", "fox"]], ["f-o-x", ["foxes"], None]),
        ("contains 2", [[1, 2], "12"], [[12]]),
        ("matches ^v\\d$", ["v1"], ["v12", "xv1"]),
        ("matches o.$", ["fox"], ["foxes", "o"]),
        ("containsfox", ["containsfox"], ["fox"]),
        (["> 1", "< 3"], [2], [1, 3]),
    ],
)
def test_a_condition_holds_or_it_does_not(
    wanted: object, holds: list[object], fails: list[object]
) -> None:
    conditions = read_conditions(wanted)
    assert [v for v in holds if not all(each.holds(v) for each in conditions)] == []
    assert [v for v in fails if all(each.holds(v) for each in conditions)] == []


def test_times_carry_units_and_bare_numbers_are_seconds() -> None:
    assert [seconds(t) for t in ("400ms", "2s", "2 s", "1.5", "2m", "1h", "soon", "-1s")] == [
        *(0.4, 2, 2, 1.5, 120, 3600, None, None)
    ]
    (condition,) = read_conditions("< 400ms", time=True)
    assert condition.holds(0.39)
    assert not condition.holds(0.4)


def test_a_dollar_alone_is_a_dollar() -> None:
    text = "$5, $NAME, $${NAME}, ${NAME}, ${NO:-none}, ${NO:-}."
    assert filled(text, {"NAME": "${NO}"}) == "$5, $NAME, ${NAME}, ${NO}, none, ."
    with pytest.raises(UnsetError, match="NO"):
        filled("${NO}", {"NO": ""})


def test_what_sounds_of_a_secret_is_one() -> None:
    variables = {"MY_API_KEY": "k", "auth_token": "t", "NAME": "n", "DB_PASSWORD": ""}
    texts = ["${MY_API_KEY} ${NAME}", "${auth_token:-x}", "${DB_PASSWORD}", "${GONE_SECRET:-}"]
    assert secrets(texts, variables) == {"k", "t"}
