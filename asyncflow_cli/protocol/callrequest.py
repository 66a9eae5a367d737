"""What Twilio is asked for when a call is made: the parameters, and the TwiML of its stream.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
https://www.twilio.com/docs/voice/twiml/stream
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self
from xml.etree import ElementTree as ET

from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.plan import MachinePolicy

EVENTS = ("initiated", "ringing", "answered", "completed")
"""Each is one value of a repeated key; a list with commas is no event that Twilio knows."""

Machine = Literal["Enable", "DetectMessageEnd"]
"""`Enable` tells who answered; `DetectMessageEnd` tells of a machine when its greeting is over."""

DETECTION: dict[MachinePolicy, Machine | None] = {
    "continue": None,
    "hangup": "Enable",
    "after-beep": "DetectMessageEnd",
}


@dataclass(frozen=True)
class CallRequest:
    """One call to be made. Numbers are E.164, addresses absolute, times whole seconds."""

    to: str
    from_: str
    twiml: str
    status_callback: str
    ring_timeout: int
    """Seconds of ringing after which Twilio gives up."""
    time_limit: int
    """Seconds of talk after which Twilio ends the call, whatever has become of us."""
    caller_id: str | None = None
    """What the callee's display shows in place of `from_`."""
    send_digits: str | None = None
    """Keys that are pressed once somebody answers; `w` waits half a second, `W` a whole one."""
    record: bool = False
    machine: Machine | None = None
    async_amd_status_callback: str | None = None
    """Where Twilio tells who answered; `machine` is of no use without it."""

    @classmethod
    def of(cls, order: CallOrder, *, twiml: str, status_callback: str, amd_callback: str) -> Self:
        """The call that `order` wants, with what is to be run in it and where to tell of it."""
        machine = DETECTION[order.manners.machine]
        return cls(
            to=order.to,
            from_=order.from_,
            twiml=twiml,
            status_callback=status_callback,
            ring_timeout=order.ring_timeout,
            time_limit=order.max_duration,
            caller_id=order.caller_id,
            send_digits=order.send_digits,
            record=order.record,
            machine=machine,
            async_amd_status_callback=amd_callback if machine else None,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """By Twilio's names, without those that were not asked for."""
        wanted = {
            "To": self.to,
            "From": self.from_,
            "Twiml": self.twiml,
            "StatusCallback": self.status_callback,
            "StatusCallbackEvent": list(EVENTS),
            "StatusCallbackMethod": "POST",
            "Timeout": self.ring_timeout,
            "TimeLimit": self.time_limit,
            "CallerId": self.caller_id,
            "SendDigits": self.send_digits,
            **self._recording,
            **self._detection,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    @property
    def _recording(self) -> dict[str, Any]:
        return {"Record": True, "RecordingChannels": "mono"} if self.record else {}

    @property
    def _detection(self) -> dict[str, Any]:
        """Always asynchronous: else the callee hears nothing until Twilio has made up its mind."""
        if self.machine is None:
            return {}
        return {
            "MachineDetection": self.machine,
            "AsyncAmd": "true",
            "AsyncAmdStatusCallback": self.async_amd_status_callback,
            "AsyncAmdStatusCallbackMethod": "POST" if self.async_amd_status_callback else None,
        }


def doubts(request: CallRequest) -> Iterator[str]:
    """What Twilio accepts without doing it."""
    if request.machine and request.send_digits:
        yield "Twilio looks for no machine in a call that sends digits: nobody tells who answered"


def stream_twiml(media_url: str, status_callback: str, hold: int = 0) -> str:
    """TwiML that hands the call's audio, both ways, to `media_url` (wss, without a query).

    Nothing follows the stream: the call ends when we close the socket. With `hold`, so many
    seconds of silence do. A lost socket then leaves the call up until it is led to another
    tunnel; and a call that is kept up is paid for, so whoever holds it must also hang it up.
    """
    response = ET.Element("Response")
    stream = {"name": "asyncflow", "statusCallback": status_callback, "url": media_url}
    ET.SubElement(ET.SubElement(response, "Connect"), "Stream", stream)
    if hold:
        ET.SubElement(response, "Pause", length=str(hold))
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(response, encoding="unicode")
