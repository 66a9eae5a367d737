"""The ear on a call: how loud the callee is, and when they begin to speak."""

from __future__ import annotations

from asyncflow_cli.protocol.levels import level
from asyncflow_cli.protocol.vad import SpeechDetector
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.inbox import Inbox, Voiced


class Ear:
    """`detects` puts it into `inbox` when the callee begins to speak."""

    def __init__(self, chronicle: Chronicle, inbox: Inbox, *, detects: bool) -> None:
        self._chronicle = chronicle
        self._inbox = inbox
        self._detector = SpeechDetector() if detects else None

    def hear(self, payload: str, milliseconds: int) -> None:
        """A frame of the callee's, so long after its stream began."""
        self._chronicle.callee(level(payload))
        if self._detector is not None and self._detector.feed(payload, milliseconds / 1000):
            self._inbox.put(Voiced())

    def begin(self) -> None:
        """A stream starts, whose time is 0."""
        if self._detector is not None:
            self._detector = SpeechDetector()
