"""A file of steps: its keys, and what is read from it.

    name: smoke                        # each of these may be left out
    parallel: 2                        # steps at a time
    timeout: 60s                       # of every step that has none of its own
    retries: 1
    env: {ASYNC_VOICE_ID: Jennie}
    sandbox: {speed: 20, callees: {"+15551230001": answer}, faults: []}
    steps:
      - name: The service is up
        run: status
        expect: {latency: < 2s, outcome: up}

Every other key is an error, with its line and the nearest key that there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ci.complaints import in_words
from asyncflow_cli.protocol.ci.source import Source
from asyncflow_cli.protocol.ci.variables import secrets
from asyncflow_cli.protocol.paths import hint_for

Scalar: TypeAlias = str | int | float | bool | None
Wanted: TypeAlias = Scalar | list[Scalar]
Duration: TypeAlias = str | int | float
Names: TypeAlias = dict[str, str | int | float]
Tries: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10)]
Jobs: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=16)]


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a mapping in the file."""


class ExpectKeys(Keys, frozen=True, kw_only=True):
    exit: int | list[int] | None = None
    error: str | None = None
    latency: Wanted = None
    duration: Wanted = None
    elapsed: Wanted = None
    words: Wanted = None
    outcome: Wanted = None
    fields: dict[str, Wanted] = {}


class StepKeys(Keys, frozen=True, kw_only=True):
    run: str | list[str | int | float]
    name: str | None = None
    expect: ExpectKeys = ExpectKeys()
    timeout: Duration | None = None
    retries: Tries | None = None
    needs: str | list[str] = []
    env: Names = {}
    stdin: str | None = None


class SandboxKeys(Keys, frozen=True, kw_only=True):
    """How the sandbox is, where the steps run against it."""

    speed: Annotated[float, msgspec.Meta(gt=0, le=100)] = 1.0
    callees: dict[str, str] = {}
    faults: list[str] = []


class SuiteKeys(Keys, frozen=True, kw_only=True):
    steps: Annotated[list[StepKeys], msgspec.Meta(min_length=1)]
    name: str | None = None
    parallel: Jobs = 1
    timeout: Duration | None = None
    retries: Tries = 0
    env: Names = {}
    sandbox: SandboxKeys = SandboxKeys()


def read_keys(source: Source) -> SuiteKeys:
    """UsageError for a key or value that does not belong where it stands."""
    try:
        return msgspec.convert(source.data, SuiteKeys)
    except msgspec.ValidationError as error:
        raise _explained(source, str(error)) from None


def secret_values(keys: SuiteKeys, variables: Mapping[str, str]) -> set[str]:
    """What the file asks for and nobody may see."""
    texts = [text for step in keys.steps for text in _texts(step)]
    envs = [keys.env, *(step.env for step in keys.steps)]
    return secrets([*texts, *(str(v) for env in envs for v in env.values())], variables)


def _texts(step: StepKeys) -> list[str]:
    run = step.run if isinstance(step.run, list) else [step.run]
    return [*map(str, run), step.stdin or ""]


_SHAPES: dict[str, type[Keys]] = {
    r"\$": SuiteKeys,
    r"\$\.steps\[\d+\]": StepKeys,
    r"\$\.steps\[\d+\]\.expect": ExpectKeys,
    r"\$\.sandbox": SandboxKeys,
}


_TABLE = "Keys and values stand there, such as: run: tts Hello"


def _explained(source: Source, error: str) -> UsageError:
    """What is wrong with the line, and for a key that there is not, the nearest that there is."""
    what, _, place = error.partition(" - at `")
    place = place.rstrip("`") or "$"
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown is None:
        missing = re.fullmatch(r"Object missing required field `(.*)`", what)
        told = f"there is no {missing[1]}" if missing else in_words(what, place)
        hint = _TABLE if what.startswith("Expected `object`") else None
        return source.wrong(place.removesuffix("[...]"), told, hint)
    shape = next(shape for form, shape in _SHAPES.items() if re.fullmatch(form, place))
    key = unknown[1]
    return source.wrong(
        f"{place}.{key}", f"there is no key {key!r} here", hint_for(key, shape.__struct_fields__)
    )
