"""The voice library over HTTP: list, get, batch, update, delete, preview.

https://docs.async.com/list-voices-16699698e0

Choices where the service is unknown: a batch is 404 if one voice of it is missing, keeps the order
asked for, and holds 100 ids at most; a predefined voice cannot be changed (400) nor deleted (404);
an update that changes nothing is 204.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.protocol.models import LANGUAGES, OutputFormat
from asyncflow_cli.protocol.voices import (
    LIBRARY_LANGUAGES_TOO,
    BatchRequest,
    ListVoicesRequest,
    UpdateVoiceRequest,
    VoicePage,
    VoicePreview,
)
from asyncflow_cli.sandbox.answering import Endpoint, read_json
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.paging import page
from asyncflow_cli.sandbox.previews import Signatures, introduction
from asyncflow_cli.sandbox.refusal import Invalid, Refusal
from asyncflow_cli.sandbox.speaker import Speaker, admit
from asyncflow_cli.sandbox.voices import LibraryVoice

CLIPS = "/__sandbox/previews/{id}"

LARGEST_BATCH = 100

_CLIP_FORMAT = OutputFormat(container="mp3", sample_rate=44100, bit_rate=64000)
_FIXED = ("voice_id", "voice_type", "language", "created_at", "updated_at")


class VoicesApi:
    def __init__(self, speaker: Speaker, signatures: Signatures | None = None) -> None:
        self._speaker = speaker
        self._library = speaker.library
        self._choices = speaker.choices
        self._signatures = signatures or Signatures()

    def table(self) -> dict[str, dict[str, Endpoint]]:
        """In 2025 there was no batch, and an update was a PATCH that answered with the voice."""
        if self._choices.legacy:
            one: dict[str, Endpoint] = {"PATCH": self.patch}
            batch: dict[str, dict[str, Endpoint]] = {}
        else:
            one = {"PUT": self.put}
            batch = {"/voices/batch": {"POST": self.batch}}
        return {
            "/voices": {"POST": self.list_voices},
            **batch,
            "/voices/preview/{id}": {"GET": self.preview},
            "/voices/{id}": {"GET": self.get, "DELETE": self.delete, **one},
        }

    async def list_voices(self, request: Request) -> Response:
        _admit(request)
        # The vendor's own n8n node posts no body at all.
        empty = not (await request.body()).strip()
        asked = ListVoicesRequest() if empty else await read_json(request, ListVoicesRequest)
        if asked.language not in (None, *LANGUAGES, *LIBRARY_LANGUAGES_TOO):
            raise Invalid(f"No voice speaks {asked.language}", "body", "language", kind="enum")
        shown, cursor = page(self._library.select(asked), asked.after, asked.limit, self._choices)
        return as_json(VoicePage(self._described(shown), cursor))

    async def get(self, request: Request) -> Response:
        _admit(request)
        return as_json(self._library.described(self._library.find(_id(request))))

    async def batch(self, request: Request) -> Response:
        _admit(request)
        ids = (await read_json(request, BatchRequest)).voice_ids
        if len(ids) > LARGEST_BATCH:
            raise Invalid(f"More than {LARGEST_BATCH} ids", "body", "voice_ids", kind="too_long")
        return as_json(self._described(self._library.find(voice_id) for voice_id in ids))

    async def put(self, request: Request) -> Response:
        _admit(request)
        await self._update(request)
        return Response(status_code=204)

    async def patch(self, request: Request) -> Response:
        _admit(request)
        return as_json(self._library.described(await self._update(request, whole=True)))

    async def delete(self, request: Request) -> Response:
        _admit(request)
        self._library.remove(_id(request))
        return Response(status_code=204)

    async def preview(self, request: Request) -> Response:
        _admit(request)
        voice = self._library.find(_id(request))
        path = CLIPS.format(id=voice.voice_id).lstrip("/")
        query = self._signatures.query(voice.voice_id)
        return as_json(VoicePreview(f"{request.base_url}{path}?{query}"))

    async def clip(self, request: Request) -> Response:
        """What the signed address leads to."""
        refusal = self._signatures.refusal(_id(request), request.query_params)
        if refusal is not None:
            return as_json({"message": refusal}, status=403)
        voice = self._library.find(_id(request))
        kept = self._library.clip(voice.voice_id)
        if kept is not None:
            return Response(kept, media_type="application/octet-stream")
        text = introduction(voice.language)
        spoken = self._speaker.speak(text, voice, model_id="")
        pcm = b"".join([piece async for piece in spoken])
        return Response(await self._speaker.file(pcm, _CLIP_FORMAT), media_type="audio/mpeg")

    def _described(self, voices: Iterable[LibraryVoice]) -> list[dict[str, Any]]:
        return [self._library.described(voice) for voice in voices]

    async def _update(self, request: Request, *, whole: bool = False) -> LibraryVoice:
        """`whole`: name and description must both be there, as they had to in 2025."""
        written = await read_json(request, dict[str, Any])
        asked = await read_json(request, UpdateVoiceRequest)
        for name in ("name", "description") if whole else ():
            if name not in written:
                raise Invalid("Field required", "body", name, kind="missing")
        voice = self._library.find(_id(request))
        changes = {k: v for k, v in msgspec.structs.asdict(asked).items() if v is not None}
        fixed = [name for name in written if name in _FIXED]
        if self._library.is_predefined(voice.voice_id):
            fixed += changes
        if fixed:
            message = f"The field {fixed[0]} of this voice cannot be changed"
            raise Refusal(400, "VOICE_FIELD_UPDATE_NOT_ALLOWED", message, field=fixed[0])
        if not changes:
            return voice
        changed = replace(voice, **changes, updated_at=now())
        self._library.add(changed)
        return changed


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _admit(request: Request) -> None:
    admit(request, request.headers.get("x-api-key"))


def _id(request: Request) -> str:
    return str(request.path_params["id"])
