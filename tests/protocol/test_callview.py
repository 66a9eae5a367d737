"""What a person sees of a call at a moment: the clock is a number here, and the screen is text."""

from __future__ import annotations

import base64

import pytest

from asyncflow_cli.columns import Row
from asyncflow_cli.protocol import callevents as ev
from asyncflow_cli.protocol.callview import CallView
from asyncflow_cli.protocol.tracer import Tracer

TEXTS = (
    "Your table is ready. ",
    "We look forward to seeing you at eight o'clock, in the garden if the weather holds. ",
    "Goodbye.",
)
HALF = base64.b64encode(b"\x8f" * 32000).decode()
"""Four seconds at half of the loudest sample, -6 dBFS."""


def speaking(view: CallView) -> CallView:
    for event in (
        ev.Ready(at=0.4, to="+1", from_="+2", first_audio_ms=203.0),
        ev.Status(at=1.0, status="ringing"),
        ev.Status(at=3.0, status="in-progress"),
        ev.FirstFrame(at=3.0, after_start_ms=8.0),
        ev.Sentence(at=3.1, index=0, text=TEXTS[0], seconds=1.5),
        ev.Sentence(at=3.1, index=1, text=TEXTS[1], seconds=5.0),
    ):
        view.tell(event)
    return view


def shown(rows: list[Row]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def styled(rows: list[Row], style: str) -> str:
    return "".join(text for row in rows for text, of in row if of == style)


def test_before_it_rings_all_of_the_text_is_to_come() -> None:
    view = CallView(TEXTS)
    view.tell(ev.Ready(at=0.4, to="+1", from_="+2"))
    rows = view.frame(0.5, 120)
    assert shown(rows)[0] == (
        "  0.5 s  [Preparing] > Ringing > Answered > Speaking > Heard > Hung up"
    )
    assert styled(rows, "bold") == "[Preparing]"
    assert "".join(TEXTS) in styled(rows, "dim")


def test_the_words_that_were_heard_are_set_off_from_those_to_come() -> None:
    view = speaking(CallView(TEXTS))
    heard = []
    for now in (3.0, 3.8, 4.4):
        heard.append(styled(view.frame(now, 120), "bold").removeprefix("[Speaking]"))
    assert heard == ["", "Your table", "Your table is"]
    view.tell(ev.Heard(at=4.6, index=0, text=TEXTS[0], seconds_heard=1.5))
    row = view.frame(4.6, 120)[1]
    assert row[0] == ("Your table is ready.", "bold")
    assert row[2][0].startswith("We look forward")


def test_the_clock_alone_never_ends_a_sentence() -> None:
    view = speaking(CallView(TEXTS))
    assert "Your table is ready." not in styled(view.frame(500.0, 120), "bold")


HALFWAY = "".join(TEXTS).replace("forward to ", "forward to | ")
SCREENS = {
    40: [
        "  6.0 s  Speaking",
        HALFWAY.replace("Your table", "..."),
        "sent #####.",
        "first speech 203 ms, answer 3.0 s",
    ],
    80: [
        "  6.0 s  Preparing > Ringing > Answered > [Speaking] > Heard > Hung up",
        HALFWAY,
        "sent ###########.",
        "first speech 203 ms, answer 3.0 s, first frame 8 ms, held ahead 1.0 s",
    ],
}
SCREENS[120] = SCREENS[80]


@pytest.mark.parametrize("width", SCREENS)
def test_a_call_on_terminals_of_several_widths(width: int) -> None:
    tracer = Tracer()
    tracer.sent(HALF, 3.0)
    view = speaking(CallView(TEXTS, tracer))
    view.tell(ev.Heard(at=4.6, index=0, text=TEXTS[0], seconds_heard=1.5))
    rows = shown(view.frame(6.0, width))
    assert rows == SCREENS[width]
    assert all(len(row) <= width for row in (rows[0], *rows[2:]))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_long_text_is_shown_around_the_place_where_it_is(width: int) -> None:
    texts = [f"This is sentence number {n} of a very long text. " for n in range(50)]
    view = CallView(texts)
    view.tell(ev.Heard(at=9.0, index=24, text=texts[24], seconds_heard=1.0))
    heard, _, coming = (text for text, _ in view.frame(9.0, width)[1])
    assert len(heard) <= width
    assert len(coming) <= 2 * width
    assert (heard[:3], coming[-3:]) == ("...", "...")
    assert heard.endswith("text.")
    assert coming.startswith("This is sentence")


def test_what_the_callee_does_is_seen() -> None:
    tracer = Tracer()
    tracer.sent(HALF, 3.0)
    tracer.callee(-24.0, 3.5)
    view = speaking(CallView(TEXTS, tracer))
    view.tell(ev.Key(at=3.5, digit="1"))
    view.tell(ev.Interrupted(at=3.6, by="speech", heard_text="Your", seconds_heard=0.5))
    rows = shown(view.frame(3.6, 80))
    assert rows[2] == "sent ###########.  callee ######......"
    assert rows[3].startswith("keys 1, ")
    assert rows[4] == "The callee spoke, so we fell silent, and had heard: Your"


def test_at_the_end_all_of_it_was_heard_and_the_clock_stands() -> None:
    view = speaking(CallView(TEXTS))
    view.tell(ev.LastWord(at=11.0))
    view.tell(ev.HungUp(at=11.4, end_reason="completed", duration=9))
    rows = view.frame(99.0, 120)
    assert shown(rows)[0].startswith(" 11.4 s")
    assert styled(rows, "bold").endswith("".join(TEXTS))


def test_a_key_that_is_waited_for_is_told_until_the_call_ends() -> None:
    view = CallView(["Hello."])
    view.tell(ev.LastWord(at=9.0))
    awaiting = ev.AwaitingKey(at=9.0, key="1", seconds=5.0)
    view.tell(awaiting)
    assert ((awaiting.words, "yellow"),) in view.frame(9.5, 80)
    view.tell(ev.HungUp(at=14.2, end_reason="completed", duration=12))
    assert "Waiting" not in str(view.frame(15.0, 80))


def test_the_text_begins_anew_when_it_is_said_again() -> None:
    view = speaking(CallView(TEXTS))
    view.tell(ev.Heard(at=4.6, index=0, text=TEXTS[0], seconds_heard=1.5))
    view.tell(ev.Repeating(at=9.0, why="asked"))
    assert styled(view.frame(9.0, 120), "bold") == "[Speaking]"
