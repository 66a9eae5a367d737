"""How our own commands find a sandbox that is being served, and ask it what Twilio never tells."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import msgspec

from asyncflow_cli.errors import NetworkError, PrerequisiteError
from asyncflow_cli.httpclient import HttpClient

_SERVE = "Start one: asyncflow sandbox serve &"


class _Served(msgspec.Struct):
    pid: int
    environment: dict[str, str]


@contextlib.contextmanager
def announced(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Leave a note of where the sandbox is for as long as it is there."""
    note = folder / "served" / f"{os.getpid()}.json"
    note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    note.write_bytes(msgspec.json.encode(_Served(os.getpid(), dict(environment))))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def served(folder: Path, *, patience: float) -> Mapping[str, str]:
    """The environment of the sandbox served last. PrerequisiteError if there is none.

    One that was started a moment ago has `patience` seconds to appear.
    """
    until = time.monotonic() + patience
    while True:
        notes = sorted((folder / "served").glob("*.json"), key=_age)
        for note in notes:
            found = _read(note)
            if found is not None and _answers(found):
                return found.environment
        if time.monotonic() >= until:
            break
        time.sleep(0.05)
    gone = f"; process {notes[0].stem} does not answer" if notes else ""
    raise PrerequisiteError(f"No sandbox is being served{gone}", hint=_SERVE, code="NO_SANDBOX")


def _age(note: Path) -> float:
    with contextlib.suppress(OSError):
        return -note.stat().st_mtime
    return 0.0


def _answers(found: _Served) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(found.environment["ASYNC_BASE_URL"], timeout=2, trust_env=False)
        return True
    return False


async def heard(base_url: str, call_sid: str) -> bytes:
    """A μ-law WAV of what the callee of a sandbox's call has heard."""
    url = f"{base_url}/__sandbox/calls/{call_sid}/heard.wav"
    try:
        async with HttpClient(trust_env=False) as http:
            response = await http.get(url)
    except httpx.HTTPError as error:
        raise NetworkError(f"The sandbox did not say what was heard: {error}") from error
    if not response.is_success:
        raise PrerequisiteError(f"{base_url} is no sandbox of ours: it keeps no recordings")
    return response.content


def _read(note: Path) -> _Served | None:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(note.read_bytes(), type=_Served)
    return None
