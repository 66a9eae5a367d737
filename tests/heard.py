"""What a callee has heard, beside what was spoken to them."""

from __future__ import annotations

from collections.abc import Iterable

from asyncflow_cli.protocol.audio import FRAME_BYTES, MULAW_SILENCE


def around(heard: bytes, spoken: Iterable[bytes]) -> tuple[bytes, bytes]:
    """What was heard before and behind what was spoken, of which every byte was heard, in order.

    A sentence that is late leaves the frame before it to be filled up with silence: so much, and
    nothing else, may stand between two of them.
    """
    between = []
    for audio in spoken:
        before, found, heard = heard.partition(audio)
        assert found == audio, "byte-exact"
        between.append(before)
    assert all(len(gap) < FRAME_BYTES and set(gap) <= {*MULAW_SILENCE} for gap in between[1:])
    return between[0], heard
