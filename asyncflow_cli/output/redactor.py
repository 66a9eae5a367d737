"""The one filter that every text passes on its way out."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable

import msgspec

SHORTEST_SECRET = 8
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Redactor:
    """Hides every secret it was told of, as it stands or as a URL or JSON would write it."""

    # Whatever the settings hold, a key in a query or a header is never printed, nor are
    # the signature of an address and the one-time token in the path of a call's media socket.
    _SHAPES = re.compile(
        r"""(api_key=|signature=|security-token=|x-api-key[\\"']*\s*[:=]\s*[\\"']*"""
        r"""|authorization\W+(?:basic|bearer) +"""
        r"""|/twilio/(?:media|status|stream-status|amd|echo)/)[^\s&'\\",?]+""",
        re.I,
    )

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def hide(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            # Nobody's real key is that short, and hiding it would garble every word.
            if len(secret) < SHORTEST_SECRET:
                continue
            in_json = msgspec.json.encode(secret).decode()[1:-1]
            self._secrets |= {secret, urllib.parse.quote(secret, safe=""), in_json}

    def clean(self, text: str) -> str:
        """The text without secrets, and without what could steer a terminal."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return _CONTROLS.sub("\ufffd", self._SHAPES.sub(r"\1***", text))
