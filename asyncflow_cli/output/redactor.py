"""The one filter that every text passes on its way out."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable

import msgspec

SHORTEST_SECRET = 8

CUT = "..."
STUMP = 4
"""Characters of a secret that give something away."""

_CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"


class Redactor:
    """Hides every secret it was told of, as it stands or as a URL or JSON would write it."""

    # Whatever the settings hold, a key in a query or a header is never printed, nor are the login
    # and the signature of an address, and the one-time token in the path of a call's media socket.
    # A key of the service that stands where none belongs is known by its beginning; the sandbox's,
    # which opens nothing, is meant to be seen. `re` compiles them for the first text that goes out
    # (0.4 ms), which is after the first audio.
    _KEY = r"\bsk_(?!sandbox_)\w{12,}"
    _LOGIN = r"(?<=://)[^\s/?#@'\"]+@"
    _SHAPES = (
        r"""(?i)(api_key=|signature=|security-token=|x-api-key[\\"']*\s*[:=]\s*[\\"']*"""
        r"""|(?:[?&]|%3F|%26)[\w-]*(?:token|secret|password|key)="""
        r"""|authorization\W+(?:basic|bearer) +"""
        r"""|/twilio/(?:media|status|stream-status|amd|echo)/)[^\s&'\\",?]+"""
    )

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._public: set[str] = set()

    def hide(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            # Nobody's real key is that short, and hiding it would garble every word.
            if len(secret) < SHORTEST_SECRET or secret in self._public:
                continue
            self._secrets |= _spellings(secret)

    def spare(self, public: Iterable[str]) -> None:
        """Show these, which the whole world knows, though settings may hold them as secrets."""
        for text in public:
            self._public.add(text)
            self._secrets -= _spellings(text)

    def clean(self, text: str) -> str:
        """The text without secrets, and without what could steer a terminal."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        text = re.sub(self._LOGIN, "***@", self._without_stumps(text))
        text = re.sub(self._SHAPES, r"\1***", re.sub(self._KEY, "***", text))
        return re.sub(_CONTROLS, "\ufffd", text)

    def _without_stumps(self, text: str) -> str:
        """Libraries log long texts with `...` in the middle, which may be that of a secret."""
        head, *rest = text.split(CUT)
        for tail in rest:
            head = f"{self._without_end(head)}{CUT}{self._without_beginning(tail)}"
        return head

    def _without_end(self, text: str) -> str:
        for secret in self._secrets:
            for length in range(len(secret) - 1, STUMP - 1, -1):
                if text.endswith(secret[:length]):
                    return text[:-length] + "***"
        return text

    def _without_beginning(self, text: str) -> str:
        for secret in self._secrets:
            for length in range(len(secret) - 1, STUMP - 1, -1):
                if text.startswith(secret[-length:]):
                    return "***" + text[length:]
        return text


def _spellings(secret: str) -> set[str]:
    """As it stands, in a URL and in JSON."""
    in_json = msgspec.json.encode(secret).decode()[1:-1]
    return {secret, urllib.parse.quote(secret, safe=""), in_json}
