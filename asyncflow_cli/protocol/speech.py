"""The speech WebSocket: the order in which its messages are legal.

Knows nothing of sockets, and favours neither end: `SpeechProtocol(Side.CLIENT)` and
`SpeechProtocol(Side.SERVER)` are the same machine.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from enum import Enum
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from asyncflow_cli.errors import LocalProtocolError, RemoteProtocolError
from asyncflow_cli.protocol.models import with_integers
from asyncflow_cli.protocol.speechmessages import (
    DEFAULT_CONTEXT,
    Audio,
    CloseConnection,
    CloseContext,
    Fault,
    Final,
    FromClient,
    FromServer,
    Initialize,
    Message,
    Terminate,
    Text,
)


class Side(Enum):
    CLIENT = "client"
    SERVER = "server"


class State(Enum):
    INIT = "init"
    OPEN = "open"
    CLOSING = "closing"


# Frames carry no tag: the field that is there tells. The first that fits wins, so that a
# closeContext, which holds an empty transcript as well, is not taken for text.
_CLIENT_SHAPES: tuple[tuple[str, type[FromClient]], ...] = (
    ("terminate", Terminate),
    ("close_context", CloseContext),
    ("transcript", Text),
    ("text", CloseConnection),
    ("model_id", Initialize),
)


class _Said(msgspec.Struct, gc=False):
    """What may stand in a frame of the server's; it need not be of the kind it should be."""

    audio: Any = None
    final: Any = None
    context_id: Any = None
    error_code: Any = None
    message: Any = None


_SAID = msgspec.json.Decoder(_Said)
_ANY = msgspec.json.Decoder(dict[str, Any])

Shape = TypeVar("Shape")

_NO_FAULT = frozenset({"audio", "status", "event", "type"})
"""A frame with a message is a failure, unless it is one of these: a greeting, say."""

_BASE64 = re.compile("[A-Za-z0-9+/]*={0,2}").fullmatch
_URL_SAFE = str.maketrans("-_", "+/")


