"""TwiML into verbs, with Twilio's own builder as the witness."""

from __future__ import annotations

import pytest
from twilio.twiml.voice_response import Connect as BuiltConnect
from twilio.twiml.voice_response import VoiceResponse

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.streamurl import check, resolve
from asyncflow_cli.sandbox.twiml import parse
from asyncflow_cli.sandbox.verbs import (
    Connect,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Start,
    Stop,
    Stream,
)


def response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def test_a_stream_that_twilios_builder_wrote_reads_as_it_was_meant() -> None:
    built, connect = VoiceResponse(), BuiltConnect()
    stream = connect.stream(
        url="wss://bridge.example/media/t",
        name="asyncflow",
        status_callback="https://bridge.example/s",
        status_callback_method="GET",
    )
    stream.parameter(name="run", value='a&b "c" <d>')
    built.append(connect)
    built.hangup()
    expected = Stream(
        url="wss://bridge.example/media/t",
        name="asyncflow",
        status_callback="https://bridge.example/s",
        status_callback_method="GET",
        parameters={"run": 'a&b "c" <d>'},
    )
    document = parse(str(built))
    assert document.verbs == (Connect(expected), Hangup())
    assert document.warnings == ()


def test_every_verb_of_the_sandbox_is_read() -> None:
    document = parse(
        response(
            '<Start><Stream url="wss://a.example/" track="both_tracks" name="copy"/></Start>'
            '<Stop><Stream name="copy"/></Stop>'
            '<Say language="en-GB" loop="2">Hello <emphasis>you</emphasis></Say>'
            "<Play>https://a.example/a.wav</Play>"
            '<Pause length="3"/>'
            '<Gather input="dtmf" numDigits="4" timeout="2" action="/d"><Say>Pin</Say></Gather>'
            '<Redirect method="GET">/next</Redirect>'
            '<Reject reason="busy"/>'
        )
    )
    assert document.verbs == (
        Start(Stream("wss://a.example/", name="copy", track="both_tracks")),
        Stop("copy"),
        Say("Hello you", "en-GB", 2),
        Play("https://a.example/a.wav"),
        Pause(3.0),
        Gather((Say("Pin"),), action="/d", timeout=2.0, num_digits=4),
        Redirect("/next", "GET"),
        Reject("busy"),
    )
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("<say>hello</say>", "<say>"),
        ("<Dial>+15551230001</Dial>", "<Dial>"),
        ('<Pause Length="2"/>', "Length"),
        ('<Play digits="1 2"/>', "keys"),
        ('<Pause length="soon"/>', "whole number"),
        ("<Connect><Room>a</Room></Connect>", "<Room>"),
        ('<Connect><Stream url="wss://a.example/?token=1"/></Connect>', "query string"),
        (
            '<Connect><Stream url="wss://a.example/" statuscallback="x"/></Connect>',
            "statuscallback",
        ),
        (
            '<Connect><Stream url="wss://a.example/">'
            f'<Parameter name="long" value="{"x" * 500}"/></Stream></Connect>',
            "500",
        ),
    ],
)
def test_what_is_not_understood_is_skipped_with_a_warning(inner: str, words: str) -> None:
    warnings = parse(response(inner)).warnings
    assert warnings
    assert warnings[0].code == "12200"
    assert any(words in warning.text for warning in warnings)


def test_in_place_of_a_blocked_verb_the_callee_hears_that_it_is() -> None:
    stream = '<Connect><Stream url="wss://a.example/"/></Connect>'
    text = response(f"{stream}<Dial>+15551230001</Dial><Say>Hi</Say>")
    document = parse(text, blocked={"Stream", "Dial"})
    streamed, dialled, hello = document.verbs
    assert streamed == Say("The Stream verb is not available on trial accounts.")
    assert dialled == Say("The Dial verb is not available on trial accounts.")
    assert hello == Say("Hi")
    assert [warning.code for warning in document.warnings] == ["10002", "10002"]


def test_the_query_string_of_a_stream_url_is_lost() -> None:
    (verb,) = parse(response('<Connect><Stream url="wss://a.example/m?t=1"/></Connect>')).verbs
    assert verb == Connect(Stream("wss://a.example/m"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "12100"),
        ("<Response>", "12100"),
        ("Hello", "12100"),
        ("<Answer/>", "12100"),
        ("<response/>", "12100"),
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response>&b;</Response>', "12100"),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><Response/>', "12100"),
        (response("\ud800"), "12100"),
        (response("\0"), "12100"),
        (response("<Say>" + "x" * 65536 + "</Say>"), "11750"),
    ],
)
def test_what_is_no_document_names_twilios_code(text: str, code: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse(text)
    assert caught.value.code == code


def test_comments_and_a_byte_order_mark_do_no_harm() -> None:
    assert parse("\ufeff" + response("<!-- note --><Hangup/>")).verbs == (Hangup(),)


@pytest.mark.parametrize(
    ("url", "track", "bidirectional", "code"),
    [
        ("wss://bridge.example/m", None, True, None),
        ("wss://bridge.example:443/m", "inbound_track", True, None),
        ("wss://bridge.example/m", "both_tracks", False, None),
        ("ws://127.0.0.1:80/m", None, True, None),
        ("ws://localhost:80/m", None, True, None),
        ("ws://[::1]:80/m", None, True, None),
        ("ws://bridge.example/m", None, True, "31922"),
        ("https://bridge.example/m", None, True, "31922"),
        ("", None, True, "31922"),
        ("wss://", None, True, "31923"),
        ("wss://{{host}}/m", None, True, "31923"),
        ("wss://under_score.example/m", None, True, "31923"),
        ("wss://bridge.example/a b", None, True, "31923"),
        ("wss://bridge.example:99999/", None, True, "31923"),
        ("wss://[::1/", None, True, "31923"),
        ("wss://bridge.example/m", "both_tracks", True, "31941"),
        ("wss://bridge.example/m", "inbound", False, "31941"),
    ],
)
def test_a_stream_url_is_checked_before_anybody_dials(
    url: str, track: str | None, bidirectional: bool, code: str | None
) -> None:
    found = None
    try:
        check(url, track, bidirectional=bidirectional)
    except RemoteProtocolError as error:
        found = error.code
    assert found == code


@pytest.mark.parametrize(
    ("url", "base", "absolute"),
    [
        ("wss://a.example/m", None, "wss://a.example/m"),
        ("wss://a.example/m", "https://b.example/t", "wss://a.example/m"),
        ("/m", "https://b.example/twiml/one", "wss://b.example/m"),
        ("m", "http://127.0.0.1:80/twiml/one?x=1", "ws://127.0.0.1:80/twiml/m"),
        ("/m", None, "/m"),
    ],
)
def test_a_relative_url_is_meant_against_its_document(
    url: str, base: str | None, absolute: str
) -> None:
    assert resolve(url, base) == absolute
