"""Everything over TLS, as at the real services: whom it trusts is the same for all of it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import certifi
import msgspec
import pytest

from asyncflow_cli.transport.trust import trusted
from tests.conftest import FROM, TO, InThread, Run, ServedSandbox, start
from tests.ports import reserved
from tests.test_tts import seconds_of
from tests.tlsservers import certify, in_front_of

TEXT = "Your table is ready."


class Edge(InThread):
    """TLS in front of a port of this machine."""

    port: int

    def __init__(self, behind: int, certificate: Path) -> None:
        super().__init__()
        self._behind, self._certificate = behind, certificate

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with in_front_of(self._behind, self._certificate) as self.port:
            yield


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_the_service_is_trusted_by_a_certificate_of_ones_own(
    sandboxed: Run,
    fast: ServedSandbox,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    certificate = certify("localhost", home)
    with Edge(int(fast.sandbox.url.rpartition(":")[2]), certificate) as edge:
        away = {"ASYNC_BASE_URL": f"https://localhost:{edge.port}"}
        say = ("tts-stream", TEXT, "-o", "x.wav", "--transport", transport, "--json")
        wary = sandboxed(*say, "--retries", "0", **away)
        assert wary.code == 6
        assert "self-signed certificate" in wary.error["message"]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = sandboxed(*say, **away)
    assert trusting.code == 0, trusting.err
    assert seconds_of(home / "x.wav") > 1


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_certificates_that_cannot_be_read_are_told(
    sandboxed: Run, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    say = ("tts-stream", TEXT, "-o", "x.wav", "--transport", transport, "--json")
    result = sandboxed(*say, ASYNC_BASE_URL="https://localhost:1")
    assert (result.code, result.error["code"]) == (10, "CERTIFICATES_UNREADABLE")


def numbers(trust: ssl.SSLContext) -> set[object]:
    """Of all certificates, whose order is OpenSSL's affair."""
    return {certificate["serialNumber"] for certificate in trust.get_ca_certs()}


def test_without_any_of_ones_own_the_certificates_are_certifis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    theirs = ssl.create_default_context(cafile=certifi.where())
    assert numbers(trusted()) == numbers(theirs)


def test_a_phone_rings_through_an_address_with_tls(home: Path) -> None:
    certificate = certify("localhost", home)
    with reserved() as port, Edge(port, certificate) as edge:
        call = ("--sandbox", "call", "--to", TO, "--from", FROM, "Yes.", "--json")
        road = ("--port", str(port), "--public-url", f"wss://localhost:{edge.port}")
        with start(home, *call, *road, SSL_CERT_FILE=str(certificate)) as process:
            out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert msgspec.json.decode(out.splitlines()[-1])["heard_text"] == "Yes."
