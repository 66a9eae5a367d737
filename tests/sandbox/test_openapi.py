"""The sandbox's HTTP face against `docs/openapi.yaml`, by requests that nobody thought of.

That file is the third witness: what client and sandbox agree on can still be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import ServedSandbox
from tests.sandbox.stranger import ADAM, JENNIE, KEY

SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.yaml")
OPERATIONS = {
    made.ok().label: made.ok() for made in SCHEMA.get_all_operations() if isinstance(made, Ok)
}

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MODES = {"right": GenerationMode.POSITIVE, "wrong": GenerationMode.NEGATIVE}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedSandbox]:
    with ServedSandbox() as made:
        yield made


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation_is_served(served: ServedSandbox, label: str) -> None:
    method, path = label.split()
    url = served.sandbox.url + path.replace("{id}", ADAM)
    response = httpx.request(method, url, headers=KEY, trust_env=False)
    assert response.status_code not in (405, 500, 501), response.text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_as_described(served: ServedSandbox, label: str, mode: str) -> None:
    strategy = OPERATIONS[label].as_strategy(MODES[mode])

    @given(case=strategy, voice_id=st.sampled_from([ADAM, JENNIE, "nobody"]))
    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case[Any], voice_id: str) -> None:
        if case.path_parameters:
            case.path_parameters["id"] = voice_id
        if mode == "right":
            _make_likely(case.body, voice_id)
        # The version is sent as documented: of every other the file says too little.
        response = case.call(base_url=served.sandbox.url, headers=KEY)
        case.validate_response(response, checks=CHECKS)

    check()


def _make_likely(body: Any, voice_id: str) -> None:
    """Random names would only ever find that there is no such voice or model."""
    if not isinstance(body, dict):
        return
    if "transcript" in body and "voice" in body:
        body["model_id"] = "async_flash_v1.0"
        body["transcript"] = f"Well, {body['transcript']}"
        body["voice"] = {"mode": "id", "id": voice_id}
    if "file" in body:
        body["model_id"] = "async_asr_v1.0"
    if "voice_ids" in body:
        body["voice_ids"] = [voice_id] * len(body["voice_ids"])
