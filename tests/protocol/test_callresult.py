"""What people see of a call, in the fewest rows that tell it."""

from __future__ import annotations

from typing import Any

from asyncflow_cli.protocol.callresult import CallReport, CostReport, GapsReport
from asyncflow_cli.protocol.notifications import explained, lines

ALL: dict[str, Any] = {
    "call_sid": "CA1",
    "status": "completed",
    "end_reason": "completed",
    "to": "+15551230001",
    "from_": "+15557654321",
    "seconds_sent": 12.34,
    "seconds_heard": 12.34,
    "last_word_heard": True,
    "duration": 14,
    "seconds_answered": 13.27,
    "answered_after_ms": 2100.0,
    "first_frame_ms": 7.6,
    "digits": "",
}


def brief(**fields: Any) -> dict[str, str]:
    return {
        name: value for name, value in CallReport(**{**ALL, **fields}).brief.items() if value != ""
    }


def test_a_call_that_went_well_takes_four_rows() -> None:
    assert brief() == {
        "call sid": "CA1",
        "ended": "completed, 13.3 s after the answer",
        "heard": "12.3 of 12.3 s, to the last word",
        "first frame": "8 ms after the line opened",
    }


def test_a_call_that_was_cut_short_says_where() -> None:
    text = "Your table is ready. We look forward to seeing you at"
    rows = brief(last_word_heard=False, seconds_heard=5.0, heard_text=text)
    assert rows["heard"] == "5.0 of 12.3 s sent, up to about: … forward to seeing you at"
    short = brief(last_word_heard=False, seconds_heard=1.0, heard_text="Your table is")
    assert short["heard"] == "1.0 of 12.3 s sent, up to about: Your table is"
    none = brief(last_word_heard=False, seconds_heard=0.0)
    assert none["heard"] == "0.0 of 12.3 s sent"


def test_what_was_odd_has_a_row_of_its_own() -> None:
    rows = brief(
        digits="12",
        gaps=GapsReport(count=3, longest_seconds=1.26, total_seconds=2.0),
        reconnects=1,
        ring_ms=1900.0,
        mark_lag_ms=-0.3,
        notifications=(explained("31921", "error", "Closed"), explained("1", "warning", "")),
    )
    assert rows["keys"] == "12"
    assert rows["gaps"] == "silent 3 times, the longest for about 1.3 s, for want of speech"
    assert rows["reconnects"] == "1"
    assert rows["rang"] == "1.9 s"
    assert "echoes" not in rows
    assert brief(mark_lag_ms=812.4)["echoes"] == "812 ms later than the speech is long"
    assert rows["noted"].startswith("Twilio 31921, ")
    assert rows["noted"].endswith("; Twilio 1, warning")


def test_what_the_network_said_is_told_of_a_call_that_failed() -> None:
    rows = brief(
        end_reason="rejected", last_word_heard=False, seconds_answered=None, sip_code="404"
    )
    assert rows["ended"] == "rejected, SIP 404"


def test_a_report_says_nothing_that_nobody_filled_in() -> None:
    report = CallReport(**{**ALL, "seconds_sent": 0.0, "last_word_heard": False})
    assert report.brief["heard"] == report.brief["gaps"] == report.brief["price"] == ""
    assert report.cost == CostReport()


def test_a_notification_says_what_and_what_to_do() -> None:
    noted = explained("31920", "error", "Server answered 404.")
    assert noted.line.startswith("Twilio 31920, ")
    assert ": Server answered 404. " in noted.line
    assert noted.next is not None
    assert noted.line.endswith(noted.next)
    assert noted.link == "https://www.twilio.com/docs/api/errors/31920"


def test_a_notification_nobody_knows_keeps_twilios_words() -> None:
    assert explained("99999", "warning", "Odd").line == "Twilio 99999: Odd"
    assert explained("99999", "warning", "").line == "Twilio 99999"


def test_errors_come_first_and_the_same_one_comes_once() -> None:
    warning, error = explained("1", "warning", "W"), explained("2", "error", "E")
    assert lines([warning, error, warning]) == ["Twilio 2: E", "Twilio 1: W"]
