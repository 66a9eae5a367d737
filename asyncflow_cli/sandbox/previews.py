"""Samples of voices at signed addresses, as object stores make them.

https://docs.async.com (Get voice preview): the address, its lifetime and the format of the clip are
not documented. Choices: it lies on the sandbox itself, for fifteen minutes, and needs no key; a
predefined voice introduces itself in an mp3, a custom one is the clip that it was made from.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

LIFETIME = 900
"""Seconds."""


class Signatures:
    """Signs what may be fetched until when. The secret dies with the process."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._secret = secrets.token_bytes(32)
        self._now = now

    def query(self, name: str) -> str:
        """The query of a signed address."""
        expires = str(int(self._now()) + LIFETIME)
        return urlencode({"expires": expires, "signature": self._sign(name, expires)})

    def refusal(self, name: str, query: Mapping[str, str]) -> str | None:
        """Why the query does not open `name`; None if it does."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        if not hmac.compare_digest(self._sign(name, expires).encode(), signature.encode()):
            return "The signature does not match"
        return "The address has expired" if int(expires) < self._now() else None

    def _sign(self, name: str, expires: str) -> str:
        message = f"{name}\n{expires}".encode(errors="surrogateescape")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


INTRODUCTIONS = {
    "ar": "مرحبا، هذا صوتي.",
    "de": "Guten Tag, so klingt meine Stimme.",
    "en": "Hello, this is how my voice sounds.",
    "es": "Hola, así suena mi voz.",
    "fr": "Bonjour, voici comment sonne ma voix.",
    "hi": "नमस्ते, यह मेरी आवाज़ है।",
    "it": "Ciao, ecco come suona la mia voce.",
    "pt": "Olá, é assim que soa a minha voz.",
    "ro": "Bună ziua, așa sună vocea mea.",
    "ru": "Здравствуйте, так звучит мой голос.",
    "tr": "Merhaba, sesim böyle.",
    "zh": "你好，这是我的声音。",
}


def introduction(languages: str) -> str:
    """What a voice says of itself, in the first of its languages."""
    return INTRODUCTIONS.get(languages.split(",")[0].strip(), INTRODUCTIONS["en"])
