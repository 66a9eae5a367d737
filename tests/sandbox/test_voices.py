"""The library: every voice exists in the engine's data, is heard, and does not clip."""

from __future__ import annotations

import array
import asyncio
import math
from pathlib import Path
from uuid import UUID

import espeakng_loader
import pytest

from asyncflow_cli.protocol.models import LANGUAGES
from asyncflow_cli.sandbox.engine import Engine, Samples
from asyncflow_cli.sandbox.enginevoice import SPEAKS, EngineVoice
from asyncflow_cli.sandbox.voices import LIBRARY, LibraryVoice

DATA = Path(espeakng_loader.get_data_path())

GREETINGS = {
    "ar": "مرحبا كيف حالك اليوم",
    "de": "Guten Tag, wie geht es Ihnen heute?",
    "en": "Good morning, and how are you all today?",
    "es": "Hola, ¿cómo está usted hoy?",
    "fr": "Bonjour, comment allez-vous aujourd'hui ?",
    "he": "שלום, מה שלומך היום?",
    "hi": "नमस्ते, आज आप कैसे हैं?",
    "hy": "Բարև ձեզ, ինչպես եք այսօր?",
    "it": "Buongiorno, come sta oggi?",
    "ja": "こんにちは、おげんきですか。",
    "pt": "Bom dia, como você está hoje?",
    "ro": "Bună ziua, ce mai faceți?",
    "ru": "Здравствуйте, как у вас дела сегодня?",
    "tr": "Merhaba, bugün nasılsınız?",
    "zh": "你好，你今天好吗？",
}


def levels(pcm: bytes) -> tuple[float, float]:
    """RMS and peak, full scale being 1."""
    samples = array.array("h", pcm)
    rms = math.sqrt(sum(s * s for s in samples) / len(samples))
    return rms / 32768, max(map(abs, samples)) / 32768


def voice_id(voice: LibraryVoice) -> str:
    return voice.name


async def spoken(pairs: list[tuple[str, EngineVoice]]) -> list[bytes]:
    async with Engine() as engine:
        return [
            b"".join([s.pcm async for s in engine.speak(text, voice) if isinstance(s, Samples)])
            for text, voice in pairs
        ]


@pytest.mark.parametrize("voice", LIBRARY, ids=voice_id)
def test_the_engine_has_the_voice(voice: LibraryVoice) -> None:
    # espeak ignores an unknown variant without a word: it would be another voice.
    assert (DATA / "lang" / voice.sound.identifier).is_file()
    assert (DATA / "voices" / "!v" / voice.sound.variant).is_file()


@pytest.mark.parametrize("code", SPEAKS)
def test_the_engine_has_the_language(code: str) -> None:
    family, name = SPEAKS[code].split("/")
    assert (DATA / "lang" / family / name).is_file()
    assert (DATA / f"{name.split('-')[0]}_dict").is_file()


def test_all_languages_of_the_service_are_spoken() -> None:
    assert set(SPEAKS) == LANGUAGES


def test_every_voice_is_heard_at_a_like_level_and_none_is_cut_off() -> None:
    pairs = [(GREETINGS[voice.sound.language], voice.sound) for voice in LIBRARY]
    for voice, pcm in zip(LIBRARY, asyncio.run(spoken(pairs)), strict=True):
        rms, peak = levels(pcm)
        assert 0.04 < rms < 0.16, voice.name
        assert peak < 0.99, voice.name


def test_no_variant_is_cut_off_in_any_language() -> None:
    variants = sorted({voice.sound.variant for voice in LIBRARY})
    pairs = [
        (text, EngineVoice(identifier=SPEAKS[code], variant=variant))
        for variant in variants
        for code, text in GREETINGS.items()
    ]
    for (text, voice), pcm in zip(pairs, asyncio.run(spoken(pairs)), strict=True):
        rms, peak = levels(pcm)
        assert rms > 0.03, (voice.name, text)
        assert peak < 0.99, (voice.name, text)


def test_no_two_voices_sound_the_same() -> None:
    sounds = asyncio.run(spoken([("One two three.", voice.sound) for voice in LIBRARY]))
    assert len(set(sounds)) == len(LIBRARY)


def test_ids_are_unique_and_well_formed() -> None:
    ids = [voice.voice_id for voice in LIBRARY]
    assert len(set(ids)) == len(ids) >= 12
    assert [str(UUID(voice_id)) for voice_id in ids] == ids


def test_the_ids_that_public_code_uses_are_there() -> None:
    names = {voice.voice_id: voice.name for voice in LIBRARY}
    assert names["cca0e076-94b9-4c6d-86b7-546168f11174"] == "Jennie"
    assert names["f493c663-b272-493e-8b78-72d2262a2a8d"] == "Stella"
    assert "e0f39dc4-f691-4e78-bba5-5c636692cc04" in names
    assert "e7b694f8-d277-47ff-82bf-cb48e7662647" in names


def test_the_library_is_mixed() -> None:
    assert {voice.gender for voice in LIBRARY} == {"Male", "Female", "Neutral"}
    languages = {code for voice in LIBRARY for code in voice.language.split(",")}
    assert {"en", "fr", "de", "es", "it", "pt"} <= languages <= LANGUAGES


@pytest.mark.parametrize("voice", LIBRARY, ids=voice_id)
def test_a_voice_speaks_the_first_of_its_languages(voice: LibraryVoice) -> None:
    assert voice.language.split(",")[0] == voice.sound.language


def test_a_voice_keeps_its_timbre_in_another_language() -> None:
    british = EngineVoice(identifier="gmw/en-GB-x-rp", variant="edward", pitch=45)
    assert british.in_language("fr").name == "roa/fr+edward"
    assert british.in_language("fr").pitch == 45


def test_a_voice_keeps_its_accent_in_its_own_language() -> None:
    british = EngineVoice(identifier="gmw/en-GB-x-rp", variant="edward")
    assert british.in_language("en") == british
