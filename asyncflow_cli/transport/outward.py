"""httpx clients, as the environment has them: its proxies, and the certificates that it trusts."""

from __future__ import annotations

from typing import Any

import httpx

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.settings import is_loopback


def open_http(url: str, **options: Any) -> httpx.AsyncClient:
    """A client for the service at `url`; on this machine without proxies.

    PrerequisiteError for variables that cannot be used:
    https://www.python-httpx.org/environment_variables/
    """
    try:
        return httpx.AsyncClient(trust_env=not is_loopback(url), **options)
    except OSError as error:
        raise PrerequisiteError(
            f"The certificates to trust cannot be read: {error.strerror or error}",
            hint="Correct SSL_CERT_FILE and SSL_CERT_DIR, or: unset SSL_CERT_FILE SSL_CERT_DIR",
            code="CERTIFICATES_UNREADABLE",
        ) from None
    except ImportError:
        raise PrerequisiteError(
            "The proxy is a SOCKS proxy, for which a library is missing",
            hint="pip install 'httpx[socks]', or: unset HTTPS_PROXY HTTP_PROXY ALL_PROXY",
            code="PROXY_UNUSABLE",
        ) from None
    except (ValueError, httpx.InvalidURL) as error:
        raise PrerequisiteError(
            f"The proxy's address cannot be used: {error}",
            hint="Write http://host:port, or: unset HTTPS_PROXY HTTP_PROXY ALL_PROXY",
            code="PROXY_UNUSABLE",
        ) from None
