"""One call, all renderings: what goes to stdout and to stderr for people, programs and scripts."""

from __future__ import annotations

import asyncio
import io
import logging
import urllib.parse
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from asyncflow_cli.errors import AsyncflowError, NotFoundError, UsageError
from asyncflow_cli.output import Format, Output

Call = Callable[[Output], None]


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="test.voice"):
    schema_version: int = 1
    voice_id: str = "v1"
    seconds: float | None = 1.5
    tags: tuple[str, ...] = ()
    output: str | None = "a.wav"

    @property
    def headline(self) -> str:
        return self.output or ""

    @property
    def summary(self) -> str:
        return f"Written: {self.voice_id}"


class Row(msgspec.Struct, frozen=True):
    voice_id: str
    name: str
    seconds: float | None = None


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def rendered(
    call: Call, format: Format, secrets: tuple[str, ...] = (), **options: Any
) -> tuple[str, str]:
    """What `call` says on stdout and on stderr, without the blanks that tables end lines with."""
    streams = io.StringIO(), io.StringIO()
    out = Output(format=format, stdout=streams[0], stderr=streams[1], **options)
    out.redactor.hide(secrets)
    call(out)
    out_text, err_text = (
        "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) for stream in streams
    )
    return out_text, err_text


def check(
    call: Call, *, human: tuple[str, str], json: tuple[Any, Any], quiet: tuple[str, str]
) -> None:
    """Texts for people and scripts; for programs the one document, or None for nothing."""
    assert rendered(call, Format.HUMAN) == human
    documents = (
        msgspec.json.decode(text) if text else None for text in rendered(call, Format.JSON)
    )
    assert tuple(documents) == json
    assert rendered(call, Format.QUIET) == quiet


DOCUMENT = {
    "schema": "test.voice",
    "schema_version": 1,
    "voice_id": "v1",
    "seconds": 1.5,
    "tags": [],
    "output": "a.wav",
}


