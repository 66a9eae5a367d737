"""Whether a request or a stream about one call is Twilio's: by its token, signature and names.

Everything stands behind a one-time token in the path, because Twilio drops query strings;
requests are signed besides. What is refused is told, each kind once. Nothing is read here.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.media import Start
from asyncflow_cli.transport.signature import SIGNATURE, Keys, flaw

KINDS_TOLD = 20
"""Refusals that are told, each once: whoever knocks a thousand times must not fill a terminal."""

NO_KEYS = Keys()


class Gate:
    """Without `keys` signatures are not checked. Without `sign_required` whoever plays Twilio need
    not sign, until it has: then all of it must be signed. `refused` hears of each kind of stranger
    once."""

    def __init__(
        self,
        *,
        account_sid: str | None,
        keys: Keys,
        sign_required: bool,
        refused: Callable[[str], None],
    ) -> None:
        self.call_sid: str | None = None
        """Of the call we made, once it has a name."""
        self._account_sid = account_sid
        self._keys = keys
        self._sign_required = sign_required
        self._refused = refused
        self._told: set[str] = set()
        self._started: str | None = None

    def flaw(
        self,
        shown: str,
        token: str,
        headers: Mapping[str, str],
        url: str,
        form: Mapping[str, str] | None = None,
    ) -> str | None:
        """What is wrong with a request for `url` that shows a token; None if it is Twilio's."""
        if not same(shown, token):
            return "wrong token"
        if not self._sign_required and SIGNATURE not in headers:
            return None
        wrong = flaw(headers, self._keys, url, form)
        self._sign_required = self._sign_required or wrong is None
        return wrong

    def expect(self, call_sid: str) -> bool:
        """Take streams and callbacks of this call only. False if there is one of another already,
        which came before the call had a name."""
        self.call_sid = call_sid
        return self._started in (None, call_sid)

    def admit(self, start: Start) -> None:
        """RemoteProtocolError for a stream that is not of the call we made, even a signed one."""
        body = start.start
        if self.call_sid is not None and body.call_sid != self.call_sid:
            raise RemoteProtocolError(f"A stream of another call, {body.call_sid}")
        if self._account_sid not in (None, body.account_sid):
            raise RemoteProtocolError(f"A stream of another account, {body.account_sid}")
        media_format = body.media_format
        if (media_format.encoding, media_format.sample_rate) != ("audio/x-mulaw", 8000):
            raise RemoteProtocolError(f"A stream in {media_format.encoding}, not 8 kHz μ-law")
        self._started = body.call_sid

    def tell(self, why: str) -> None:
        """Somebody was refused."""
        # The words may be the stranger's own, and must not move a terminal's cursor.
        why = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in why[:200])
        if why not in self._told and len(self._told) < KINDS_TOLD:
            self._told.add(why)
            self._refused(why)


def same(shown: str, token: str) -> bool:
    """Whether it is the token; how long that takes tells nothing of it."""
    return hmac.compare_digest(shown.encode(errors="replace"), token.encode())
