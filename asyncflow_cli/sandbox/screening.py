"""Finding out, in a call, who answered: by holding the TwiML back, or while it runs.

https://www.twilio.com/docs/voice/answering-machine-detection
"""

from __future__ import annotations

from asyncflow_cli.sandbox.account import ACCOUNT_SID
from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.detection import Detection, Verdict, verdict
from asyncflow_cli.sandbox.leg import Leg
from asyncflow_cli.sandbox.record import CallRecord


async def screen(detection: Detection, callee: Callee, leg: Leg, record: CallRecord) -> None:
    """Return when the TwiML may run: at once, or when it is known who answered."""
    found = verdict(detection, callee)
    if detection.asynchronous:
        leg.after(found.after, lambda: _tell(found, detection, record))
        return
    await leg.wait(found.after)
    record.become(answered_by=found.answered_by)


def _tell(found: Verdict, detection: Detection, record: CallRecord) -> None:
    record.become(answered_by=found.answered_by)
    if detection.callback is None:
        return
    fields = {
        "CallSid": record.sid,
        "AccountSid": ACCOUNT_SID,
        "AnsweredBy": found.answered_by,
        "MachineDetectionDuration": str(round(found.after * 1000)),
    }
    record.outbox.post(detection.method, detection.callback, fields)
