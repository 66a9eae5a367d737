"""The voice library of a service that pages as it likes, and of one from 2025."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from asyncflow_cli.errors import (
    AsyncflowError,
    IncompleteError,
    NetworkError,
    NotFoundError,
    RemoteProtocolError,
    ServiceError,
)
from asyncflow_cli.protocol.clips import Clip
from asyncflow_cli.protocol.models import PHONE, VoiceSelector
from asyncflow_cli.protocol.speechmessages import Initialize
from asyncflow_cli.protocol.voices import CloneRequest, ListVoicesRequest, UpdateVoiceRequest
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.ownvoices import OwnVoices

T = TypeVar("T")
Body = dict[str, Any]

SETTINGS = Settings(api_key="sk_test_4242", base_url="http://127.0.0.1:1", retries=2)


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def voices(count: int) -> list[Body]:
    return [{"voice_id": id_of(n), "name": f"Voice {n}"} for n in range(count)]


def as_json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


@dataclass
class Service:
    """Answers what `answer` says, and writes down what it was asked."""

    answer: Callable[[Request, Any], Response]
    asked: list[Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def _answer(self, request: Request) -> Response:
        content = await request.body()
        is_json = request.headers.get("content-type") == "application/json"
        self.asked.append(request)
        self.bodies.append(msgspec.json.decode(content) if is_json else content)
        return self.answer(request, self.bodies[-1])

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def run(self, work: Callable[[VoiceLibrary, OwnVoices], Awaitable[T]]) -> T:
        async def run() -> T:
            methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
            routes = [Route("/{path:path}", self._answer, methods=methods)]
            transport = httpx.ASGITransport(Starlette(routes=routes))
            api = ApiClient(SETTINGS, transport=transport, sleep=self._sleep)
            async with contextlib.aclosing(api):
                library = VoiceLibrary(api)
                return await work(library, OwnVoices(api, library))

        return asyncio.run(run())

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.asked]


@dataclass
class Pages:
    """A list of voices, read in one of the ways that the documentation can be read."""

    voices: list[Body]
    cursor: str = "last"
    """Or `next`."""
    inclusive: bool = False
    """Whether the voice that `after` names is on the page."""
    duplicates: bool = False
    repeated_cursor: bool = False
    empty_last_page: bool = False
    at_the_end: str | None = ""

    def __call__(self, _request: Request, asked: Body) -> Response:
        ids = [voice["voice_id"] for voice in self.voices]
        after = asked.get("after")
        start = ids.index(after) + (not self.inclusive) if after else 0
        end = start + asked.get("limit", 10)
        shown = self.voices[start:end]
        if self.duplicates:
            shown = self.voices[max(start - 2, 0) : start] + shown + shown[-1:]
        return as_json({"voices": shown, "next_cursor": self._cursor(ids, end, after)})

    def _cursor(self, ids: list[str], end: int, after: str | None) -> str | None:
        if self.repeated_cursor and after:
            return after
        if end < len(ids):
            return ids[end] if self.cursor == "next" else ids[end - 1]
        if self.empty_last_page and end - len(ids) < 100:
            return ids[-1]
        return self.at_the_end


async def everything(library: VoiceLibrary, _own: OwnVoices) -> list[str]:
    return [voice.voice_id async for voice in library.all_voices(ListVoicesRequest())]


@pytest.mark.parametrize(
    ("cursor", "inclusive"), [("last", False), ("next", False), ("next", True), ("last", True)]
)
@pytest.mark.parametrize(
    "manners",
    [
        {},
        {"duplicates": True},
        {"repeated_cursor": True},
        {"empty_last_page": True},
        {"at_the_end": None},
    ],
    ids=lambda manners: next(iter(manners), "well-mannered"),
)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
def test_every_voice_comes_once_and_in_order(
    cursor: str, inclusive: bool, manners: dict[str, Any], count: int
) -> None:
    pages = Pages(voices(count), cursor=cursor, inclusive=inclusive, **manners)
    service = Service(pages)
    assert service.run(everything) == [id_of(n) for n in range(count)]
    assert len(service.asked) <= count // 100 + 2


@pytest.mark.parametrize("cursor", ["last", "next"])
def test_a_page_tells_what_leads_to_the_next_under_either_reading(cursor: str) -> None:
    async def by_hand(library: VoiceLibrary, _own: OwnVoices) -> list[str]:
        pages = [await library.list_voices(ListVoicesRequest())]
        while after := pages[-1].next_cursor:
            pages.append(await library.list_voices(ListVoicesRequest(after=after)))
        return [voice.voice_id for page in pages for voice in page.voices]

    service = Service(Pages(voices(25), cursor=cursor))
    assert service.run(by_hand) == [id_of(n) for n in range(25)]
    assert len(service.asked) == 3


def test_a_search_stops_asking_when_it_has_enough() -> None:
    service = Service(Pages(voices(250)))
    request = ListVoicesRequest(limit=2)
    found = service.run(lambda library, _: library.search(request, "voice 5"))
    assert [voice.name for voice in found.voices] == ["Voice 5", "Voice 15"]
    assert len(service.asked) == 1


OF_2025 = {
    "id": id_of(7),
    "my_voice": True,
    "name": "Old",
    "description": None,
    "created_at": "2025-03-03T09:00:00.000Z",
    "language": "en",
    "is_starred": False,
    "gender": "female",
}


def test_a_voice_of_2025_is_understood() -> None:
    service = Service(lambda *_: as_json(OF_2025))
    (voice,) = service.run(lambda library, _: library.get_voices([id_of(7)]))
    assert (voice.voice_id, voice.voice_type, voice.gender) == (id_of(7), "CUSTOM", "Female")
    assert (voice.description, voice.accent, voice.style) == ("", "", "")


def test_the_misspelt_type_of_the_documentation_is_understood() -> None:
    raw = {"voice_id": id_of(1), "name": "A", "vocie_type": "CUSTOM"}
    service = Service(lambda *_: as_json(raw))
    (voice,) = service.run(lambda library, _: library.get_voices([id_of(1)]))
    assert voice.voice_type == "CUSTOM"


@pytest.mark.parametrize("answer", [{"name": "no id"}, {"voice_id": 7, "name": "A"}, [], "voice"])
def test_what_is_no_voice_is_the_services_fault(answer: Any) -> None:
    service = Service(lambda *_: as_json(answer))
    with pytest.raises(RemoteProtocolError):
        service.run(lambda library, _: library.get_voices([id_of(1)]))


def test_several_ids_are_one_request_and_keep_their_order() -> None:
    def backwards(_request: Request, asked: Body) -> Response:
        return as_json([{"voice_id": i, "name": i} for i in reversed(asked["voice_ids"])])

    service = Service(backwards)
    ids = [id_of(3), id_of(1), id_of(2), id_of(1)]
    found = service.run(lambda library, _: library.get_voices(ids))
    assert [voice.voice_id for voice in found] == ids
    assert service.lines == ["POST /voices/batch"]
    assert service.bodies == [{"voice_ids": ids[:3]}]


def test_a_batch_that_leaves_one_out_is_told() -> None:
    service = Service(lambda *_: as_json([{"voice_id": id_of(1), "name": "A"}]))
    with pytest.raises(NotFoundError, match=id_of(2)):
        service.run(lambda library, _: library.get_voices([id_of(1), id_of(2)]))


@pytest.mark.parametrize("status", [404, 405])
def test_a_service_without_batches_is_asked_one_by_one(status: int) -> None:
    def of_2025(request: Request, _body: Any) -> Response:
        if request.url.path == "/voices/batch":
            return as_json({"detail": "no"}, status)
        return as_json({**OF_2025, "id": request.url.path.rpartition("/")[2]})

    service = Service(of_2025)
    found = service.run(lambda library, _: library.get_voices([id_of(1), id_of(2)]))
    assert [voice.voice_id for voice in found] == [id_of(1), id_of(2)]
    assert service.lines[1:] == [f"GET /voices/{id_of(1)}", f"GET /voices/{id_of(2)}"]


def initialize(voice: str) -> Initialize:
    return Initialize(model_id="m", voice=VoiceSelector(voice), output_format=PHONE)


def test_what_looks_like_an_id_is_not_asked_about() -> None:
    service = Service(Pages([]))
    request = initialize(id_of(1).upper())
    assert service.run(lambda library, _: library.with_id(request)) == request
    assert service.asked == []


@pytest.mark.parametrize(
    ("name", "number"), [("anna", 0), ("ANN", 1), ("Björn", 2), ("bj", 2), (id_of(2)[:-1], None)]
)
def test_a_name_or_the_beginning_of_one_leads_to_its_voice(name: str, number: int | None) -> None:
    known = [{"voice_id": id_of(n), "name": v} for n, v in enumerate(["Anna", "Ann", "Björn"])]
    service = Service(Pages(known))
    if number is None:
        with pytest.raises(NotFoundError) as raised:
            service.run(lambda library, _: library.find_id(name))
        assert raised.value.code == "VOICE_AMBIGUOUS"
        assert raised.value.details is not None
        assert len(raised.value.details["voices"]) == 3
    else:
        assert service.run(lambda library, _: library.find_id(name)) == id_of(number)


@pytest.mark.parametrize("name", ["nobody", "", " "])
def test_a_name_of_nothing_is_not_found(name: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        Service(Pages(voices(3))).run(lambda library, _: library.find_id(name))
    assert raised.value.code == "VOICE_NOT_FOUND"


def test_ids_and_names_may_be_mixed() -> None:
    def answer(request: Request, asked: Any) -> Response:
        if request.url.path == "/voices":
            return Pages(voices(3))(request, asked)
        return as_json({"voice_id": id_of(99), "name": "Not listed"})

    service = Service(answer)
    found = service.run(lambda library, _: library.get_voices(["voice 1", id_of(99)]))
    assert [voice.name for voice in found] == ["Voice 1", "Not listed"]


def test_an_update_falls_back_to_the_patch_of_2025_which_wants_name_and_description() -> None:
    def of_2025(request: Request, _body: Any) -> Response:
        if request.method == "PUT":
            return as_json({"detail": "Method Not Allowed"}, 405)
        return as_json({**OF_2025, "description": "kind"})

    service = Service(of_2025)
    wanted = UpdateVoiceRequest(name="New", gender="Female")
    report = service.run(lambda _, own: own.update(id_of(7), wanted))
    assert [change.field for change in report.changes] == ["name"]
    path = f"/voices/{id_of(7)}"
    assert service.lines == [f"GET {path}", f"PUT {path}", f"PATCH {path}"]
    assert service.bodies[1:] == [{"name": "New"}, {"name": "New", "description": "kind"}]


def test_another_refusal_of_an_update_is_no_reason_to_patch() -> None:
    def broken(request: Request, _body: Any) -> Response:
        return as_json(OF_2025) if request.method == "GET" else as_json({"message": "no"}, 500)

    service = Service(broken)
    with pytest.raises(ServiceError):
        service.run(lambda _, own: own.update(id_of(7), UpdateVoiceRequest(name="New")))
    assert [line.split()[0] for line in service.lines] == ["GET", "PUT"]


CLIP = Clip("me.wav", b"RIFF", "wav", None)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_clone_is_never_tried_twice(status: int) -> None:
    service = Service(lambda *_: as_json({"message": "later"}, status))
    with pytest.raises(AsyncflowError):
        service.run(lambda _, own: own.clone(CloneRequest(name="Me"), CLIP))
    assert (service.lines, service.waits) == (["POST /voices/clone"], [])


def test_a_clone_sends_what_was_given_and_no_more() -> None:
    answer = {"id": id_of(1), "name": "Me", "description": None, "language": "en"}
    service = Service(lambda *_: as_json(answer))
    request = CloneRequest(name="Me", style="Calm")
    report = service.run(lambda _, own: own.clone(request, CLIP))
    assert (report.voice_id, report.description, report.created) == (id_of(1), "", True)
    body = service.bodies[0]
    assert body.count(b'; name="') == 4
    for part in (b'"name"\r\n\r\nMe', b'"style"\r\n\r\nCalm', b'"enhance"\r\n\r\nfalse'):
        assert part in body
    assert b'name="audio"; filename="me.wav"\r\nContent-Type: audio/' in body


async def yes(_question: str) -> None: ...


@pytest.mark.parametrize("said", [{}, {"voice_type": None}, {"voice_type": "TEAM"}])
def test_a_voice_that_does_not_say_whose_it_is_may_be_deleted(said: Body) -> None:
    service = Service(lambda *_: as_json({"voice_id": id_of(1), "name": "Me", **said}))
    report = service.run(lambda _, own: own.delete([id_of(1)], yes))
    assert report.deleted == (id_of(1),)


@pytest.mark.parametrize("said", [{"voice_type": "PREDEFINED"}, {"my_voice": False}])
def test_a_voice_that_says_it_is_the_librarys_is_not_even_asked_about(said: Body) -> None:
    service = Service(lambda *_: as_json({"voice_id": id_of(1), "name": "Jennie", **said}))
    with pytest.raises(NotFoundError, match="which nobody can delete"):
        service.run(lambda _, own: own.delete([id_of(1)], yes))
    assert len(service.asked) == 1


def test_a_failure_among_deletions_tells_what_is_gone() -> None:
    def answer(request: Request, asked: Any) -> Response:
        if request.method == "POST":
            return as_json([{"voice_id": i, "name": i} for i in asked["voice_ids"]])
        gone = request.url.path.endswith("1")
        return Response(status_code=204) if gone else as_json({"message": "no"}, 500)

    with pytest.raises(ServiceError) as raised:
        Service(answer).run(lambda _, own: own.delete([id_of(1), id_of(2)], yes))
    assert raised.value.details == {"deleted": [id_of(1)]}
    assert raised.value.hint == f"Deleted before: {id_of(1)}"


ELSEWHERE = "https://clips.example/v.mp3?signature=s3cr3t"


def at_elsewhere(clip: Response) -> Service:
    """A service that signs an address of somebody else's, who redirects to a third."""

    def answer(request: Request, _body: Any) -> Response:
        match request.url.hostname:
            case "127.0.0.1":
                return as_json({"signed_url": ELSEWHERE})
            case "clips.example":
                return RedirectResponse("https://cdn.example/v.mp3?x=1")
        return clip

    return Service(answer)


