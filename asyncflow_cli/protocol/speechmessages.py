"""The messages of the speech WebSocket, and where it is.

https://docs.async.com/text-to-speech-websocket-3477526w0

Audio stays the base64 it travels as.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from asyncflow_cli.protocol.models import (
    OutputFormat,
    SpeechRequest,
    Speed,
    Stability,
    VoiceSelector,
)

PATH = "/text_to_speech/websocket/ws"

DEFAULT_CONTEXT = "default"
"""What our server calls the context of frames that name none; the real name is unknown."""

DEFAULT_FORMAT = OutputFormat(container="raw", encoding="pcm_s16le", sample_rate=44100)

IDLE_LIMIT = 60.0
"""Seconds without a frame from the client after which the server ends the connection."""


KEEP_ALIVE = '{"transcript": " "}'
"""The frame that only says we are still here. It names no context, for it is part of none."""


def socket_url(base_url: str) -> str:
    """Where the socket of the API at this http(s) address is, without its query."""
    return "ws" + base_url.removeprefix("http") + PATH


ContextId: TypeAlias = str | UnsetType | None
"""Named, or one of null, absent and empty, which all mean the default context."""


class Initialize(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The first frame; its voice, model and format hold for the connection."""

    model_id: str
    voice: VoiceSelector
    output_format: OutputFormat | None = None
    language: str | None = None
    speed_control: Speed | None = None
    stability: Stability | None = None

    @classmethod
    def for_request(cls, request: SpeechRequest) -> Initialize:
        """What a request over HTTP says, but for its text."""
        return cls(
            model_id=request.model_id,
            voice=request.voice,
            output_format=request.output_format,
            language=request.language,
            speed_control=request.speed_control,
            stability=request.stability,
        )


class Text(msgspec.Struct, frozen=True):
    """The next piece of text, ending with a single space. An empty one ends the context.

    A context comes into being with the first text that names it. `force` synthesises at once
    however little is buffered; a lone space without it only says that we are still here.
    """

    transcript: str
    context_id: ContextId = UNSET
    force: bool | None = False


class CloseContext(msgspec.Struct, frozen=True):
    """Finish this context's audio and free it; the socket stays."""

    context_id: ContextId
    close_context: Literal[True] = True
    transcript: Literal[""] = ""


class CloseConnection(msgspec.Struct, frozen=True):
    """Finish all contexts and close: the only way to end in 2025."""

    text: Literal[""] = ""


class Terminate(msgspec.Struct, frozen=True):
    """Finish all contexts and close: the way to end since late 2025."""

    terminate: Literal[True] = True


class Audio(msgspec.Struct, frozen=True):
    audio: str
    context_id: ContextId = UNSET
    final: Literal[False] = False


class Final(msgspec.Struct, frozen=True):
    """The end of a context. Its `audio` is almost always empty; play it if it is not."""

    audio: str = ""
    context_id: ContextId = UNSET
    final: Literal[True] = True


class Fault(msgspec.Struct, frozen=True):
    """What the server says before it gives up: flat, and not tied to a context."""

    message: str = ""
    error_code: str | None = None
    extra: Any = None
    request_id: str | None = None


FromClient: TypeAlias = Initialize | Text | CloseContext | CloseConnection | Terminate
FromServer: TypeAlias = Audio | Final | Fault
Message: TypeAlias = FromClient | FromServer


class RanDry(msgspec.Struct, frozen=True):
    """No audio for a while, though the text is complete and no end was announced.

    No message: whoever listens says so, who has a clock.
    """


SpeechEvent: TypeAlias = Audio | Final | RanDry
"""What a text that is being spoken comes to."""