def test_a_record_is_a_grid_or_a_document_or_its_headline() -> None:
    check(
        lambda out: out.record(Report()),
        human=("voice id  v1\nseconds   1.50\noutput    a.wav", ""),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


def test_what_a_record_does_not_know_has_no_line() -> None:
    check(
        lambda out: out.record(Report(seconds=None, output=None, tags=("a", "b"))),
        human=("voice id  v1\ntags      a, b", ""),
        json=({**DOCUMENT, "seconds": None, "output": None, "tags": ["a", "b"]}, None),
        quiet=("", ""),
    )


def test_a_file_is_its_path_on_stdout_and_its_summary_on_stderr() -> None:
    check(
        lambda out: out.file(Report()),
        human=("a.wav", "Written: v1"),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


@pytest.mark.parametrize("output", ["-", None])
def test_where_the_audio_went_to_stdout_no_path_follows_it(output: str | None) -> None:
    check(
        lambda out: out.file(Report(output=output)),
        human=("", "Written: v1"),
        json=({**DOCUMENT, "output": output}, None),
        quiet=("", ""),
    )


def test_a_table_has_a_column_for_each_field() -> None:
    rows = [Row("v1", "Anna", 1.5), Row("v2", "Bo")]
    check(
        lambda out: out.table(Report(), rows),
        human=("voice id  name  seconds\nv1        Anna  1.50\nv2        Bo", ""),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


def test_an_empty_table_is_no_error() -> None:
    check(
        lambda out: out.table(Report(), []),
        human=("", ""),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


@pytest.mark.parametrize("text", ["[Demo] Anna", "[bold]x[/bold]", "[/]", ":phone: :warning:"])
def test_a_text_that_looks_like_markup_is_shown_as_it_is(text: str) -> None:
    human = Format.HUMAN
    assert text in rendered(lambda out: out.table(Report(), [Row("v", text)]), human)[0]
    assert text in rendered(lambda out: out.record(Report(voice_id=text)), human)[0]
    assert text in rendered(lambda out: out.step(text), human)[1]


def test_steps_are_for_people() -> None:
    check(lambda out: out.step("Ringing"), human=("", "Ringing"), json=(None, None), quiet=("", ""))


def log(out: Output) -> None:
    with out.logs():
        logging.getLogger("asyncflow_cli.test").info("ours")
        logging.getLogger("asyncflow_cli.test").debug("finer")
        logging.getLogger("theirs").info("theirs")
    logging.getLogger("asyncflow_cli.test").warning("too late")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, ""),
        ("verbose", "asyncflow_cli.test: ours"),
        ("debug", "asyncflow_cli.test: ours\nasyncflow_cli.test: finer\ntheirs: theirs"),
    ],
)
@pytest.mark.parametrize("format", Format)
def test_log_lines_are_for_those_who_asked(format: Format, asked: str | None, said: str) -> None:
    options: dict[str, Any] = {asked: True} if asked else {}
    assert rendered(log, format, **options) == ("", said)


def test_what_libraries_log_is_not_said_behind_our_back(capsys: pytest.CaptureFixture[str]) -> None:
    def call(out: Output) -> None:
        with out.logs():
            logging.getLogger("theirs").error("sk_CANARY")

    assert rendered(call, Format.HUMAN) == ("", "")
    assert capsys.readouterr().err == ""


def warn_first(out: Output) -> None:
    out.warnings(["Old model", "Slow"])
    out.warning("Old model")
    out.record(Report(seconds=None, tags=()))


def test_a_warning_is_said_once_and_travels_in_the_document() -> None:
    words = "Warning: Old model\nWarning: Slow"
    check(
        warn_first,
        human=("voice id  v1\noutput    a.wav", words),
        json=({**DOCUMENT, "seconds": None, "warnings": ["Old model", "Slow"]}, None),
        quiet=("a.wav", words),
    )


FAILURE = NotFoundError(
    "No voice v9",
    hint="See the list",
    code="VOICE_NOT_FOUND",
    request_id="r1",
    details={"id": "v9"},
)
PROBLEM = {
    "code": "VOICE_NOT_FOUND",
    "message": "No voice v9",
    "exit_code": 3,
    "hint": "See the list",
    "request_id": "r1",
    "details": {"id": "v9"},
}


def test_an_error_says_what_why_and_what_next_and_leaves_stdout_empty() -> None:
    words = "Error: No voice v9\n  See the list\n  [VOICE_NOT_FOUND, request r1]"
    check(
        lambda out: out.error(FAILURE),
        human=("", words),
        json=(None, {"schema": "asyncflow.error", "schema_version": 1, "error": PROBLEM}),
        quiet=("", words),
    )


def test_an_error_that_knows_no_more_says_no_more() -> None:
    words = "Error: Broken\n  [FAILED]"
    problem = {"code": "FAILED", "message": "Broken", "exit_code": 1}
    check(
        lambda out: out.error(AsyncflowError("Broken")),
        human=("", words),
        json=(None, {"schema": "asyncflow.error", "schema_version": 1, "error": problem}),
        quiet=("", words),
    )


def test_an_error_names_its_explanation_where_there_is_one() -> None:
    options: dict[str, Any] = {"explains": lambda code: code == "VOICE_NOT_FOUND"}
    words = rendered(lambda out: out.error(FAILURE), Format.HUMAN, **options)[1]
    assert words.endswith("  [VOICE_NOT_FOUND, request r1] asyncflow explain VOICE_NOT_FOUND")
    words = rendered(lambda out: out.error(AsyncflowError("Broken")), Format.HUMAN, **options)[1]
    assert words.endswith("  [FAILED]")


def test_a_few_records_are_grids_with_a_blank_line_between() -> None:
    rows = [Row("v1", "Anna"), Row("v2", "Bo")]
    check(
        lambda out: out.records(Report(), rows),
        human=("voice id  v1\nname      Anna\n\nvoice id  v2\nname      Bo", ""),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


def test_a_warning_before_an_error_travels_with_it() -> None:
    def call(out: Output) -> None:
        out.warning("Old model")
        out.error(FAILURE)

    assert msgspec.json.decode(rendered(call, Format.JSON)[1])["warnings"] == ["Old model"]


@pytest.mark.parametrize(("debug", "there"), [(False, False), (True, True)])
def test_a_traceback_is_for_those_who_debug(debug: bool, there: bool) -> None:
    for format in Format:
        words = rendered(lambda out: out.error(FAILURE), format, debug=debug)[1]
        assert ("NotFoundError: No voice v9" in words) is there


@pytest.mark.parametrize(
    ("color", "coloured"), [("auto", False), ("never", False), ("always", True)]
)
def test_colour_is_for_terminals_unless_told_otherwise(color: str, coloured: bool) -> None:
    words = rendered(lambda out: out.error(FAILURE), Format.HUMAN, color=color)[1]
    assert ("\x1b[" in words) is coloured


@pytest.mark.parametrize("format", Format)
def test_the_ready_line_is_json_for_everybody(format: Format) -> None:
    line, words = rendered(lambda out: out.ready(Report()), format)
    assert (msgspec.json.decode(line), words) == (DOCUMENT, "")


class Exports(msgspec.Struct, frozen=True, tag_field="schema", tag="test.env"):
    environment: dict[str, str]


def test_exports_are_lines_for_a_shell_or_a_document_and_hide_nothing() -> None:
    def call(out: Output) -> None:
        out.redactor.hide(("x",))
        out.exports(Exports({"A": "x", "B": "it's"}))

    lines = ("export A=x\nexport B='it'\"'\"'s'", "")
    document = {"schema": "test.env", "environment": {"A": "x", "B": "it's"}}
    check(call, human=lines, json=(document, None), quiet=lines)


# What must never be seen


def failing(text: str, **options: Any) -> Call:
    def call(out: Output) -> None:
        try:
            raise ValueError(text)
        except ValueError as cause:
            error = AsyncflowError("m", **options)
            error.__cause__ = cause
            out.error(error)

    return call


def warned(text: str) -> Call:
    def call(out: Output) -> None:
        out.warning(text)
        out.record(Report())

    return call


def logged(text: str) -> Call:
    def call(out: Output) -> None:
        with out.logs():
            logging.getLogger("asyncflow_cli.test").info(text)

    return call


WAYS: dict[str, Callable[[str], Call]] = {
    "step": lambda text: lambda out: out.step(text),
    "log": logged,
    "detail": lambda text: lambda out: out.detail(text),
    "warning": warned,
    "error": lambda text: lambda out: out.error(AsyncflowError(text)),
    "code": lambda text: lambda out: out.error(AsyncflowError("m", code=text)),
    "hint": lambda text: failing("", hint=text),
    "request id": lambda text: failing("", request_id=text),
    "details": lambda text: failing("", details={text: [text]}),
    "traceback": failing,
    "record": lambda text: lambda out: out.record(Report(voice_id=text, tags=(text,), output=text)),
    "file": lambda text: lambda out: out.file(Report(voice_id=text, output=text)),
    "table": lambda text: lambda out: out.table(Report(output=text), [Row("v", text)]),
    "ready": lambda text: lambda out: out.ready(Report(voice_id=text)),
}
UNSEEN = {("step", Format.JSON), ("step", Format.QUIET)} | {
    ("details", Format.HUMAN),
    ("details", Format.QUIET),
}
CANARIES = ("sk_CANARY", "p+q/CANARY==", 'quote"back\\CANARY')


@pytest.mark.parametrize("write", [str, lambda secret: urllib.parse.quote(secret, safe="")])
@pytest.mark.parametrize("secret", CANARIES)
@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_seen_on_any_way_out(
    way: str, format: Format, secret: str, write: Callable[[str], str]
) -> None:
    call = WAYS[way](f"before {write(secret)} after")
    seen = "\n".join(rendered(call, format, CANARIES, verbose=True, debug=way == "traceback"))
    assert "CANARY" not in seen
    assert ("before *** after" in seen) is ((way, format) not in UNSEEN)


def test_of_two_secrets_that_begin_alike_the_longer_is_hidden_whole() -> None:
    secrets = ("abcdefgh", "abcdefghij")
    seen = rendered(lambda out: out.step("abcdefghij abcdefgh"), Format.HUMAN, secrets)
    assert seen == ("", "*** ***")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("< TEXT 'key sk_CAN...' [80 bytes]", "< TEXT 'key ***...' [80 bytes]"),
        ("< TEXT '...RY&x=1 sk_CANARY'", "< TEXT '...RY&x=1 ***'"),
        ("/path?a...NARY&version=v1", "/path?a...***&version=v1"),
        ("Wait... sk is no secret ...", "Wait... sk is no secret ..."),
    ],
)
def test_half_a_secret_beside_a_cut_is_hidden_too(text: str, shown: str) -> None:
    seen = rendered(lambda out: out.step(text), Format.HUMAN, ("sk_CANARY",))
    assert seen == ("", shown)


