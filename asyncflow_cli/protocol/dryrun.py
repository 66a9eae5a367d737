"""What a request would be, and cost, without making it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from asyncflow_cli.protocol.formats import streamed
from asyncflow_cli.protocol.models import STREAMED_PATH, VERSION, SpeechRequest
from asyncflow_cli.protocol.reports import DryRunReport
from asyncflow_cli.protocol.speechmessages import Initialize, socket_url
from asyncflow_cli.protocol.splitting import split
from asyncflow_cli.protocol.transcript import spoken_seconds

DOLLARS_AN_HOUR = {"async_pro_v1.0": 1.0, "async_flash_v1.5": 0.5, "async_flash_v1.0": 0.5}
"""Of audio: https://docs.async.com/models-2161359m0"""


def speech_plan(
    url: str, request: SpeechRequest, pieces: Sequence[str], *, key: bool
) -> DryRunReport:
    """The first of the requests, and all of them in numbers."""
    first = msgspec.structs.replace(request, transcript=pieces[0])
    headers = {
        "x-api-key": "***" if key else "none",
        "version": VERSION,
        "content-type": "application/json",
    }
    return _plan("POST", url, headers, msgspec.to_builtins(first), request, pieces)


def socket_plan(
    address: str, request: SpeechRequest, pieces: Sequence[str], *, key: bool
) -> DryRunReport:
    """The connection, its first frame, and the text that follows in numbers."""
    query = f"api_key={'***' if key else 'none'}&version={VERSION}"
    first: dict[str, Any] = msgspec.to_builtins(Initialize.for_request(request))
    return _plan("WebSocket", f"{address}?{query}", {}, first, request, pieces)


def stream_plan(
    base_url: str, request: SpeechRequest, text: str, transport: str, *, key: bool
) -> DryRunReport:
    """Of a stream, whose text goes out in small pieces, to `ws` or to `http`."""
    request = msgspec.structs.replace(request, output_format=streamed(request.output_format))
    if transport == "http":
        return speech_plan(base_url + STREAMED_PATH, request, split(text), key=key)
    return socket_plan(socket_url(base_url), request, split(text), key=key)


def _plan(
    method: str,
    url: str,
    headers: dict[str, str],
    body: dict[str, Any],
    request: SpeechRequest,
    pieces: Sequence[str],
) -> DryRunReport:
    characters = sum(map(len, pieces))
    seconds = spoken_seconds(characters) / (request.speed_control or 1.0)
    return DryRunReport(
        method=method,
        url=url,
        headers=headers,
        body=body,
        requests=len(pieces),
        characters=characters,
        estimated_seconds=round(seconds, 1),
        estimated_usd=dollars(request.model_id, seconds),
    )


def dollars(model_id: str, seconds: float) -> float | None:
    """What so much speech costs; None for a model whose price is unknown."""
    price = DOLLARS_AN_HOUR.get(model_id)
    return None if price is None else round(seconds / 3600 * price, 6)
