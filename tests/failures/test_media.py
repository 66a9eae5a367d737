"""The media socket: refused, lost, dead, taken by a stranger; and the tunnel before it."""

from __future__ import annotations

import pytest

from tests.failures.conftest import Caller, having_heard, sounds

TEXT = "Your table is ready. We look forward to seeing you."
LONG = " ".join([TEXT] * 4)


@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        ("media:404", "31920"),
        ("media:refused", "31902"),
        ("media:tls", "31910"),
        ("media:unreachable", "31904"),
    ],
)
def test_a_socket_that_twilio_cannot_open_is_told_with_its_reason(
    call: Caller, fault: str, noted: str
) -> None:
    call.breaks(fault)
    result = call(TEXT)
    assert (result.code, result.error["details"]["end_reason"]) == (25, "stream-never-connected")
    notes = result.error["details"]["notifications"]
    assert [note["code"] for note in notes] == [noted]
    assert all(note["title"] for note in notes), "Twilio's number is explained"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("media:wrong-signature", "wrong signature"),
        ("media:wrong-call-sid", "A stream of another call"),
        ("media:wrong-account-sid", "A stream of another account"),
    ],
)
def test_a_stranger_gets_no_word_of_the_call(call: Caller, fault: str, words: str) -> None:
    call.breaks(fault)
    result = call(TEXT)
    assert (result.code, result.error["code"]) == (25, "MEDIA_NEVER_CONNECTED"), result.err
    assert words in result.err, "the reason is told"
    assert set(call.heard) <= {0xFF}


def test_a_second_socket_is_refused_and_the_call_goes_on(call: Caller) -> None:
    call.breaks("media:second-socket")
    result = call(TEXT)
    assert result.code == 0, result.err
    assert "a second socket" in result.out
    assert b"".join(call.spoken) in call.heard


def test_a_socket_that_is_cut_is_a_call_cut_short_where_there_is_no_other(call: Caller) -> None:
    call.breaks("media:abort 24000")
    result = call(LONG)
    assert (result.code, result.error["details"]["end_reason"]) == (24, "stream-error")
    assert result.error["details"]["heard_text"]


def test_a_socket_that_is_dead_and_open_holds_nobody_up(unhurried: Caller) -> None:
    unhurried.breaks("media:half-open 8000 10s")
    result = unhurried(LONG)
    assert (result.code, result.error["details"]["end_reason"]) == (24, "stream-error")


def test_a_socket_that_is_cut_is_replaced_and_every_sentence_is_heard(unhurried: Caller) -> None:
    # As by a load balancer that closes at a fixed age.
    unhurried.breaks("media:abort 16000 x1")
    result = unhurried(LONG, "--tunnel", "sandbox", "--tunnel", "loopback", "--reconnect", "100s")
    assert result.code == 0, result.err
    assert result.json["reconnects"] == 1
    assert result.json["sentences_heard"] == 8
    heard = sounds(unhurried.heard)
    assert all(sounds(sentence) in heard for sentence in unhurried.spoken)


def test_a_tunnel_that_dies_is_replaced_and_every_sentence_is_heard(unhurried: Caller) -> None:
    unhurried.attends(does=unhurried.lose_tunnels, when=having_heard(2))
    result = unhurried(LONG, "--tunnel", "sandbox", "--tunnel", "loopback", "--reconnect", "100s")
    assert result.code == 0, result.err
    assert result.json["reconnects"] >= 1
    assert result.json["sentences_heard"] == 8
    assert result.json["last_word_heard"] is True


@pytest.mark.parametrize(
    "url", ["wss://host.example/?token=1", "https://host.example/x?y=1", "ws://host.example"]
)
def test_an_address_that_twilio_would_not_take_rings_no_phone(call: Caller, url: str) -> None:
    result = call(TEXT, "--public-url", url)
    assert (result.code, result.error["code"]) == (2, "USAGE")
    assert call.calls == []


def test_an_address_that_leads_elsewhere_rings_no_phone(call: Caller) -> None:
    # The sandbox answers there, and it is not our server.
    result = call(TEXT, "--public-url", call.environ["TWILIO_BASE_URL"].replace("http", "ws"))
    assert (result.code, result.error["code"]) == (10, "PUBLIC_URL_WRONG")
    assert call.calls == []


def test_signatures_hold_for_the_address_twilio_was_told_and_not_for_the_one_we_hear_at(
    call: Caller,
) -> None:
    # Behind a tunnel the Host header is another; the signature is checked all the same.
    result = call(TEXT, "--tunnel", "sandbox")
    assert result.code == 0, result.err
    assert "refused" not in result.out
