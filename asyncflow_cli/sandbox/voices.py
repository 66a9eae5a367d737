"""The library: the sandbox's predefined voices, and how each of them sounds.

A voice is data. Its id names one timbre for good, so the same id sounds the same everywhere. Four
of the ids are ones that public code written for the service uses; the names of two of those, and
everything about the others, are the sandbox's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from asyncflow_cli.protocol.voices import Gender
from asyncflow_cli.sandbox.enginevoice import EngineVoice


@dataclass(frozen=True, kw_only=True)
class LibraryVoice:
    """A predefined voice as the service describes one, and its sound."""

    voice_id: str
    name: str
    description: str
    language: str
    gender: Gender
    accent: str
    style: str
    sound: EngineVoice
    created_at: str = "2025-03-03T09:00:00.000Z"
    updated_at: str = "2025-03-03T09:00:00.000Z"


def _man(identifier: str, variant: str, pitch: int = 50, rate: int = 160) -> EngineVoice:
    return EngineVoice(identifier=identifier, variant=variant, pitch=pitch, rate=rate)


def _woman(identifier: str, variant: str, pitch: int = 50, rate: int = 160) -> EngineVoice:
    return replace(_man(identifier, variant, pitch, rate), stand_in="slt")


# English begins with the variants a recogniser understood best, at 150–175 words a minute. Words
# it got wrong: klatt4 19 %, klatt5 21 %, edward 22 %, mike2 24 %, f2 and f5 32 %; en-US alone 55 %.
LIBRARY: tuple[LibraryVoice, ...] = (
    LibraryVoice(
        voice_id="e0f39dc4-f691-4e78-bba5-5c636692cc04",
        name="Adam",
        description="Clear and even; the voice to start with",
        language="en",
        gender="Male",
        accent="American (US)",
        style="Conversational, Narration",
        sound=_man("gmw/en-US", "klatt4", rate=165),
    ),
    LibraryVoice(
        voice_id="cca0e076-94b9-4c6d-86b7-546168f11174",
        name="Jennie",
        description="Bright and friendly, at home on the telephone",
        language="en",
        gender="Female",
        accent="American (US)",
        style="Conversational, Customer Support",
        sound=_woman("gmw/en-US", "f2", rate=160),
    ),
    LibraryVoice(
        voice_id="f493c663-b272-493e-8b78-72d2262a2a8d",
        name="Stella",
        description="Calm and warm, for longer stories",
        language="en",
        gender="Female",
        accent="American (US)",
        style="Storytelling",
        sound=_woman("gmw/en-US", "f5", rate=155),
    ),
    LibraryVoice(
        voice_id="e7b694f8-d277-47ff-82bf-cb48e7662647",
        name="Edward",
        description="Measured and formal",
        language="en",
        gender="Male",
        accent="American (US)",
        style="News, Narration",
        sound=_man("gmw/en-US", "edward", rate=165),
    ),
    LibraryVoice(
        voice_id="fd49aff6-f0da-4b4c-99a0-6a81a3da70c2",
        name="Mike",
        description="Deep and direct, for announcements",
        language="en",
        gender="Male",
        accent="American (US)",
        style="Announcement, Advertising",
        sound=_man("gmw/en-US", "mike2", rate=165),
    ),
    LibraryVoice(
        voice_id="7eed90b9-9092-4ddf-8473-8ff1b3019a9b",
        name="Robin",
        description="Neither a man's voice nor a woman's; plain and quick",
        language="en",
        gender="Neutral",
        accent="American (US)",
        style="Assistant",
        sound=_man("gmw/en-US", "klatt5", pitch=62, rate=175),
    ),
    LibraryVoice(
        voice_id="4ca9d7b3-561c-453d-9a10-5eae29505b42",
        name="Arthur",
        description="Unhurried British narrator",
        language="en",
        gender="Male",
        accent="British (RP)",
        style="Narration, Storytelling",
        sound=_man("gmw/en-GB-x-rp", "edward", pitch=45, rate=160),
    ),
    LibraryVoice(
        voice_id="828d6a70-76e2-4ce6-9a9d-3b0dc57bbd5f",
        name="Fiona",
        description="Lively Scottish voice",
        language="en",
        gender="Female",
        accent="Scottish",
        style="Conversational",
        sound=_woman("gmw/en-GB-scotland", "f2", rate=160),
    ),
    LibraryVoice(
        voice_id="4b07f3bf-4523-483d-8362-f7ac8b0a2eae",
        name="Camille",
        description="Clear Parisian voice; also speaks English",
        language="fr,en",
        gender="Female",
        accent="French (France)",
        style="Conversational",
        sound=_woman("roa/fr", "f5", rate=160),
    ),
    LibraryVoice(
        voice_id="d51acbb4-5d92-4115-a6e5-832208b105b4",
        name="Luc",
        description="Relaxed storyteller",
        language="fr",
        gender="Male",
        accent="Swiss French",
        style="Storytelling",
        sound=_man("roa/fr-CH", "klatt4", rate=155),
    ),
    LibraryVoice(
        voice_id="46865aec-8dcd-47c3-961a-f712554a97ea",
        name="Jonas",
        description="Sober newsreader; also speaks English",
        language="de,en",
        gender="Male",
        accent="German (Germany)",
        style="News",
        sound=_man("gmw/de", "klatt4", rate=155),
    ),
    LibraryVoice(
        voice_id="c52cf457-1533-4072-baca-24d361a2705e",
        name="Greta",
        description="Friendly and precise",
        language="de",
        gender="Female",
        accent="German (Germany)",
        style="Customer Support",
        sound=_woman("gmw/de", "f2", rate=155),
    ),
    LibraryVoice(
        voice_id="6ef208c8-99f8-4935-9ad1-c51033987d9b",
        name="Lucía",
        description="Warm voice from Madrid; also speaks English",
        language="es,en",
        gender="Female",
        accent="Spanish (Spain)",
        style="Conversational, Advertising",
        sound=_woman("roa/es", "f2", rate=165),
    ),
    LibraryVoice(
        voice_id="eeeb5e53-575f-4ef7-ad91-cb82a5d99a0d",
        name="Mateo",
        description="Easy-going Latin American voice",
        language="es",
        gender="Male",
        accent="Latin American Spanish",
        style="Storytelling",
        sound=_man("roa/es-419", "klatt5", rate=165),
    ),
    LibraryVoice(
        voice_id="4d61a27e-8991-47c0-a6ea-c14d0615ebc7",
        name="Giulia",
        description="Sunny and clear",
        language="it",
        gender="Female",
        accent="Italian (Italy)",
        style="Conversational",
        sound=_woman("roa/it", "f5", rate=160),
    ),
    LibraryVoice(
        voice_id="f657fbe2-d08f-4a79-8c77-0e2c94ff5682",
        name="Rafael",
        description="Soft Brazilian voice",
        language="pt",
        gender="Male",
        accent="Brazilian Portuguese",
        style="Narration",
        sound=_man("roa/pt-BR", "edward", rate=160),
    ),
    LibraryVoice(
        voice_id="4feab29b-50d6-4046-be8a-6a8d008fd916",
        name="Andrei",
        description="Even narrator in Romanian",
        language="ro",
        gender="Male",
        accent="Romanian",
        style="Narration",
        sound=_man("roa/ro", "m3", rate=155),
    ),
    LibraryVoice(
        voice_id="326d592b-cb30-478c-b44f-0a22e62bbb8e",
        name="Ekaterina",
        description="Composed newsreader in Russian",
        language="ru",
        gender="Female",
        accent="Russian",
        style="News",
        sound=_woman("zle/ru", "f5", rate=155),
    ),
    LibraryVoice(
        voice_id="8c553f78-f3a0-4b20-ac42-b21fdc643e9b",
        name="Emre",
        description="Quick and cheerful in Turkish",
        language="tr",
        gender="Male",
        accent="Turkish",
        style="Conversational",
        sound=_man("trk/tr", "mike2", rate=160),
    ),
    LibraryVoice(
        voice_id="8764e784-de2d-4a38-bbda-bf622faa79f5",
        name="Priya",
        description="Helpful and lively; speaks Hindi and English",
        language="hi,en",
        gender="Female",
        accent="Hindi",
        style="Customer Support",
        sound=_woman("inc/hi", "f2", rate=155),
    ),
    LibraryVoice(
        voice_id="a9d0a3c3-3a0b-4d2e-8a55-0f8f7f1b6c21",
        name="Lin",
        description="Gentle voice in Mandarin",
        language="zh",
        gender="Female",
        accent="Mandarin",
        style="Narration",
        sound=_woman("sit/cmn", "f5", rate=155),
    ),
    LibraryVoice(
        voice_id="5f0c6a1e-6f5d-4d0b-9b5e-2f6f3f0a7d94",
        name="Omar",
        description="Dignified voice in Arabic",
        language="ar",
        gender="Male",
        accent="Modern Standard Arabic",
        style="News",
        sound=_man("sem/ar", "m3", rate=155),
    ),
)
