"""The reference and the man pages are what the command tree says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asyncflow_cli import cli
from asyncflow_cli.manual import written
from asyncflow_cli.manual.documents import documents
from asyncflow_cli.manual.reading import pages
from asyncflow_cli.settings import FIELDS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = pages(cli.build())
WRITTEN = documents(PAGES)


def test_the_documents_are_what_the_code_says() -> None:
    stale = [name for name, text in WRITTEN.items() if not (DOCS / name).exists()]
    stale += [name for name in WRITTEN if (DOCS / name).read_text("utf-8") != WRITTEN[name]]
    assert stale == [], "make docs"


def test_help_and_completion_read_what_the_code_says() -> None:
    assert written.FILE.read_text("utf-8") == written.text(PAGES), "make docs"
    assert [written.page(page.command) for page in PAGES] == PAGES


def test_no_page_is_left_of_a_command_that_is_gone() -> None:
    there = {f"man/{path.name}" for path in (DOCS / "man").iterdir()}
    assert there == set(WRITTEN) - {"reference.md"}


def test_the_reference_names_every_variable_and_links_to_every_chapter() -> None:
    text = WRITTEN["reference.md"]
    for field in FIELDS.values():
        for name in field.metadata["names"]:
            assert f"| `{name}` |" in text
    chapters = {title.replace(" ", "-") for title in re.findall(r"^## (.+)", text, re.M)}
    assert set(re.findall(r"\(#([\w-]+)\)", text)) <= chapters


def test_no_line_of_a_man_page_is_a_request_by_accident() -> None:
    known = (".TH ", ".SH ", ".PP", ".TP", ".B ", ".nf", ".fi")
    for name, text in WRITTEN.items():
        if name.endswith(".1"):
            odd = [line for line in text.splitlines() if line[:1] in ".'"]
            assert all(line.startswith(known) for line in odd if line), name


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_reads_the_man_pages_without_a_complaint() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", *sorted(map(str, DOCS.glob("man/*.1")))],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
