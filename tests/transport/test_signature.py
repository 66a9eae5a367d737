"""Twilio's signatures, against the published values and against Twilio's own validator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator, get_signature_algorithm

from asyncflow_cli.transport.signature import Keys, flaw, is_authentic, sign

TOKEN = "0123456789abcdef" * 2
MEDIA = "wss://bridge.example.com/media/abc"
STATUS = "https://bridge.example.com/status"
FORM = {
    "CallSid": "CA00000000000000000000000000000001",
    "CallStatus": "completed",
    "Timestamp": "Sun, 22 Nov 2026 11:00:00 +0000",
    "AccountSid": "AC00000000000000000000000000000001",
}
VECTORS: list[tuple[str, dict[str, str], str]] = [
    (MEDIA, {}, "yx+056lGouxbF8fDs0Uo4ZTzSZM="),
    (STATUS, FORM, "I+9UDnDJWwA4IHcze4SIISdWNmQ="),
    (f"{STATUS}?leg=1&x=a%20b", {}, "v/S7K3SWHO4NNiEePkBd6bqcc18="),
]
URLS = (MEDIA, STATUS, f"{STATUS}?leg=1&x=a%20b", "https://h.example.com:8443/", "http://h/status")


@pytest.mark.parametrize(("url", "form", "signature"), VECTORS)
def test_a_published_signature_is_authentic(url: str, form: dict[str, str], signature: str) -> None:
    assert sign(TOKEN, url, form) == signature
    assert is_authentic(signature, TOKEN, url, form)
    assert is_authentic(signature, TOKEN, url, form or None)


# Without surrogates, which no form can carry.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.sampled_from(URLS), st.dictionaries(TEXTS, TEXTS, max_size=6))
def test_we_and_twilios_validator_agree(url: str, form: dict[str, str]) -> None:
    theirs = RequestValidator(TOKEN)
    assert sign(TOKEN, url, form) == theirs.compute_signature(url, form)
    assert theirs.validate(url, form, sign(TOKEN, url, form))
    assert is_authentic(theirs.compute_signature(url, form), TOKEN, url, form)


@pytest.mark.parametrize(("url", "form", "signature"), VECTORS)
def test_anything_else_is_not_authentic(url: str, form: dict[str, str], signature: str) -> None:
    for token in ("", TOKEN[:-1], TOKEN.upper(), "f" * 32):
        assert not is_authentic(signature, token, url, form)
    for other in (url + "x", url.replace("bridge", "Bridge"), url.replace("//", "//x.")):
        assert not is_authentic(signature, TOKEN, other, form)
    for changed in ({**form, "X": "1"}, {**form, "CallStatus": "busy"}):
        assert not is_authentic(signature, TOKEN, url, changed)
    for forged in ("", signature[:-1], signature + "=", signature.lower(), "é" * 28, "\x00"):
        assert not is_authentic(forged, TOKEN, url, form)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_signature_is_compared_without_complaint(signature: str) -> None:
    assert not is_authentic(signature, TOKEN, MEDIA)


@pytest.mark.parametrize(
    ("configured", "signed_as"),
    [
        ("wss://h/media", "wss://h:443/media"),
        ("wss://h/media", "wss://h/media/"),
        ("wss://h/media", "https://h/media"),
        ("wss://h/media", "https://h:443/media/"),
        ("wss://h:443/media/", "wss://h/media"),
        ("https://h/status/?a=1", "https://h:443/status?a=1"),
        ("https://h", "https://h/"),
        ("https://h/", "https://h"),
        ("https://h:8443/s", "https://h:8443/s/"),
        ("https://h:8443/s", "https://h/s"),
        ("wss://h:8443/media", "wss://h/media"),
        ("wss://[::1]:8443/media", "wss://[::1]/media"),
        ("http://h:8080/s", "http://h/s"),
        ("https://u:p@h/s", "https://h/s"),
        ("https://u:p@h/s", "https://u:p@h/s"),
        ("wss://u:p@h:8443/media", "wss://h:8443/media"),
        ("http://h/s", "http://h/s/"),
    ],
)
def test_twilio_may_have_signed_another_form_of_the_address(
    configured: str, signed_as: str
) -> None:
    assert is_authentic(sign(TOKEN, signed_as), TOKEN, configured)


@pytest.mark.parametrize(
    ("configured", "signed_as"),
    [
        ("wss://h/media", "wss://h:80/media"),
        ("wss://h/media", "ws://h/media"),
        ("https://h/status", "http://h/status"),
        ("http://h/s", "http://h:443/s"),
        ("https://h:8443/s", "https://h:443/s"),
        ("https://h/s?a=1", "https://h/s"),
        ("https://h/s", "https://h/s//"),
    ],
)
def test_another_address_is_not_another_form(configured: str, signed_as: str) -> None:
    assert not is_authentic(sign(TOKEN, signed_as), TOKEN, configured)


SECRET = "fedcba9876543210" * 2
SHARED = "webhooks_sharedkey_1"
TOKEN_ONLY = Keys(auth_token=TOKEN)
BOTH = Keys(auth_token=TOKEN, shared_key=SHARED, shared_key_secret=SECRET)


def signed(
    secret: str, algorithm: str = "HMAC_SHA1", settings: str | None = None
) -> dict[str, str]:
    """The headers of a status callback, signed by Twilio's own library."""
    signature = RequestValidator(secret).compute_signature(STATUS, FORM, algorithm)
    headers = {"X-Twilio-Signature": signature}
    return headers | ({"X-Twilio-Webhooks-Signature-Settings": settings} if settings else {})


