"""The sandbox's half of the Async API over HTTP, as a stranger with the documentation sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from asyncflow_cli.sandbox.engine import Engine
from asyncflow_cli.sandbox.speaker import API_KEY, Speaker
from asyncflow_cli.sandbox.speechapi import routes
from asyncflow_cli.sandbox.store import Store
from tests.conftest import ServedSandbox

VOICE = "e0f39dc4-f691-4e78-bba5-5c636692cc04"
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000}
GOOD = {
    "model_id": "async_flash_v1.5",
    "transcript": "Hello.",
    "voice": {"mode": "id", "id": VOICE},
    "output_format": RAW,
}
KEY = {"x-api-key": API_KEY, "version": "v1"}
SPEECH = "/text_to_speech"


@pytest.fixture
def web(fast: ServedSandbox) -> Any:
    url = fast.sandbox.url
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        yield client


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good request with one thing another; None takes it out."""
    made: dict[str, Any] = {**GOOD, "voice": {**GOOD["voice"]}, "output_format": {**RAW}}  # type: ignore[dict-item]
    *parents, last = path.split(".")
    inner = made
    for name in parents:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return made


def test_the_status_needs_no_key(web: httpx.Client) -> None:
    response = web.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"status": "ok", "version": "v1"}


@pytest.mark.parametrize(
    ("output_format", "content_type", "magic"),
    [
        (RAW, "application/octet-stream", b""),
        ({**RAW, "encoding": "pcm_f32le"}, "application/octet-stream", b""),
        ({**RAW, "container": "wav", "sample_rate": 44100}, "audio/wav", b"RIFF"),
        ({"container": "mp3", "sample_rate": 44100, "bit_rate": 64000}, "audio/mpeg", b""),
        ({"container": "mp3", "sample_rate": 24000}, "audio/mpeg", b""),
    ],
)
def test_speech_comes_in_the_format_asked_for(
    web: httpx.Client, output_format: Any, content_type: str, magic: bytes
) -> None:
    asked = {**GOOD, "output_format": output_format}
    response = web.post(SPEECH, json=asked, headers=KEY)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert int(response.headers["content-length"]) == len(response.content) > 1000
    assert response.content.startswith(magic)


@pytest.mark.parametrize(
    "more",
    [
        {"language": "de"},
        {"speed_control": 1.5, "stability": 50},
        {"normalize": False},
        {"model_id": "asyncflow_v2.0"},
        {"of_tomorrow": [1]},
    ],
)
def test_what_is_optional_and_what_is_unknown_is_taken(web: httpx.Client, more: Any) -> None:
    assert web.post(SPEECH, json={**GOOD, **more}, headers=KEY).status_code == 200


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, ""),
        ({"x-api-key": ""}, ""),
        ({"x-api-key": "sk_wrong_and_long"}, "sk_wr..."),
        ({"authorization": f"Bearer {API_KEY}"}, ""),
        ({"api_key": API_KEY}, ""),
        ({"x-api-key": f"{API_KEY} "[:-2]}, "sk_sa..."),
    ],
)
def test_a_key_that_is_not_ours_is_refused(
    web: httpx.Client, headers: dict[str, str], shown: str
) -> None:
    response = web.post(SPEECH, json=GOOD, headers=headers)
    assert response.status_code == 401
    detail = response.json()["detail"]
    assert response.json() == {"detail": detail}
    assert {**detail, "message": ""} == {
        "error_code": "INVALID_API_KEY",
        "message": "",
        "extra": {"api_key": shown},
    }


@pytest.mark.parametrize("path", ["/", SPEECH])
@pytest.mark.parametrize(
    ("headers", "query", "ok"),
    [
        ({}, "", True),
        ({"version": "v1"}, "", True),
        ({"api-version": "v1"}, "", True),
        ({}, "?version=v1", True),
        ({"version": "v1", "api-version": "v9"}, "?version=v9", True),
        ({"version": "v2"}, "", False),
        ({"api-version": "v2"}, "", False),
        ({}, "?version=v2", False),
    ],
)
def test_there_is_one_version(
    web: httpx.Client, path: str, headers: dict[str, str], query: str, ok: bool
) -> None:
    headers = {"x-api-key": API_KEY, **headers}
    body = None if path == "/" else GOOD
    response = web.request(
        "GET" if path == "/" else "POST", path + query, json=body, headers=headers
    )
    assert response.status_code == (200 if ok else 404)
    if not ok:
        assert list(response.json()["detail"]) == ["error_code", "message"]
        assert response.json()["detail"]["error_code"] == "VERSION_NOT_FOUND"


def test_the_key_comes_before_the_version_and_both_before_the_body(web: httpx.Client) -> None:
    def code(**headers: str) -> Any:
        return web.post(SPEECH, content=b"{", headers=headers).status_code

    assert code(version="v2") == 401
    assert code(version="v2", **{"x-api-key": API_KEY}) == 404
    assert code(**{"x-api-key": API_KEY}) == 422


