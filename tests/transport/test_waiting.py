"""Waiting until the service is up, without waiting: the clock is a list of naps."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import httpx
import pytest

from asyncflow_cli.errors import AsyncflowError, AuthError, NetworkError, ServiceError
from asyncflow_cli.protocol.reports import StatusReport
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.waiting import PAUSE, wait_until_up

UP = httpx.Response(200, json={"status": "ok", "version": "v1"})
STARTING = httpx.Response(200, json={"status": "starting", "version": "v1"})
GATEWAY = httpx.Response(502, text="<html>Bad Gateway</html>")
REFUSED = httpx.ConnectError("refused")
SETTINGS = Settings(base_url="http://127.0.0.1:1", retries=5)

Reply = httpx.Response | Exception


@dataclass
class Service(httpx.AsyncBaseTransport):
    """Gives one reply after the other, the last for ever. A question takes `takes` seconds."""

    replies: list[Reply]
    takes: float = 0.0
    now: float = 100.0
    naps: list[float] = field(default_factory=list)
    asked: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.now += self.takes
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, content=reply.content, request=request)

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def wait(self, patience: float) -> StatusReport:
        async def ask() -> StatusReport:
            async with contextlib.aclosing(ApiClient(SETTINGS, transport=self)) as api:
                return await wait_until_up(api, patience, sleep=self.sleep, clock=lambda: self.now)

        return asyncio.run(ask())


def test_a_service_that_is_up_is_asked_once() -> None:
    service = Service([UP])
    assert service.wait(60).status == "up"
    assert (service.asked, service.naps) == (1, [])


def test_whatever_may_pass_is_waited_out() -> None:
    service = Service([REFUSED, httpx.ReadTimeout("late"), GATEWAY, STARTING, UP])
    assert service.wait(60).version == "v1"
    assert service.naps == [PAUSE] * 4
    assert PAUSE <= 0.5


@pytest.mark.parametrize(
    ("last", "error", "exit_code", "code"),
    [
        (REFUSED, NetworkError, 6, "CONNECTION_FAILED"),
        (GATEWAY, ServiceError, 7, "HTTP_502"),
        (STARTING, ServiceError, 7, "SERVICE_DOWN"),
    ],
)
def test_at_the_deadline_the_last_failure_counts(
    last: Reply, error: type[AsyncflowError], exit_code: int, code: str
) -> None:
    service = Service([httpx.ReadTimeout("late"), last])
    with pytest.raises(error) as caught:
        service.wait(1.2)
    assert (caught.value.exit_code, caught.value.code) == (exit_code, code)
    assert service.naps == pytest.approx([0.5, 0.5, 0.2])


def test_questions_that_take_long_count_as_waiting() -> None:
    service = Service([GATEWAY], takes=4)
    with pytest.raises(ServiceError):
        service.wait(6)
    assert service.asked == 2


def test_a_key_that_is_refused_does_not_get_better_by_waiting() -> None:
    service = Service([httpx.Response(401)])
    with pytest.raises(AuthError):
        service.wait(60)
    assert service.asked == 1


class Silent(httpx.AsyncBaseTransport):
    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


def test_a_service_that_says_nothing_is_left_at_the_deadline() -> None:
    async def ask() -> StatusReport:
        async with contextlib.aclosing(ApiClient(SETTINGS, transport=Silent())) as api:
            return await wait_until_up(api, 0.01, pause=0.01)

    with pytest.raises(NetworkError) as caught:
        asyncio.run(ask())
    assert caught.value.code == "TIMED_OUT"
