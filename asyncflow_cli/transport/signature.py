"""Twilio's signature on its requests to us.

https://www.twilio.com/docs/usage/webhooks/webhooks-security

Checked against the public address as we configured it, never against what `Host` or
`X-Forwarded-*` say: tunnels rewrite those. Our own, because twilio's RequestValidator tries
port 80 for wss.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from itertools import product
from urllib.parse import urlsplit, urlunsplit


def sign(token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """base64(HMAC-SHA1(token, url + sorted names and values))."""
    fields = "".join(name + value for name, value in sorted((form or {}).items()))
    digest = hmac.new(token.encode(), (url + fields).encode(), hashlib.sha1).digest()
    return b64encode(digest).decode()


def is_authentic(
    signature: str, token: str, url: str, form: Mapping[str, str] | None = None
) -> bool:
    """Whether `signature` fits `url` in any of the forms in which Twilio may have signed it."""
    return any(
        hmac.compare_digest(sign(token, form_of_url, form).encode(), signature.encode())
        for form_of_url in _forms(url)
    )


def _forms(url: str) -> Iterable[str]:
    """With and without the default port, and the trailing slash: which one is signed when the
    address has them is unknown, and eight HMACs cost microseconds."""
    parts = urlsplit(url)
    secure = {"wss": ("wss", "https"), "https": ("https", "wss")}
    schemes = secure.get(parts.scheme, (parts.scheme,))
    bare = parts.netloc.removesuffix(":443") if len(schemes) == 2 else parts.netloc
    hosts = (bare, f"{bare}:443") if len(schemes) == 2 and ":" not in bare else (bare,)
    paths = (parts.path, parts.path.rstrip("/") if parts.path.endswith("/") else parts.path + "/")
    for scheme, host, path in product(schemes, hosts, paths):
        yield urlunsplit((scheme, host, path, parts.query, ""))
