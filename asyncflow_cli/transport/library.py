"""The voice library, read page by page and found by name, and the user's own voices.

https://docs.async.com/list-voices-16699698e0
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from asyncflow_cli.errors import NetworkError, RemoteProtocolError, ServiceError
from asyncflow_cli.protocol.voices import (
    BatchRequest,
    ClonedVoice,
    ListVoicesRequest,
    UpdateVoiceRequest,
    Voice,
    VoicePage,
    VoicePreview,
    read_voice,
    resolve,
)
from asyncflow_cli.transport.api import ApiClient, decode

LARGEST_PAGE = 100

_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)


@dataclass(frozen=True)
class Recording:
    """A clip to clone a voice from, and what to call the voice."""

    file_name: str
    content: bytes
    fields: dict[str, str]


class VoiceLibrary:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def list_voices(self, request: ListVoicesRequest) -> list[Voice]:
        """One page."""
        return (await self._page(request))[0]

    async def all_voices(self, request: ListVoicesRequest) -> AsyncIterator[Voice]:
        """Every voice the filters leave, whichever way the service reads its cursor.

        Documented is both to send the last id of the page as `after`, and a `next_cursor` that
        may be that id or the next one. The last id works under both readings, if voices that
        come twice are dropped; a page that brings nothing new is the end.
        """
        seen: set[str] = set()
        request = msgspec.structs.replace(request, limit=request.limit or LARGEST_PAGE)
        while True:
            voices, cursor = await self._page(request)
            fresh = [voice for voice in voices if voice.voice_id not in seen]
            for voice in fresh:
                seen.add(voice.voice_id)
                yield voice
            if not cursor or not fresh:
                return
            request = msgspec.structs.replace(request, after=fresh[-1].voice_id)

    async def get_voices(self, names: Sequence[str]) -> list[Voice]:
        """The voices of these ids or names, in this order; several ids are one request."""
        if all(map(_LOOKS_LIKE_AN_ID.fullmatch, names)):
            return await self._by_ids(names)
        known = [voice async for voice in self.all_voices(ListVoicesRequest())]
        return [resolve(name, known) for name in names]

    async def find_id(self, name: str) -> str:
        """The id of the voice so named. What looks like an id is taken for one, unasked."""
        if _LOOKS_LIKE_AN_ID.fullmatch(name):
            return name
        return (await self.get_voices([name]))[0].voice_id

    async def update_voice(self, voice_id: str, changes: UpdateVoiceRequest) -> None:
        """`PUT`, or the `PATCH` that was in its place until May 2025."""
        path = f"/voices/{voice_id}"
        try:
            await self._api.send("PUT", path, json=changes)
        except ServiceError as error:
            if error.code != "HTTP_405":
                raise
            await self._api.send("PATCH", path, json=changes)

    async def delete_voice(self, voice_id: str) -> None:
        await self._api.send("DELETE", f"/voices/{voice_id}")

    async def clone_voice(self, recording: Recording) -> ClonedVoice:
        """Never tried twice: each success uses up one of the plan's clones."""
        response = await self._api.send(
            "POST",
            "/voices/clone",
            data=recording.fields,
            files={"audio": (recording.file_name, recording.content)},
            retry=False,
        )
        return decode(response.content, ClonedVoice)

    async def preview(self, voice_id: str) -> bytes:
        """The voice's sample. Its address is somebody else's, so our key does not go there."""
        response = await self._api.send("GET", f"/voices/preview/{voice_id}")
        url = decode(response.content, VoicePreview).signed_url
        try:
            async with httpx.AsyncClient(follow_redirects=True) as http:
                clip = await http.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkError(f"The preview cannot be fetched: {error}") from None
        if not clip.is_success:
            raise ServiceError(f"The preview's address answered {clip.status_code}")
        return clip.content

    async def _page(self, request: ListVoicesRequest) -> tuple[list[Voice], str | None]:
        response = await self._api.send("POST", "/voices", json=request)
        page = decode(response.content, VoicePage)
        return [_read(voice) for voice in page.voices], page.next_cursor

    async def _by_ids(self, ids: Sequence[str]) -> list[Voice]:
        if len(ids) == 1:
            response = await self._api.send("GET", f"/voices/{ids[0]}")
            return [_read(decode(response.content, dict[str, Any]))]
        response = await self._api.send("POST", "/voices/batch", json=BatchRequest(list(ids)))
        found = {v.voice_id: v for v in map(_read, decode(response.content, list[dict[str, Any]]))}
        # The order of the answer is not documented.
        return [found[voice_id] for voice_id in ids if voice_id in found]


def _read(raw: dict[str, Any]) -> Voice:
    try:
        return read_voice(raw)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(f"The service's voice is not understood: {error}") from None
