"""Programs that read `--json` go on working: documents grow, and lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.promises import broken, promised, promises_of, published

WORD = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
SCHEMA = {
    "properties": {
        "seconds": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "words": {"type": "array", "items": {"$ref": "#/$defs/Word"}},
        "status": {"enum": ["up", "down"]},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["words", "status", "env"],
    "$defs": {"Word": WORD},
}
PROMISES = {
    "env": "object",
    "env{}": "string",
    "seconds": "?null|number",
    "status": "string",
    "words": "array",
    "words[]": "object",
    "words[].text": "string",
}


def event(name: str, **properties: Any) -> dict[str, Any]:
    return {"properties": {"event": {"enum": [name]}, **properties}, "required": ["event"]}


@pytest.mark.parametrize("name", promised())
def test_what_was_promised_of_a_document_still_holds(name: str) -> None:
    assert broken(promised()[name], published().get(name, {})) == []


def test_whatever_is_published_is_promised_from_now_on() -> None:
    new = {
        name: sorted(set(found) - set(promised().get(name, {})))
        for name, found in published().items()
    }
    assert {name: fields for name, fields in new.items() if fields} == {}, "make schemas"


def test_each_field_has_a_place_and_types() -> None:
    assert promises_of(SCHEMA) == PROMISES


def test_events_of_a_stream_make_promises_of_their_own() -> None:
    text, number = {"type": "string"}, {"type": "number"}
    stream = {"anyOf": [event("heard", at=text), event("key", at=number)]}
    found = promises_of(stream)
    assert (found["<heard>.at"], found["<key>.at"]) == ("?string", "?number")


@pytest.mark.parametrize(
    "now",
    [
        {**PROMISES, "new": "string"},
        {**PROMISES, "seconds": "number"},
        {**PROMISES, "seconds": "?integer|null"},
    ],
)
def test_a_document_may_grow_and_promise_more(now: dict[str, str]) -> None:
    assert broken(PROMISES, now) == []


@pytest.mark.parametrize(
    ("place", "types"),
    [
        ("words[].text", None),
        ("words[].text", "number"),
        ("words[].text", "null|string"),
        ("words[].text", "?string"),
        ("seconds", "?null|number|string"),
    ],
)
def test_a_field_that_goes_changes_or_may_be_left_out_breaks_one(
    place: str, types: str | None
) -> None:
    now = {name: kind for name, kind in (PROMISES | {place: types}).items() if kind}
    assert len(broken(PROMISES, now)) == 1
