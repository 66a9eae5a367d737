"""What the service's speech operations share: whom they let in, which voice, which words.

Choices of the sandbox where the service is unknown: the key is checked before the version and
the version before the body; the model must be one of the documented or the 2025 names; text must
not be empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

import msgspec
from starlette.requests import HTTPConnection

from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.protocol.models import (
    HONOURS_SPEED,
    LANGUAGES,
    PHONE,
    VERSION,
    OutputFormat,
)
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.encode import Encoder, encode_whole
from asyncflow_cli.sandbox.engine import Engine, EngineCrashed, EngineMissing, Samples, Spoken
from asyncflow_cli.sandbox.library import Library
from asyncflow_cli.sandbox.refusal import Invalid, Refusal, unable
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.voices import LIBRARY, LibraryVoice

API_KEY = "sk_sandbox_0123456789abcdef"
"""Public, and worth nothing."""


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


def check_model(model_id: str, accepted: Collection[str], *loc: str) -> None:
    if model_id not in accepted:
        raise Invalid(f"Model {model_id} is not one of {sorted(accepted)}", *loc, "model_id")


def check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise Refusal(400, "INVALID_LANGUAGE", f"Language {language} is not supported")


class Speaker:
    """The engine, and the memory of what it said."""

    def __init__(self, engine: Engine, store: Store, choices: Choices | None = None) -> None:
        self._engine = engine
        self.store = store
        self.choices = choices or Choices()
        self.library = Library(store, self.choices)

    async def utter(
        self, transcript: str, voice: LibraryVoice, *, model_id: str, **options: object
    ) -> AsyncGenerator[Spoken, None]:
        """Samples as they are made, then the words.

        Invalid if the engine cannot speak this text, Refusal if it cannot speak at all.
        """
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
                    yield piece
        except EngineMissing as error:
            raise unable(error) from None
        except EngineCrashed as error:
            raise Invalid(error.message, "body", "transcript") from None

    async def speak(
        self, transcript: str, voice: LibraryVoice, *, model_id: str, **options: object
    ) -> AsyncGenerator[bytes, None]:
        """The samples alone."""
        uttered = self.utter(transcript, voice, model_id=model_id, **options)
        async with aclosing(uttered):
            async for piece in uttered:
                if isinstance(piece, Samples):
                    yield piece.pcm

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
        except (Refusal, Invalid, EngineMissing):
            return MULAW_SILENCE * round(0.06 * PHONE_RATE * len(text))

    async def file(self, pcm: bytes, output_format: OutputFormat) -> bytes:
        """Samples as a whole answer."""
        try:
            return await asyncio.to_thread(encode_whole, pcm, output_format)
        except EngineMissing as error:
            raise unable(error) from None

    def encoder(self, output_format: OutputFormat) -> Encoder:
        try:
            return Encoder(output_format)
        except EngineMissing as error:
            raise unable(error) from None

    def remember(
        self, operation: str, voice: LibraryVoice, text: str, form: OutputFormat, audio: bytes
    ) -> None:
        self.store.add_speech(
            operation=operation,
            voice_id=voice.voice_id,
            transcript=text,
            output_format=msgspec.to_builtins(form),
            audio=audio,
        )
