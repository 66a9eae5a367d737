"""What a file of steps comes to: each step as a command line, and what is expected of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ci.conditions import Condition, read_conditions, seconds
from asyncflow_cli.protocol.ci.keys import StepKeys, SuiteKeys
from asyncflow_cli.protocol.ci.source import Source
from asyncflow_cli.protocol.ci.variables import UnsetError, filled
from asyncflow_cli.protocol.paths import hint_for

STEP_TIMEOUT = 120.0
"""Seconds."""

ONCE = (("call",), ("voices", "clone"))
"""What is never done twice for one order."""

TIMES = frozenset({"latency", "duration", "elapsed"})
"""What is measured in seconds."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    name: str
    """`exit`, `latency`, …, or the path of a field."""
    is_field: bool = False
    condition: Condition
    line: int

    @property
    def text(self) -> str:
        return f"{self.name} {self.condition.text}"


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    run: str
    """As it is written, variables and all."""
    args: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    timeout: float
    retries: int
    needs: tuple[str, ...]
    env: Mapping[str, str]
    stdin: str | None
    line: int


@dataclass(frozen=True, kw_only=True)
class Suite:
    name: str
    file: str
    jobs: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a file is filled with."""

    commands: frozenset[str]
    """Those that a step may run."""
    variables: Mapping[str, str]
    settled: frozenset[str]
    """Variables whose value stands, whatever a step's `env` says: those of the sandbox."""


def read_suite(source: Source, keys: SuiteKeys, given: Given) -> Suite:
    """The steps, with every variable filled in. UsageError for what cannot be meant."""
    stem = re.split(r"[/\\]", source.file)[-1].rpartition(".")[0]
    steps: list[Step] = []
    for index, each in enumerate(keys.steps):
        reader = _StepReader(source, f"$.steps[{index}]", keys, each, given)
        steps.append(reader.step({step.name for step in steps}))
    return Suite(
        name=keys.name or stem or "smoke",
        file=source.file,
        jobs=keys.parallel,
        steps=tuple(steps),
    )


@dataclass(frozen=True)
class _StepReader:
    source: Source
    place: str
    suite: SuiteKeys
    keys: StepKeys
    given: Given

    def step(self, earlier: set[str]) -> Step:
        """`earlier` are the names of those before it, which alone it may need."""
        words = self._words()
        written = shlex.join(words) if isinstance(self.keys.run, list) else self.keys.run
        name = self.keys.name or written
        if name in earlier:
            raise self._wrong("name", f"two steps are named {name!r}")
        return Step(
            name=name,
            run=written,
            args=tuple(self._filled(word, "run") for word in words),
            expectations=tuple(self._expectations()),
            timeout=self._timeout(),
            retries=self._retries(words),
            needs=self._needs(earlier),
            env=self._env(),
            stdin=None if self.keys.stdin is None else self._filled(self.keys.stdin, "stdin"),
            line=self.source.line(self.place),
        )

    def _wrong(self, key: str, what: str, hint: str | None = None) -> UsageError:
        return self.source.wrong(f"{self.place}.{key}", what, hint)

    def _words(self) -> list[str]:
        """The command line, cut before it is filled: a value with blanks in it stays one."""
        try:
            run = self.keys.run
            words = list(map(str, run)) if isinstance(run, list) else shlex.split(run)
        except ValueError as error:
            raise self._wrong("run", f"no command line: {error}") from None
        words = words[words[:1] == ["asyncflow"] :]
        name, known = words[0] if words else "", self.given.commands - {"ci"}
        if name not in known:
            raise self._wrong("run", f"{name!r} is no command for a step", hint_for(name, known))
        return words

    def _filled(self, text: str, key: str) -> str:
        try:
            return filled(text, self.given.variables)
        except UnsetError as error:
            hint = f"Set it in the environment, or write ${{{error}:-default}}"
            raise self._wrong(key, f"{error} is not set", hint) from None

    def _env(self) -> dict[str, str]:
        named = {**self.suite.env, **self.keys.env}
        return {
            name: self._filled(str(value), "env")
            for name, value in named.items()
            if name not in self.given.settled
        }

    def _timeout(self) -> float:
        wanted = self.keys.timeout if self.keys.timeout is not None else self.suite.timeout
        found = STEP_TIMEOUT if wanted is None else seconds(str(wanted))
        if not found:
            place = f"{self.place}.timeout" if self.keys.timeout is not None else "$.timeout"
            raise self.source.wrong(place, f"{wanted!r} is no duration", "Write 400ms, 30s or 2m")
        return found

    def _retries(self, words: list[str]) -> int:
        once = any(tuple(words[: len(command)]) == command for command in ONCE)
        if once and self.keys.retries:
            raise self._wrong("retries", f"{words[0]} is never done twice for one order")
        wanted = self.suite.retries if self.keys.retries is None else self.keys.retries
        return 0 if once else wanted

    def _needs(self, earlier: set[str]) -> tuple[str, ...]:
        needs = [self.keys.needs] if isinstance(self.keys.needs, str) else self.keys.needs
        for name in needs:
            if name not in earlier:
                raise self._wrong(
                    "needs", f"there is no step {name!r} before this", hint_for(name, earlier)
                )
        return tuple(needs)

    def _expectations(self) -> Iterator[Expectation]:
        expect = self.keys.expect
        if expect.exit is None and expect.error is None:
            line = self.source.line(f"{self.place}.run")
            yield Expectation(name="exit", condition=read_conditions(0)[0], line=line)
        for name in expect.__struct_fields__:
            wanted = getattr(expect, name)
            if name == "fields":
                continue
            if name == "exit" and isinstance(wanted, list):
                wanted = _one_of(wanted)
            if wanted is not None:
                yield from self._conditions(name, wanted)
        for path, wanted in expect.fields.items():
            yield from self._conditions(path, wanted, is_field=True)

    def _conditions(
        self, name: str, wanted: Any, *, is_field: bool = False
    ) -> Iterator[Expectation]:
        key = f"expect.fields.{name}" if is_field else f"expect.{name}"
        try:
            conditions = read_conditions(wanted, time=name in TIMES and not is_field)
        except ValueError as error:
            raise self._wrong(key, f"{name}: {error}") from None
        line = self.source.line(f"{self.place}.{key}")
        for condition in conditions:
            yield Expectation(name=name, is_field=is_field, condition=condition, line=line)


def _one_of(codes: list[int]) -> str:
    return f"matches ^({'|'.join(map(str, codes))})$"
