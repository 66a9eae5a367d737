"""Why a public address does not lead here, and what to do about each cause."""

from __future__ import annotations

import socket
import ssl

import httpx
from websockets.exceptions import InvalidStatus

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError, causes
from asyncflow_cli.protocol.catalogue import ngrok_codes

NGROK = {entry.code: entry for entry in ngrok_codes.ENTRIES}


def wrong(url: str, response: httpx.Response) -> AsyncflowError:
    """Somebody answers at the address, and it is not us."""
    ngrok = NGROK.get(response.headers.get("ngrok-error-code", ""))
    if ngrok is not None:
        error = PrerequisiteError(
            f"{url} leads nowhere: {ngrok.meaning}", hint=ngrok.next, code=ngrok.code
        )
    else:
        what, hint = _other_server(response)
        error = PrerequisiteError(
            f"{url} does not lead to this call: {what}", hint=hint, code="PUBLIC_URL_WRONG"
        )
    # The edge of a new tunnel says so until the agent's connection is known everywhere.
    error.passing = response.status_code in (404, 421) or response.status_code >= 500
    return error


def _other_server(response: httpx.Response) -> tuple[str, str]:
    status = response.status_code
    if response.is_redirect:
        where = response.headers.get("location", "somewhere")
        return f"it redirects to {where}", "Give the address that is redirected to, https and all"
    if status in (401, 403, 407):
        return f"a login stands in front ({status})", "Let anybody in: Twilio has no login there"
    if status in (502, 503, 504, 530):
        return f"nothing answers behind it ({status})", "Lead it to 127.0.0.1 and the --port given"
    if "html" in response.headers.get("content-type", ""):
        return f"a web page answers ({status})", "A page of the tunnel in between: use another"
    if status == 404:
        return "the path is not found (404)", "Lead all paths under the address to our --port"
    return (
        f"another server answers ({status})",
        "An older tunnel or another program has the address: end it, or use another",
    )


def unreachable(url: str, error: Exception) -> AsyncflowError:
    what, hint = _no_answer(error)
    found = NetworkError(
        f"{url} cannot be reached: {what}", hint=hint, code="PUBLIC_URL_UNREACHABLE"
    )
    found.passing = True
    return found


def _no_answer(error: Exception) -> tuple[str, str]:
    found = list(causes(error))
    for cause in found:
        if isinstance(cause, socket.gaierror):
            return "DNS does not know the name", "Check the name; a new one may take a minute"
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message
            return f"its certificate is not good ({why})", "Twilio takes no self-signed ones"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS", "Put TLS in front: Twilio connects to wss:// only"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection is refused", "Nothing listens there: start it, or open its port"
        if isinstance(cause, httpx.TimeoutException | TimeoutError):
            return "no answer in time", "A firewall may drop the packets: open its port"
    told = " ".join(str(cause) for cause in found)
    # anyio hands the refusal on in words only.
    if "All connection attempts failed" in told:
        return "the connection is refused", "Nothing listens there: start it, or open its port"
    return str(error) or type(error).__name__, "Check the address, and a proxy in the way"


def deaf(url: str, error: Exception) -> AsyncflowError:
    status = error.response.status_code if isinstance(error, InvalidStatus) else None
    what = f"status {status}" if status else str(error) or type(error).__name__
    found = PrerequisiteError(
        f"{url} lets HTTP through, but no WebSocket: {what}",
        hint="Let the proxy or tunnel pass on Upgrade and Connection, or use another",
        code="PUBLIC_URL_DEAF",
    )
    found.passing = status is None or status >= 500
    return found
