"""Secrets in the system's keyring, where there is one: Keychain, Credential Locker, Secret Service.

It takes the extra `keyring`, which is imported when a profile says that a secret is there, or when
one is to be kept. Whatever is wrong with it, the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")

OURS = "asyncflow"

INSTALL = "pip install 'asyncflow-cli[keyring]'"


def remedy() -> str:
    """What helps where a secret that is in the keyring does not come."""
    missing = find_spec("keyring") is None
    return INSTALL if missing else "asyncflow auth login keeps it anew"


def keep(profile: str, key: str, secret: str) -> bool:
    """Keep a secret; False if it could not be read back."""
    _asked(lambda ring: ring.set_password(OURS, f"{profile}/{key}", secret))
    return fetch(profile, key) == secret


def fetch(profile: str, key: str) -> str | None:
    return _asked(lambda ring: ring.get_password(OURS, f"{profile}/{key}"))


def forget(profile: str, key: str) -> None:
    """Whether it was there is not told."""
    _asked(lambda ring: ring.delete_password(OURS, f"{profile}/{key}"))


def _asked(ask: Callable[[Any], T]) -> T | None:
    """The keyring's answer; None from one that is not there, or fails as its system does."""
    try:
        import keyring

        return ask(keyring)
    except Exception:
        return None
