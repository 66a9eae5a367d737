"""How the value of a setting is written, and what it means. UsageError for anything else."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from asyncflow_cli.errors import UsageError
from asyncflow_cli.quoted import quoted


def boolean(text: str) -> bool:
    if text.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if text.strip().lower() in ("", "0", "false", "no", "off"):
        return False
    raise UsageError(f"{quoted(text)} is neither true nor false")


def duration(text: str) -> float:
    """Seconds in `400ms`, `30s`, `2m` or `1h`; a bare number is seconds."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)(ms|s|m|h|)", text.strip())
    if not match:
        raise UsageError(f"{quoted(text)} is no duration", hint="Write 400ms, 30s or 2m")
    return float(match[1]) * {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600}[match[2]]


def patience(text: str) -> float:
    """A duration to wait for something, which is some."""
    seconds = duration(text)
    if not seconds:
        raise UsageError(f"{quoted(text)} is no time to wait", hint="Write 400ms, 30s or 2m")
    return seconds


def whole_seconds(text: str, *, at_most: int) -> int:
    """A duration as Twilio takes it: whole seconds, at least one."""
    seconds = round(duration(text))
    if not 1 <= seconds <= at_most:
        raise UsageError(f"{quoted(text)} is out of range", hint=f"From 1s to {at_most}s")
    return seconds


def credential(text: str) -> str:
    """A key or token as it goes into a header: no blanks around it, nothing unprintable in it."""
    if not (text.strip().isascii() and text.strip().isprintable()):
        raise UsageError("a key or token holds only printable ASCII characters")
    return text.strip()


def http_url(text: str) -> str:
    url = text.strip().rstrip("/")
    try:
        valid = re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url) and urlsplit(url).port != 0
    except ValueError:  # a port beyond 65535, an unclosed [
        valid = False
    if not valid:
        raise UsageError(f"{quoted(text)} is no http(s) address")
    return url


def http_urls(text: str) -> str:
    """Addresses that stand in for one another, with commas or blanks between; as `a,b`."""
    urls = re.split(r"[\s,]+", text.strip(" ,"))
    return ",".join(map(http_url, urls))


def without_login(url: str) -> str:
    """An address as it may be written down: a name and a password in it are nobody's business."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, where no proxy and no tunnel is needed."""
    return is_this_machine(urlsplit(url).hostname or "")


def is_this_machine(host: str) -> bool:
    """Names below localhost are, too: https://www.rfc-editor.org/rfc/rfc6761#section-6.3"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text.strip()):
        raise UsageError(f"{quoted(text)} is no whole number, 0 or more")
    return int(text)


def port(text: str) -> int:
    if count(text) > 65_535:
        raise UsageError(f"{quoted(text)} is no port", hint="From 0 to 65535")
    return count(text)


def account_sid(text: str) -> str:
    """https://www.twilio.com/docs/glossary/what-is-a-sid; those of stand-ins may be anything."""
    return _shaped(text, r"AC\w+", "account SID", "AC and 32 digits of 0-9 and a-f")


def key_sid(text: str) -> str:
    return _shaped(text, r"SK\w+", "SID of an API key", "SK and 32 digits of 0-9 and a-f")


def region(text: str) -> str:
    """https://www.twilio.com/docs/global-infrastructure; there may be more than are listed."""
    return _shaped(text, r"[a-z]{2}\d+", "region of Twilio", "ie1, with the edge dublin")


def edge(text: str) -> str:
    return _shaped(text, r"[a-z]+(-[a-z]+)*", "edge of Twilio", "dublin, with the region ie1")


def domain(text: str) -> str:
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    return _shaped(text, rf"(?i:{label}(\.{label})+)", "domain", "voice.example.com")


def _shaped(text: str, shape: str, what: str, such_as: str) -> str:
    value = text.strip()
    if not re.fullmatch(shape, value, re.ASCII):
        raise UsageError(f"{quoted(text)} is no {what}", hint=f"Such as {such_as}")
    return value
