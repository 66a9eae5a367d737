"""The voice library, read page by page and found by name.

https://docs.async.com/list-voices-16699698e0
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from asyncflow_cli.errors import AsyncflowError, IncompleteError, RemoteProtocolError
from asyncflow_cli.protocol.models import (
    SpeechRequest,
    VoiceSelector,
    known_id,
    looks_like_an_id,
)
from asyncflow_cli.protocol.speechmessages import Initialize
from asyncflow_cli.protocol.voices import (
    BatchRequest,
    ListVoicesRequest,
    Voice,
    VoicePage,
    VoicePreview,
    is_about,
    not_found,
    read_voice,
    resolve,
)
from asyncflow_cli.transport.answers import decode
from asyncflow_cli.transport.api import ApiClient

if TYPE_CHECKING:
    from asyncflow_cli.protocol.voicereports import VoicesReport

LARGEST_PAGE = 100
LARGEST_BATCH = 100
"""Not documented: as many as a page has."""

Spoken = TypeVar("Spoken", SpeechRequest, Initialize)


class VoiceLibrary:
    """`seen` is told of the voices of every page that is read."""

    def __init__(
        self, api: ApiClient, seen: Callable[[Sequence[Voice]], None] = lambda _: None
    ) -> None:
        self._api = api
        self._seen = seen

    async def list_voices(self, request: ListVoicesRequest) -> VoicesReport:
        """One page."""
        voices, cursor = await self._page(request)
        # The last id works as `after` under either reading of the cursor.
        following = voices[-1].voice_id if voices and cursor else None
        return _report(voices, following)

    async def search(self, request: ListVoicesRequest, text: str | None) -> VoicesReport:
        """Every voice that the filters and the text leave, or the first `limit` of them."""
        found: list[Voice] = []
        async for voice in self.all_voices(request):
            if text is None or is_about(voice, text):
                found.append(voice)
            if len(found) == request.limit:
                break
        return _report(found)

    async def all_voices(self, request: ListVoicesRequest) -> AsyncIterator[Voice]:
        """Every voice the filters leave, whichever way the service reads its cursor.

        Documented is both to send the last id of the page as `after`, and a `next_cursor` that
        may be that id or the next one. The last id works under both readings, if voices that
        come twice are dropped; a page that brings nothing new is the end.
        """
        seen: set[str] = set()
        request = msgspec.structs.replace(request, limit=LARGEST_PAGE)
        while True:
            voices, cursor = await self._page(request)
            fresh = [voice for voice in voices if voice.voice_id not in seen]
            for voice in fresh:
                if voice.voice_id not in seen:
                    seen.add(voice.voice_id)
                    yield voice
            if not cursor or not fresh:
                return
            request = msgspec.structs.replace(request, after=fresh[-1].voice_id)

    async def get_voices(self, names: Sequence[str]) -> list[Voice]:
        """The voices of these ids, names or aliases, in this order; several ids are one request."""
        names = [self._api.aliases.get(name, name) for name in names]
        ids = [name for name in dict.fromkeys(names) if looks_like_an_id(name)]
        by_id = {voice.voice_id.lower(): voice for voice in await self._by_ids(ids)}
        if missing := [voice_id for voice_id in ids if voice_id.lower() not in by_id]:
            raise not_found(missing)
        known = [] if len(ids) == len(set(names)) else await self._everything()
        aliases = self._api.aliases
        return [by_id.get(name.lower()) or resolve(name, known, aliases) for name in names]

    async def described(self, names: Sequence[str]) -> VoicesReport:
        return _report(await self.get_voices(names))

    async def find_id(self, name: str) -> str:
        """The id of the voice so named. What looks like an id is taken for one, unasked."""
        return known_id(name, self._api.aliases) or (await self.get_voices([name]))[0].voice_id

    async def with_id(self, request: Spoken) -> Spoken:
        """The same request, whose voice may have been named in any way, with its id."""
        voice = VoiceSelector(await self.find_id(request.voice.id))
        return msgspec.structs.replace(request, voice=voice)

    async def preview(self, voice_id: str) -> bytes:
        """The voice's sample. Its address is somebody else's, so our key does not go there."""
        response = await self._api.send("GET", f"/voices/preview/{quote(voice_id, safe='')}")
        clip = await self._api.fetch(decode(response.content, VoicePreview).signed_url)
        kind = clip.headers.get("content-type", "").partition(";")[0]
        if kind.startswith("text/") or kind in ("application/json", "application/xml"):
            raise RemoteProtocolError(f"The preview is no audio but {kind}", code="NO_AUDIO")
        if not clip.content:
            raise IncompleteError("The preview is empty", code="AUDIO_EMPTY")
        return clip.content

    async def _everything(self) -> list[Voice]:
        return [voice async for voice in self.all_voices(ListVoicesRequest())]

    async def _page(self, request: ListVoicesRequest) -> tuple[list[Voice], str | None]:
        response = await self._api.send("POST", "/voices", json=request)
        page = decode(response.content, VoicePage)
        voices = [_read(voice) for voice in page.voices]
        self._seen(voices)
        return voices, page.next_cursor

    async def _by_ids(self, ids: Sequence[str]) -> list[Voice]:
        if len(ids) == 1:
            return [await self._one(ids[0])]
        found: list[Voice] = []
        for start in range(0, len(ids), LARGEST_BATCH):
            found += await self._batch(ids[start : start + LARGEST_BATCH])
        return found

    async def _one(self, voice_id: str) -> Voice:
        response = await self._api.send("GET", f"/voices/{quote(voice_id, safe='')}")
        return _read(decode(response.content, dict[str, Any]))

    async def _batch(self, ids: Sequence[str]) -> list[Voice]:
        """In any order; in 2025 there was no such request, and it is one for each."""
        try:
            response = await self._api.send("POST", "/voices/batch", json=BatchRequest(list(ids)))
        except AsyncflowError as error:
            if error.code not in ("HTTP_404", "HTTP_405"):
                raise
            return [await self._one(voice_id) for voice_id in ids]
        return [_read(raw) for raw in decode(response.content, list[dict[str, Any]])]


def _read(raw: dict[str, Any]) -> Voice:
    try:
        return read_voice(raw)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(f"The service's voice is not understood: {error}") from None


def _report(voices: Sequence[Voice], next_cursor: str | None = None) -> VoicesReport:
    from asyncflow_cli.protocol.voicereports import VoicesReport

    return VoicesReport(voices=tuple(voices), next_cursor=next_cursor)
