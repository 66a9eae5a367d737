"""The forms that Twilio's REST API is asked with, and how it refuses one."""

from __future__ import annotations

from urllib.parse import urlsplit


class ApiError(Exception):
    """What the REST API answers instead of a resource."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Form:
    """A form's fields, of which some may occur several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def get(self, name: str) -> str:
        values = self.all(name)
        return values[-1].strip() if values else ""

    def method(self, name: str) -> str:
        written = self.get(name).upper()
        if written not in ("", "GET", "POST"):
            raise ApiError(400, 20001, f"{name} must be GET or POST, not {written}")
        return written or "POST"

    def flag(self, name: str) -> bool:
        """Twilio's booleans are the words true and false."""
        written = self.get(name).lower()
        if written not in ("", "true", "false"):
            raise ApiError(400, 20001, f"{name} must be true or false, not {written}")
        return written == "true"

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of `choices`, the first of which is what is meant if nothing is said."""
        written = self.get(name) or choices[0]
        if written not in choices:
            raise ApiError(400, 20001, f"{name} must be {' or '.join(choices)}, not {written}")
        return written

    def url(self, name: str) -> str | None:
        """An address that a web client could ask, if there is one; ApiError 21205 if not."""
        written = self.get(name)
        if not written:
            return None
        check_url(name, written)
        return written


def check_url(name: str, url: str) -> None:
    """ApiError 21205 unless `url` is one that a web client could ask."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = None, ""
    # https://www.twilio.com/docs/api/errors/21205; host names have no underscores.
    if parts is None or parts.scheme not in ("http", "https") or not host or "_" in host:
        raise ApiError(400, 21205, f"{name} is not a valid URL: {url}")


def read_number(form: Form, name: str, default: int, allowed: range, code: int) -> int:
    written = form.get(name)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()) or int(written) not in allowed:
        bounds = f"{allowed.start} to {allowed.stop - 1}"
        raise ApiError(400, code, f"{name} must be {bounds} seconds, not {written}")
    return int(written)
