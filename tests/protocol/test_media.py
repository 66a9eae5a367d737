"""Twilio Media Streams as conversations between the carrier and the media server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import LocalProtocolError, RemoteProtocolError
from asyncflow_cli.protocol.media import (
    INVALID,
    MALFORMED,
    Clear,
    Connected,
    Dtmf,
    DtmfBody,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaFormat,
    MediaStream,
    Message,
    Side,
    Start,
    StartBody,
    State,
    Stop,
    StopBody,
)

SID, CALL, ACCOUNT = "MZ" + "5" * 32, "CA" + "6" * 32, "AC" + "7" * 32

START = Start(
    StartBody(ACCOUNT, CALL, stream_sid=SID, custom_parameters={"run": "r1"}),
    stream_sid=SID,
    sequence_number="1",
)
HEARD = Media(MediaBody("//8=", track="inbound", chunk="1", timestamp="155"), SID, "2")
SPOKEN = Media(MediaBody("AAA="), SID)
MARK = Mark(MarkBody("g0-1"), SID)
ECHO = Mark(MarkBody("g0-1"), SID, "3")
KEY = Dtmf(DtmfBody("1", track="inbound_track"), SID, "4")
STOP = Stop(StopBody(ACCOUNT, CALL), SID, "5")

T, S = Side.TWILIO, Side.SERVER


class ConnectionPair:
    """Both ends of one stream, without the wire."""

    def __init__(self, *opening: tuple[Side, Message]) -> None:
        self.ends = {side: MediaStream(side) for side in Side}
        for sender, message in opening:
            self.pass_on(sender, message)

    def pass_on(self, sender: Side, message: Message) -> Message | None:
        ours, theirs = self.ends[sender], self.ends[S if sender is T else T]
        received = theirs.receive(ours.send(message))
        assert (ours.state, ours.stream_sid) == (theirs.state, theirs.stream_sid)
        return received


OPENING = ((T, Connected()), (T, START))


@pytest.mark.parametrize(
    "conversation",
    [
        (*OPENING, (S, SPOKEN), (S, MARK), (T, HEARD), (T, ECHO), (T, KEY), (T, STOP)),
        (*OPENING, (S, SPOKEN), (S, MARK), (S, Clear(SID)), (T, ECHO), (T, STOP)),
        ((T, Connected()), (T, STOP)),
    ],
)
def test_both_ends_agree_on_every_legal_conversation(
    conversation: tuple[tuple[Side, Message], ...],
) -> None:
    pair = ConnectionPair()
    for sender, message in conversation:
        assert pair.pass_on(sender, message) == message
    assert pair.ends[T].state is State.STOPPED


def test_what_was_in_flight_when_the_stream_stopped_is_still_read() -> None:
    pair = ConnectionPair(*OPENING)
    late = [pair.ends[S].send(message) for message in (SPOKEN, MARK, Clear(SID))]
    pair.pass_on(T, STOP)
    assert [pair.ends[T].receive(text) for text in late] == [SPOKEN, MARK, Clear(SID)]
    assert pair.ends[T].state is State.STOPPED


# https://www.twilio.com/docs/voice/media-streams/websocket-messages
FROM_TWILIO: dict[str, Message] = {
    '{"event":"connected","protocol":"Call","version":"1.0.0"}': Connected(),
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1",'
    '"callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw",'
    '"sampleRate":8000,"channels":1},"customParameters":{"run":"r1"}},"streamSid":"MZ1"}': Start(
        StartBody("AC1", "CA1", "MZ1", ("inbound",), MediaFormat(), {"run": "r1"}), "MZ1", "1"
    ),
    '{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1",'
    '"timestamp":"155","payload":"//8="},"streamSid":"MZ1"}': Media(
        MediaBody("//8=", "inbound", "1", "155"), "MZ1", "2"
    ),
    '{"event":"dtmf","sequenceNumber":"57","streamSid":"MZ1",'
    '"dtmf":{"track":"inbound_track","digit":"1"}}': Dtmf(
        DtmfBody("1", "inbound_track"), "MZ1", "57"
    ),
    '{"event":"mark","sequenceNumber":"58","streamSid":"MZ1","mark":{"name":"end-3"}}': Mark(
        MarkBody("end-3"), "MZ1", "58"
    ),
    '{"event":"stop","sequenceNumber":"59","streamSid":"MZ1",'
    '"stop":{"accountSid":"AC1","callSid":"CA1"}}': Stop(StopBody("AC1", "CA1"), "MZ1", "59"),
}
FROM_SERVER: dict[str, Message] = {
    '{"event":"media","streamSid":"MZ1","media":{"payload":"//8="}}': Media(
        MediaBody("//8="), "MZ1"
    ),
    '{"event":"mark","streamSid":"MZ1","mark":{"name":"end-3"}}': Mark(MarkBody("end-3"), "MZ1"),
    '{"event":"clear","streamSid":"MZ1"}': Clear("MZ1"),
}


@pytest.mark.parametrize(("text", "message"), [*FROM_TWILIO.items(), *FROM_SERVER.items()])
def test_a_documented_message_reads_and_writes_back_equal(text: str, message: Message) -> None:
    assert msgspec.json.decode(text, type=Message) == message
    assert msgspec.json.decode(msgspec.json.encode(message)) == msgspec.json.decode(text)


def test_the_documented_messages_make_a_legal_stream() -> None:
    server, twilio = MediaStream(S), MediaStream(T)
    for text in FROM_TWILIO:
        message = server.receive(text)
        assert message == FROM_TWILIO[text]
        twilio.send(message)
        if isinstance(message, Start):
            assert [twilio.receive(reply) for reply in FROM_SERVER] == list(FROM_SERVER.values())


@pytest.mark.parametrize(
    ("side", "spoken", "message", "error"),
    [
        (T, (), START, "Start is not legal in opening"),
        (T, (), STOP, "Stop is not legal in opening"),
        (T, (Connected(),), Connected(), "Connected is not legal in connected"),
        (T, (Connected(),), HEARD, "Media is not legal in connected"),
        (T, (Connected(), START), START, "Start is not legal in streaming"),
        (T, (Connected(), START), Clear(SID), "Clear is not legal in streaming"),
        (T, (Connected(), START, STOP), HEARD, "Media is not legal in stopped"),
        (T, (Connected(), START, STOP), STOP, "Stop is not legal in stopped"),
        (S, (), SPOKEN, "Media is not legal in opening"),
    ],
)
def test_an_illegal_move_is_our_bug_here_and_their_error_there(
    side: Side, spoken: tuple[Message, ...], message: Message, error: str
) -> None:
    pair = ConnectionPair(*((side, earlier) for earlier in spoken))
    with pytest.raises(LocalProtocolError, match=error):
        pair.ends[side].send(message)
    with pytest.raises(RemoteProtocolError, match=error) as caught:
        pair.ends[S if side is T else T].receive(msgspec.json.encode(message))
    assert caught.value.code == INVALID


def test_the_server_does_not_send_what_only_twilio_sends() -> None:
    with pytest.raises(LocalProtocolError, match="Dtmf is not legal in streaming"):
        ConnectionPair(*OPENING).ends[S].send(KEY)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", MALFORMED),
        ("hello", MALFORMED),
        (b"\xff\x00", MALFORMED),
        ("[" * 100_000, MALFORMED),
        ("[]", INVALID),
        ('"media"', INVALID),
        ("{}", INVALID),
        ('{"event":"close"}', INVALID),
        ('{"event":["media"]}', INVALID),
        (f'{{"event":"media","streamSid":"{SID}"}}', INVALID),
        (f'{{"event":"media","streamSid":"{SID}","media":{{"payload":7}}}}', INVALID),
        (f'{{"event":"media","streamSid":"{SID}","media":{{"payload":"","x":1}}}}', INVALID),
        (f'{{"event":"mark","streamSid":"{SID}","mark":{{}}}}', INVALID),
        (f'{{"event":"clear","streamSid":"{SID}","odd":1}}', INVALID),
        ('{"event":"clear"}', INVALID),
        ('{"event":"clear","streamSid":"MZ-another"}', INVALID),
        (f'{{"event":"clear","stream_sid":"{SID}"}}', INVALID),
    ],
)
def test_twilio_is_strict_and_goes_on(frame: str | bytes, code: str) -> None:
    twilio = ConnectionPair(*OPENING).ends[T]
    with pytest.raises(RemoteProtocolError) as caught:
        twilio.receive(frame)
    assert caught.value.code == code
    assert twilio.receive(msgspec.json.encode(SPOKEN)) == SPOKEN


@pytest.mark.parametrize("stream", ["MZ-another", None])
def test_a_foreign_stream_is_named_in_the_error(stream: str | None) -> None:
    pair = ConnectionPair(*OPENING)
    message = Clear(stream) if stream else Clear()
    with pytest.raises(LocalProtocolError, match=f"Clear names stream .*, not {SID}"):
        pair.ends[S].send(message)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"event":"close"}', None),
        ('{"hello":1}', None),
        ('{"event":null}', None),
        ('{"event":["media"]}', None),
        ('{"event":"media","media":{"payload":"","new":1},"newer":{}}', Media(MediaBody(""))),
        ('{"event":"stop"}', Stop()),
        (
            '{"event":"mark","mark":{"name":"m"},"sequenceNumber":2}',
            Mark(MarkBody("m"), sequence_number=2),
        ),
    ],
)
def test_the_server_is_patient(frame: str, message: Message | None) -> None:
    assert ConnectionPair(*OPENING).ends[S].receive(frame) == message


@pytest.mark.parametrize("number", ["2", 2, "", "x", "-1", "9" * 5000, 10**4000])
def test_the_server_does_not_mind_how_frames_are_numbered(number: str | int) -> None:
    server = ConnectionPair(*OPENING).ends[S]
    frame = {"event": "media", "media": {"payload": ""}, "sequenceNumber": number}
    assert isinstance(server.receive(msgspec.json.encode(frame)), Media)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "clear", "stop"])},
    optional={
        "streamSid": st.just(SID) | JSON,
        "sequenceNumber": st.from_regex(r"\A\d+\Z") | JSON,
        "media": JSON | st.fixed_dictionaries({"payload": st.text() | JSON}),
        "mark": JSON | st.fixed_dictionaries({"name": st.text() | JSON}),
        "dtmf": JSON | st.fixed_dictionaries({"digit": st.text() | JSON}),
        "start": JSON | st.fixed_dictionaries({"accountSid": st.text(), "callSid": st.text()}),
        "stop": JSON,
    },
)
FRAMES = st.text() | st.binary() | (JSON | NEARLY).map(msgspec.json.encode)


@pytest.mark.parametrize("side", Side)
@given(frames=st.lists(FRAMES, max_size=6), opened=st.booleans())
def test_nothing_that_arrives_raises_anything_but_a_remote_protocol_error(
    side: Side, frames: list[Any], opened: bool
) -> None:
    end = ConnectionPair(*OPENING if opened else ()).ends[side]
    for frame in frames:
        before = end.state
        try:
            end.receive(frame)
        except RemoteProtocolError:
            assert end.state is before
