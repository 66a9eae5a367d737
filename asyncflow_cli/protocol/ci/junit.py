"""Steps as JUnit XML, which every CI reads.

There is no one schema; attributes and elements here are those that its readers agree on:
https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from asyncflow_cli.protocol.ci.report import Result, StepReport, SuiteReport

# https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ELEMENTS = {Result.FAILED: "failure", Result.BROKEN: "error", Result.SKIPPED: "skipped"}


def as_junit(report: SuiteReport) -> bytes:
    """One suite. A step is a case; what was not as expected is a `failure`, what could not be run
    an `error`."""
    counts = {
        "tests": str(len(report.steps)),
        "failures": str(report.failed),
        "errors": str(report.broken),
        "skipped": str(report.skipped),
        "time": _seconds(report.seconds),
    }
    root = ET.Element("testsuites", {"name": _clean(report.name), **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _clean(report.name), **counts})
    for step in report.steps:
        _case(suite, report, step)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ET.Element, report: SuiteReport, step: StepReport) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "name": _clean(step.name),
            "classname": _clean(report.name),
            "file": _clean(report.file),
            "line": str(step.line),
            "time": _seconds(step.seconds),
        },
    )
    if step.result in _ELEMENTS:
        reasons = [why for _, why in step.reasons]
        found = ET.SubElement(case, _ELEMENTS[step.result], {"message": _clean("; ".join(reasons))})
        if step.result is not Result.SKIPPED:
            found.set("type", step.result)
            found.text = _clean("\n".join(reasons))
    ET.SubElement(case, "system-out").text = _clean(f"asyncflow {step.run}")


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
