"""What a tunnel's edge, or the way to it, does instead of the server behind it, on request."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.faults import Fault

_TEXTS = {
    "timeout": "took too long to answer",
    "refused": "refused the connection",
    "tls": "has a certificate that nobody trusts",
    "unreachable": "has a host name that leads nowhere",
}


async def pass_edge(
    url: str,
    faults: Mapping[str, Fault],
    codes: Mapping[str, str],
    *,
    clock: Clock,
    patience: float,
) -> None:
    """Nothing, or RemoteProtocolError if one of `faults` stands in the way.

    `codes` has Twilio's code of every way to fail, by the fault's word; `patience` is how long a
    time-out takes, in seconds of line time.
    """
    fault = next((faults[word] for word in codes if word in faults), None)
    if fault is None:
        return
    if fault.kind == "timeout":
        await clock.sleep(patience)
    text = _answered(fault.status) if fault.kind == "answer" else _TEXTS[fault.kind]
    raise RemoteProtocolError(f"{url} {text} (a fault that was asked for)", code=codes[fault.kind])


def _answered(status: int) -> str:
    known = {found.value: found.phrase for found in HTTPStatus}
    return f"answered {status} {known.get(status, '')}".rstrip()
