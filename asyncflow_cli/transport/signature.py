"""Twilio's signature on its requests to us.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys

Checked against the public address as we configured it, never against what `Host` or
`X-Forwarded-*` say: tunnels rewrite those. Our own, because twilio's RequestValidator tries
port 80 for wss.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from asyncflow_cli.settings import Settings

SIGNATURE = "x-twilio-signature"

SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"
"""`key=<id>,algorithm=HMAC_SHA256`, where a shared key signed in place of the auth token."""

HMAC_SHA1 = "HMAC_SHA1"

ALGORITHMS = {HMAC_SHA1: hashlib.sha1, "HMAC_SHA256": hashlib.sha256}

_PORT = re.compile(r":\d+$")


@dataclass(frozen=True)
class Keys:
    """What a signature may have been made with. An API key's secret is none of it."""

    auth_token: str | None = None
    shared_key: str | None = None
    """The shared key's id; None takes any that fits the secret."""
    shared_key_secret: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.twilio_auth_token,
            settings.twilio_shared_key,
            settings.twilio_shared_key_secret,
        )


def flaw(
    headers: Mapping[str, str],
    keys: Keys,
    url: str,
    form: Mapping[str, str] | None = None,
) -> str | None:
    """What is wrong with a request's signature, in words; None if it is authentic.

    With no key at all nothing can be checked, and nothing is wrong.
    """
    if keys.auth_token is None and keys.shared_key_secret is None:
        return None
    told = {name.lower(): value for name, value in headers.items()}
    signature = told.get(SIGNATURE)
    if signature is None:
        return "no signature"
    settings = _settings(told.get(SIGNATURE_SETTINGS, ""))
    secret = keys.shared_key_secret if settings else keys.auth_token
    signer = settings.get("key", "without a name")
    if secret is None:
        return f"signed with {f'the shared key {signer}' if settings else 'the auth token'} only"
    if settings and keys.shared_key not in (None, signer):
        return f"signed with another shared key, {signer}"
    algorithm = settings.get("algorithm", HMAC_SHA1).upper()
    if algorithm not in ALGORITHMS:
        return f"a signature by {algorithm}, which is unknown"
    authentic = is_authentic(signature, secret, url, form, algorithm=algorithm)
    return None if authentic else "wrong signature"


def _settings(header: str) -> dict[str, str]:
    """`key=a,algorithm=b` by its names; parts without a value are passed over."""
    parts = (part.partition("=") for part in header.split(","))
    return {name.strip(): value.strip() for name, _, value in parts if value.strip()}


def sign(
    token: str, url: str, form: Mapping[str, str] | None = None, *, algorithm: str = HMAC_SHA1
) -> str:
    """base64(HMAC(token, url + sorted names and values))."""
    fields = "".join(name + value for name, value in sorted((form or {}).items()))
    digest = hmac.new(token.encode(), (url + fields).encode(), ALGORITHMS[algorithm]).digest()
    return b64encode(digest).decode()


def is_authentic(
    signature: str,
    token: str,
    url: str,
    form: Mapping[str, str] | None = None,
    *,
    algorithm: str = HMAC_SHA1,
) -> bool:
    """Whether `signature` fits `url` in any of the forms in which Twilio may have signed it."""
    return any(
        hmac.compare_digest(
            sign(token, form_of_url, form, algorithm=algorithm).encode(), signature.encode()
        )
        for form_of_url in _forms(url)
    )


def _forms(url: str) -> Iterable[str]:
    """With and without the user, the port and the trailing slash: which one is signed when the
    address has them is unknown, Twilio's own validators try a port both ways, and a dozen HMACs
    cost microseconds. https://github.com/twilio/twilio-node/blob/main/src/webhooks/webhooks.ts"""
    parts = urlsplit(url)
    secure = {"wss": ("wss", "https"), "https": ("https", "wss")}
    schemes = secure.get(parts.scheme, (parts.scheme,))
    place = parts.netloc.rpartition("@")[2]
    bare = _PORT.sub("", place)
    usual = f"{bare}:443" if len(schemes) == 2 else bare
    hosts = dict.fromkeys((bare, usual if place == bare else place, parts.netloc))
    paths = (parts.path, parts.path.rstrip("/") if parts.path.endswith("/") else parts.path + "/")
    for scheme, host, path in product(schemes, hosts, paths):
        yield urlunsplit((scheme, host, path, parts.query, ""))
