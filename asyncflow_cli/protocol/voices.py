"""The voice library as shapes, and how a voice is named.

https://docs.async.com/list-voices-16699698e0

Lenient in what it reads: the voices of 2025 had other field names, the vendor's own examples lack
some, and genders came in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from asyncflow_cli.errors import NotFoundError, UsageError
from asyncflow_cli.nearest import did_you_mean, first
from asyncflow_cli.protocol.models import LANGUAGES, MODELS, Model, unheard_of

Gender = Literal["Male", "Female", "Neutral", "Unspecified"]
VoiceType = Literal["PREDEFINED", "CUSTOM"]

LIBRARY_LANGUAGES_TOO = frozenset({"nl"})
"""Codes that the voice filter takes besides those of synthesis."""


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One voice; `language` and `style` are comma-separated lists."""

    voice_id: str
    name: str
    description: str = ""
    language: str = ""
    gender: str = "Unspecified"
    accent: str = ""
    style: str = ""
    created_at: str = ""
    updated_at: str = ""
    voice_type: str = ""
    """`PREDEFINED` or `CUSTOM`, if it says whose it is."""

    @property
    def is_of_library(self) -> bool:
        """Whether it says that it is everybody's."""
        return self.voice_type == "PREDEFINED"

    @property
    def headline(self) -> str:
        return self.voice_id


class ListVoicesRequest(Model, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=100)] | None = None
    after: str | None = None
    """The cursor, a voice id."""
    model_id: str | None = None
    language: str | None = None
    accent: str | None = None
    gender: Gender | None = None
    style: str | None = None
    my_voice: bool | None = None


class VoicePage(msgspec.Struct, frozen=True):
    voices: list[dict[str, Any]]
    next_cursor: str | None = None
    """Whether it is the last id of this page or the first of the next is not documented."""


class BatchRequest(msgspec.Struct, frozen=True):
    voice_ids: list[str]


class ClonedVoice(msgspec.Struct, frozen=True, kw_only=True):
    """What `/voices/clone` answers; the id has another name here."""

    id: str
    name: str
    description: str | None = ""
    language: str | None = ""


CLONE_PATH = "/voices/clone"


class CloneRequest(Model, frozen=True):
    """The fields that go with a clip; what is not given is not sent."""

    name: str
    description: str | None = None
    accent: str | None = None
    gender: Gender | None = None
    style: str | None = None
    enhance: bool = False
    """Remove the noise behind the voice first."""
    transcript: str | None = None
    language: str | None = None
    """Was needed in 2025; neither of these two is documented since."""

    def form(self) -> dict[str, str]:
        """As the text fields of a multipart form."""
        given = {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}
        return {**given, "enhance": "true" if self.enhance else "false"}


class UpdateVoiceRequest(Model, frozen=True):
    name: str | None = None
    description: str | None = None
    gender: Gender | None = None
    style: str | None = None
    accent: str | None = None


class VoicePreview(msgspec.Struct, frozen=True):
    signed_url: str


def read_voice(raw: dict[str, Any]) -> Voice:
    """A voice in any of the shapes that the service has used."""
    mine = raw.get("my_voice")
    known = {
        **raw,
        "voice_id": raw.get("voice_id") or raw.get("id"),
        # The vendor's own example of 2025 misspells it.
        "voice_type": raw.get("voice_type") or raw.get("vocie_type") or _type_of(mine),
        "gender": str(raw.get("gender") or "Unspecified").capitalize(),
    }
    return msgspec.convert({k: v for k, v in known.items() if v is not None}, Voice)


def _type_of(mine: object) -> VoiceType | None:
    if mine is None:
        return None
    return "CUSTOM" if mine is True else "PREDEFINED"


def doubts(request: ListVoicesRequest) -> Iterator[str]:
    """Filters that we have not heard of; the service is asked all the same."""
    yield from unheard_of("Model", request.model_id, MODELS)
    yield from unheard_of("Language", request.language, LANGUAGES | LIBRARY_LANGUAGES_TOO)


def is_about(voice: Voice, text: str) -> bool:
    """Whether every word of `text` stands somewhere in what is said of the voice."""
    said = " ".join((voice.name, voice.description, voice.accent, voice.style)).casefold()
    return all(word in said for word in text.casefold().split())


class Change(msgspec.Struct, frozen=True):
    field: str
    before: str
    after: str


def given(wanted: UpdateVoiceRequest) -> dict[str, str]:
    """The fields to set. UsageError if there are none."""
    fields = {k: v for k, v in msgspec.structs.asdict(wanted).items() if v is not None}
    if not fields:
        possible = ", ".join(f"--{name}" for name in wanted.__struct_fields__)
        raise UsageError("Nothing to change was given", hint=f"Give any of {possible}")
    return fields


def changes(voice: Voice, wanted: dict[str, str]) -> list[Change]:
    """What would be different."""
    before = {name: getattr(voice, name) for name in wanted}
    return [Change(k, before[k], v) for k, v in wanted.items() if v != before[k]]


def resolve(name: str, voices: Iterable[Voice], aliases: Iterable[str] = ()) -> Voice:
    """The voice of that id, exact name, or unique prefix of either, whatever the case of names.

    NotFoundError if there is none, or several: then it lists them. `aliases` are names, too, that
    may have been meant.
    """
    voices = list(voices)
    folded = name.casefold()
    by_id = [voice for voice in voices if voice.voice_id == name]
    by_name = [voice for voice in voices if voice.name.casefold() == folded]
    by_prefix = [
        voice
        for voice in voices
        if voice.name.casefold().startswith(folded) or voice.voice_id.casefold().startswith(folded)
    ]
    # Every name begins with the empty one, which therefore names no voice.
    for found in (by_id, by_name, by_prefix) if folded.strip() else ():
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(name, found)
    raise not_found([name], (*aliases, *(voice.name for voice in voices)))


SHOWN = 10
"""How many of the voices that a name may mean are told in words."""


def _ambiguous(name: str, found: list[Voice]) -> NotFoundError:
    listed = first([f"{voice.name} ({voice.voice_id})" for voice in found], SHOWN)
    return NotFoundError(
        f"{name!r} names several voices: {listed}",
        hint="Give more of the name, or the id",
        code="VOICE_AMBIGUOUS",
        details={"voices": [{"voice_id": v.voice_id, "name": v.name} for v in found]},
    )


def not_found(names: list[str], known: Iterable[str] = ()) -> NotFoundError:
    """With the likeliest of the names that are `known`, if one is like the first."""
    return NotFoundError(
        f"There is no voice {', '.join(map(repr, names))}",
        hint=did_you_mean(names[0], known, "asyncflow voices list --all"),
        code="VOICE_NOT_FOUND",
    )
