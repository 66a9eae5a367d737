"""What the service promises, asked of the sandbox and, with a key and `-m live`, of the real one.

    ASYNC_API_KEY=sk_… pytest -m live tests/contract

A difference is a fault of the sandbox. Each live run synthesises a few seconds of speech.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from asyncflow_cli.errors import AuthError, NotFoundError
from asyncflow_cli.protocol.checked import check
from asyncflow_cli.protocol.models import PHONE, OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.protocol.speechmessages import Audio, Final, Initialize
from asyncflow_cli.protocol.timed import decipher
from asyncflow_cli.protocol.voices import ListVoicesRequest
from asyncflow_cli.settings import DEFAULT_MODEL, DEFAULT_VOICE, Settings, load
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.speech import SpeechSession
from tests.conftest import ServedSandbox

T = TypeVar("T")

TEXT = "The train leaves at noon."
WAV = OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=16_000)
MP3 = OutputFormat(container="mp3", sample_rate=44_100, bit_rate=128_000)
RAW = OutputFormat(container="raw", encoding="pcm_s16le", sample_rate=24_000)


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live)])
def service(request: pytest.FixtureRequest) -> Iterator[Settings]:
    if request.param == "live":
        if not os.environ.get("ASYNC_API_KEY"):
            pytest.skip("ASYNC_API_KEY is not set")
        yield load({}, os.environ, {}, {}, {})
        return
    fast: ServedSandbox = request.getfixturevalue("fast")
    yield load({}, fast.environ, {}, {}, {})


def ask(settings: Settings, question: Callable[[ApiClient], Awaitable[T]]) -> T:
    async def asking() -> T:
        api = ApiClient(settings)
        try:
            return await question(api)
        finally:
            await api.aclose()

    return asyncio.run(asking())


def wish(form: OutputFormat, **fields: Any) -> SpeechRequest:
    usual = {"model_id": DEFAULT_MODEL, "transcript": TEXT, "voice": VoiceSelector(DEFAULT_VOICE)}
    return SpeechRequest(**{**usual, **fields}, output_format=form)


def test_the_status_is_up_and_the_version_v1(service: Settings) -> None:
    report = ask(service, lambda api: api.status())
    assert (report.status, report.version) == ("up", "v1")


@pytest.mark.parametrize("form", [WAV, MP3, RAW], ids=lambda form: form.container)
def test_speech_is_whole_and_about_as_long_as_it_takes_to_say(
    service: Settings, form: OutputFormat
) -> None:
    audio = ask(service, lambda api: api.synthesize(wish(form)))
    checked = check(audio, form)
    assert checked.seconds is not None
    assert 0.7 < checked.seconds < 4


@pytest.mark.parametrize("form", [RAW, PHONE, MP3], ids=["raw", "mulaw", "mp3"])
def test_a_stream_is_audio(service: Settings, form: OutputFormat) -> None:
    async def streamed(api: ApiClient) -> bytes:
        async with api.stream(wish(form)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    assert len(ask(service, streamed)) > 4000


def test_every_word_has_its_time_inside_the_audio(service: Settings) -> None:
    answer = ask(service, lambda api: api.synthesize_with_timestamps(wish(WAV)))
    timed = decipher(answer, TEXT, WAV)
    assert [word.text.strip(".").lower() for word in timed.words] == TEXT.strip(".").lower().split()
    assert timed.words[-1].end / 1000 <= timed.seconds + 0.5


def test_the_websocket_sends_audio_and_one_final(service: Settings) -> None:
    async def spoken() -> list[object]:
        init = Initialize(
            model_id=DEFAULT_MODEL, voice=VoiceSelector(DEFAULT_VOICE), output_format=PHONE
        )
        async with SpeechSession(service, init) as session:
            events: AsyncIterator[object] = session.speak(TEXT)
            async with aclosing(events):  # type: ignore[type-var]
                return [event async for event in events]

    events = asyncio.run(spoken())
    assert isinstance(events[0], Audio)
    assert [type(event) for event in events].count(Final) == 1


def test_a_page_of_voices_has_the_voices_that_are_got_by_id(service: Settings) -> None:
    async def both(api: ApiClient) -> tuple[list[Any], list[Any]]:
        library = VoiceLibrary(api)
        page = await library.all_voices(ListVoicesRequest(limit=3)).__anext__()
        return [page], await library.get_voices([page.voice_id])

    listed, got = ask(service, both)
    assert [voice.voice_id for voice in listed] == [voice.voice_id for voice in got]


def test_a_wrong_key_is_not_authorised(service: Settings) -> None:
    stranger = Settings(api_key="sk_not_a_key_0123456789", base_url=service.base_url)
    with pytest.raises(AuthError) as refused:
        ask(stranger, lambda api: api.synthesize(wish(WAV)))
    assert refused.value.code == "INVALID_API_KEY"


def test_an_unknown_voice_is_not_found(service: Settings) -> None:
    nobody = VoiceSelector("00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFoundError) as refused:
        ask(service, lambda api: api.synthesize(wish(WAV, voice=nobody)))
    assert refused.value.code == "VOICE_NOT_FOUND"
