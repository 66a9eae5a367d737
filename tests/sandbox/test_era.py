"""The service of 2025, when it was called AsyncFlow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.speaker import API_KEY
from tests.conftest import ServedSandbox
from tests.sandbox.stranger import ADAM, KEY, code, speech, voice, web

OLD = "asyncflow_v2.0"
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedSandbox]:
    with ServedSandbox(choices=Choices(era="asyncflow")) as made:
        yield made


@pytest.fixture
def http(served: ServedSandbox) -> Iterator[httpx.Client]:
    with web(served.sandbox) as client:
        yield client


def test_the_status_is_ok(http: httpx.Client) -> None:
    assert http.get("/").json() == {"ok": True, "version": "v1"}


def test_a_voice_has_an_id_and_a_lower_case_gender(http: httpx.Client) -> None:
    listed = http.post("/voices", json={"limit": 1}).json()["voices"]
    assert listed == [http.get(f"/voices/{ADAM}").json()]
    assert {**listed[0], "description": "", "created_at": ""} == {
        "id": ADAM,
        "my_voice": False,
        "name": "Adam",
        "description": "",
        "created_at": "",
        "language": "en",
        "is_starred": False,
        "gender": "male",
    }


def test_an_update_is_a_patch_that_answers_with_the_voice(http: httpx.Client) -> None:
    audio = http.post("/text_to_speech", json=speech("Very " * 30, model_id=OLD)).content
    form = {"name": "Mine", "language": "en", "enhance": "false"}
    made = http.post("/voices/clone", files={"audio": ("c", audio)}, data=form).json()["id"]
    refused = http.put(f"/voices/{made}", json={"name": "New"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, PATCH")
    assert http.patch(f"/voices/{made}", json={"name": "New"}).status_code == 422
    changed = http.patch(f"/voices/{made}", json={"name": "New", "description": "x"})
    assert changed.status_code == 200
    body = changed.json()
    assert (body["id"], body["name"], body["my_voice"]) == (made, "New", True)
    fixed = http.patch(f"/voices/{ADAM}", json={"name": "New", "description": "x"})
    assert code(fixed) == "VOICE_FIELD_UPDATE_NOT_ALLOWED"


def test_models_are_those_of_the_time(http: httpx.Client) -> None:
    path = "/text_to_speech/streaming"
    for model, status in (
        (OLD, 200),
        ("asyncflow_multilingual_v1.0", 200),
        ("async_pro_v1.0", 422),
    ):
        asked = speech(model_id=model, output_format=RAW)
        assert http.post(path, json=asked).status_code == status


def test_what_came_later_is_not_there(http: httpx.Client) -> None:
    assert http.post("/voices/batch", json={"voice_ids": []}).status_code == 405
    assert http.post("/speech_to_text", headers=KEY).status_code == 501


def talk(http: httpx.Client, *frames: dict[str, Any]) -> list[dict[str, Any]]:
    host = f"{http.base_url.host}:{http.base_url.port}"
    headers = {"api_key": API_KEY, "version": "v1"}
    url = f"ws://{host}/text_to_speech/websocket/ws"
    init = {"model_id": OLD, "voice": voice(ADAM), "output_format": RAW}
    with connect(url, additional_headers=headers, proxy=None) as socket:
        for frame in (init, *frames):
            socket.send(json.dumps(frame))
        answers = []
        for text in socket:
            answers.append(json.loads(text))
            if answers[-1].get("final") or answers[-1].get("error_code"):
                return answers
    return answers


def test_a_socket_is_one_stream_without_names(http: httpx.Client) -> None:
    frames = talk(
        http,
        {"transcript": "Good ", "context_id": "a"},
        {"transcript": "morning. ", "context_id": "b"},
        {"text": ""},
    )
    assert [frame["final"] for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert all(set(frame) == {"audio", "final"} for frame in frames)
    assert len(frames) > 1


def test_a_context_cannot_be_closed(http: httpx.Client) -> None:
    frames = talk(http, {"transcript": "", "context_id": "a", "close_context": True})
    assert frames[-1]["error_code"] == "SANDBOX_PROTOCOL_ERROR"
