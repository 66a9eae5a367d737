"""docs/ci.md says what is so."""

from __future__ import annotations

import re

import msgspec
import pytest
import yaml

from asyncflow_cli import cli
from asyncflow_cli.manual.reading import pages
from asyncflow_cli.protocol.ci.keys import ExpectKeys, Keys, StepKeys, SuiteKeys
from asyncflow_cli.protocol.ci.verdict import MEASURES
from tests.ci.files import EXAMPLE, suite_of

GUIDE = EXAMPLE.with_name("ci.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)]


@pytest.mark.parametrize(
    ("title", "keys"), [("Key", SuiteKeys), ("Key of a step", StepKeys), ("Under ", ExpectKeys)]
)
def test_every_key_of_a_file_stands_in_the_guide(title: str, keys: type[Keys]) -> None:
    (table,) = re.findall(rf"^\| {title}(?:`expect`)? \|.*\n((?:\|.*\n)+)", GUIDE, re.M)
    told = re.findall(r"^\| `(\w+)`", table, re.M)
    assert sorted(told) == sorted(field.name for field in msgspec.structs.fields(keys))


def test_every_key_under_expect_is_measured() -> None:
    assert set(MEASURES) | {"fields"} == set(ExpectKeys.__struct_fields__)


def test_the_files_of_the_guide_can_be_read() -> None:
    files = [block for block in BLOCKS if isinstance(block.get("steps"), list)]
    assert len(files) == 2
    for block in files:
        assert suite_of(yaml.safe_dump(block)).steps


def test_the_workflows_of_the_guide_say_what_the_command_line_knows() -> None:
    (page,) = [page for page in pages(cli.build()) if page.command == "ci run"]
    terms = " ".join(row.term for s in page.sections for row in s.rows)
    known = set(re.findall(r"--[\w-]+", terms.replace("[no-]", "")))
    lines = re.findall(r"(?:run: |- )(asyncflow .*)", GUIDE)
    assert len(lines) == 3
    for line in lines:
        assert " ci run smoke.yaml" in line
        assert set(re.findall(r"--[\w-]+", line)) <= known


def test_the_workflow_for_github_has_jobs_with_and_without_secrets() -> None:
    (workflow,) = [block for block in BLOCKS if "jobs" in block]
    sandbox, live = workflow["jobs"]["sandbox"], workflow["jobs"]["live"]
    assert "secrets" not in str(sandbox)
    assert "secrets.ASYNC_API_KEY" in str(live)
    assert all(set(step) & {"uses", "run"} for job in (sandbox, live) for step in job["steps"])
