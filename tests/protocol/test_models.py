"""Which names are ids, and need not be looked up."""

from __future__ import annotations

import pytest

from asyncflow_cli.protocol.models import known_id, looks_like_an_id

ID = "e0f39dc4-f691-4e78-bba5-5c636692cc04"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (ID, True),
        (ID.upper(), True),
        (ID.replace("-", ""), False),
        (ID[:-1], False),
        (f"{ID}-", False),
        (ID.replace("e", "g"), False),
        (f" {ID[1:]}", False),
        ("Jennie", False),
        ("", False),
    ],
)
def test_an_id_has_the_form_of_a_uuid(name: str, is_one: bool) -> None:
    assert looks_like_an_id(name) is is_one


def test_an_alias_of_an_id_is_known_and_one_of_a_name_is_not() -> None:
    aliases = {"host": ID, "guest": "Jennie"}
    names = ("host", "guest", "Jennie", ID)
    assert [known_id(name, aliases) for name in names] == [ID, None, None, ID]
