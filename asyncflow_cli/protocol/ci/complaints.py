"""msgspec's complaints about a value, in the words of whoever wrote the file.

https://jcristharif.com/msgspec/usage.html#validation
"""

from __future__ import annotations

import re

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "keys and values",
    "null": "empty",
}

LIMITS = {">=": "{} or more", "<=": "{} or less", ">": "more than {}", "<": "less than {}"}

_WRONG_KIND = re.compile(r"Expected `([\w |]+)`, got `(\w+)`")
_WRONG_SIZE = re.compile(r"Expected `(\w+)` (?:of length )?([<>]=?) ([\d.]+)")


def in_words(complaint: str, place: str) -> str:
    """`Expected `int`, got `str``, at `$.steps[0].retries`, as a sentence."""
    what = named(place)
    if kinds := _WRONG_KIND.fullmatch(complaint):
        return f"{what} must be {_any_of(kinds[1])}, not {KINDS.get(kinds[2], kinds[2])}"
    if size := _WRONG_SIZE.fullmatch(complaint):
        of = " of" if size[1] == "array" else ","
        limit = LIMITS[size[2]].format(size[3].removesuffix(".0"))
        return f"{what} must be {KINDS[size[1]]}{of} {limit}"
    return f"{what}: {complaint}"


def named(place: str) -> str:
    """`$.steps[0].retries` is `retries of step 1`."""
    inner = re.sub(r"^(.*)\[\.\.\.\]$", r"a value of \1", place.removeprefix("$").lstrip("."))
    inner = inner.replace("[...]", "")
    found = re.fullmatch(r"(.*)steps\[(\d+)\](?:\.(.*))?", inner)
    if found is None:
        return inner or "the file"
    step = f"step {int(found[2]) + 1}"
    return f"{found[1]}{found[3]} of {step}" if found[3] else step


def _any_of(kinds: str) -> str:
    """`int | float | str` is a number or a text."""
    names = kinds.removesuffix(" | null").split(" | ")  # to leave it out is easier
    told = [KINDS[name] for name in names if not (name == "int" and "float" in names)]
    return " or ".join(filter(None, (", ".join(told[:-1]), told[-1])))
