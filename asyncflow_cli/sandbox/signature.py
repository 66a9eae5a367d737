"""How Twilio signs what it sends: https://www.twilio.com/docs/usage/webhooks/webhooks-security

Written apart from the code that checks signatures, so that the two can disagree.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sign(auth_token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """The X-Twilio-Signature of a request to exactly `url`.

    `form` is the body of a POST. A GET, and the opening handshake of a media stream, sign the
    URL alone. A field that occurs twice with the same value counts once, as in Twilio's validators.
    """
    fields = sorted(set(form))
    text = url + "".join(name + value for name, value in fields)
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
