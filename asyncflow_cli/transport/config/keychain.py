"""Secrets in the system's keyring, where there is one: Keychain, Credential Locker, Secret Service.

It takes the extra `keyring`, which is imported when a profile says that a secret is there, or when
one is to be kept. Whatever is wrong with it, the answer is no.
"""

from __future__ import annotations

from importlib.util import find_spec

OURS = "asyncflow"

INSTALL = "pip install 'asyncflow-cli[keyring]'"


def remedy() -> str:
    """What helps where a secret that is in the keyring does not come."""
    missing = find_spec("keyring") is None
    return INSTALL if missing else "asyncflow auth login keeps it anew"


def keep(profile: str, key: str, secret: str) -> bool:
    """Keep a secret; False if it could not be read back."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return False
    try:
        keyring.set_password(OURS, f"{profile}/{key}", secret)
    except KeyringError:
        return False
    return fetch(profile, key) == secret


def fetch(profile: str, key: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(OURS, f"{profile}/{key}")
    except KeyringError:
        return None


def forget(profile: str, key: str) -> None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return
    try:
        keyring.delete_password(OURS, f"{profile}/{key}")
    except KeyringError:
        return  # it was not there, or nobody can say
