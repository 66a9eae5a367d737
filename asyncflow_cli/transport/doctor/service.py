"""The Async Voice API: the key, and both ways to speak to it. Nothing is synthesised."""

from __future__ import annotations

from functools import cached_property

from asyncflow_cli.errors import AuthError
from asyncflow_cli.protocol.models import VoiceSelector
from asyncflow_cli.protocol.speechmessages import Initialize
from asyncflow_cli.protocol.voices import ListVoicesRequest
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.doctor.examination import Answer, Doubt
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.speech import SpeechSession

SHORTEST = 12
"""Characters; half a key is mostly shorter."""

BEGINNING = "sk_"
"""Of every key, by https://docs.async.com/get-started-990331m0"""


class Service:
    """Its client is made by the first check that asks, so that one which cannot be made is a
    finding like others. Close it in the loop that used it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _api(self) -> ApiClient:
        return ApiClient(self._settings)

    @cached_property
    def _library(self) -> VoiceLibrary:
        return VoiceLibrary(self._api)

    async def aclose(self) -> None:
        if "_api" in self.__dict__:
            await self._api.aclose()

    async def key(self) -> Answer:
        """Whether there is a key, and whether it looks like one."""
        found = self._settings.need("api_key")
        where = self._settings.origins.get("api_key", "default")
        if found.startswith(BEGINNING) and len(found) >= SHORTEST:
            return f"from {where}"
        return Doubt(
            AuthError(
                f"What {where} holds does not look like a key, which begins with {BEGINNING}",
                hint="Copy it once more from the developer console, whole and without quotes",
                code="KEY_ODD",
            )
        )

    async def status(self) -> Answer:
        report = await self._api.status(retry=False)
        return f"version {report.version}, {report.latency_ms:.0f} ms away"

    async def over_http(self) -> Answer:
        """Whether the key is taken: the cheapest that needs one is a list of one voice."""
        await self._library.list_voices(ListVoicesRequest(limit=1))
        return "the key is taken"

    async def voice(self) -> Answer:
        """Whether the voice that speaks unless told otherwise is there."""
        (found,) = await self._library.get_voices([self._settings.voice])
        return f"{found.name}, from {self._settings.origins.get('voice', 'default')}"

    async def over_websocket(self) -> Answer:
        """Whether a session opens; it says nothing, and costs nothing."""
        voice = VoiceSelector(id=self._settings.voice)
        first = Initialize(model_id=self._settings.model, voice=voice)
        async with SpeechSession(self._settings, await self._library.with_id(first)):
            return "a session opens"
