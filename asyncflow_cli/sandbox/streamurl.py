"""Where a media stream may go, and on which track: the checks Twilio makes before it dials."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.settings import is_this_machine

BAD_SCHEME, MALFORMED_URL, BAD_TRACK = "31922", "31923", "31941"
"""https://www.twilio.com/docs/api/errors/31922 and so on"""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")

_SOCKET_SCHEME = {"http": "ws", "https": "wss"}


def resolve(url: str, document_url: str | None) -> str:
    """`url` as an absolute one: a relative one is meant against the document that holds it."""
    if "://" in url or document_url is None:
        return url
    scheme, rest = document_url.split(":", 1)
    # urljoin knows http and https only as bases.
    joined = urljoin(f"http:{rest}", url)
    return _SOCKET_SCHEME[scheme.lower()] + joined.removeprefix("http")


def check(url: str, track: str | None, *, bidirectional: bool) -> None:
    """Nothing, or RemoteProtocolError with the code Twilio logs.

    ws:// is 31922 at Twilio. The sandbox takes it for hosts on this machine, which have no
    certificate that anybody would trust.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise RemoteProtocolError(f"{url} is no URL: {error}", code=MALFORMED_URL) from None
    if parts.scheme != "wss" and not (parts.scheme == "ws" and is_this_machine(host)):
        raise RemoteProtocolError(f"The scheme of {url} is not wss", code=BAD_SCHEME)
    if not _HOST.fullmatch(host) or re.search(r"[\s<>{}\"\\^`|]", url):
        raise RemoteProtocolError(f"{url} is no URL of a host", code=MALFORMED_URL)
    allowed = (
        {"inbound_track"} if bidirectional else {"inbound_track", "outbound_track", "both_tracks"}
    )
    if track is not None and track not in allowed:
        raise RemoteProtocolError(f"track={track} is not possible here", code=BAD_TRACK)
