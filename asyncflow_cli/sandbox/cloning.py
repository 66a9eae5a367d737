"""`POST /voices/clone`: a clip in, a voice out that has its pitch.

https://docs.async.com/clone-voice-16699697e0

It does not clone: it finds the median pitch of the clip and gives a stock voice that pitch, and
says so in a header. Choices where the service is unknown: 10 MB are 10 × 2^20 bytes; ogg, webm and
m4a are not recognized; the clip is judged in the order format, silence and clipping, length.
"""

from __future__ import annotations

import asyncio
import uuid
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.protocol.voices import ClonedVoice, CloneRequest
from asyncflow_cli.sandbox.answering import Upload, read_fields, read_upload
from asyncflow_cli.sandbox.engine import EngineMissing
from asyncflow_cli.sandbox.enginevoice import SPEAKS, EngineVoice
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.recording import Recording, decode, format_of
from asyncflow_cli.sandbox.refusal import Invalid, Refusal, unable
from asyncflow_cli.sandbox.speaker import Speaker, admit, check_language
from asyncflow_cli.sandbox.voices import LibraryVoice
from asyncflow_cli.sandbox.voicesapi import now

LARGEST_CLIP = 10 * 1024 * 1024

EMULATED = {"x-sandbox-emulated": "pitch-matched stock voice"}

_RATE = 158
"""Words per minute, of no predefined voice: a clone is never mistaken for one."""

_SETTINGS = (0, 25, 50, 75, 99)
_HERTZ = {"klatt5": (73, 80, 99, 128, 168), "f2": (128, 155, 193, 246, 320)}
"""The median pitch of a variant at those settings, measured over three texts."""

_WOMEN_BEGIN = 150.0
"""Hz, above which the stock voice is a woman's."""


class Cloning:
    def __init__(self, speaker: Speaker) -> None:
        self._library = speaker.library
        self._choices = speaker.choices

    async def clone(self, request: Request) -> Response:
        admit(request, request.headers.get("x-api-key"))
        upload = await read_upload(request, "audio")
        fields = self._fields(upload)
        recording = await asyncio.to_thread(_judged, upload.content, self._choices.shortest_clip)
        pitch = await asyncio.to_thread(lambda: recording.pitch)
        voice = _voice(fields, pitch)
        self._library.add(voice, upload.content)
        cloned = ClonedVoice(
            id=voice.voice_id,
            name=voice.name,
            description=voice.description,
            language=voice.language,
        )
        return as_json(cloned, headers=EMULATED)

    def _fields(self, upload: Upload) -> CloneRequest:
        """In 2025 language and enhance were required."""
        fields = read_fields(upload.fields, CloneRequest)
        for name in ("language", "enhance") if self._choices.legacy else ():
            if not upload.fields.get(name):
                raise Invalid("Field required", "body", name, kind="missing")
        check_language(fields.language)
        return fields


def _judged(content: bytes, shortest: float) -> Recording:
    """The clip, if it is one to make a voice of; or the documented refusal."""
    if len(content) > LARGEST_CLIP:
        raise Refusal(413, "FILE_TOO_LARGE", "The file is larger than 10 MB")
    try:
        samples = decode(content) if format_of(content) else None
    except EngineMissing as error:
        raise unable(error) from None
    if samples is None:
        raise Refusal(400, "FORMAT_NOT_RECOGNIZED", "The clip is no wav, mp3, flac or aiff")
    recording = Recording(samples)
    speech = recording.speech_seconds
    if recording.seconds >= shortest and (not speech or recording.clipped):
        raise Refusal(400, "BAD_SPEECH_QUALITY", "The clip is silent or cut off at full scale")
    if speech < shortest:
        message = f"The clip holds {speech:.1f} s of speech, and {shortest:g} s is the least"
        raise Refusal(400, "SHORT_SPEECH_DURATION", message)
    return recording


def _voice(fields: CloneRequest, pitch: float | None) -> LibraryVoice:
    language = fields.language or "en"
    hertz = pitch or (180.0 if fields.gender == "Female" else 110.0)
    woman = hertz >= _WOMEN_BEGIN
    variant = "f2" if woman else "klatt5"
    born = now()
    return LibraryVoice(
        voice_id=str(uuid.uuid4()),
        name=fields.name,
        description=fields.description or "",
        language=language,
        gender=fields.gender or "Unspecified",
        accent=fields.accent or "",
        style=fields.style or "",
        sound=EngineVoice(
            identifier=SPEAKS[language],
            variant=variant,
            pitch=_setting(_HERTZ[variant], hertz),
            rate=_RATE,
            stand_in="slt" if woman else "rms",
        ),
        created_at=born,
        updated_at=born,
    )


def _setting(measured: tuple[int, ...], hertz: float) -> int:
    """The engine's setting for a pitch, between those that were measured."""
    hertz = min(max(hertz, measured[0]), measured[-1])
    steps = zip(pairwise(measured), pairwise(_SETTINGS), strict=True)
    for (low, high), (first, last) in steps:
        if hertz <= high:
            return round(first + (last - first) * (hertz - low) / (high - low))
    return _SETTINGS[-1]