class SpeechProtocol:
    """One end of one connection.

        connection:  INIT ──Initialize──▶ OPEN ──Terminate, CloseConnection──▶ CLOSING
        context:     ──Text──▶ open ──CloseContext, empty Text──▶ closing ──Final──▶ gone

    Text begins a context again, gone or closing; each of its closes is owed a Final of its own.

    `contexts=False` is the single-stream form of 2025: frames name no context, and
    CloseConnection is the end.

    `receive` answers None for what the rules of patience ignore: at the client, frames of
    contexts that are gone and a `final` that comes before we asked for the end; at the server,
    the second close of a context, and a flush or sign of life that comes after the first.
    """

    def __init__(self, side: Side, *, contexts: bool = True) -> None:
        self.side = side
        self.contexts = contexts
        self._is_client = side is Side.CLIENT
        self.state = State.INIT
        self.live: dict[str | None, bool] = {}
        """Contexts that are not gone, in order of birth; True once they are closing."""
        self._owed: Counter[str | None] = Counter()
        """Finals that are still to come, of each context."""
        self._gone: set[str | None] = set()

    def send(self, message: Message) -> str:
        """The text frame for `message`. LocalProtocolError if it is not legal now."""
        if not self._advance(self.side, message):
            raise LocalProtocolError(self._illegal(message))
        return msgspec.json.encode(message).decode()

    def receive(self, text: str | bytes) -> Message | None:
        """The message in a text frame, or None if it is to be ignored.

        RemoteProtocolError if it is malformed or not legal now.
        """
        if self._is_client:
            return self._receive_from_server(text)
        return self._receive_from_client(_read(text, _ANY))

    def _receive_from_client(self, raw: dict[str, Any]) -> FromClient | None:
        shape = next(
            (shape for key, shape in _CLIENT_SHAPES if raw.get(key) not in (None, False)), None
        )
        if shape is None:
            raise RemoteProtocolError(f"No message has the fields {sorted(raw)}")
        message: FromClient = _convert(raw, shape)
        match message:
            case CloseContext() if self._key(message) in self._gone:
                return None
            case Text() if message.transcript.isspace() and self.live.get(self._key(message)):
                return None
        if not self._advance(Side.CLIENT, message):
            raise RemoteProtocolError(self._illegal(message))
        return message

    def _receive_from_server(self, text: str | bytes) -> FromServer | None:
        said = _read(text, _SAID)
        if (said.error_code or said.message) and (fault := _fault(text)) is not None:
            return fault
        if not (isinstance(said.audio, str) or said.final is True):
            return None
        key = said.context_id
        if not (isinstance(key, str) and key in self.live):
            key = self._reported(key)
        return self._spoken(said, key) if key in self.live else None

    def _spoken(self, said: _Said, key: str | None) -> Audio | Final | None:
        audio = _checked(said.audio)
        context_id = UNSET if key is None else key
        if said.final is True and self._owed[key]:
            final = Final(audio=audio, context_id=context_id)
            self._advance(Side.SERVER, final)
            return final
        return Audio(audio=audio, context_id=context_id) if audio else None

    def _reported(self, context_id: Any) -> str | None:
        """Which of our contexts the server means: it may leave the name out, or invent one for
        the default context."""
        if isinstance(context_id, str) and (context_id in self.live or context_id in self._gone):
            return context_id
        if context_id is None and len(self.live) == 1:
            return next(iter(self.live))
        return None

    def _key(self, message: Text | CloseContext | Audio | Final) -> str | None:
        named = self.contexts and message.context_id not in (None, UNSET, "", DEFAULT_CONTEXT)
        return str(message.context_id) if named else None

    def _advance(self, sender: Side, message: Message) -> bool:
        match sender, self.state, message:
            case Side.CLIENT, State.INIT, Initialize():
                self.state = State.OPEN
            case Side.CLIENT, State.OPEN, Text(transcript=""):
                self._close(self._key(message))
            case Side.CLIENT, State.OPEN, Text():
                key = self._key(message)
                self.live[key] = False
                self._gone.discard(key)
            case Side.CLIENT, State.OPEN, CloseContext() if self.contexts:
                self._close(self._key(message))
            case Side.CLIENT, State.OPEN | State.CLOSING, Terminate() | CloseConnection():
                self.state = State.CLOSING
                for key in self.live:
                    self._close(key)
            case Side.SERVER, State.OPEN | State.CLOSING, Audio():
                return self._key(message) in self.live
            case Side.SERVER, State.OPEN | State.CLOSING, Final():
                return self._settle(self._key(message))
            case Side.SERVER, _, Fault():
                pass
            case _:
                return False
        return True

    def _close(self, key: str | None) -> None:
        if not self.live.get(key):
            self.live[key] = True
            self._owed[key] += 1

    def _settle(self, key: str | None) -> bool:
        """Whether a Final was owed; with the last one, a context that is closing is gone."""
        if not self._owed[key]:
            return False
        self._owed[key] -= 1
        if self.live[key] and not self._owed[key]:
            del self.live[key]
            self._gone.add(key)
        return True

    def _illegal(self, message: Message) -> str:
        name = type(message).__name__
        if (
            isinstance(message, Text | CloseContext | Audio | Final)
            and self.state is not State.INIT
        ):
            return f"{name} is not legal for context {self._key(message)!r} in {self.state.value}"
        return f"{name} is not legal in {self.state.value}"


def _fault(text: str | bytes) -> Fault | None:
    """What a frame with a message or a code says, if it is no greeting."""
    raw = _read(text, _ANY)
    if not raw.get("error_code") and _NO_FAULT & raw.keys():
        return None
    fault: Fault = _convert(raw, Fault)
    return fault


def _checked(audio: Any) -> str:
    if not audio:
        return ""
    if not isinstance(audio, str):
        raise RemoteProtocolError("Not an Audio message: its audio is no text")
    return _mended(audio) if len(audio) % 4 or not _BASE64(audio) else audio


def _mended(audio: str) -> str:
    """The base64 with padding and alphabet as they must be: some ports found them off."""
    digits = re.sub(r"[^A-Za-z0-9+/]", "", audio.translate(_URL_SAFE))
    try:
        return base64.b64encode(base64.b64decode(digits + "=" * (-len(digits) % 4))).decode()
    except binascii.Error:
        raise RemoteProtocolError("The audio is not base64") from None


def _read(text: str | bytes, kind: msgspec.json.Decoder[Shape]) -> Shape:
    try:
        return kind.decode(text)
    except msgspec.ValidationError:
        raise RemoteProtocolError("The frame is not a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RemoteProtocolError("The frame is not JSON") from None


def _convert(raw: dict[str, Any], shape: Any) -> Any:
    try:
        return msgspec.convert(with_integers(raw), shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RemoteProtocolError(f"Not a {shape.__name__} message: {error}") from None
