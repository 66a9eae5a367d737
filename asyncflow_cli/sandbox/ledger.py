"""What was asked of the customer's server, and what it answered: a call's `Events.json`.

https://www.twilio.com/docs/voice/api/call-event-resource
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.faults import Fault
from asyncflow_cli.sandbox.resources import Event
from asyncflow_cli.sandbox.webhook import Answer, Hit, WebClient, WebTerms

SHOWN = 4000
"""Characters of an answer that are kept."""


class Ledger(WebClient):
    """A web client that keeps a note of every request."""

    def __init__(
        self,
        terms: WebTerms,
        date: Callable[[], str],
        note: Callable[[Event], None],
    ) -> None:
        super().__init__(terms)
        self._date = date
        self._note = note

    async def send(self, hit: Hit, faults: Mapping[str, Fault]) -> Answer:
        began = time.monotonic()

        def note(status: int | None, content_type: str, body: str) -> None:
            took = round((time.monotonic() - began) * 1000)
            response: dict[str, Any] = {
                "response_code": status,
                "request_duration": took,
                "date_created": self._date(),
                "content_type": content_type,
                "response_body": body[:SHOWN],
            }
            request = {"method": hit.method, "url": hit.url, "parameters": dict(hit.fields)}
            self._note(Event(request=request, response=response))

        try:
            answer = await super().send(hit, faults)
        except RemoteProtocolError as error:
            answered = error.details or {}
            note(answered.get("status"), answered.get("content_type", ""), error.message)
            raise
        note(answer.status, answer.content_type, answer.text)
        return answer
