"""Asking until the service is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from asyncflow_cli.errors import IncompleteError, LimitError, NetworkError, ServiceError
from asyncflow_cli.protocol.reports import StatusReport
from asyncflow_cli.transport.api import ApiClient

PAUSE = 0.5
"""Seconds between two questions, and the least time that one has to be answered."""

_MAY_PASS = (NetworkError, ServiceError, LimitError, IncompleteError)
"""What a service that is just starting, or the proxy in front of it, may do."""


async def status(api: ApiClient, patience: float | None) -> StatusReport:
    """Whether the service is up: now, or as soon as it is within `patience` seconds."""
    return await (api.status() if patience is None else wait_until_up(api, patience))


async def wait_until_up(
    api: ApiClient,
    patience: float,
    *,
    pause: float = PAUSE,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> StatusReport:
    """The status as soon as the service is up; after `patience` seconds, the last failure."""
    until = clock() + patience
    failure: Exception = NetworkError(f"No answer within {patience:g} s", code="TIMED_OUT")
    while True:
        try:
            async with asyncio.timeout(max(until - clock(), pause)):
                return await api.status(retry=False)
        except TimeoutError:
            raise failure from None
        except _MAY_PASS as error:
            failure = error
        left = until - clock()
        if left <= 0:
            raise failure
        await sleep(min(pause, left))
