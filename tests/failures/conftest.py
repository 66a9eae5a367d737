"""`asyncflow call`, whole, at a sandbox that fails as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.sandbox.account import Account, read_account
from asyncflow_cli.sandbox.callee import EVERYBODY, Callee, Handset
from asyncflow_cli.sandbox.line import Line
from asyncflow_cli.sandbox.resources import CallReport, CallResource, Notification
from tests.conftest import TO, Result, Run, ServedSandbox


def sounds(mulaw: bytes) -> bytes:
    """Without silence: where time passes, a busy computer may put some in the middle of a word."""
    return mulaw.replace(MULAW_SILENCE, b"")


Moment = Callable[[Line], bool]
"""Whether it has come, by what was heard."""


def having_heard(seconds: float) -> Moment:
    """So much of what was sent, silence included, however long that took to come."""
    return lambda line: line.played >= seconds * PHONE_RATE


def at_mark(mark: str) -> Moment:
    """All before this mark."""
    return lambda line: any(mark == each.name for each in line.marks)


def never(_line: Line) -> bool:
    return False


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Attentive(Callee):
    """Somebody who acts upon what they hear. The times of a script begin when the socket is open:
    it may be over before a busy computer has said the first word."""

    keys: str = ""
    does: Callable[[], None] = nothing
    when: Moment = never
    leaves: Moment = never

    def handset(self) -> Handset:
        return Listening(self)


class Listening(Handset):
    def __init__(self, callee: Attentive) -> None:
        super().__init__(callee)
        self._attentive = callee
        self._is_due = self._has_acted = False

    def hung_up(self, line: Line) -> bool:
        self._is_due = self._attentive.when(line)
        return self._attentive.leaves(line)

    def tick(self) -> tuple[bytes, str]:
        said, _ = super().tick()
        if self._has_acted or not self._is_due:
            return said, ""
        self._has_acted = True
        self._attentive.does()
        return said, self._attentive.keys


class Caller:
    """Makes calls, and tells what the sandbox saw of them. Whatever it broke is mended at the end,
    when no call may be left alive."""

    def __init__(self, run: Run, served: ServedSandbox) -> None:
        self._run = run
        self._served = served
        self._sandbox = served.sandbox
        self._calls_before = len(served.statuses)
        self._speeches_before = served.sandbox.store.count_speeches()
        self.environ = dict(served.environ)

    def __call__(self, *args: str, to: str = TO, stdin: bytes = b"", **variables: str) -> Result:
        environ = {**self.environ, **variables}
        return self._run("call", "--to", to, "--json", *args, stdin=stdin, **environ)

    def breaks(self, *faults: str) -> None:
        """Have these things go wrong, as docs/sandbox.md writes them."""
        self._sandbox.faults.add(faults)

    def answers(self, script: str) -> None:
        """Have everybody act by this script."""
        self._sandbox.register(script)

    def attends(
        self,
        keys: str = "",
        *,
        does: Callable[[], None] = nothing,
        when: Moment = never,
        leaves: Moment = never,
    ) -> None:
        """Have everybody press these keys, and have it done, once they have heard so much."""
        callee = Attentive(ring_seconds=0.1, keys=keys, does=does, when=when, leaves=leaves)
        self._sandbox.carrier.callees[EVERYBODY] = callee

    def lose_tunnels(self) -> None:
        """Have those that are open die."""
        for tunnel in self._sandbox.tunnels.listed():
            self._sandbox.tunnels[tunnel["id"]].die()

    def account(self, *knobs: str) -> None:
        self._sandbox.carrier.account = read_account(knobs)

    def restore(self) -> None:
        self._sandbox.faults.clear()
        self._sandbox.carrier.callees.clear()
        self._sandbox.carrier.account = Account()

    def finish(self) -> None:
        """Wait until the line has nothing left to do."""
        self._served.finish()

    @property
    def ended(self) -> bool:
        return self._served.ended()

    # What the sandbox saw

    @property
    def calls(self) -> list[CallResource]:
        """Those of this test, the latest first."""
        found = self._sandbox.store.calls()
        return found[: len(found) - self._calls_before]

    @property
    def report(self) -> CallReport:
        """Of the latest call."""
        self.finish()
        report = self._sandbox.store.report(self.calls[0].sid)
        assert report is not None
        return report

    @property
    def stream(self) -> Any:
        """Of the latest call, the last one."""
        return self.report.streams[-1]

    @property
    def notifications(self) -> list[Notification]:
        return self._sandbox.store.notifications(self.calls[0].sid)

    @property
    def heard(self) -> bytes:
        """μ-law: what the callee heard in the latest call."""
        self.finish()
        return self._sandbox.heard(self.calls[0].sid)

    @property
    def spoken(self) -> list[bytes]:
        """μ-law: what the speech service made, a sentence each."""
        return [one.audio for one in self._sandbox.store.speeches(after=self._speeches_before)]


@pytest.fixture
def call(run: Run, fast: ServedSandbox) -> Iterator[Caller]:
    yield from _mended(Caller(run, fast))


@pytest.fixture(scope="session")
def ticking() -> Iterator[ServedSandbox]:
    """A sandbox in which time passes whether something is heard or not, as it does."""
    with ServedSandbox(speed=20) as served:
        yield served


@pytest.fixture
def unhurried(run: Run, ticking: ServedSandbox) -> Iterator[Caller]:
    yield from _mended(Caller(run, ticking))


def _mended(caller: Caller) -> Iterator[Caller]:
    yield caller
    caller.restore()
    caller.finish()
    assert caller.ended, "a call is left alive"
