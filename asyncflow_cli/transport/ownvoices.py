"""The user's own voices: cloned from a clip, changed, deleted.

https://docs.async.com/clone-voice-16699697e0
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec

from asyncflow_cli.errors import AsyncflowError, NotFoundError, ServiceError
from asyncflow_cli.output import Confirm
from asyncflow_cli.protocol.clips import Clip
from asyncflow_cli.protocol.voicereports import (
    CloneReport,
    DeletionPlanReport,
    DeletionReport,
    DoomedVoice,
    UpdatePlanReport,
    UpdateReport,
)
from asyncflow_cli.protocol.voices import (
    CLONE_PATH,
    Change,
    ClonedVoice,
    CloneRequest,
    ListVoicesRequest,
    UpdateVoiceRequest,
    Voice,
    changes,
    given,
)
from asyncflow_cli.transport.answers import decode
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.library import VoiceLibrary


class OwnVoices:
    """`warn` hears what a person should know that stops nothing."""

    def __init__(
        self,
        api: ApiClient,
        library: VoiceLibrary,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._api = api
        self._library = library
        self._warn = warn

    async def clone(
        self, request: CloneRequest, clip: Clip, *, if_not_exists: bool = False
    ) -> CloneReport:
        """Never tried twice: each success uses up one of the plan's clones."""
        if if_not_exists and (known := await self._named(request.name)):
            return CloneReport(
                voice_id=known.voice_id,
                name=known.name,
                description=known.description,
                language=known.language,
                created=False,
            )
        files = {"audio": (clip.file_name, clip.content)}
        form = request.form()
        response = await self._api.send("POST", CLONE_PATH, data=form, files=files, retry=False)
        cloned = decode(response.content, ClonedVoice)
        await self._tell_namesake(cloned)
        return CloneReport(
            voice_id=cloned.id,
            name=cloned.name,
            description=cloned.description or "",
            language=cloned.language or "",
            created=True,
        )

    async def planned_update(self, name: str, wanted: UpdateVoiceRequest) -> UpdatePlanReport:
        """What `update` would send."""
        voice, found = await self._changes(name, wanted)
        self._doubt(voice, "change")
        return UpdatePlanReport(voice_id=voice.voice_id, name=voice.name, changes=tuple(found))

    async def _changes(self, name: str, wanted: UpdateVoiceRequest) -> tuple[Voice, list[Change]]:
        fields = given(wanted)
        (voice,) = await self._library.get_voices([name])
        return voice, changes(voice, fields)

    async def update(self, name: str, wanted: UpdateVoiceRequest) -> UpdateReport:
        """Send what would be different, if anything would."""
        voice, found = await self._changes(name, wanted)
        if found:
            sent = {change.field: change.after for change in found}
            try:
                await self._update(voice, msgspec.convert(sent, UpdateVoiceRequest))
            except AsyncflowError as error:
                _blame_library(error, voice, "change")
                raise
        return UpdateReport(voice_id=voice.voice_id, changes=tuple(found))

    async def planned_deletion(
        self, names: Sequence[str], *, ignore_missing: bool
    ) -> DeletionPlanReport:
        """What `delete` would ask about."""
        found, missing = await self._existing(names, ignore_missing=ignore_missing)
        for voice in found:
            self._doubt(voice, "delete")
        doomed = tuple(DoomedVoice(voice.voice_id, voice.name) for voice in found)
        return DeletionPlanReport(voices=doomed, missing=tuple(missing))

    async def delete(
        self, names: Sequence[str], confirm: Confirm, *, ignore_missing: bool = False
    ) -> DeletionReport:
        """Delete all of them, once each is known to be yours and `confirm` did not object."""
        found, missing = await self._existing(names, ignore_missing=ignore_missing)
        for voice in found:
            _insist_on_own(voice)
        if found:
            listed = ", ".join(f"{voice.name} ({voice.voice_id})" for voice in found)
            await confirm(f"Delete {listed}, for good?")
        deleted: list[str] = []
        for voice in found:
            try:
                await self._api.send("DELETE", _path(voice))
            except AsyncflowError as error:
                error.details = {**(error.details or {}), "deleted": deleted}
                error.hint = f"Deleted before: {', '.join(deleted)}" if deleted else error.hint
                raise
            deleted.append(voice.voice_id)
        return DeletionReport(deleted=tuple(deleted), missing=tuple(missing))

    def _doubt(self, voice: Voice, deed: str) -> None:
        """Warn of what the service will refuse, as far as one knows before it is asked."""
        if voice.is_of_library:
            self._warn(_of_library(voice, deed))

    async def _tell_namesake(self, cloned: ClonedVoice) -> None:
        with contextlib.suppress(AsyncflowError):  # the voice is there, whatever this brings
            other = await self._named(cloned.name, besides=cloned.id)
            if other is not None:
                self._warn(
                    f"You had a voice named {other.name} already ({other.voice_id}): "
                    "call them by their ids, or rename one with voices update"
                )

    async def _named(self, name: str, besides: str = "") -> Voice | None:
        async for voice in self._library.all_voices(ListVoicesRequest(my_voice=True)):
            if voice.name == name and voice.voice_id != besides:
                return voice
        return None

    async def _update(self, voice: Voice, wanted: UpdateVoiceRequest) -> None:
        """`PUT`, or the `PATCH` of until May 2025, which wants name and description, always."""
        try:
            await self._api.send("PUT", _path(voice), json=wanted)
        except ServiceError as error:
            if error.code != "HTTP_405":
                raise
            whole = msgspec.structs.replace(
                wanted,
                name=voice.name if wanted.name is None else wanted.name,
                description=voice.description if wanted.description is None else wanted.description,
            )
            await self._api.send("PATCH", _path(voice), json=whole)

    async def _existing(
        self, names: Sequence[str], *, ignore_missing: bool
    ) -> tuple[list[Voice], list[str]]:
        if not ignore_missing:
            found = await self._library.get_voices(names)
            return list({voice.voice_id: voice for voice in found}.values()), []
        there: dict[str, Voice] = {}
        missing: list[str] = []
        for name in dict.fromkeys(names):
            try:
                (voice,) = await self._library.get_voices([name])
                there[voice.voice_id] = voice
            except NotFoundError as error:
                if error.code != "VOICE_NOT_FOUND":
                    raise
                missing.append(name)
        return list(there.values()), missing


REFUSALS = ("VOICE_NOT_FOUND", "VOICE_FIELD_UPDATE_NOT_ALLOWED")
"""What the service says of a voice of the library that is to be changed."""

YOURS = "Your own voices: asyncflow voices list --mine"


def _insist_on_own(voice: Voice) -> None:
    """NotFoundError, as the service has it, before anybody is asked for a yes to no effect."""
    if voice.is_of_library:
        raise NotFoundError(_of_library(voice, "delete"), hint=YOURS, code="VOICE_NOT_FOUND")


def _blame_library(error: AsyncflowError, voice: Voice, deed: str) -> None:
    """Say that it is not yours, which the service does not."""
    if voice.is_of_library and error.code in REFUSALS:
        error.message = _of_library(voice, deed)
        error.hint = YOURS


def _of_library(voice: Voice, deed: str) -> str:
    return f"{voice.name} ({voice.voice_id}) is a voice of the library, which nobody can {deed}"


def _path(voice: Voice) -> str:
    return f"/voices/{quote(voice.voice_id, safe='')}"
