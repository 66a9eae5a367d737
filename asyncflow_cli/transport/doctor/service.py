"""The Async Voice API: the key, and both ways to speak to it. Nothing is synthesised."""

from __future__ import annotations

from asyncflow_cli.errors import AuthError
from asyncflow_cli.protocol.models import VoiceSelector
from asyncflow_cli.protocol.speech import Initialize
from asyncflow_cli.protocol.voices import ListVoicesRequest
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.doctor.examination import Answer, Doubt
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.speech import SpeechSession

BEGINNING = "sk_"
"""Of every key, by https://docs.async.com/get-started-990331m0"""


async def key(settings: Settings) -> Answer:
    """Whether there is a key, and whether it looks like one."""
    found = settings.need("api_key")
    where = settings.origins.get("api_key", "default")
    if not found.startswith(BEGINNING) or len(found) < 12:
        return Doubt(
            AuthError(
                f"What {where} holds does not look like a key, which begins with {BEGINNING}",
                hint="Copy it once more from the developer console, whole and without quotes",
                code="KEY_ODD",
            )
        )
    return f"from {where}"


async def status(api: ApiClient) -> Answer:
    report = await api.status(retry=False)
    return f"version {report.version}, {report.latency_ms:.0f} ms away"


async def over_http(library: VoiceLibrary) -> Answer:
    """Whether the key is taken: the cheapest thing that needs one is a list of one voice."""
    await library.list_voices(ListVoicesRequest(limit=1))
    return "the key is taken"


async def voice(library: VoiceLibrary, settings: Settings) -> Answer:
    """Whether the voice that speaks unless told otherwise is there."""
    (found,) = await library.get_voices([settings.voice])
    return f"{found.name}, from {settings.origins.get('voice', 'default')}"


async def over_websocket(library: VoiceLibrary, settings: Settings) -> Answer:
    """Whether a session opens; it says nothing, and costs nothing."""
    first = Initialize(model_id=settings.model, voice=VoiceSelector(id=settings.voice))
    async with SpeechSession(settings, await library.with_id(first)):
        return "a session opens"
