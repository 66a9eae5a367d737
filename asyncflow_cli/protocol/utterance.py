"""One text on the speech connection: what its messages, and its silences, come to.

Knows neither socket nor clock: whoever has them says what came, and how long nothing did.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.speechmessages import (
    Audio,
    CloseConnection,
    CloseContext,
    Fault,
    Final,
    RanDry,
    SpeechEvent,
    Text,
)


@dataclass(frozen=True)
class Patience:
    """Seconds of silence, with all text sent, after which something is done about it."""

    close_after: float = 1.5
    """Without any audio, before we ask for the end with closeContext."""
    close_soon: float = 0.4
    """The same once there was audio, which then most likely is all there: where the service
    announces no end before it is asked, a call's next sentence waits for this."""
    dry_after: float = 3.0
    """After that, and no more will come. Customary."""


USUAL = Patience()


class Utterance:
    """A text whose audio is in the context of this name; None in the single-stream form of 2025."""

    __slots__ = ("_closed", "_dry", "_heard", "_seconds", "context", "patience", "written")

    def __init__(self, context: str | None, patience: Patience = USUAL) -> None:
        self.context = context
        self.written = False
        """All of the text was sent: silence is thinking until then."""
        self.patience: float | None = patience.close_after
        """Seconds of silence that are worth an answer; None if no silence is."""
        self._seconds = patience
        self._heard = self._dry = self._closed = False

    def piece(self, text: str) -> Text:
        """A piece of the text, as it is sent."""
        # It must end with exactly one space; `force` because the vendor's own clients found that
        # short text otherwise waits in the service's buffer.
        return Text(text.rstrip() + " ", self._name, force=True)

    def end(self) -> Text | CloseConnection:
        """What says that there is no more text.

        An empty transcript, as the vendor's LiveKit plugin does: a closeContext right behind the
        text is documented to finish the audio, but is reported to cut it short.
        """
        return CloseConnection() if self.context is None else Text("", self._name)

    def close(self) -> CloseContext | None:
        """What has the service stop, or say that it is done; the single-stream form has nothing."""
        return None if self.context is None else CloseContext(self.context)

    @property
    def _name(self) -> str | UnsetType:
        return UNSET if self.context is None else self.context

    def on_message(self, message: Audio | Final) -> SpeechEvent | None:
        """What it means for this text, if anything."""
        if message.context_id is not UNSET and message.context_id != self.context:
            return None
        if self._dry or not self._heard:
            self._heard, self._dry = True, False
            self.patience = self._next_patience()
        return message

    def on_silence(self) -> CloseContext | RanDry | None:
        """What to say to the service, or to whoever listens."""
        if not self.written:
            return None
        said = RanDry() if self._closed else self.close()
        self._dry, self._closed = self._closed, True
        self.patience = self._next_patience()
        return said

    def _next_patience(self) -> float | None:
        if not self._closed:
            return self._seconds.close_soon if self._heard else self._seconds.close_after
        return self._seconds.dry_after if self._heard and not self._dry else None


def error_of(fault: Fault) -> AsyncflowError:
    """The error that the service names."""
    from asyncflow_cli.protocol import failures

    return failures.from_code(
        fault.error_code or "SPEECH_FAILED",
        fault.message,
        extra=fault.extra,
        request_id=fault.request_id,
    )
