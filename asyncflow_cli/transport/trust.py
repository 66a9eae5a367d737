"""Whom TLS trusts: the same for WebSockets as for HTTP, by httpx's rules.

SSL_CERT_FILE, else SSL_CERT_DIR, else certifi's. WebSockets would have the system's certificates
otherwise, of which Python has none on some machines: python.org's for macOS comes without.
https://www.python-httpx.org/environment_variables/
"""

from __future__ import annotations

import functools
import os
import ssl
from typing import Any

from asyncflow_cli.errors import PrerequisiteError


def for_websocket(url: str) -> dict[str, Any]:
    """What websockets' `connect` is given beside this URL; one without TLS takes none.

    PrerequisiteError as `trusted` has it.
    """
    return {"ssl": trusted()} if url.startswith("wss:") else {}


def trusted() -> ssl.SSLContext:
    """PrerequisiteError for variables that name nothing to be read."""
    try:
        return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        raise PrerequisiteError(
            f"The certificates to trust cannot be read: {error.strerror or error}",
            hint="Correct SSL_CERT_FILE and SSL_CERT_DIR, or: unset SSL_CERT_FILE SSL_CERT_DIR",
            code="CERTIFICATES_UNREADABLE",
        ) from None


@functools.cache
def _read(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Once for all connections of a process: every reading takes 20 ms."""
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    import certifi  # only now: who speaks to this machine alone needs none

    return ssl.create_default_context(cafile=certifi.where())
