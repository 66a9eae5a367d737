"""The grammar of faults, and which fault a request meets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asyncflow_cli.errors import UsageError
from asyncflow_cli.sandbox.documented import DOCUMENTED
from asyncflow_cli.sandbox.faults import Faults, parse
from asyncflow_cli.sandbox.faultwords import CARRIER, SOCKET, WORDS

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "sandbox.md"
SPEECH = "/text_to_speech"
WS = "/text_to_speech/websocket/ws"


def test_a_documented_error_some_times() -> None:
    fault = parse("POST /text_to_speech:429 RATE_LIMIT_EXCEEDED retry_after_ms=20 x2")
    assert (fault.method, fault.path, fault.count) == ("POST", SPEECH, 2)
    assert (fault.kind, fault.status, fault.code) == ("answer", 429, "RATE_LIMIT_EXCEEDED")
    assert fault.extra == {"retry_after_ms": 20}


@pytest.mark.parametrize(
    ("written", "kind", "seconds", "number"),
    [
        ("/a:stall 2s", "stall", 2.0, None),
        ("/a:first-byte 400ms", "first-byte", 0.4, None),
        (" get  /a : first-byte 0.5s x10 ", "first-byte", 0.5, None),
        ("/a:drop", "drop", 0.0, None),
        ("/a:drop 1000", "drop", 0.0, 1000),
        ("*:truncate 0", "truncate", 0.0, 0),
        ("/a/{id}:quota-marker", "quota-marker", 0.0, None),
        ("ws:ws-drop 3", "ws-drop", 0.0, 3),
        ("ws:early-final", "early-final", 0.0, None),
        ("ws:late-final 1s", "late-final", 1.0, None),
        (f"{WS}:late-audio", "late-audio", 0.0, None),
        ("ws:no-context-id", "no-context-id", 0.0, None),
        ("ws:stall 1s", "stall", 1.0, None),
        ("/a:500", "answer", 0.0, None),
        ("tunnel:die-after 2s", "die-after", 2.0, None),
        ("call:lost-answer", "lost-answer", 0.0, None),
        ("call:slow-answer 2s", "first-byte", 2.0, None),
        ("/a:503-after x2", "after", 0.0, None),
        ("call:skewed-clock -5s", "skewed-clock", -5.0, None),
        ("media:404", "answer", 0.0, None),
        ("media:abort", "abort", 0.0, None),
        ("media:abort 800", "abort", 0.0, 800),
        ("media:half-open", "half-open", 30.0, 0),
        ("media:half-open 5s", "half-open", 5.0, 0),
        ("media:half-open 800", "half-open", 30.0, 800),
        ("media:half-open 800 5s", "half-open", 5.0, 800),
        ("media:slow-reader 4000", "slow-reader", 0.0, 4000),
        ("media:loss 5%", "loss", 0.0, 5),
        ("media:loss 5", "loss", 0.0, 5),
        ("media:stop-late", "stop-late", 2.0, None),
        ("media:late-marks 1.5s", "late-marks", 1.5, None),
        ("callback:late 2s", "late", 2.0, None),
        ("callback:drop", "drop", 0.0, None),
        ("twiml:no-signature", "no-signature", 0.0, None),
    ],
)
def test_behaviours(written: str, kind: str, seconds: float, number: int | None) -> None:
    fault = parse(written)
    assert (fault.kind, fault.seconds, fault.number) == (kind, seconds, number)


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_the_status_of_a_code_may_be_left_out(code: str) -> None:
    assert parse(f"/a:{code}").status == DOCUMENTED[code].status
    assert parse(f"ws:error {code}").code == code


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "WHERE:WHAT"),
        ("text_to_speech:500", "WHERE:WHAT"),
        ("/a", "WHERE:WHAT"),
        ("/a:", "neither"),
        ("/a:500 x0", "never"),
        ("/a:200", "neither"),
        ("/a:600", "neither"),
        ("/a:NOT_A_CODE", "neither"),
        ("/a:404 RATE_LIMIT_EXCEEDED", "is 429"),
        ("/a:RATE_LIMIT_EXCEEDED soon", "name=value"),
        ("/a:stall", "time"),
        ("/a:stall 2", "time"),
        ("/a:stall 2h", "time"),
        ("/a:drop many", "number"),
        ("/a:drop 1 2", "number"),
        ("/a:quota-marker 2", "nothing may follow"),
        ("/a:early-final", "for ws"),
        ("*:error TIMEOUT", "for ws"),
        ("ws:truncate", "for HTTP"),
        ("ws:error", "neither"),
        ("tunnel:die-after", "time"),
        ("tunnel:503", "tunnel knows no 503, but die-after"),
        ("/a:die-after 2s", "for tunnel"),
        ("/a:stall -2s", "time"),
        ("media:stall 2s", "for HTTP and ws and call"),
        ("media:RATE_LIMIT_EXCEEDED", "media knows no RATE_LIMIT_EXCEEDED, but timeout"),
        ("media:loss 101%", "100 %"),
        ("media:loss", "number is missing"),
        ("media:slow-reader 0", "more than nothing"),
        ("media:half-open 800 5s 5s", "time"),
        ("media:late-marks", "time"),
        ("callback:drop 5", "nothing may follow"),
        ("twiml:reorder", "for callback"),
        ("call:429 RATE_LIMIT_EXCEEDED", "call knows no 429"),
    ],
)
def test_what_is_no_fault_says_why_and_how(written: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        parse(written)
    assert "RATE_LIMIT_EXCEEDED x2" in str(error.value.hint)


def test_each_is_met_as_often_as_it_says_and_in_the_order_of_arming() -> None:
    faults = Faults(["POST /a:500 x2", "*:502"])
    statuses = [fault.status for _ in range(4) if (fault := faults.take("POST", "/a"))]
    assert statuses == [500, 500, 502, 502]
    assert faults.listed() == [{"fault": "*:502", "left": None}]
    faults.clear()
    assert faults.take("POST", "/a") is None


@pytest.mark.parametrize(
    ("where", "method", "path", "met"),
    [
        ("POST /voices", "POST", "/voices", True),
        ("POST /voices", "GET", "/voices", False),
        ("/voices", "PUT", "/voices", True),
        ("/voices", "POST", "/voices/x", False),
        ("/voices/{id}", "GET", "/voices/x", True),
        ("/voices/{id}", "GET", "/voices/preview/x", False),
        ("/voices/*", "GET", "/voices/preview/x", True),
        ("*", SOCKET, WS, True),
        ("ws", SOCKET, WS, True),
        ("ws", "GET", WS, False),
        ("*", CARRIER, "tunnel", False),
        ("*", CARRIER, "media", False),
        ("media", CARRIER, "media", True),
        ("call", "POST", "/2010-04-01/Accounts/AC1/Calls.json", True),
        ("call", "POST", "/2010-04-01/Accounts/AC1/Calls/CA1.json", False),
        ("/a.b", "GET", "/aXb", False),
    ],
)
def test_where(where: str, method: str, path: str, met: bool) -> None:
    assert (Faults([f"{where}:500"]).take(method, path) is not None) is met


def test_one_that_is_wrong_arms_none_of_them() -> None:
    faults = Faults()
    with pytest.raises(UsageError):
        faults.add(["/a:500", "nonsense"])
    assert faults.listed() == []


def test_several_things_go_wrong_at_once_and_of_each_kind_the_first() -> None:
    faults = Faults(["media:jitter 1s x1", "media:jitter 2s", "media:no-marks", "callback:drop"])
    assert {k: f.seconds for k, f in faults.take_each("media").items()} == {
        "jitter": 1.0,
        "no-marks": 0.0,
    }
    assert faults.take_each("media")["jitter"].seconds == 2.0


def test_what_stands_in_the_way_leaves_the_others_their_times() -> None:
    faults = Faults(["media:jitter 1s x1", "media:404 x1"])
    assert list(faults.take_each("media")) == ["answer"]
    assert list(faults.take_each("media")) == ["jitter"]
    assert faults.listed() == []


@pytest.mark.parametrize(
    ("place", "word"), [(place, word) for place, words in WORDS.items() for word in words]
)
def test_every_word_stands_in_the_documentation(place: str, word: str) -> None:
    text = DOCUMENTATION.read_text()
    if place in ("media", "callback", "twiml"):
        text = text[text.index(f"| `{place}:` |") :].split("\n\n")[0]
    assert re.search(rf"`(tunnel:)?{word}[ `]", text)
