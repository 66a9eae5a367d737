"""Checks beside and after one another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from asyncflow_cli.errors import AuthError, NetworkError
from asyncflow_cli.protocol.doctorreport import Finding
from asyncflow_cli.transport.doctor.examination import Answer, Check, Doubt, examine


def says(answer: Answer | Exception) -> Callable[[], Awaitable[Answer]]:
    async def ask() -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def examined(*checks: Check, offline: bool = False) -> list[tuple[str, str, str | None]]:
    found: tuple[Finding, ...] = asyncio.run(examine(checks, offline=offline))
    return [(each.standing.value, each.found, each.code) for each in found]


def test_checks_run_at_once_and_are_told_in_their_order() -> None:
    met = asyncio.Barrier(3)

    async def meet() -> Answer:
        async with asyncio.timeout(5):
            await met.wait()
        return "met"

    assert examined(*(Check(name, meet) for name in "abc")) == [("ok", "met", None)] * 3


def test_what_depends_on_a_problem_is_skipped_and_so_is_what_depends_on_that() -> None:
    assert examined(
        Check("first", says(NetworkError("away"))),
        Check("second", says("never"), after=("first",)),
        Check("third", says("never"), after=("second",)),
        Check("other", says("well")),
    ) == [
        ("problem", "away", "NETWORK"),
        ("skipped", "first comes first", None),
        ("skipped", "second comes first", None),
        ("ok", "well", None),
    ]


def test_what_depends_on_a_doubt_is_looked_at() -> None:
    doubt = Doubt(AuthError("odd", code="KEY_ODD"))
    found = examined(Check("first", says(doubt)), Check("second", says("well"), after=("first",)))
    assert found == [("warning", "odd", "KEY_ODD"), ("ok", "well", None)]


def test_a_check_that_takes_too_long_is_a_problem_of_the_network() -> None:
    async def forever() -> Answer:
        await asyncio.Event().wait()
        return "never"

    ((standing, words, code),) = examined(Check("slow", forever, within=0.01))
    assert (standing, code) == ("problem", "TIMED_OUT")
    assert "0.01 s" in words


def test_a_bug_in_one_check_leaves_the_others() -> None:
    found = examined(Check("bug", says(ZeroDivisionError("/"))), Check("other", says("well")))
    assert found == [("problem", "ZeroDivisionError: /", "BUG"), ("ok", "well", None)]


def test_offline_asks_nothing_that_goes_out() -> None:
    checks = [Check("net", says(AssertionError()), goes_out=True), Check("here", says("well"))]
    assert [standing for standing, *_ in examined(*checks, offline=True)] == ["skipped", "ok"]
