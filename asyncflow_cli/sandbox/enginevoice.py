"""How a voice sounds, in the engine's terms: which of its languages and variants, and how loud.

This file knows the engine's names, and has never met the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SPEAKS: dict[str, str] = {
    "ar": "sem/ar",
    "de": "gmw/de",
    "en": "gmw/en-US",
    "es": "roa/es",
    "fr": "roa/fr",
    "he": "sem/he",
    "hi": "inc/hi",
    "hy": "ine/hy",
    "it": "roa/it",
    "ja": "jpx/ja",
    "pt": "roa/pt-BR",
    "ro": "roa/ro",
    "ru": "zle/ru",
    "tr": "trk/tr",
    "zh": "sit/cmn",
}
"""The service's 15 language codes → espeak's identifiers. `ja` reads kana; kanji it only names."""

LOUDNESS = {
    "klatt4": 48,
    "klatt5": 48,
    "edward": 62,
    "mike2": 75,
    "linda": 80,
    "belinda": 75,
    "f1": 85,
    "f2": 80,
    "m3": 75,
}
"""Volume at which a variant neither clips in any of the 15 languages nor falls behind the others.
At espeak's own 100 klatt4, klatt5 and edward are cut off at full scale in five of them."""


@dataclass(frozen=True, kw_only=True)
class EngineVoice:
    """What the engine is told. `pitch` runs from 0 to 99 around 50, `rate` is words per minute."""

    identifier: str
    variant: str
    pitch: int = 50
    rate: int = 160
    stand_in: str = "rms"
    """The flite voice that speaks if flite is the only engine there is."""

    @property
    def name(self) -> str:
        """What espeak takes. An unknown variant is ignored without a word, hence the tests."""
        return f"{self.identifier}+{self.variant}"

    @property
    def volume(self) -> int:
        return LOUDNESS.get(self.variant, 100)

    @property
    def language(self) -> str:
        """The service's code of the language spoken."""
        for code, identifier in SPEAKS.items():
            if self.identifier.split("-")[0] == identifier.split("-")[0]:
                return code
        raise LookupError(f"{self.identifier} is in none of the service's languages")

    def in_language(self, code: str) -> EngineVoice:
        """The same person speaking another language; an accent of that language is kept."""
        return self if code == self.language else replace(self, identifier=SPEAKS[code])
