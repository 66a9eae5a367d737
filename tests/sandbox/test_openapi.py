"""The sandbox's HTTP face against `docs/openapi.yaml`, by requests that nobody thought of.

That file is the third witness: what client and sandbox agree on can still be wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import ServedSandbox
from tests.sandbox.stranger import ADAM, JENNIE, KEY

if TYPE_CHECKING:
    import schemathesis

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@functools.cache
def operations() -> dict[str, Any]:
    """By method and path. Read when first asked for: it takes a second, and every worker of the
    suite imports this file."""
    import schemathesis
    from schemathesis.core.result import Ok

    schema = schemathesis.openapi.from_path(DOCUMENT)
    made = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return {operation.label: operation for operation in made}


@functools.cache
def checks() -> list[Callable[..., Any]]:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]


def test_every_operation_is_served(served: ServedSandbox) -> None:
    assert len(operations()) == 12
    for label in operations():
        method, path = label.split()
        url = served.sandbox.url + path.replace("{id}", ADAM)
        response = httpx.request(method, url, headers=KEY, trust_env=False)
        assert response.status_code not in (405, 500, 501), (label, response.text)


@pytest.mark.parametrize("mode", ["right", "wrong"])
def test_answers_are_as_described(served: ServedSandbox, mode: str) -> None:
    for label in operations():
        _ask(served, label, mode, times=10)


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["right", "wrong"])
def test_answers_are_as_described_however_often_one_asks(served: ServedSandbox, mode: str) -> None:
    for label in operations():
        _ask(served, label, mode, times=100)


def _ask(served: ServedSandbox, label: str, mode: str, *, times: int) -> None:
    from hypothesis import HealthCheck, given, note, settings
    from hypothesis import strategies as st
    from schemathesis import GenerationMode

    modes = {"right": GenerationMode.POSITIVE, "wrong": GenerationMode.NEGATIVE}
    strategy = operations()[label].as_strategy(modes[mode])

    @given(case=strategy, voice_id=st.sampled_from([ADAM, JENNIE, "nobody"]))
    @settings(
        max_examples=times,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case[Any], voice_id: str) -> None:
        note(label)
        if case.path_parameters:
            case.path_parameters["id"] = voice_id
        if mode == "right":
            _make_likely(case.body, voice_id)
        # The version is sent as documented: of every other the file says too little.
        response = case.call(base_url=served.sandbox.url, headers=KEY)
        case.validate_response(response, checks=checks())

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


def test_bytes_are_called_so_in_the_words_of_every_generator() -> None:
    """Some know OpenAPI 3.0's `format: binary` only, and make a text of an upload otherwise."""
    with DOCUMENT.open() as lines:
        of_bytes = [
            (before, line) for before, line in pairwise(lines) if "contentMediaType" in line
        ]
    assert of_bytes
    assert all("format: binary" in before + line for before, line in of_bytes)
