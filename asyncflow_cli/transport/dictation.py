"""A text that is still being written, taken into a call a sentence at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from asyncflow_cli.protocol.markupcheck import escape
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.transcript import no_text
from asyncflow_cli.transport.inbox import Inbox, Written
from asyncflow_cli.transport.streaming import texts_of
from asyncflow_cli.transport.writer import typed


async def dictate(order: CallOrder, inbox: Inbox, *, is_needed: Callable[[], bool]) -> None:
    """Every sentence, and the end, is an event.

    UsageError if it ends before it has begun, and is needed then.
    """
    async with aclosing(_sentences(order)) as sentences:
        written = order.text is not None
        async for text in sentences:
            written = True
            inbox.put(Written(escape(text) if order.plain_text else text))
    if not written and is_needed():
        raise no_text()
    inbox.put(Written(None))


def _sentences(order: CallOrder) -> AsyncGenerator[str, None]:
    return typed() if order.manners.keep_open else texts_of(None, order.flush_after)
