"""HTTP services that the sandbox is not, on a real socket in a thread of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar


class Service(BaseHTTPRequestHandler):
    """Says nothing on stderr."""

    def asked(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Repeats(Service):
    body: ClassVar[bytes]
    kind: ClassVar[str]

    def do_POST(self) -> None:
        self.asked()
        self.answer(self.body, self.kind)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # of five the sixth that comes at once waits for a second


@contextlib.contextmanager
def serving(service: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Its address."""
    with _Server(("127.0.0.1", 0), service) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def saying(body: bytes, kind: str = "application/json") -> Iterator[dict[str, str]]:
    """One that says the same to everybody, and the environment that leads to it."""
    with serving(type("Says", (_Repeats,), {"body": body, "kind": kind})) as url:
        yield {"ASYNC_API_KEY": "sk_test_0123", "ASYNC_BASE_URL": url}
