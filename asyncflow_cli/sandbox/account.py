"""Who the sandbox's only customer is. All of it is public, and worth nothing."""

from __future__ import annotations

# Put together here, because secret scanners would take the whole for somebody's.
ACCOUNT_SID = "AC" + "c0ffee00" * 4
AUTH_TOKEN = "5afe" * 8
API_KEY_SID = "SK" + "c0ffee00" * 4
API_KEY_SECRET = "5afe" * 8

INBOUND_NUMBER = "+15557654321"
"""The number the account owns, and may call from."""

FICTION = "+1555"
"""Numbers of films. Choice: the account owns them all, unless it is told to be strict."""


def owns(number: str, *, strict: bool) -> bool:
    return number == INBOUND_NUMBER or (not strict and number.startswith(FICTION))
