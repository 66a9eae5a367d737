"""All voices there are: the sandbox's own, and those that were cloned from a clip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from asyncflow_cli.protocol.voices import ListVoicesRequest, Voice
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.refusal import Refusal
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.voices import LIBRARY, LibraryVoice

_PREDEFINED = {voice.voice_id: voice for voice in LIBRARY}


class Library:
    """Predefined voices first, then custom ones in the order of their birth."""

    def __init__(self, store: Store, choices: Choices) -> None:
        self._store = store
        self._choices = choices

    def find(self, voice_id: str) -> LibraryVoice:
        """The voice of that id, or the documented refusal."""
        voice = _PREDEFINED.get(voice_id) or self._custom().get(voice_id)
        if voice is None:
            raise unknown_voice(voice_id)
        return voice

    def is_predefined(self, voice_id: str) -> bool:
        return voice_id in _PREDEFINED

    def select(self, asked: ListVoicesRequest) -> list[LibraryVoice]:
        """The voices that the filters leave."""
        voices = [] if asked.my_voice else list(LIBRARY)
        voices += self._custom().values()
        return [voice for voice in voices if _fits(voice, asked)]

    def add(self, voice: LibraryVoice, clip: bytes | None = None) -> None:
        """Keep a custom voice, and the clip that it was made from."""
        self._store.put_voice(voice.voice_id, msgspec.to_builtins(voice), clip)

    def remove(self, voice_id: str) -> None:
        """Choice: nobody may delete a predefined voice, and it says that there is none."""
        if voice_id not in self._custom():
            raise unknown_voice(voice_id)
        self._store.delete_voice(voice_id)

    def clip(self, voice_id: str) -> bytes | None:
        return self._store.clip(voice_id)

    def described(self, voice: LibraryVoice) -> dict[str, Any]:
        """As the service of the era describes a voice."""
        predefined = self.is_predefined(voice.voice_id)
        if self._choices.legacy:
            return _of_2025(voice, mine=not predefined)
        kind = "PREDEFINED" if predefined else "CUSTOM"
        fields: dict[str, Any] = msgspec.to_builtins(voice)
        del fields["sound"]
        return msgspec.structs.asdict(Voice(**fields, voice_type=kind))

    def _custom(self) -> dict[str, LibraryVoice]:
        kept = self._store.voices()
        return {name: msgspec.convert(voice, LibraryVoice) for name, voice in kept.items()}


def unknown_voice(voice_id: str) -> Refusal:
    return Refusal(404, "VOICE_NOT_FOUND", "There is no such voice", voice_id=voice_id)


def _fits(voice: LibraryVoice, asked: ListVoicesRequest) -> bool:
    """Choice: accent and style match in part and whatever the case; any voice has any model."""
    return (
        asked.language in (None, *_parts(voice.language))
        and asked.gender in (None, voice.gender)
        and (asked.accent or "").casefold() in voice.accent.casefold()
        and (asked.style or "").casefold() in voice.style.casefold()
    )


def _parts(listed: str) -> Iterable[str]:
    return (part.strip() for part in listed.split(","))


def _of_2025(voice: LibraryVoice, *, mine: bool) -> dict[str, Any]:
    return {
        "id": voice.voice_id,
        "my_voice": mine,
        "name": voice.name,
        "description": voice.description,
        "created_at": voice.created_at,
        "language": voice.language,
        "is_starred": False,
        "gender": voice.gender.lower(),
    }
