"""Twilio Media Streams, bidirectional: its messages, and the order in which they are legal.

https://www.twilio.com/docs/voice/media-streams/websocket-messages

Knows nothing of sockets, and favours neither end: `MediaStream(Side.TWILIO)` is the
carrier, `MediaStream(Side.SERVER)` is whoever answers the call's audio.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from asyncflow_cli.errors import LocalProtocolError, RemoteProtocolError


class Side(Enum):
    TWILIO = "Twilio"
    SERVER = "the media server"


class State(Enum):
    OPENING = "opening"
    CONNECTED = "connected"
    STREAMING = "streaming"
    STOPPED = "stopped"


Counter: TypeAlias = str | int
"""Twilio writes its counters as strings of digits; compatible senders write numbers."""


class Wire(msgspec.Struct, frozen=True, rename="camel"):
    """Base of everything on the wire: camelCase, UNSET is left out, unknown fields are ignored."""


class MediaFormat(Wire, frozen=True):
    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000
    channels: int = 1


class StartBody(Wire, frozen=True):
    account_sid: str
    call_sid: str
    stream_sid: str | UnsetType = UNSET
    tracks: tuple[str, ...] = ("inbound",)
    media_format: MediaFormat = MediaFormat()
    custom_parameters: dict[str, str] = {}


class MediaBody(Wire, frozen=True):
    payload: str
    """base64 of μ-law, 8 kHz, mono, no header."""
    track: str | UnsetType = UNSET
    """`inbound` or `outbound`; TwiML's own literals are `inbound_track`, `outbound_track`."""
    chunk: Counter | UnsetType = UNSET
    timestamp: Counter | UnsetType = UNSET
    """Milliseconds since the stream began."""


class MarkBody(Wire, frozen=True):
    name: str


class DtmfBody(Wire, frozen=True):
    digit: str
    track: str | UnsetType = UNSET


class StopBody(Wire, frozen=True):
    account_sid: str | UnsetType = UNSET
    call_sid: str | UnsetType = UNSET


class Connected(Wire, frozen=True, tag_field="event", tag="connected"):
    protocol: str = "Call"
    version: str = "1.0.0"


class Start(Wire, frozen=True, tag_field="event", tag="start"):
    start: StartBody
    stream_sid: str
    sequence_number: Counter | UnsetType = UNSET


class Media(Wire, frozen=True, tag_field="event", tag="media"):
    media: MediaBody
    stream_sid: str | UnsetType = UNSET
    sequence_number: Counter | UnsetType = UNSET


class Dtmf(Wire, frozen=True, tag_field="event", tag="dtmf"):
    dtmf: DtmfBody
    stream_sid: str | UnsetType = UNSET
    sequence_number: Counter | UnsetType = UNSET


class Mark(Wire, frozen=True, tag_field="event", tag="mark"):
    """To Twilio: echo this once all before it has been played. From Twilio: the echo.

    A `clear` releases every pending mark too, so an echo after one proves nothing.
    """

    mark: MarkBody
    stream_sid: str | UnsetType = UNSET
    sequence_number: Counter | UnsetType = UNSET


class Clear(Wire, frozen=True, tag_field="event", tag="clear"):
    stream_sid: str | UnsetType = UNSET


class Stop(Wire, frozen=True, tag_field="event", tag="stop"):
    stop: StopBody = StopBody()
    stream_sid: str | UnsetType = UNSET
    sequence_number: Counter | UnsetType = UNSET


Message: TypeAlias = Connected | Start | Media | Dtmf | Mark | Clear | Stop

EVENTS = ("connected", "start", "media", "dtmf", "mark", "clear", "stop")

MALFORMED = "31950"
"""Twilio's code for a frame that is not JSON text: https://www.twilio.com/docs/api/errors/31950"""
INVALID = "31951"
"""Twilio's code for JSON that is no message: https://www.twilio.com/docs/api/errors/31951"""

_MESSAGES: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)

_BEFORE_AUDIO = b'{"event":"media","media":{"payload":"'


