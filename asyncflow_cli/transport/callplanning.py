"""What a call would ask for, and cost at most. It opens no socket."""

from __future__ import annotations

import math

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.callplan import (
    Addresses,
    CallPlanReport,
    Playing,
    Speaking,
    call_plan,
)
from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.speechmessages import socket_url
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.roads import choice as roads
from asyncflow_cli.transport.roads.public import websocket_address


def plan_call(settings: Settings, order: CallOrder) -> CallPlanReport:
    """UsageError or PrerequisiteError for a tunnel that cannot be opened as it is named."""
    host = order.public_url
    roads.check(order.tunnels, settings, host)
    at = Addresses(websocket_address(host)) if host else Addresses()
    hold = math.ceil(order.reconnect) if len(order.tunnels) > 1 else 0
    twiml = stream_twiml(at.media, at.stream_status, hold)
    return call_plan(
        CallRequest.of(order, twiml=twiml, status_callback=at.status, amd_callback=at.machine),
        _saying(settings, order),
        media_url=at.media,
        twilio=settings.twilio_base_url,
        account_sid=settings.twilio_account_sid or "ACCOUNT",
        api_key=settings.twilio_api_key,
    )


def _saying(settings: Settings, order: CallOrder) -> Speaking | Playing:
    repeat = order.manners.repeat
    if order.audio is not None:
        return Playing(seconds=len(order.audio) / PHONE_RATE * repeat)
    return Speaking(
        url=socket_url(settings.base_url),
        model_id=settings.model,
        voice_id=settings.voice,
        characters=None if order.is_live else len(order.text or "") * repeat,
    )
