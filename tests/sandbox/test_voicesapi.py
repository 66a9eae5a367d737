"""The voice library, as a stranger with the documentation sees it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from asyncflow_cli.sandbox.choices import Choices, Cursor, Paging
from asyncflow_cli.sandbox.engine import Engine
from asyncflow_cli.sandbox.previews import LIFETIME, Signatures
from asyncflow_cli.sandbox.speaker import Speaker
from asyncflow_cli.sandbox.speechapi import routes
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.voices import LIBRARY
from tests.conftest import ServedSandbox
from tests.sandbox.stranger import ADAM, JENNIE, KEY, code, seconds_of, web

FIELDS = {
    *("voice_id", "name", "description", "language", "gender", "accent", "style"),
    *("created_at", "updated_at", "voice_type"),
}


@pytest.fixture
def http(served: ServedSandbox) -> Iterator[httpx.Client]:
    served.sandbox.store.reset()
    with web(served.sandbox) as client:
        yield client


def add(store: Store, count: int) -> list[str]:
    """Custom voices, as many as that."""
    ids = [str(uuid.UUID(int=number + 1)) for number in range(count)]
    like: dict[str, Any] = msgspec.to_builtins(LIBRARY[0])
    for number, voice_id in enumerate(ids):
        store.put_voice(voice_id, {**like, "voice_id": voice_id, "name": f"Mine {number}"})
    return ids


def ids_of(response: httpx.Response) -> list[str]:
    return [voice["voice_id"] for voice in response.json()["voices"]]


@pytest.mark.parametrize("body", [b"", b"{}", b" \n"])
def test_the_body_of_a_list_is_optional(http: httpx.Client, body: bytes) -> None:
    response = http.post("/voices", content=body)
    assert response.status_code == 200
    assert sorted(response.json()) == ["next_cursor", "voices"]
    assert ids_of(response)[0] == ADAM
    assert len(ids_of(response)) == 10
    assert all(set(voice) == FIELDS for voice in response.json()["voices"])


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"language": "tr"}, ["Emre"]),
        ({"language": "nl"}, []),
        ({"gender": "Neutral"}, ["Robin"]),
        ({"accent": "scot"}, ["Fiona"]),
        ({"style": "Advertising", "gender": "Female"}, ["Lucía"]),
        ({"language": "en", "accent": "French"}, ["Camille"]),
        ({"model_id": "async_flash_v1.0", "language": "ro"}, ["Andrei"]),
        ({"my_voice": True}, ["Mine 0"]),
        ({"my_voice": False, "language": "ru"}, ["Ekaterina"]),
        ({"gender": "Unspecified"}, []),
    ],
)
def test_filters(
    http: httpx.Client, served: ServedSandbox, filters: dict[str, Any], names: list[str]
) -> None:
    add(served.sandbox.store, 1)
    voices = http.post("/voices", json=filters).json()["voices"]
    assert [voice["name"] for voice in voices] == names


@pytest.mark.parametrize(
    "body",
    [{"limit": 0}, {"limit": 101}, {"limit": "5"}, {"language": "xx"}, {"gender": "male"}, []],
)
def test_a_list_that_does_not_validate(http: httpx.Client, body: Any) -> None:
    assert http.post("/voices", json=body).status_code == 422


def pages(http: httpx.Client, *, by_cursor: bool, limit: int = 60) -> list[tuple[list[str], str]]:
    """Page after page, by the cursor or by the last id, until the cursor or the voices end."""
    found: list[tuple[list[str], str]] = []
    after: dict[str, str] = {}
    while len(found) < 20:
        response = http.post("/voices", json={"limit": limit, **after})
        ids, cursor = ids_of(response), response.json()["next_cursor"]
        found.append((ids, cursor))
        if not ids or not cursor:
            return found
        after = {"after": cursor if by_cursor else ids[-1]}
    return found


def library(count: int, cursor: Cursor = "last", *paging: Paging) -> ServedSandbox:
    """So many voices altogether."""
    served = ServedSandbox(choices=Choices(cursor=cursor, paging=frozenset(paging)))
    add(served.sandbox.store, count - len(LIBRARY))
    return served


def test_250_voices_come_in_pages_by_the_cursor_as_by_the_last_id() -> None:
    with library(250) as served, web(served.sandbox) as http:
        for by_cursor in (True, False):
            found = pages(http, by_cursor=by_cursor)
            assert [len(ids) for ids, _ in found] == [60, 60, 60, 60, 10]
            assert [cursor for _, cursor in found] == [ids[-1] for ids, _ in found[:-1]] + [""]
            assert len({voice_id for ids, _ in found for voice_id in ids}) == 250


def test_the_other_reading_names_the_first_voice_of_the_next_page() -> None:
    with library(250, "next") as served, web(served.sandbox) as http:
        found = pages(http, by_cursor=False)
        assert [cursor for _, cursor in found] == [ids[0] for ids, _ in found[1:]] + [""]
        assert len({voice_id for ids, _ in found for voice_id in ids}) == 250
        # Whoever takes that for the last id of the page loses a voice with every page.
        lost = pages(http, by_cursor=True)
        assert len({voice_id for ids, _ in lost for voice_id in ids}) == 250 - 4


@pytest.mark.parametrize("cursor", ["last", "next"])
def test_voices_may_come_twice(cursor: Cursor) -> None:
    with library(250, cursor, Paging.DUPLICATES) as served, web(served.sandbox) as http:
        found = [voice_id for ids, _ in pages(http, by_cursor=False) for voice_id in ids]
        assert (len(found), len(set(found))) == (254, 250)


def test_a_cursor_may_be_repeated_for_ever() -> None:
    with library(250, "last", Paging.REPEATED_CURSOR) as served, web(served.sandbox) as http:
        found = pages(http, by_cursor=True)
        assert len(found) == 20
        assert len({cursor for _, cursor in found}) == 1
        assert found[1][0] == found[2][0] != found[0][0]


@pytest.mark.parametrize(("count", "sizes"), [(120, [60, 60, 0]), (250, [60, 60, 60, 60, 10, 0])])
def test_the_last_page_may_be_empty(count: int, sizes: list[int]) -> None:
    with library(count, "last", Paging.EMPTY_LAST_PAGE) as served, web(served.sandbox) as http:
        found = pages(http, by_cursor=True)
        assert [len(ids) for ids, _ in found] == sizes
        assert found[-1] == ([], "")


def test_an_unknown_cursor_leads_nowhere(http: httpx.Client) -> None:
    assert http.post("/voices", json={"after": "x"}).json() == {"voices": [], "next_cursor": ""}


def test_one_voice_and_several(http: httpx.Client) -> None:
    one = http.get(f"/voices/{JENNIE}")
    assert (one.json()["name"], one.json()["voice_type"]) == ("Jennie", "PREDEFINED")
    several = http.post("/voices/batch", json={"voice_ids": [JENNIE, ADAM]})
    assert [voice["name"] for voice in several.json()] == ["Jennie", "Adam"]
    assert several.json()[0] == one.json()
    assert http.post("/voices/batch", json={"voice_ids": []}).json() == []


def test_a_voice_that_is_not_there(http: httpx.Client) -> None:
    for response in (
        http.get("/voices/nobody"),
        http.post("/voices/batch", json={"voice_ids": [ADAM, "nobody"]}),
        http.put("/voices/nobody", json={"name": "X"}),
        http.delete("/voices/nobody"),
        http.get("/voices/preview/nobody"),
    ):
        assert response.status_code == 404
        assert code(response) == "VOICE_NOT_FOUND"
        assert response.json()["detail"]["extra"] == {"voice_id": "nobody"}


@pytest.mark.parametrize("body", [{}, {"voice_ids": "x"}, {"voice_ids": ["x"] * 101}, [ADAM]])
def test_a_batch_that_does_not_validate(http: httpx.Client, body: Any) -> None:
    assert http.post("/voices/batch", json=body).status_code == 422


def test_a_voice_of_ones_own_is_changed_and_deleted(
    http: httpx.Client, served: ServedSandbox
) -> None:
    (mine,) = add(served.sandbox.store, 1)
    before = http.get(f"/voices/{mine}").json()
    assert before["voice_type"] == "CUSTOM"
    changes = {"name": "New", "gender": "Unspecified", "style": "News", "unknown": 1}
    changed = http.put(f"/voices/{mine}", json=changes)
    assert (changed.status_code, changed.content) == (204, b"")
    after = http.get(f"/voices/{mine}").json()
    assert (after["name"], after["gender"], after["style"]) == ("New", "Unspecified", "News")
    assert after["accent"] == before["accent"]
    assert after["updated_at"] > before["updated_at"]
    assert (
        http.delete(f"/voices/{mine}").status_code,
        http.delete(f"/voices/{mine}").status_code,
    ) == (
        204,
        404,
    )


def test_some_fields_are_fixed(http: httpx.Client, served: ServedSandbox) -> None:
    (mine,) = add(served.sandbox.store, 1)
    for voice_id, body, field in (
        (ADAM, {"accent": "X"}, "accent"),
        (ADAM, {"name": "X", "style": "Y"}, "name"),
        (mine, {"name": "X", "language": "de"}, "language"),
        (mine, {"voice_type": "PREDEFINED"}, "voice_type"),
    ):
        response = http.put(f"/voices/{voice_id}", json=body)
        assert (response.status_code, code(response)) == (400, "VOICE_FIELD_UPDATE_NOT_ALLOWED")
        assert response.json()["detail"]["extra"] == {"field": field}
    assert http.put(f"/voices/{mine}", json={"gender": "male"}).status_code == 422
    assert http.delete(f"/voices/{ADAM}").status_code == 404
    assert http.get(f"/voices/{ADAM}").json()["accent"] == "American (US)"


def test_a_preview_is_fetched_from_a_signed_address_without_a_key(http: httpx.Client) -> None:
    answer = http.get(f"/voices/preview/{JENNIE}").json()
    assert list(answer) == ["signed_url"]
    url = httpx.URL(answer["signed_url"])
    assert set(url.params) == {"expires", "signature"}
    clip = httpx.get(url, trust_env=False, timeout=20)
    assert (clip.status_code, clip.headers["content-type"]) == (200, "audio/mpeg")
    assert seconds_of(clip.content) > 1
    later = str(int(url.params["expires"]) + 1)
    for other in (
        url.copy_set_param("expires", later),
        url.copy_set_param("signature", "0" * 64),
        url.copy_set_param("signature", "é"),
        url.copy_remove_param("signature"),
        url.copy_with(path=url.path.replace(JENNIE, ADAM)),
    ):
        assert httpx.get(other, trust_env=False, headers=KEY).status_code == 403


def test_a_signed_address_expires() -> None:
    async def test() -> None:
        clock = [time.time()]
        store = Store()
        speaker = Speaker(Engine("none"), store)
        app = Starlette(routes=routes(speaker, signatures=Signatures(lambda: clock[0])))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as http:
            answer = await http.get(f"/voices/preview/{ADAM}", headers=KEY)
            url = answer.json()["signed_url"]
            clock[0] += LIFETIME - 1
            # There is no engine to speak, but the door is open.
            store.put_voice(ADAM, {}, b"a clip")
            assert (await http.get(url)).content == b"a clip"
            clock[0] += 2
            refused = await http.get(url)
            assert (refused.status_code, "expired" in refused.text) == (403, True)
        store.close()

    asyncio.run(test())


def test_every_operation_asks_for_the_key_and_the_version(http: httpx.Client) -> None:
    for method, path in (
        ("POST", "/voices"),
        ("POST", "/voices/batch"),
        ("POST", "/voices/clone"),
        ("GET", f"/voices/{ADAM}"),
        ("PUT", f"/voices/{ADAM}"),
        ("DELETE", f"/voices/{ADAM}"),
        ("GET", f"/voices/preview/{ADAM}"),
        ("POST", "/speech_to_text"),
    ):
        assert code(http.request(method, path, headers={"x-api-key": "x"})) == "INVALID_API_KEY"
        assert code(http.request(method, path, headers={"version": "v0"})) == "VERSION_NOT_FOUND"
