"""Documents of `--json` against the schemas that are published for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"


def checked(document: Any) -> Any:
    """The document itself; AssertionError where it is not what the schema it names says."""
    name = document["schema"].removeprefix("asyncflow.")
    wrong = [
        f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)
    ]
    assert not wrong, (name, wrong)
    return document


@cache
def validator(name: str) -> Draft202012Validator:
    path = SCHEMAS / f"{name}.json"
    assert path.is_file(), f"{name} has no published schema: make schemas"
    return Draft202012Validator(msgspec.json.decode(path.read_bytes()))
