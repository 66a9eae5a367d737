"""How Twilio signs what it sends: https://www.twilio.com/docs/usage/webhooks/webhooks-security

With the account's Auth Token and HMAC-SHA1, or with a SharedKey and HMAC-SHA256; the latter names
its key in a second header, as twilio-python's `request_validator` reads it:
https://github.com/twilio/twilio-python/blob/main/twilio/request_validator.py

Written apart from the code that checks signatures, so that the two can disagree.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from asyncflow_cli.sandbox import account

Signing = Literal["auth-token", "shared-key"]


def sign(
    secret: str, url: str, form: Iterable[tuple[str, str]] = (), algorithm: Any = hashlib.sha1
) -> str:
    """The X-Twilio-Signature of a request to exactly `url`.

    `form` is the body of a POST. A GET, and the opening handshake of a media stream, sign the
    URL alone. A field that occurs twice with the same value counts once, as in Twilio's validators.
    """
    fields = sorted(set(form))
    text = url + "".join(name + value for name, value in fields)
    digest = hmac.new(secret.encode(), text.encode(), algorithm).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Signer:
    """What Twilio signs with. Without a secret it does not sign."""

    secret: str | None
    key: str | None = None
    """The id of a SharedKey; None is the Auth Token's way."""

    def headers(self, url: str, form: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
        if self.secret is None:
            return {}
        if self.key is None:
            return {"X-Twilio-Signature": sign(self.secret, url, form)}
        return {
            "X-Twilio-Signature": sign(self.secret, url, form, hashlib.sha256),
            "X-Twilio-Webhooks-Signature-Settings": f"key={self.key},algorithm=HMAC_SHA256",
        }

    def under(self, faults: Container[str]) -> Signer:
        """Who signs in its place while these faults are armed."""
        if "no-signature" in faults:
            return Signer(None)
        signer = SIGNERS["shared-key"] if "shared-key" in faults else self
        if "wrong-signature" in faults:
            return Signer("Somebody else's secret", signer.key)
        return signer


BY_TOKEN = Signer(account.AUTH_TOKEN)

SIGNERS: dict[Signing, Signer] = {
    "auth-token": BY_TOKEN,
    "shared-key": Signer(account.SHARED_KEY_SECRET, account.SHARED_KEY_ID),
}
