"""Numbers as people write them."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.order import phone_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15551230001", "+15551230001"),
        ("+1 (555) 123-0001", "+15551230001"),
        (" +1.555.123.0001\n", "+15551230001"),
        ("+1\u00a0555\u202f1230001", "+15551230001"),
        ("0044 20 7946 0000", "+442079460000"),
        ("+42", "+42"),
        ("+423456789012345", "+423456789012345"),
    ],
)
def test_a_number_is_stripped_to_e164(text: str, number: str) -> None:
    assert phone_number(text, "number to call") == number


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("15551230001", "The country code is missing: write it as +15551230001"),
        ("(555) 123-0001", "The country code is missing: write it as +15551230001"),
        *(
            (text, "Write it as +15551230001")
            for text in ("", "+", "+1", "+05551230001", "+4234567890123456", "client:anna", "++15")
        ),
        ("+1555", "Behind +1 stand ten digits, and here 3: write it as +15551230001"),
        ("+1 555 123-00011", "Behind +1 stand ten digits, and here 11: write it as +15551230001"),
        ("+१५५५१२३०००१", "Write it as +15551230001"),
        ("１５５５１２３０００１", "Write it as +15551230001"),
        ("+1555123000１", "Write it as +15551230001"),
    ],
)
def test_what_is_no_number_is_refused_with_what_is_amiss(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match="to use as the number to call") as caught:
        phone_number(text, "number to call")
    assert (caught.value.code, caught.value.hint) == ("BAD_PHONE_NUMBER", hint)


@given(st.text())
def test_any_text_is_a_number_or_is_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert re.fullmatch(r"\+(1[0-9]{10}|[2-9][0-9]{1,14})", phone_number(text, "number"))
