"""Values that the parser takes as any text, of options and settings: numbers, addresses, durations.

A command reads what it is given by these, and a value that is written down is tried with the same,
so what is refused, and in which words, is the same. What two values make together is not known
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.order import key, phone_number, send_digits
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings import (
    account_sid,
    domain,
    duration,
    edge,
    key_sid,
    region,
    whole_seconds,
)

number_to_call = partial(phone_number, role="number to call")
number_to_call_from = partial(phone_number, role="number to call from")
caller_id = partial(phone_number, role="caller id")
repeat_key = partial(key, option="--press-to-repeat")
stop_key = partial(key, option="--press-to-stop")
ring_timeout = partial(whole_seconds, at_most=600)
max_duration = partial(whole_seconds, at_most=86_400)


def check(name: str, metavar: str | None, texts: Sequence[str]) -> None:
    """UsageError for a text that the command would refuse.

    `name` is that of files, such as `call.to`; `metavar` is what stands for it in help.
    """
    read = READERS.get(name, duration if metavar == "DURATION" else str)
    for text in texts:
        read(text)


def doubts(name: str, text: str) -> Iterator[str]:
    """What to say of a value that is written down all the same: others may know it."""
    from asyncflow_cli.protocol.models import LEGACY_MODELS, MODELS, unheard_of

    if name.split(".")[-1] == "model":
        yield from unheard_of("Model", text, MODELS | LEGACY_MODELS)


def silence(text: str) -> float:
    """Seconds; the ear of `verify` takes nothing shorter than a stop inside a word for one."""
    from asyncflow_cli.protocol.verify.sound import PAUSE

    seconds = duration(text)
    if seconds < PAUSE:
        raise UsageError(f"{quoted(text)} is no silence yet", hint=f"From {1000 * PAUSE:g}ms")
    return seconds


def _whole_encoding(text: str) -> None:
    from asyncflow_cli.protocol.formats import output_format

    output_format(container="wav", encoding=text)


def _captions(text: str) -> None:
    from asyncflow_cli.protocol.products import captions_wanted

    captions_wanted(text)


def _container(text: str) -> None:
    from asyncflow_cli.protocol.verify.findings import Limits, insist_on_known

    insist_on_known(Limits(container=text))


def _server(text: str) -> None:
    from asyncflow_cli.transport.roads.ssh import server

    server(text)


def _server_url(text: str) -> None:
    from asyncflow_cli.transport.roads.ssh import server_url

    server_url(text)


def _tunnel(text: str) -> None:
    from asyncflow_cli.settings import Settings
    from asyncflow_cli.transport.roads.choice import road_named

    road_named(text, Settings())


def _public_url(text: str) -> None:
    from asyncflow_cli.transport.roads.public import websocket_address

    websocket_address(text)


def _callee(text: str) -> None:
    from asyncflow_cli.sandbox.casting import read_callees

    read_callees(text)


def _fault(text: str) -> None:
    from asyncflow_cli.sandbox.faults import Faults

    Faults([text])


def _account(text: str) -> None:
    from asyncflow_cli.sandbox.account import read_account

    read_account(text)


READERS: dict[str, Callable[[str], object]] = {
    "to": number_to_call,
    "from": number_to_call_from,
    "ssh_tunnel": _server,
    "ssh_tunnel_url": _server_url,
    "twilio_account_sid": account_sid,
    "twilio_api_key": key_sid,
    "twilio_region": region,
    "twilio_edge": edge,
    "ngrok_domain": domain,
    "call.to": number_to_call,
    "call.from": number_to_call_from,
    "call.caller_id": caller_id,
    "call.press_to_repeat": repeat_key,
    "call.press_to_stop": stop_key,
    "call.send_digits": send_digits,
    "call.ring_timeout": ring_timeout,
    "call.max_duration": max_duration,
    "call.tunnel": _tunnel,
    "call.public_url": _public_url,
    "call.callee": lambda text: _callee(f"*={text}"),
    "verify.max_silence": silence,
    "verify.container": _container,
    "tts.encoding": _whole_encoding,
    "timestamps.encoding": _whole_encoding,
    "timestamps.captions": _captions,
    "sandbox.serve.callee": _callee,
    "sandbox.serve.fault": _fault,
    "sandbox.serve.account": _account,
}
"""By the names that files give them."""
