"""The playout queue: bytes, marks at positions, and what the callee heard."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.line import CEILING, SILENCE, Gap, Line


def b64(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


def test_an_idle_line_is_silent() -> None:
    line = Line()
    assert line.tick() == (SILENCE, [])
    assert bytes(line.heard) == b"\xff" * 160


def test_a_mark_with_nothing_before_it_is_echoed_at_once() -> None:
    assert Line().mark("now") == ["now"]


def test_a_mark_is_echoed_when_all_before_it_has_been_played() -> None:
    line = Line()
    line.push(b64(b"a" * 320))
    assert line.mark("end") == []
    assert line.tick() == (b"a" * 160, [])
    assert line.tick() == (b"a" * 160, ["end"])


def test_a_mark_inside_a_frame_is_echoed_after_that_frame() -> None:
    line = Line()
    line.push(b64(b"a" * 100))
    line.mark("middle")
    line.push(b64(b"b" * 220))
    assert line.tick() == (b"a" * 100 + b"b" * 60, ["middle"])


def test_a_mark_behind_a_mark_waits_for_its_turn() -> None:
    line = Line()
    line.push(b64(b"a" * 160))
    line.mark("one")
    line.mark("two")
    assert line.tick()[1] == ["one", "two"]


def test_a_last_partial_frame_is_padded_with_silence() -> None:
    line = Line()
    line.push(b64(b"a" * 100))
    assert line.tick()[0] == b"a" * 100 + b"\xff" * 60


def test_odd_chunks_are_joined_while_they_queue() -> None:
    line = Line()
    line.push(b64(b"a" * 100))
    line.push(b64(b"b" * 100))
    assert line.tick()[0] == b"a" * 100 + b"b" * 60


def test_clear_drops_the_audio_and_releases_every_mark_in_order() -> None:
    line = Line()
    line.push(b64(b"a" * 1600))
    line.mark("one")
    line.push(b64(b"a" * 1600))
    line.mark("two")
    line.tick()
    assert line.clear() == ["one", "two"]
    assert line.tick() == (SILENCE, [])
    assert [mark.cleared for mark in line.marks] == [True, True]


def test_audio_after_a_clear_is_played_and_its_mark_echoed() -> None:
    line = Line()
    line.push(b64(b"a" * 1600))
    line.clear()
    line.push(b64(b"b" * 160))
    line.mark("new")
    assert line.tick() == (b"b" * 160, ["new"])


def test_more_than_ten_minutes_do_not_fit() -> None:
    line = Line()
    assert line.queue(b"a" * (CEILING - 10)) == 0
    assert line.queue(b"b" * 30) == 20
    assert (line.discarded, line.most_queued) == (20, CEILING)


@pytest.mark.parametrize("payload", ["YQ", "Y Q==", "YQ==\n", "not base64!", "ä", "YQ==YQ=="])
def test_what_is_not_base64_is_an_invalid_message(payload: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Line().push(payload)
    assert caught.value.code == "31951"


def test_running_dry_in_mid_speech_is_a_gap() -> None:
    line = Line()
    line.push(b64(b"a" * 160))
    for _ in range(3):
        line.tick()
    line.push(b64(b"a" * 160))
    assert line.gaps == [Gap(heard=160, length=320)]


def test_silence_behind_a_mark_is_no_gap() -> None:
    line = Line()
    line.push(b64(b"a" * 160))
    line.mark("end of sentence")
    for _ in range(3):
        line.tick()
    line.push(b64(b"a" * 160))
    assert line.gaps == []


def test_silence_behind_a_whole_clip_is_no_gap() -> None:
    line = Line()
    line.queue(b"a" * 160, more=False)
    for _ in range(3):
        line.tick()
    line.queue(b"a" * 160, more=False)
    assert line.gaps == []


def test_a_line_that_skips_silence_records_what_was_sent_and_nothing_else() -> None:
    line = Line(skip_silence=True)
    for chunk in (b"a" * 100, b"b" * 300):
        line.tick()
        line.push(b64(chunk))
        for _ in range(5):
            line.tick()
    assert bytes(line.heard) == b"a" * 100 + b"b" * 300


@given(st.lists(st.one_of(st.binary(max_size=700), st.text(max_size=3), st.none()), max_size=40))
def test_whatever_is_sent_is_heard_in_order_and_every_mark_comes_back(
    items: list[bytes | str | None],
) -> None:
    """Bytes are audio, text is a mark, None lets 20 ms pass."""
    line = Line(skip_silence=True)
    echoed: list[str] = []
    for item in items:
        match item:
            case bytes():
                line.push(b64(item))
            case str():
                echoed += line.mark(item)
            case None:
                echoed += line.tick()[1]
    while not line.empty:
        echoed += line.tick()[1]
    assert bytes(line.heard) == b"".join(item for item in items if isinstance(item, bytes))
    assert echoed == [item for item in items if isinstance(item, str)]