class MediaStream:
    """One end of one media stream.

        OPENING ──connected──▶ CONNECTED ──start──▶ STREAMING ──stop──▶ STOPPED
                               (Twilio sends these, and media, dtmf, mark while STREAMING;
                                the server sends media, mark, clear while STREAMING)

    What the server sent before it could know of `stop` arrives in STOPPED and is legal there.

    `receive` is strict at Twilio's end, where odd fields and foreign stream SIDs are errors that
    leave the stream as it was, and patient at the server's, where unknown events are None.
    """

    __slots__ = ("_after_audio", "side", "state", "stream_sid")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.state = State.OPENING
        self.stream_sid: str | None = None
        self._after_audio = b""
        """What closes a frame of the server's, which may send any from the `start` on."""

    def send(self, message: Message) -> str:
        """The text frame for `message`. LocalProtocolError if it is not legal now."""
        if not self._advance(self.side, message):
            raise LocalProtocolError(self._illegal(message))
        return msgspec.json.encode(message).decode()

    def audio(self, payload: str) -> bytes:
        """The frame for base64 that is known to be such: `send` of Media, some times as fast."""
        if not self._after_audio:
            return self.send(Media(MediaBody(payload), stream_sid=self.stream_sid or "")).encode()
        return b"".join((_BEFORE_AUDIO, payload.encode(), self._after_audio))

    def receive(self, text: str | bytes) -> Message | None:
        """The message in a text frame, or None for an event this version does not know.

        RemoteProtocolError, with Twilio's own code, if it is malformed or not legal now.
        """
        message = self._read(text)
        if message is None:
            return None
        sender = Side.SERVER if self.side is Side.TWILIO else Side.TWILIO
        if not self._advance(sender, message):
            raise RemoteProtocolError(self._illegal(message), code=INVALID)
        return message

    def _advance(self, sender: Side, message: Message) -> bool:
        match sender, self.state, message:
            case Side.TWILIO, State.STREAMING, Media() | Dtmf() | Mark():
                pass
            case Side.TWILIO, State.OPENING, Connected():
                self.state = State.CONNECTED
            case Side.TWILIO, State.CONNECTED, Start():
                self.state = State.STREAMING
                self.stream_sid = message.stream_sid
                if self.side is Side.SERVER:
                    sid = msgspec.json.encode(message.stream_sid)
                    self._after_audio = b'"},"streamSid":' + sid + b"}"
            case Side.TWILIO, State.CONNECTED | State.STREAMING, Stop():
                self.state = State.STOPPED
            case Side.SERVER, State.STREAMING | State.STOPPED, Media() | Mark() | Clear():
                return message.stream_sid == self.stream_sid
            case _:
                return False
        return True

    def _read(self, text: str | bytes) -> Message | None:
        if self.side is Side.SERVER:
            # What is well formed is read at one go. All else is looked at for what is wrong.
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return _MESSAGES.decode(text)
        raw = _parse(text)
        if self.side is Side.SERVER and raw.get("event") not in EVENTS:
            return None
        try:
            message: Message = msgspec.convert(raw, Message)
        except msgspec.ValidationError as error:
            raise RemoteProtocolError(f"Not a media message: {error}", code=INVALID) from None
        if self.side is Side.TWILIO and msgspec.to_builtins(message) != raw:
            raise RemoteProtocolError(
                f"Odd fields in a {raw['event']} message: {sorted(raw)}", code=INVALID
            )
        return message

    def _illegal(self, message: Message) -> str:
        name = type(message).__name__
        if (
            self.state in (State.STREAMING, State.STOPPED)
            and isinstance(message, Media | Mark | Clear)
            and message.stream_sid != self.stream_sid
        ):
            return f"{name} names stream {message.stream_sid}, not {self.stream_sid}"
        return f"{name} is not legal in {self.state.value}"


def milliseconds(body: MediaBody) -> int:
    """When a frame was heard, since the stream began; 0 where nobody says."""
    written = str(body.timestamp)
    return int(written) if written.isascii() and written.isdigit() and len(written) < 20 else 0


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RemoteProtocolError("The frame is not JSON", code=MALFORMED) from None
    if not isinstance(raw, dict):
        raise RemoteProtocolError("The frame is not a JSON object", code=INVALID)
    return raw