SHA256 = f"key={SHARED},algorithm=HMAC_SHA256"


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        (signed(TOKEN), TOKEN_ONLY),
        (signed(TOKEN), BOTH),
        (signed(SECRET, "HMAC_SHA256", SHA256), BOTH),
        (signed(SECRET, "HMAC_SHA256", f" algorithm = hmac_sha256 , key = {SHARED} "), BOTH),
        (signed(SECRET, "HMAC_SHA1", f"key={SHARED}"), BOTH),
        (signed(SECRET, "HMAC_SHA256", SHA256), Keys(shared_key_secret=SECRET)),
        (signed(SECRET, "HMAC_SHA256", "algorithm=HMAC_SHA256"), Keys(shared_key_secret=SECRET)),
        ({name.lower(): value for name, value in signed(TOKEN).items()}, TOKEN_ONLY),
        ({}, Keys()),
    ],
)
def test_what_twilio_signs_has_no_flaw(headers: dict[str, str], keys: Keys) -> None:
    assert flaw(headers, keys, STATUS, FORM) is None


@pytest.mark.parametrize(
    ("headers", "keys", "words"),
    [
        ({}, TOKEN_ONLY, "no signature"),
        (signed(SECRET), TOKEN_ONLY, "wrong signature"),
        (signed(TOKEN, "HMAC_SHA256"), TOKEN_ONLY, "wrong signature"),
        (signed(TOKEN, "HMAC_SHA256", SHA256), BOTH, "wrong signature"),
        (signed(SECRET, "HMAC_SHA1", SHA256), BOTH, "wrong signature"),
        (signed(SECRET, "HMAC_SHA256", SHA256), TOKEN_ONLY, f"the shared key {SHARED} only"),
        (signed(TOKEN, "HMAC_SHA256", SHA256), TOKEN_ONLY, f"the shared key {SHARED} only"),
        (signed(TOKEN), Keys(shared_key_secret=SECRET), "the auth token only"),
        (
            signed(SECRET, "HMAC_SHA256", "key=other,algorithm=HMAC_SHA256"),
            BOTH,
            "another shared key, other",
        ),
        (signed(SECRET, settings=f"key={SHARED},algorithm=MD5"), BOTH, "by MD5, which is unknown"),
    ],
)
def test_every_other_signature_is_told_what_is_wrong_with_it(
    headers: dict[str, str], keys: Keys, words: str
) -> None:
    told = flaw(headers, keys, STATUS, FORM)
    assert told is not None
    assert words in told


@pytest.mark.parametrize("header", [SHA256, f"key={SHARED}", "algorithm=", ",,", "algorithm=X"])
def test_we_and_twilio_read_the_same_algorithm_out_of_the_header(header: str) -> None:
    algorithm = get_signature_algorithm(header)
    secret = SECRET if "=" in header.strip("=") else TOKEN
    known = algorithm in ("HMAC_SHA1", "HMAC_SHA256")
    headers = signed(secret, algorithm if known else "HMAC_SHA1", header)
    assert (flaw(headers, BOTH, STATUS, FORM) is None) is known
