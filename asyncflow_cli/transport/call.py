"""One phone call from preparation to hang-up: the shell that `protocol.bridge` decides for.

Everything that happens becomes an event in one inbox; the `conversation` asks the bridge, and does
what it says. Whatever breaks it, `finish` ends the call; `chronicle` keeps what happened, and when.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from asyncflow_cli.protocol import callevents
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.endings import EndReason
from asyncflow_cli.protocol.models import PHONE, VoiceSelector, doubts
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.outcome import outcome
from asyncflow_cli.protocol.speechmessages import Initialize
from asyncflow_cli.protocol.tracer import Watcher
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.chronicle import Chronicle, Tell
from asyncflow_cli.transport.conversation import Conversation
from asyncflow_cli.transport.dictation import dictate
from asyncflow_cli.transport.ear import Ear
from asyncflow_cli.transport.finish import Finish, insistently
from asyncflow_cli.transport.inbox import Inbox
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.line import Line
from asyncflow_cli.transport.preflight import Check, preflight
from asyncflow_cli.transport.voice import Voice

log = logging.getLogger(__name__)


class PhoneCall:
    """Runs once. `warn` hears, in words, what should not happen and stops nothing.

    Without a `journal` the call is written down where the command line finds it, and `asyncflow
    calls reap` can end it; without a `library` voices are looked up at the service of `settings`.
    """

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        journal: Journal | None = None,
        library: VoiceLibrary | None = None,
        *,
        warn: Callable[[str], None] = log.warning,
        watcher: Watcher | None = None,
    ) -> None:
        self._settings = settings
        self._order = order
        self._library = library
        self._chronicle = Chronicle(warn, watcher)
        self._inbox = Inbox()
        self._bridge = Bridge(order.script(), order.deadlines(), order.manners)
        detects = order.manners.barge_in == "speech"
        self._ear = Ear(self._chronicle, self._inbox, detects=detects)
        self._line = Line(
            settings,
            order,
            journal or Journal.usual(warn=warn),
            self._inbox,
            warn=self._chronicle.warn,
            hear=self._ear.hear if detects or watcher else None,
        )
        self._finish = Finish(self._bridge, order, self._line, self._inbox, self._chronicle)
        self._conversation = Conversation(
            self._bridge,
            self._line.phone,
            self._inbox,
            self._chronicle,
            self._ear,
            self._lead_elsewhere,
        )

    @property
    def report(self) -> CallReport | None:
        """What came of it, however it ended; None if nobody was called."""
        return self._finish.report

    @property
    def warnings(self) -> list[str]:
        """What it warned of."""
        return self._chronicle.warnings

    @property
    def sid(self) -> str | None:
        """The call's, once it was dialled."""
        return self._line.placed.sid

    async def run(self, tell: Tell = lambda _event: None) -> CallReport:
        """Make the call, and `tell` what happens. Any ending but the last word heard is raised,
        with the report."""
        self._chronicle.tell = tell
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._line.opened())
            try:
                await self._prepare(stack)
                if self._conversation.may_dial:
                    await self._dial()
                await self._conversation.run()
            finally:
                await insistently(self._finish.run())
        return self._outcome()

    # Before anybody is called

    async def _prepare(self, stack: contextlib.AsyncExitStack) -> None:
        """Check everything that can be, and have the first words ready; or raise all that fails."""
        # Whoever still writes the text must not keep back what is wrong already.
        speech = self._open_voice if self._order.is_live else self._first_words
        await preflight([*self._line.checks(), Check("speech", lambda: speech(stack))])
        if self._order.is_live:
            await self._begin()
        patience = replace(self._bridge.deadlines, reconnect=self._line.grace)
        self._bridge.deadlines = patience

    async def _first_words(self, stack: contextlib.AsyncExitStack) -> None:
        await self._open_voice(stack)
        await self._begin()

    async def _open_voice(self, stack: contextlib.AsyncExitStack) -> None:
        if self._order.audio is None:
            library = self._library or await self._open_library(stack)
            initialize = await library.with_id(self._initialize())
            for doubt in doubts(initialize):
                self._chronicle.warn(doubt)
            voice = Voice(self._settings, initialize, self._inbox.put, self._inbox.done)
            self._conversation.voice = await stack.enter_async_context(voice)

    async def _open_library(self, stack: contextlib.AsyncExitStack) -> VoiceLibrary:
        return VoiceLibrary(await stack.enter_async_context(aclosing(ApiClient(self._settings))))

    async def _begin(self) -> None:
        if self._bridge.script.more:
            self._inbox.start(dictate(self._order, self._inbox, is_needed=self._is_preparing))
        await self._conversation.prepare()
        if self._conversation.is_over:
            self._outcome()

    def _is_preparing(self) -> bool:
        return self._conversation.is_preparing

    def _initialize(self) -> Initialize:
        return Initialize(
            model_id=self._settings.model,
            voice=VoiceSelector(self._settings.voice),
            output_format=PHONE,
            language=self._order.language,
        )

    # Dialling, and leading elsewhere

    async def _dial(self) -> None:
        self._chronicle.ready(self._order, self._line.tunnel)
        self._chronicle.times.dialled = time.monotonic()
        self._chronicle.say(callevents.Placed, call_sid=await self._line.dial())
        self._bridge.on_dialled(time.monotonic())

    async def _lead_elsewhere(self) -> None:
        await self._line.lead_elsewhere()
        self._chronicle.times.tunnel = self._line.tunnel

    def _outcome(self) -> CallReport:
        """The report; or the error of any ending but the last word heard."""
        self._chronicle.pass_on_news(self._bridge)
        if self._bridge.assumed_end:
            self._chronicle.warn("The speech service never said that it was done")
        return outcome(
            self.report, self._bridge.end_reason or EndReason.STOPPED, self._conversation.cause
        )
