"""A speech connection that says one text after the other and calls back: a call's.

Nothing waits in here. A task for each sentence costs as much as seconds of its audio, and the
garbage collector of a process with a thousand calls stops them all to look at what tasks hold.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.speech import State
from asyncflow_cli.protocol.speechmessages import (
    Audio,
    CloseContext,
    Fault,
    Final,
    FromClient,
    Initialize,
    SpeechEvent,
)
from asyncflow_cli.protocol.utterance import USUAL, Patience, Utterance, error_of
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.rounds import rounds
from asyncflow_cli.transport.speechconnection import SpeechConnection, lost

LOOK_EVERY = 0.1
"""Seconds between two looks whether the service has fallen silent: it may be noticed so late."""

AUDIBLE = (Audio, Final)

Tell = Callable[[SpeechEvent | AsyncflowError], None]


class Speaker:
    """Enter it to open its connection. `tell` hears what comes of the text that is being said:
    Final or an error is the last of it."""

    def __init__(
        self,
        settings: Settings,
        initialize: Initialize,
        tell: Tell,
        patience: Patience = USUAL,
    ) -> None:
        self._connection = SpeechConnection(
            settings, initialize, hear=self._on_message, gone=self._on_gone
        )
        self._tell = tell
        self._seconds = patience
        self._utterance: Utterance | None = None
        self._trouble: AsyncflowError | None = None
        """What the connection failed with: a text that it is still given is told."""
        self._heard = 0.0
        self._rounds = rounds(LOOK_EVERY)

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        await self._connection.__aexit__(kind, error, trace)

    def say(self, text: str) -> None:
        """Have `text` spoken, and what was being said no more."""
        self.stop()
        if self._trouble is not None:
            self._tell(self._trouble)
            return
        self._utterance = utterance = Utterance(str(uuid.uuid4()), self._seconds)
        self._send(utterance.piece(text), utterance.end())
        utterance.written = True
        self._heard = time.monotonic()
        self._rounds.add(self)

    def stop(self) -> None:
        """Have the service stop, and ignore what it still sends of this text."""
        utterance = self._end()
        close = None if utterance is None else utterance.close()
        if close is not None and self._connection.protocol.state is State.OPEN:
            self._send(close)

    def _end(self) -> Utterance | None:
        utterance, self._utterance = self._utterance, None
        self._rounds.discard(self)
        return utterance

    def _send(self, *messages: FromClient) -> None:
        self._connection.wire.say(map(self._connection.protocol.send, messages))

    # What comes

    def _on_message(self, frame: bytes) -> None:
        try:
            message = self._connection.protocol.receive(frame)
        except AsyncflowError as error:
            self._fail(error)
            return
        if isinstance(message, Fault):
            self._fail(error_of(message))
        elif self._utterance is not None and isinstance(message, AUDIBLE):
            if (event := self._utterance.on_message(message)) is None:
                return
            if isinstance(event, Final):
                self._end()  # before it is told, for what it brings about is the next text
            self._heard = time.monotonic()
            self._tell(event)

    def _on_gone(self, closed: ConnectionClosed) -> None:
        self._fail(lost(closed))

    def _fail(self, error: AsyncflowError) -> None:
        self._trouble = self._trouble or error
        if self._end() is not None:
            self._tell(error)

    # What does not come

    def look(self) -> None:
        """See whether nothing has come for as long as is worth an answer."""
        utterance, now = self._utterance, time.monotonic()
        if utterance is None or utterance.patience is None:
            return
        if now - self._heard < utterance.patience:
            return
        self._heard = now
        said = utterance.on_silence()
        if isinstance(said, CloseContext):
            self._send(said)
        elif said is not None:
            self._tell(said)
