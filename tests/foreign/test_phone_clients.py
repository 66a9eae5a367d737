"""The bridge as those ask it that play Twilio, and are not the sandbox."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from asyncflow_cli.protocol.media import Connected, Start
from tests.transport.test_phone import CONNECTED, form, line, run, say, start

__all__ = ["form"]


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["audio.twilio.com"], "audio.twilio.com"),
        (["other", "audio.twilio.com"], "audio.twilio.com"),
        (["other"], None),
        (None, None),
    ],
)
def test_twilios_subprotocol_is_chosen_where_it_is_offered(
    offered: list[str] | None, chosen: str | None
) -> None:
    async def test() -> None:
        async with line() as phone:
            url = f"ws://127.0.0.1:{phone.port}/twilio/media/{phone.phone.token}"
            names = [Subprotocol(name) for name in offered] if offered else None
            async with connect(url, subprotocols=names, proxy=None) as socket:
                assert socket.subprotocol == chosen
                await say(socket, CONNECTED, start())
                assert [type(await phone.event()) for _ in range(2)] == [Connected, Start]

    run(test())