def test_what_is_too_short_to_be_a_secret_garbles_no_words() -> None:
    seen = rendered(lambda out: out.step("token"), Format.HUMAN, ("tok",))
    assert seen == ("", "token")


@pytest.mark.parametrize(
    "text",
    [
        "https://h/p?api_key=CANARY&x=1",
        "x-api-key: CANARY",
        "{'X-API-Key': 'CANARY'}",
        '{"x-api-key":"CANARY"}',
        "Authorization: Basic CANARY==",
        "{'authorization': 'Bearer CANARY'}",
        "http://user:CANARY@proxy.example:3128 refused",
        "https://CANARY@h/p",
        "https://h/p?x=1&access_token=CANARY",
        "'sk_CANARY0123456789' is no http(s) address",
    ],
)
@pytest.mark.parametrize("format", Format)
def test_a_key_that_nobody_told_us_of_is_known_by_its_place(text: str, format: Format) -> None:
    seen = rendered(lambda out: out.error(AsyncflowError(text)), format)[1]
    assert "CANARY" not in seen
    assert "***" in seen


@pytest.mark.parametrize("text", ["Send x-api-key", "No authorization", "api_key="])
def test_a_text_about_keys_does_not_break_the_document(text: str) -> None:
    error = AsyncflowError(text, hint=text, details={"text": text})
    document = rendered(lambda out: out.error(error), Format.JSON)[1]
    problem = msgspec.json.decode(document)["error"]
    assert (problem["message"], problem["hint"]) == (text, text)
    assert problem["details"] == {"text": text}


