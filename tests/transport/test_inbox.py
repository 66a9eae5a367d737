"""A call's inbox: what comes is decided at once and in order, at no cost to whoever brought it."""

from __future__ import annotations

import asyncio

import pytest

from asyncflow_cli.transport.inbox import Event, Inbox, Written

NEVER = float("inf")


class Decisions:
    """Made in order. "last" ends all, "bad" fails, and of "twice" comes another event."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.made: list[str | None] = []

    def take(self, event: Event | None, came: float, now: float) -> float | None:
        assert came <= now
        text = event.text if isinstance(event, Written) else None
        if text == "twice":
            self.inbox.put(Written("later"))
        self.made.append(text)
        if text == "bad":
            raise ValueError(text)
        return None if text == "last" else NEVER

    async def begin(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self.inbox.run(self.take))
        await asyncio.sleep(0)
        return task


def test_what_comes_is_decided_before_whoever_brought_it_goes_on() -> None:
    async def test() -> None:
        inbox = Inbox()
        decisions = Decisions(inbox)
        inbox.put(Written("early"))
        task = await decisions.begin()
        inbox.put(Written("twice"))
        assert decisions.made == [None, "early", "twice", "later"]
        inbox.put(Written("last"))
        inbox.put(Written("too late"))
        await task
        assert decisions.made[-1] == "last"
        came = await inbox.get()
        assert came is not None, "it is there for whoever looks next"
        assert came[1] == Written("too late")

    asyncio.run(test())


def test_a_failure_is_raised_where_it_runs_not_where_it_came_from() -> None:
    async def test() -> None:
        inbox = Inbox()
        task = await Decisions(inbox).begin()
        inbox.put(Written("bad"))
        with pytest.raises(ValueError, match="bad"):
            await task

    asyncio.run(test())


@pytest.mark.parametrize("text", ["last", "bad"])
def test_the_last_event_of_a_run_that_was_just_cancelled_hurts_nobody(text: str) -> None:
    async def test() -> None:
        inbox = Inbox()
        task = await Decisions(inbox).begin()
        task.cancel()
        inbox.put(Written(text))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(test())


def test_what_is_due_is_decided_though_nothing_comes() -> None:
    async def test() -> None:
        moments: list[float] = []

        def take(_event: Event | None, _came: float, now: float) -> float | None:
            moments.append(now)
            due = moments[0] + 0.02
            return due if now < due else None

        async with asyncio.timeout(5):
            await Inbox().run(take)
        assert moments[-1] >= moments[0] + 0.02

    asyncio.run(test())
