"""httpx clients, as the environment has them: its proxies, and the certificates that it trusts."""

from __future__ import annotations

import functools
import os
import ssl
from typing import Any, Self

import httpx

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.httpclient import HttpClient
from asyncflow_cli.settings import is_loopback

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables that httpx has its certificates from."""


def open_http(
    url: str, *, verify: ssl.SSLContext | bool = True, **options: Any
) -> httpx.AsyncClient:
    """A client for the service at `url`; on this machine without proxies, but with certificates:
    WebSockets have them there, too.

    PrerequisiteError for variables that cannot be used:
    https://www.python-httpx.org/environment_variables/
    """
    trust_env = not is_loopback(url)
    try:
        if verify is True and options.get("transport") is None:
            verify = _Unread() if _is_plain(url) else _trusted(*map(os.environ.get, CERTIFICATES))
        return HttpClient(trust_env=trust_env, verify=verify, **options)
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


def _is_plain(url: str) -> bool:
    return url.startswith(("http:", "ws:")) and is_loopback(url)


class _Unread(ssl.SSLContext):
    """Certificates that are read only if they are needed, which they hardly ever are by a client of
    an unencrypted service on this machine: the sandbox, which is to answer at once."""

    def __new__(cls) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def wrap_bio(self, *bios: Any, **options: Any) -> ssl.SSLObject:
        if not self.cert_store_stats()["x509_ca"]:
            import certifi  # httpx's, which trusts these as well

            self.load_verify_locations(certifi.where())
        return super().wrap_bio(*bios, **options)


@functools.cache
def _trusted(*_variables: str | None) -> ssl.SSLContext:
    """Read once for all clients of a process: every reading takes 20 ms."""
    return httpx.create_ssl_context()