def test_our_key_does_not_go_where_a_preview_lies() -> None:
    service = at_elsewhere(Response(b"ID3 clip", media_type="audio/mpeg"))
    assert service.run(lambda library, _: library.preview(id_of(1))) == b"ID3 clip"
    ours, theirs, thirds = (request.headers for request in service.asked)
    assert ours["x-api-key"] == SETTINGS.api_key
    for headers in (theirs, thirds):
        assert {"x-api-key", "version", "cookie", "authorization"}.isdisjoint(headers)
        assert SETTINGS.api_key not in headers.values()


@pytest.mark.parametrize(
    ("clip", "error"),
    [
        (Response(b"<html>", media_type="text/html"), RemoteProtocolError),
        (Response(b"{}", media_type="application/json"), RemoteProtocolError),
        (Response(b"", media_type="audio/mpeg"), IncompleteError),
        (Response(b"expired", 403), ServiceError),
    ],
)
def test_what_is_no_clip_is_told_without_the_signature(
    clip: Response, error: type[AsyncflowError]
) -> None:
    with pytest.raises(error) as raised:
        at_elsewhere(clip).run(lambda library, _: library.preview(id_of(1)))
    assert "s3cr3t" not in raised.value.message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "no address", "http://[", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    service = Service(lambda *_: as_json({"signed_url": url}))
    with pytest.raises((NetworkError, RemoteProtocolError)):
        service.run(lambda library, _: library.preview(id_of(1)))
