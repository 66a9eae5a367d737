"""How our own commands find a sandbox that is being served, and ask it what Twilio never tells."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import msgspec

from asyncflow_cli.errors import NetworkError, PrerequisiteError

_SERVE = "Start one: asyncflow sandbox serve &"


class _Served(msgspec.Struct):
    pid: int
    environment: dict[str, str]


@contextlib.contextmanager
def announced(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Leave a note of where the sandbox is for as long as it is there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = folder / "served.json"
    note.write_bytes(msgspec.json.encode(_Served(os.getpid(), dict(environment))))
    try:
        yield
    finally:
        # Another sandbox may have been started since, and taken the note over.
        if _read(note) == _Served(os.getpid(), dict(environment)):
            note.unlink(missing_ok=True)


def served(folder: Path) -> Mapping[str, str]:
    """The environment of the sandbox that is being served. PrerequisiteError if there is none."""
    note = _read(folder / "served.json")
    if note is None:
        raise PrerequisiteError("No sandbox is being served", hint=_SERVE, code="NO_SANDBOX")
    try:
        httpx.get(note.environment["ASYNC_BASE_URL"], timeout=2, trust_env=False)
    except httpx.HTTPError:
        raise PrerequisiteError(
            f"The sandbox of process {note.pid} does not answer", hint=_SERVE, code="NO_SANDBOX"
        ) from None
    return note.environment


async def heard(base_url: str, call_sid: str) -> bytes:
    """A μ-law WAV of what the callee of a sandbox's call has heard."""
    url = f"{base_url}/__sandbox/calls/{call_sid}/heard.wav"
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
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
