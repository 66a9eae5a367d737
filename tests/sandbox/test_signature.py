"""Signatures, checked against the published values and against Twilio's own validator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from asyncflow_cli.sandbox.signature import sign

TOKEN = "0123456789abcdef" * 2

FORM = {
    "CallSid": "CA00000000000000000000000000000001",
    "CallStatus": "completed",
    "Timestamp": "Sun, 22 Nov 2026 11:00:00 +0000",
    "AccountSid": "AC00000000000000000000000000000001",
}


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        ("wss://bridge.example.com/media/abc", {}, "yx+056lGouxbF8fDs0Uo4ZTzSZM="),
        ("https://bridge.example.com/status", FORM, "I+9UDnDJWwA4IHcze4SIISdWNmQ="),
        ("https://bridge.example.com/status?leg=1&x=a%20b", {}, "v/S7K3SWHO4NNiEePkBd6bqcc18="),
    ],
)
def test_known_signatures(url: str, form: dict[str, str], signature: str) -> None:
    assert sign(TOKEN, url, form.items()) == signature


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=6))
def test_twilios_validator_accepts_every_form(form: dict[str, str]) -> None:
    encodable = {
        name.encode(errors="ignore").decode(): value.encode(errors="ignore").decode()
        for name, value in form.items()
    }
    url = "https://bridge.example.com/status"
    signature = sign(TOKEN, url, encodable.items())
    assert RequestValidator(TOKEN).validate(url, encodable, signature)


def test_another_token_another_signature() -> None:
    url = "https://bridge.example.com/status"
    assert not RequestValidator("f" * 32).validate(url, FORM, sign(TOKEN, url, FORM.items()))
