"""The speech WebSocket from the service's side.

https://docs.async.com/text-to-speech-websocket-3477526w0

Choices where the service is unknown: a refused key or init is an error frame and then close 1008;
text without `force` waits for 80 characters; `final` comes only once a context was closed;
`terminate` speaks what is pending before it closes with 1000. In the era of 2025 there is one
stream, and no frame names a context.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import UNSET
from starlette.websockets import WebSocket, WebSocketDisconnect

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.speech import Side, SpeechProtocol, State
from asyncflow_cli.protocol.speechmessages import (
    DEFAULT_CONTEXT,
    DEFAULT_FORMAT,
    IDLE_LIMIT,
    Audio,
    CloseConnection,
    CloseContext,
    ContextId,
    Fault,
    Final,
    FromServer,
    Initialize,
    Message,
    Terminate,
    Text,
)
from asyncflow_cli.sandbox.refusal import Broken, Invalid, Refusal
from asyncflow_cli.sandbox.speaker import (
    Speaker,
    admit,
    check_language,
    check_model,
)
from asyncflow_cli.sandbox.voices import LibraryVoice

E = TypeVar("E", bound=BaseException)

ENOUGH = 80
"""Characters that are spoken without being forced."""

INIT_ACK = f'{{"event":"init_ack","context_id":"{DEFAULT_CONTEXT}"}}'
"""Undocumented, and no message of ours: https://github.com/AreevAI/flowcat waits for it."""

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011


def speech_socket(
    speaker: Speaker, *, idle_limit: float = IDLE_LIMIT
) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        await _Connection(socket, speaker, idle_limit).serve()

    return endpoint


class _Context:
    """One stream of text and the audio made of it, a piece at a time."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[str | None] = asyncio.Queue()
        """None is the end, or one of several, if it was begun again."""
        self._waiting = ""
        self._closed = False

    @property
    def over(self) -> bool:
        """Closed, with nothing left to speak."""
        return self._closed and self.pieces.empty()

    def add(self, text: Text) -> None:
        self._closed = False
        self._waiting += text.transcript
        enough = len(self._waiting) >= ENOUGH and self._waiting[-1].isspace()
        if text.force or enough:
            self.flush()

    def flush(self) -> None:
        piece, self._waiting = self._waiting, ""
        if piece.strip():
            self.pieces.put_nowait(piece)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.flush()
            self.pieces.put_nowait(None)


class _Connection:
    def __init__(self, socket: WebSocket, speaker: Speaker, idle_limit: float) -> None:
        self._socket = socket
        self._speaker = speaker
        self._idle_limit = idle_limit
        self._several = not speaker.choices.legacy
        self._protocol = SpeechProtocol(Side.SERVER, contexts=self._several)
        self._contexts: dict[str, _Context] = {}
        self._init: Initialize
        self._voice: LibraryVoice

    async def serve(self) -> None:
        await self._socket.accept()
        try:
            # Leaving the group waits until every context has said its last word.
            async with asyncio.TaskGroup() as group:
                await self._converse(group)
            await self._socket.close(1000)
        except* (Refusal, Invalid, Broken) as refusals:
            await self._give_up(_first(refusals).fault(), POLICY_VIOLATION)
        except* RemoteProtocolError as errors:
            fault = Fault(str(_first(errors)), "SANDBOX_PROTOCOL_ERROR")
            await self._give_up(fault, POLICY_VIOLATION)
        except* TimeoutError:
            message = f"No message was received for {self._idle_limit} seconds"
            fault = Fault(message, "TIMEOUT", request_id="unknown")
            await self._give_up(fault, INTERNAL_ERROR)
        except* WebSocketDisconnect:
            pass

    async def _converse(self, group: asyncio.TaskGroup) -> None:
        self._admit()
        while self._protocol.state is not State.CLOSING:
            async with asyncio.timeout(self._idle_limit):
                frame = await self._receive()
            message = self._protocol.receive(frame)
            if message is not None:
                await self._take(message, group)

    def _admit(self) -> None:
        headers, query = self._socket.headers, self._socket.query_params
        keys = (query.get("api_key"), headers.get("api_key"), headers.get("x-api-key"))
        admit(self._socket, next((key for key in keys if key), None))

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | None = message.get("text")
        if text is None:
            raise RemoteProtocolError("Frames are text, not binary")
        return text

    async def _take(self, message: Message, group: asyncio.TaskGroup) -> None:
        match message:
            case Initialize():
                await self._initialize(message)
            case Text(transcript=""):
                self._context(message.context_id, group).close()
            case Text():
                self._context(message.context_id, group).add(message)
            case CloseContext():
                self._context(message.context_id, group).close()
            case Terminate() | CloseConnection():
                for context in self._contexts.values():
                    context.close()
            case _:
                raise AssertionError(f"{message} is not from a client")

    async def _initialize(self, init: Initialize) -> None:
        check_model(init.model_id, self._speaker.choices.models)
        check_language(init.language)
        if (init.output_format or DEFAULT_FORMAT).container == "wav":
            raise Invalid("wav is not streamed", "output_format", "container", kind="enum")
        self._voice = self._speaker.library.find(init.voice.id)
        self._init = init
        if self._speaker.choices.init_ack:
            await self._socket.send_text(INIT_ACK)

    def _context(self, context_id: ContextId, group: asyncio.TaskGroup) -> _Context:
        name = str(context_id or DEFAULT_CONTEXT) if self._several else DEFAULT_CONTEXT
        if name not in self._contexts:
            self._contexts[name] = _Context()
            group.create_task(self._speak(name, self._contexts[name]))
        return self._contexts[name]

    async def _speak(self, name: str, context: _Context) -> None:
        """Everything a context was given, as audio, with an end for each of its closes."""
        while self._contexts.get(name) is context:
            await self._speak_to_the_end(name, context)
            if context.over:
                del self._contexts[name]
            await self._send(Final(context_id=self._named(name)))

    async def _speak_to_the_end(self, name: str, context: _Context) -> None:
        form = self._init.output_format or DEFAULT_FORMAT
        encoder = self._speaker.encoder(form)
        said, audio = "", bytearray()
        while (piece := await context.pieces.get()) is not None:
            said += piece
            spoken = self._speaker.speak(
                piece,
                self._voice,
                model_id=self._init.model_id,
                language=self._init.language,
                speed_control=self._init.speed_control,
            )
            async with contextlib.aclosing(spoken):
                async for pcm in spoken:
                    audio += await self._send_audio(name, encoder.feed(pcm))
        audio += await self._send_audio(name, encoder.finish())
        if said:
            self._speaker.remember("websocket", self._voice, said, form, bytes(audio))

    async def _send_audio(self, name: str, audio: bytes) -> bytes:
        if audio:
            await self._send(Audio(base64.b64encode(audio).decode(), self._named(name)))
        return audio

    def _named(self, name: str) -> ContextId:
        return name if self._several else UNSET

    async def _send(self, message: FromServer) -> None:
        await self._socket.send_text(self._protocol.send(message))

    async def _give_up(self, fault: Fault, code: int) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._send(fault)
            await self._socket.close(code)


def _first(group: BaseExceptionGroup[E]) -> E:
    """Its first leaf: contexts fail one at a time."""
    leaf = group.exceptions[0]
    return _first(leaf) if isinstance(leaf, BaseExceptionGroup) else leaf
