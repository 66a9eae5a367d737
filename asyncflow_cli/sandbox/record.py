"""What is told of a call while it lives: its resource, its callbacks, its notifications."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from asyncflow_cli.sandbox.account import ACCOUNT_SID, Account
from asyncflow_cli.sandbox.clock import Clock, Names, rfc2822
from asyncflow_cli.sandbox.failures import Failure
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.faultwords import CARRIER
from asyncflow_cli.sandbox.ledger import Ledger
from asyncflow_cli.sandbox.order import Order
from asyncflow_cli.sandbox.outbox import Outbox
from asyncflow_cli.sandbox.resources import (
    API,
    CallReport,
    CallResource,
    Notification,
    call_uri,
    formatted,
    subresource_uris,
)
from asyncflow_cli.sandbox.signature import BY_TOKEN, Signer
from asyncflow_cli.sandbox.stage import Voice
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.webhook import WebTerms

CALLBACK_FAILED = "15003"
"""https://www.twilio.com/docs/api/errors/15003"""

WARNINGS = frozenset(
    {"12200", CALLBACK_FAILED, "21262", "21263", "31930", "31931", "31950", "31951"}
)
"""Codes that Twilio logs as warnings; all others are errors."""


@dataclass(frozen=True, slots=True)
class Network:
    """What all calls of a carrier share."""

    store: Store
    clock: Clock
    names: Names
    tls: ssl.SSLContext
    account: Account
    url: str
    """Where the sandbox is: the beginning of its recordings' addresses."""
    say: Voice | None = None
    failures: list[Failure] | None = None
    """Where a strict sandbox counts every notification."""
    faults: Faults = field(default_factory=Faults)
    signer: Signer = BY_TOKEN


class CallRecord:
    """The call as Twilio's customers see it: through REST, callbacks and notifications."""

    def __init__(self, order: Order, network: Network) -> None:
        self.sid = network.names.sid("CA")
        self.order = order
        self.callback_to = order.callback
        self.web = Ledger(
            WebTerms(
                network.tls,
                network.signer,
                network.faults,
                network.clock,
                network.account.web_budget,
            ),
            lambda: rfc2822(self.date()),
            lambda event: network.store.add_event(self.sid, event),
        )
        self.outbox = Outbox(self.web, lambda text, url: self.notify(CALLBACK_FAILED, text, url))
        self.warnings = [
            {"code": "SANDBOX", "text": f"{name} is not imitated, and was ignored", "url": ""}
            for name in order.ignored
        ]
        """What the sandbox leaves out, and every notification in short: for the report."""
        self._network = network
        skewed = network.faults.take(CARRIER, "call")
        self._skew = timedelta(seconds=skewed.seconds if skewed is not None else 0)
        self._created = network.names.began(network.clock) + self._skew
        self._told = 0.0
        self._callbacks_sent = 0
        self.resource = self._new_resource()
        network.store.save_call(self.resource, CallReport(), b"")
        if order.detection is not None:
            for code, text in order.detection.warnings:
                self.notify(code, text, "")

    def date(self) -> datetime:
        """Now. Deterministic time moves only by what passes in every run: see `pass_time`."""
        if self._network.names.deterministic:
            return self._created + timedelta(seconds=self._told)
        return self._network.clock.date() + self._skew

    def pass_time(self, seconds: float) -> None:
        """So much has passed, however long it took."""
        self._told += seconds

    def new_sid(self, prefix: str) -> str:
        return self._network.names.sid(prefix)

    def become(self, **changes: Any) -> None:
        """Change the resource."""
        changes["date_updated"] = rfc2822(self.date())
        self.resource = msgspec.structs.replace(self.resource, **changes)
        self._network.store.update_call(self.resource)

    def fields(self, status: str | None = None) -> dict[str, str]:
        """https://www.twilio.com/docs/voice/twiml#request-parameters"""
        numbers = {"From": self.order.from_, "To": self.order.to}
        numbers |= {"Caller": self.order.from_, "Called": self.order.to}
        answered_by = self.resource.answered_by
        places = {f"{who}{what}": "" for who in numbers for what in ("City", "State", "Zip")}
        return {
            "CallSid": self.sid,
            "AccountSid": ACCOUNT_SID,
            **numbers,
            **places,
            **{f"{who}Country": "US" for who in numbers},
            "CallStatus": status or self.resource.status,
            **({"AnsweredBy": answered_by} if answered_by else {}),
            "Direction": "outbound-api",
            "ApiVersion": API,
        }

    def callback(self, event: str, status: str, more: dict[str, str] | None = None) -> None:
        """Tell the customer of `event`, if that was ordered.

        https://www.twilio.com/docs/voice/api/call-resource#statuscallback
        """
        to = self.callback_to
        if to is None or event not in to.events:
            return
        fields = {
            **self.fields(status),
            "Timestamp": rfc2822(self.date()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._callbacks_sent),
            **(more or {}),
        }
        self._callbacks_sent += 1
        self.outbox.post(to.method, to.url, fields)

    def notify(self, code: str, text: str, url: str) -> None:
        """Log what went wrong."""
        date, sid = rfc2822(self.date()), self._network.names.sid("NO")
        level = "WARN" if code in WARNINGS else "ERROR"
        self.warnings.append({"code": code, "text": text, "url": url})
        if self._network.failures is not None:
            self._network.failures.append(Failure(self.sid, code, text, url))
        self._network.store.add_notification(
            Notification(
                sid=sid,
                account_sid=ACCOUNT_SID,
                call_sid=self.sid,
                error_code=code,
                log="1" if level == "WARN" else "0",
                message_text=urlencode({"LogLevel": level, "Msg": text, "ErrorCode": code}),
                more_info=f"https://www.twilio.com/docs/errors/{code}",
                request_url=url,
                message_date=date,
                date_created=date,
                date_updated=date,
                uri=f"{call_uri(ACCOUNT_SID, self.sid)}/Notifications/{sid}.json",
            )
        )

    def _new_resource(self) -> CallResource:
        date = rfc2822(self._created)
        return CallResource(
            sid=self.sid,
            account_sid=ACCOUNT_SID,
            to=self.order.to,
            from_=self.order.from_,
            to_formatted=formatted(self.order.to),
            from_formatted=formatted(self.order.from_),
            phone_number_sid="PN" + ACCOUNT_SID[2:],
            status="queued",
            date_created=date,
            date_updated=date,
            uri=call_uri(ACCOUNT_SID, self.sid) + ".json",
            subresource_uris=subresource_uris(ACCOUNT_SID, self.sid),
        )
