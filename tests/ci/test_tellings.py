"""What a run is told as: JUnit XML, GitHub's annotations, Markdown, a table."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from asyncflow_cli.protocol.ci.github import annotated, markdown
from asyncflow_cli.protocol.ci.junit import as_junit
from asyncflow_cli.protocol.ci.report import Result, SuiteReport, suite_report
from asyncflow_cli.protocol.ci.verdict import Done, judged, unrun
from tests.ci.files import suite_of

NASTY = "50 % of |a| <b>, `c`: d\nsecond ]]> \x1b[31m \ud800 é".encode("utf-8", "replace").decode()

SUITE = suite_of("""
    name: smoke & mirrors
    parallel: 2
    steps:
      - run: status
      - name: Slow, and late
        run: status
        expect:
          latency: < 1ms
          outcome: up
      - name: tries twice
        run: status
      - name: hangs
        run: status
      - name: follows
        run: status
        needs: hangs
""")


def done(code: int = 0, stdout: bytes = b'{"status": "up", "latency_ms": 9}', **error: str) -> Done:
    stderr = msgspec.json.encode({"error": error}) if error else b""
    return Done.of(code, stdout if not error else b"", stderr, 0.5)


@pytest.fixture
def report() -> SuiteReport:
    good, slow, twice, hangs, follows = SUITE.steps
    steps = [
        judged(good, done(), attempts=1),
        judged(slow, done(), attempts=1),
        judged(twice, done(), attempts=2),
        unrun(hangs, Result.BROKEN, NASTY, attempts=1),
        unrun(follows, Result.SKIPPED, "it needs 'hangs', which did not pass", attempts=0),
    ]
    return suite_report(name=SUITE.name, file="ci/smoke.yaml", sandbox=True, seconds=2, steps=steps)


SHAPE = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": (
        {"name", "classname", "file", "line", "time"},
        {"failure", "error", "skipped", "system-out"},
    ),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
"""Every element, with all its attributes and what may stand in it."""


def strictly(element: ET.Element) -> None:
    """AssertionError for anything that readers of JUnit XML do not agree on."""
    attributes, children = SHAPE[element.tag]
    assert set(element.attrib) == attributes, element.tag
    assert {child.tag for child in element} <= children, element.tag
    if "tests" in attributes:
        cases = list(element.iter("testcase"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[name]) == sum(c.find(tag) is not None for c in cases)
        assert int(element.attrib["tests"]) == len(cases)
    if element.tag == "testcase":
        assert sum(child.tag != "system-out" for child in element) <= 1
    if "time" in attributes:
        assert float(element.attrib["time"]) >= 0
    for child in element:
        strictly(child)


def test_junit_is_what_strict_readers_take(report: SuiteReport) -> None:
    root = ET.fromstring(as_junit(report))
    strictly(root)
    assert root.attrib["name"] == "smoke & mirrors"
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    late = cases["Slow, and late"]
    assert (late.attrib["file"], late.attrib["line"]) == ("ci/smoke.yaml", "6")
    assert late.attrib["time"] == "0.500"
    (failure, _) = late
    assert failure.attrib["message"] == "latency < 1ms: it is 0.009 s"
    hangs = cases["hangs"].find("error")
    assert hangs is not None
    assert "\x1b" not in str(hangs.text)
    assert "second ]]> " in str(hangs.text)


def test_annotations_name_the_line_of_what_did_not_hold(report: SuiteReport) -> None:
    late, twice, hangs = annotated(report, "ci/smoke.yaml")
    assert late == (
        "::error file=ci/smoke.yaml,line=9,title=Slow%2C and late::latency < 1ms: it is 0.009 s"
    )
    assert twice == "::warning file=ci/smoke.yaml,line=11,title=tries twice::Passed at attempt 2"
    assert hangs.startswith("::error file=ci/smoke.yaml,line=13,title=hangs::50 %25 of |a|")
    assert "\n" not in hangs


def test_the_summary_is_a_table_whatever_stands_in_it(report: SuiteReport) -> None:
    heading, _, *table = markdown(report).splitlines()
    assert heading == "### smoke & mirrors: 2 of 5 steps passed in the sandbox"
    assert [row.replace("\\|", "").count("|") for row in table if row] == [5] * 7
    assert "\\<b\\>" in markdown(report)
    assert "at attempt 2" in table[4]


def test_what_could_not_run_weighs_more_than_what_failed(report: SuiteReport) -> None:
    failure = report.failure
    assert failure is not None
    assert (failure.exit_code, failure.code) == (1, "STEP_NOT_RUN")
    assert "ci/smoke.yaml, line 9: Slow, and late: latency < 1ms: it is 0.009 s" in failure.message
    assert "follows" not in failure.message, "it did nothing wrong"


def test_a_command_that_failed_is_asked_for_what_its_error_tells() -> None:
    (step,) = suite_of("""
        steps:
          - run: call Hi --to ${NUMBER}
            expect: {exit: [20, 21], error: CALLEE_BUSY, outcome: busy}
    """).steps
    stderr = b'{"error":{"code":"CALLEE_BUSY","message":"Busy","details":{"end_reason":"busy"}}}\n'
    report = judged(step, Done.of(20, b"", b"words\n" + stderr, 1), attempts=1)
    assert (report.result, report.error) == (Result.PASSED, "Busy [CALLEE_BUSY]")


def test_the_document_is_the_last_line_of_many() -> None:
    (step,) = suite_of("""
        steps:
          - run: call Hi --to ${NUMBER}
            expect: {outcome: completed, fields: {at: 1}}
    """).steps
    out = b'{"event":"ready","at":1}\n{"end_reason":"completed"}\n'
    report = judged(step, Done.of(0, out, b"", 1), attempts=1)
    assert [check.told for check in report.failed_checks] == ["at 1: there is none"]


CALL = {
    **{"latency_ms": 900, "first_byte_ms": 40, "first_audio_ms": 50, "elapsed_ms": 1000},
    **{"seconds": 9, "seconds_heard": 3.5, "status": "completed", "end_reason": "hung-up"},
    **{"text": "one two three", "heard_text": "one two"},
}
WORDS = {"words": [{"text": text} for text in "abcde"], "text": "a"}


@pytest.mark.parametrize(
    ("document", "measure", "value", "another"),
    [
        (CALL, "latency", "50ms", "40ms"),
        (CALL, "duration", "3.5s", "9s"),
        (CALL, "elapsed", "500ms", "0"),
        (CALL, "outcome", "hung-up", "completed"),
        (CALL, "words", "2", "3"),
        (WORDS, "words", "5", "1"),
        (CALL, "exit", "0", "1"),
    ],
)
def test_each_measure_is_taken_where_a_command_tells_it_best(
    document: dict[str, Any], measure: str, value: str, another: str
) -> None:
    for wanted, result in ((value, Result.PASSED), (another, Result.FAILED)):
        (step,) = suite_of(f"steps: [{{run: status, expect: {{{measure}: {wanted}}}}}]").steps
        done = Done.of(0, msgspec.json.encode(document), b"", 0.5)
        assert judged(step, done, attempts=1).result is result, wanted


@pytest.mark.parametrize("out", [b"", b"no JSON", b"[1]", b"\xff\xfe", b"null"])
def test_what_is_no_document_tells_nothing(out: bytes) -> None:
    (step,) = suite_of("steps: [{run: status, expect: {outcome: up}}]").steps
    report = judged(step, Done.of(0, out, out, 1), attempts=1)
    assert [check.told for check in report.failed_checks] == ["outcome up: there is none"]
