"""The recordings of one call: begun, paused, stopped, and told of.

https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from asyncflow_cli.sandbox.account import ACCOUNT_SID
from asyncflow_cli.sandbox.clock import rfc2822
from asyncflow_cli.sandbox.leg import Leg
from asyncflow_cli.sandbox.record import CallRecord
from asyncflow_cli.sandbox.resources import API, RecordingResource, call_uri
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.tape import Pause, Tape, TapeOrder


class Taping:
    """Whatever records a call. Each recording has a tape as long as it runs."""

    def __init__(self, leg: Leg, record: CallRecord, store: Store, url: str) -> None:
        self.made: list[RecordingResource] = []
        """Those that have ended, the first one first."""
        self._leg = leg
        self._record = record
        self._store = store
        self._url = url
        self._untold: list[tuple[RecordingResource, TapeOrder]] = []
        self._running: dict[str, tuple[RecordingResource, Tape]] = {}

    @property
    def current(self) -> str | None:
        """The SID of the latest recording that runs."""
        return next(reversed(self._running), None)

    def start(self, order: TapeOrder) -> RecordingResource:
        tape, date = Tape(order), rfc2822(self._record.date())
        sid = self._record.new_sid("RE")
        resource = RecordingResource(
            sid=sid,
            account_sid=ACCOUNT_SID,
            call_sid=self._record.sid,
            status="in-progress",
            source=order.source,
            channels=order.channels,
            track=order.track,
            date_created=date,
            date_updated=date,
            start_time=date,
            uri=f"{call_uri(ACCOUNT_SID, self._record.sid)}/Recordings/{sid}.json",
            media_url=f"{self._url}/{API}/Accounts/{ACCOUNT_SID}/Recordings/{sid}",
        )
        self._running[sid] = (resource, tape)
        self._leg.listeners.append(tape.on_tick)
        self._store.save_recording(resource, b"", b"")
        self._tell(resource, order)
        return resource

    def change(self, sid: str, status: str, pause_behavior: str) -> RecordingResource | None:
        """Pause, go on or stop. The recording as it is then; None if it does not run."""
        if sid not in self._running:
            return None
        if status == "stopped":
            # Choice: the answer says stopped, and what is fetched later says completed.
            stopped = self._finish(sid)
            self.announce()
            return msgspec.structs.replace(stopped, status="stopped", duration=None)
        resource, tape = self._running[sid]
        # https://www.twilio.com/docs/voice/api/recording: silence unless told to skip.
        pause: Pause = "skip" if pause_behavior == "skip" else "silence"
        tape.paused = pause if status == "paused" else None
        resource = self._dated(resource, status=status)
        self._running[sid] = (resource, tape)
        self._store.save_recording(resource, b"", b"")
        return resource

    def finish(self) -> None:
        """The call is over, and so are its recordings. Nobody is told yet."""
        for sid in list(self._running):
            self._finish(sid)

    def announce(self) -> None:
        """Tell of what has ended: after the call's own end, if that is what ended it."""
        while self._untold:
            self._tell(*self._untold.pop(0))

    def final_fields(self) -> dict[str, str]:
        """What the call's last status callback tells of a call that was recorded as a whole."""
        for made in self.made:
            if made.source == "OutboundAPI" and made.status == "completed":
                return {
                    "RecordingUrl": made.media_url,
                    "RecordingSid": made.sid,
                    "RecordingDuration": made.duration or "0",
                }
        return {}

    def summaries(self) -> list[dict[str, Any]]:
        """For the call's report."""
        running = [resource for resource, _ in self._running.values()]
        return [
            {
                "sid": found.sid,
                "status": found.status,
                "seconds": int(found.duration or 0),
                "channels": found.channels,
                "url": found.media_url,
            }
            for found in (*self.made, *running)
        ]

    def _finish(self, sid: str) -> RecordingResource:
        resource, tape = self._running.pop(sid)
        self._leg.listeners.remove(tape.on_tick)
        tape.trim()
        status = "completed" if tape.said else "absent"
        duration = str(math.ceil(tape.seconds))
        resource = self._dated(resource, status=status, duration=duration)
        self._store.save_recording(resource, bytes(tape.said), bytes(tape.heard))
        self.made.append(resource)
        self._untold.append((resource, tape.order))
        return resource

    def _dated(self, resource: RecordingResource, **changes: Any) -> RecordingResource:
        date = rfc2822(self._record.date())
        return msgspec.structs.replace(resource, date_updated=date, **changes)

    def _tell(self, resource: RecordingResource, order: TapeOrder) -> None:
        """https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback"""
        if order.callback is None or resource.status not in order.events:
            return
        fields = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": resource.call_sid,
            "RecordingSid": resource.sid,
            "RecordingUrl": resource.media_url,
            "RecordingStatus": resource.status,
            "RecordingChannels": str(resource.channels),
            "RecordingTrack": resource.track,
            "RecordingSource": resource.source,
            "RecordingStartTime": resource.start_time,
        }
        if resource.duration is not None:
            fields["RecordingDuration"] = resource.duration
        self._record.outbox.post(order.method, order.callback, fields)
