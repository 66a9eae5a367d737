"""httpx clients, as the environment has them: its proxies, and the certificates that it trusts."""

from __future__ import annotations

import ssl
from typing import Any, Self

import httpx

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.httpclient import HttpClient
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.trust import trusted


def open_http(url: str, **options: Any) -> httpx.AsyncClient:
    """A client for the service at `url`; on this machine without proxies, but with certificates.

    PrerequisiteError for variables that cannot be used:
    https://www.python-httpx.org/environment_variables/
    """
    if options.get("transport") is None:
        options["verify"] = _Unread() if _is_plain(url) else trusted()
    try:
        return HttpClient(trust_env=not is_loopback(url), **options)
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
