"""How fast a process may dial: once a second for each account, which is what Twilio takes.

More are not refused but wait in Twilio's queue, where a ring timeout does not count and nobody
can tell how long it will be: https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import time
from collections.abc import Hashable

EVERY = 1.0
"""Seconds from one call to the next."""

_next: dict[Hashable, float] = {}


def turn(account: Hashable) -> float:
    """Take the account's next turn; the seconds that are left until then."""
    now = time.monotonic()
    at = max(now, _next.get(account, now))
    _next[account] = at + EVERY
    return at - now