# Bytes


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "force", "refused"),
    [
        (io.TextIOWrapper, False, False),
        (io.TextIOWrapper, True, False),
        (Terminal, True, False),
        (Terminal, False, True),
    ],
)
@pytest.mark.parametrize("format", [Format.HUMAN, Format.QUIET])
def test_audio_is_refused_on_a_terminal_unless_forced(
    stream: type[io.TextIOWrapper[io.BytesIO]], force: bool, refused: bool, format: Format
) -> None:
    bytes_written = io.BytesIO()
    out = Output(format=format, stdout=stream(bytes_written))
    if refused:
        with pytest.raises(UsageError, match="garble"):
            out.audio(force)
    else:
        out.audio(force).write(b"\xff")
        out.stdout.flush()
        assert bytes_written.getvalue() == b"\xff"


def test_audio_and_json_do_not_share_stdout() -> None:
    with pytest.raises(UsageError, match="both want stdout"):
        Output(format=Format.JSON, stdout=io.TextIOWrapper(io.BytesIO())).audio(force=True)


def test_a_table_may_have_some_of_the_columns() -> None:
    check(
        lambda out: out.table(Report(), [Row("v1", "Ann", 1.5)], ("name", "voice_id")),
        human=("name  voice id\nAnn   v1", ""),
        json=(DOCUMENT, None),
        quiet=("a.wav", ""),
    )


def test_lines_are_a_document_for_each_and_a_table_for_people() -> None:
    def call(out: Output) -> None:
        out.warning("Odd")
        out.lines(Report(), [Row("v1", "Ann"), Row("v2", "Bob")], ("voice_id", "name"))

    assert rendered(call, Format.HUMAN) == (
        "voice id  name\nv1        Ann\nv2        Bob",
        "Warning: Odd",
    )
    lines, words = rendered(call, Format.JSON)
    documents = [msgspec.json.decode(line)["voice_id"] for line in lines.splitlines()]
    assert (documents, words) == (["v1", "v2"], "Warning: Odd")
    assert rendered(call, Format.QUIET) == ("a.wav", "Warning: Odd")


def test_nothing_is_no_blank_line() -> None:
    check(
        lambda out: out.table(Report(output=None), []),
        human=("", ""),
        json=({**DOCUMENT, "output": None}, None),
        quiet=("", ""),
    )


def test_nobody_is_asked_where_nobody_is() -> None:
    out = Output(stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO())
    with pytest.raises(UsageError, match=r"Delete it\? That needs a yes") as raised:
        asyncio.run(out.confirm("Delete it?"))
    assert "-y" in str(raised.value.hint)


def test_a_yes_given_beforehand_asks_nothing() -> None:
    asked = io.StringIO()
    out = Output(yes=True, no_input=True, stdin=io.StringIO(), stderr=asked)
    asyncio.run(out.confirm("Delete it?"))
    assert asked.getvalue() == ""
