"""What was asked of the customer's server, and what it answered: a call's `Events.json`.

https://www.twilio.com/docs/voice/api/call-event-resource
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.resources import Event
from asyncflow_cli.sandbox.webhook import Answer, WebClient

SHOWN = 4000
"""Characters of an answer that are kept."""


class Ledger(WebClient):
    """A web client that keeps a note of every request."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        budget: float,
        date: Callable[[], str],
        note: Callable[[Event], None],
    ) -> None:
        super().__init__(AUTH_TOKEN, tls, budget=budget)
        self._date = date
        self._note = note

    async def request(self, method: str, url: str, fields: Mapping[str, str]) -> Answer:
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
            request = {"method": method, "url": url, "parameters": dict(fields)}
            self._note(Event(request=request, response=response))

        try:
            answer = await super().request(method, url, fields)
        except RemoteProtocolError as error:
            answered = error.details or {}
            note(answered.get("status"), answered.get("content_type", ""), error.message)
            raise
        note(answer.status, answer.content_type, answer.text)
        return answer