@pytest.mark.parametrize(
    ("path", "value", "status", "code", "extra"),
    [
        ("voice.id", "nobody", 404, "VOICE_NOT_FOUND", {"voice_id": "nobody"}),
        ("language", "xx", 400, "INVALID_LANGUAGE", None),
        ("language", "en-US", 400, "INVALID_LANGUAGE", None),
    ],
)
def test_documented_refusals_have_the_documented_shape(
    web: httpx.Client, path: str, value: Any, status: int, code: str, extra: Any
) -> None:
    response = web.post(SPEECH, json=changed(path, value), headers=KEY)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    detail = response.json()["detail"]
    assert (detail.pop("error_code"), detail.pop("extra", None)) == (code, extra)
    assert isinstance(detail.pop("message"), str)
    assert detail == {}


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("model_id", None, "missing"),
        ("model_id", 1, "value_error"),
        ("model_id", "gpt", "value_error"),
        ("transcript", None, "missing"),
        ("transcript", "", "value_error"),
        ("transcript", " \n", "value_error"),
        ("transcript", ["a"], "value_error"),
        ("voice", None, "missing"),
        ("voice", "an id", "value_error"),
        ("voice.id", None, "missing"),
        ("voice.mode", "clone", "value_error"),
        ("output_format", None, "missing"),
        ("output_format.container", "ogg", "value_error"),
        ("output_format.container", None, "missing"),
        ("output_format.sample_rate", 7999, "value_error"),
        ("output_format.sample_rate", 48001, "value_error"),
        ("output_format.sample_rate", "8000", "value_error"),
        ("output_format.encoding", "pcm_mulaw", "enum"),
        ("output_format.bit_rate", 1, "value_error"),
        ("speed_control", 2.1, "value_error"),
        ("speed_control", 0.6, "value_error"),
        ("stability", 101, "value_error"),
        ("normalize", "yes", "value_error"),
    ],
)
def test_what_does_not_validate_names_the_place(
    web: httpx.Client, path: str, value: Any, kind: str
) -> None:
    response = web.post(SPEECH, json=changed(path, value), headers=KEY)
    assert response.status_code == 422
    ((violation,),) = response.json().values()
    assert violation["loc"] == ["body", *path.split(".")]
    assert violation["type"] == kind
    assert sorted(violation) == ["loc", "msg", "type"]
    assert violation["msg"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'"\xff"', b"null", b"[]", b"[" * 50_000, b'{"transcript": "\\ud800"}'],
)
def test_a_body_that_is_no_request_is_never_our_crash(web: httpx.Client, body: bytes) -> None:
    response = web.post(SPEECH, content=body, headers=KEY)
    assert response.status_code == 422
    ((violation,),) = response.json().values()
    assert violation["loc"][0] == "body"


def test_other_methods_and_paths_are_not_imitated(web: httpx.Client) -> None:
    for method, path in (("GET", SPEECH), ("DELETE", SPEECH), ("POST", "/nothing")):
        assert web.request(method, path, headers=KEY).status_code in (405, 501)


def test_every_word_is_remembered(web: httpx.Client, fast: ServedSandbox) -> None:
    audio = web.post(SPEECH, json=GOOD, headers=KEY).content
    speech = fast.sandbox.store.speeches()[-1]
    assert (speech.operation, speech.transcript, speech.audio) == (
        "text_to_speech",
        "Hello.",
        audio,
    )


@contextlib.asynccontextmanager
async def in_process(engine: Engine, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=routes(Speaker(engine, store)))
    transport = httpx.ASGITransport(app)
    async with engine, httpx.AsyncClient(base_url="http://h", transport=transport) as client:
        yield client


def test_without_an_engine_speech_is_unavailable_and_the_rest_is_there() -> None:
    async def test() -> None:
        with contextlib.closing(Store(None)) as store:
            async with in_process(Engine("none"), store) as web:
                response = await web.post(SPEECH, json=GOOD, headers=KEY)
                assert response.status_code == 503
                detail = response.json()["detail"]
                assert detail["error_code"] == "ENGINE_MISSING"
                assert "pip install" in detail["message"]
                assert (await web.post(SPEECH, json=GOOD)).status_code == 401
                assert (await web.get("/")).status_code == 200
            assert store.speeches() == []

    asyncio.run(test())


def test_whatever_else_breaks_is_a_500_of_the_documented_shape() -> None:
    async def test() -> None:
        store = Store(None)
        store.close()
        async with in_process(Engine(), store) as web:
            response = await web.post(SPEECH, json=GOOD, headers=KEY)
        assert response.status_code == 500
        body = response.json()
        assert {**body, "detail": ""} == {
            "message": "Internal server error",
            "method": "POST",
            "url": SPEECH,
            "detail": "",
        }
        assert body["detail"]

    asyncio.run(test())
