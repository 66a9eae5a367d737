"""What the service's speech operations share: whom they let in, which voice, which words.

Choices of the sandbox where the service is unknown: the key is checked before the version and
the version before the body; the model must be one of the documented or the 2025 names; text must
not be empty.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.requests import HTTPConnection

from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.protocol.models import (
    HONOURS_SPEED,
    LANGUAGES,
    MODELS,
    PHONE,
    OutputFormat,
    SpeechRequest,
)
from asyncflow_cli.sandbox.encode import Encoder, encode_whole
from asyncflow_cli.sandbox.engine import Engine, EngineCrashed, EngineMissing, Samples
from asyncflow_cli.sandbox.refusal import Broken, Invalid, Refusal
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.voices import LIBRARY, LibraryVoice

API_KEY = "sk_sandbox_0123456789abcdef"
"""Public, and worth nothing."""

VERSION = "v1"

LEGACY_MODELS = frozenset(
    {"asyncflow_v2.0", "asyncflow_multilingual_v1.0", "asyncflow_multilingual_v1.0.0"}
)

_VOICES = {voice.voice_id: voice for voice in LIBRARY}


def admit(connection: HTTPConnection, key: str | None) -> None:
    """Refuse a key that is not ours, and a version that is not v1."""
    check_key(key)
    check_version(connection)


def check_key(key: str | None) -> None:
    if key != API_KEY:
        shown = f"{key[:5]}..." if key else ""
        raise Refusal(401, "INVALID_API_KEY", "The API key is not valid", api_key=shown)


def check_version(connection: HTTPConnection) -> None:
    headers, query = connection.headers, connection.query_params
    version = headers.get("version") or headers.get("api-version") or query.get("version")
    if version not in (None, VERSION):
        raise Refusal(404, "VERSION_NOT_FOUND", f"There is no API version {version}")


def check_model(model_id: str, *loc: str) -> None:
    if model_id not in MODELS | LEGACY_MODELS:
        raise Invalid(f"Unknown model {model_id}", *loc, "model_id")


def check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise Refusal(400, "INVALID_LANGUAGE", f"Language {language} is not supported")


def find_voice(voice_id: str) -> LibraryVoice:
    voice = _VOICES.get(voice_id)
    if voice is None:
        raise Refusal(404, "VOICE_NOT_FOUND", "There is no such voice", voice_id=voice_id)
    return voice


def check_whole(request: SpeechRequest) -> LibraryVoice:
    """The rules of `/text_to_speech`; the voice that will speak."""
    check_model(request.model_id, "body")
    if request.output_format.encoding == "pcm_mulaw":
        raise Invalid(
            "pcm_mulaw is for streaming only", "body", "output_format", "encoding", kind="enum"
        )
    if not request.transcript.strip():
        raise Invalid("The transcript is empty", "body", "transcript")
    check_language(request.language)
    return find_voice(request.voice.id)


class Speaker:
    """The engine, and the memory of what it said."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store

    async def speak(
        self, transcript: str, voice: LibraryVoice, *, model_id: str, **options: object
    ) -> AsyncGenerator[bytes, None]:
        """Samples of the engine as they are made. Broken if it cannot speak this, or at all."""
        speed = options.get("speed_control") if model_id == HONOURS_SPEED else None
        language = options.get("language")
        spoken = self._engine.speak(
            transcript,
            voice.sound,
            language=str(language) if language else None,
            speed=float(str(speed)) if speed else 1.0,
        )
        try:
            async with aclosing(spoken):
                async for piece in spoken:
                    if isinstance(piece, Samples):
                        yield piece.pcm
        except EngineMissing as error:
            raise Broken(503, error.message, error.hint or "") from None
        except EngineCrashed as error:
            raise Broken(422, error.message, "engine") from None

    async def say(self, text: str, language: str | None) -> bytes:
        """The μ-law of a <Say>: https://www.twilio.com/docs/voice/twiml/say

        Twilio's languages are such as `en-GB`; one the engine has not is spoken in English.
        Without an engine it is silence, 60 ms a character.
        """
        code = (language or "en").split("-")[0].lower()
        spoken = self.speak(
            text, LIBRARY[0], model_id="", language=code if code in LANGUAGES else "en"
        )
        try:
            return encode_whole(b"".join([piece async for piece in spoken]), PHONE)
        except (Broken, EngineMissing):
            return MULAW_SILENCE * round(0.06 * PHONE_RATE * len(text))

    def encoder(self, output_format: OutputFormat) -> Encoder:
        try:
            return Encoder(output_format)
        except EngineMissing as error:
            raise Broken(503, error.message, error.hint or "") from None

    def remember(
        self, operation: str, voice: LibraryVoice, text: str, form: OutputFormat, audio: bytes
    ) -> None:
        self._store.add_speech(
            operation=operation,
            voice_id=voice.voice_id,
            transcript=text,
            output_format=msgspec.to_builtins(form),
            audio=audio,
        )
