"""The speech WebSocket as conversations between its two ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import LocalProtocolError, RemoteProtocolError
from asyncflow_cli.protocol.models import PHONE, VoiceSelector
from asyncflow_cli.protocol.speech import Side, SpeechProtocol, State
from asyncflow_cli.protocol.speechmessages import (
    Audio,
    CloseConnection,
    CloseContext,
    Fault,
    Final,
    FromClient,
    Initialize,
    Message,
    Terminate,
    Text,
)

INIT = Initialize(model_id="m", voice=VoiceSelector("v"), output_format=PHONE)


class ConnectionPair:
    """Both ends of one connection, without the wire."""

    def __init__(self, *, contexts: bool = True) -> None:
        self.client = SpeechProtocol(Side.CLIENT, contexts=contexts)
        self.server = SpeechProtocol(Side.SERVER, contexts=contexts)

    def pass_on(self, message: Message) -> Message | None:
        ours, theirs = self.client, self.server
        if not isinstance(message, FromClient):
            ours, theirs = theirs, ours
        received = theirs.receive(ours.send(message))
        assert (ours.state, ours.live) == (theirs.state, theirs.live)
        return received


@pytest.mark.parametrize(
    "conversation",
    [
        (
            INIT,
            Text("Hi ", "c1", force=True),
            Audio("//8=", "c1"),
            CloseContext("c1"),
            Audio("AA==", "c1"),
            Final(context_id="c1"),
            Terminate(),
        ),
        (INIT, Text("Hi ", "c1"), Text("", "c1"), Final("//8=", "c1"), CloseConnection()),
        (
            INIT,
            Text("a ", "c1"),
            Text("b ", "c2"),
            CloseContext("c2"),
            Audio("AA==", "c1"),
            Final(context_id="c2"),
            Terminate(),
            Final(context_id="c1"),
        ),
        (
            INIT,
            Text("a ", "c1"),
            CloseContext("c1"),
            Text("b ", "c1"),
            Audio("AA==", "c1"),
            Final(context_id="c1"),
            Audio("//8=", "c1"),
            CloseContext("c1"),
            Text("c ", "c1"),
            Terminate(),
            Final(context_id="c1"),
            Final(context_id="c1"),
        ),
        (Fault("no", "INVALID_API_KEY", {"api_key": "sk_1..."}, "unknown"),),
    ],
)
def test_both_ends_agree_on_every_legal_conversation(conversation: tuple[Message, ...]) -> None:
    pair = ConnectionPair()
    for message in conversation:
        assert pair.pass_on(message) == message


def test_the_single_stream_form_names_no_context_and_ends_by_closing_the_connection() -> None:
    pair = ConnectionPair(contexts=False)
    for message in (INIT, Text("Hi "), Audio("AA=="), CloseConnection(), Audio("AA=="), Final()):
        assert pair.pass_on(message) == message
    assert "context_id" not in pair.server.send(Fault("x"))


@pytest.mark.parametrize("message", [Text("Hi ", "c1"), CloseContext("c1"), Terminate()])
def test_nothing_is_legal_before_the_connection_is_initialized(message: FromClient) -> None:
    with pytest.raises(LocalProtocolError, match="not legal in init"):
        SpeechProtocol(Side.CLIENT).send(message)


def opened(*messages: Message) -> SpeechProtocol:
    client = SpeechProtocol(Side.CLIENT)
    for message in (INIT, *messages):
        client.send(message)
    return client


def test_a_final_before_the_context_was_closed_is_ignored() -> None:
    client = opened(Text("Hi ", "c1"))
    assert client.receive('{"context_id":"c1","audio":"","final":true}') is None
    assert client.live == {"c1": False}


def test_the_audio_of_an_early_final_is_played() -> None:
    client = opened(Text("Hi ", "c1"))
    assert client.receive('{"context_id":"c1","audio":"AA==","final":true}') == Audio("AA==", "c1")


def test_frames_of_a_context_that_is_gone_are_ignored() -> None:
    client = opened(Text("Hi ", "c1"), CloseContext("c1"))
    assert client.receive('{"context_id":"c1","audio":"","final":true}') == Final("", "c1")
    assert client.receive('{"context_id":"c1","audio":"AA==","final":false}') is None
    assert client.receive('{"context_id":"c1","audio":"","final":true}') is None


@pytest.mark.parametrize("context", ["", '"context_id":null,', '"context_id":"c1",'])
def test_a_frame_without_a_context_belongs_to_the_only_one(context: str) -> None:
    client = opened(Text("Hi ", "c1"))
    assert client.receive(f'{{{context}"audio":"AA=="}}') == Audio("AA==", "c1")


@pytest.mark.parametrize("name", ["default", "srv-1", None])
def test_the_server_may_name_the_default_context_as_it_likes(name: str | None) -> None:
    client = opened(Text("Hi "))
    assert client.receive(f'{{"context_id":"{name}","audio":"AA=="}}') == Audio("AA==")


@pytest.mark.parametrize("frame", ["{}", '{"hello":1}', '{"audio":null}', '{"context_id":"x"}'])
def test_frames_the_client_does_not_know_are_ignored(frame: str) -> None:
    assert opened().receive(frame) is None


@pytest.mark.parametrize("frame", ["", "[", "[]", "1", b"\xff"])
def test_frames_that_are_no_object_are_their_error(frame: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        opened().receive(frame)


def serving() -> SpeechProtocol:
    server = SpeechProtocol(Side.SERVER)
    server.receive(SpeechProtocol(Side.CLIENT).send(INIT))
    return server


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"transcript":" "}', Text(" ")),
        ('{"transcript":"Hi ","context_id":null,"force":true}', Text("Hi ", None, True)),
        ('{"context_id":"c","close_context":true,"transcript":""}', CloseContext("c")),
        ('{"context_id":"c","close_context":false,"transcript":"a "}', Text("a ", "c")),
        ('{"text":""}', CloseConnection()),
        ('{"terminate":true}', Terminate()),
    ],
)
def test_the_server_reads_the_frames_of_other_clients(frame: str, message: FromClient) -> None:
    assert serving().receive(frame) == message


def test_the_server_reads_an_init_with_a_null_language() -> None:
    frame = (
        b'{"model_id":"async_flash_v1.5","voice":{"mode":"id","id":"v"},"language":null,'
        b'"output_format":{"container":"raw","encoding":"pcm_mulaw","sample_rate":8000}}'
    )
    server = SpeechProtocol(Side.SERVER)
    assert server.receive(frame) == Initialize(
        model_id="async_flash_v1.5", voice=VoiceSelector("v"), output_format=PHONE
    )
    assert server.state is State.OPEN


@pytest.mark.parametrize(
    "frame",
    [
        *('{"transcript":1}', '{"text":"a"}', '{"nothing":1}', '{"transcript":"a","force":2}'),
        '{"context_id":"c","close_context":true,"transcript":"This would be spoken by nobody. "}',
    ],
)
def test_the_server_is_strict(frame: str) -> None:
    with pytest.raises(RemoteProtocolError):
        serving().receive(frame)


@pytest.mark.parametrize("depth", [100, 400, 700, 900, 1100])
def test_however_deep_a_frame_is_nested_it_is_read_or_refused(depth: int) -> None:
    with contextlib.suppress(RemoteProtocolError):
        serving().receive(f'{{"transcript":"a","odd":{"[" * depth}{"]" * depth}}}')


def test_the_server_ignores_the_second_close_of_a_context() -> None:
    server = serving()
    close = '{"context_id":"c","close_context":true,"transcript":""}'
    assert server.receive(close) == CloseContext("c")
    server.send(Final(context_id="c"))
    assert server.receive(close) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (
    *("terminate", "close_context", "transcript", "text", "model_id", "voice", "force"),
    *("audio", "final", "context_id", "error_code", "message", "request_id", "extra"),
)
VALUES = st.sampled_from(["c1", "", True]) | JSON
NEARLY = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
FRAMES = st.text() | st.binary() | (JSON | NEARLY).map(msgspec.json.encode)


@pytest.mark.parametrize("end", [opened, serving, lambda: opened(Text("Hi ", "c1"))])
@given(frames=st.lists(FRAMES, max_size=6))
def test_nothing_that_arrives_raises_anything_but_a_remote_protocol_error(
    end: Callable[[], SpeechProtocol], frames: list[Any]
) -> None:
    protocol = end()
    for frame in frames:
        with contextlib.suppress(RemoteProtocolError):
            message = protocol.receive(frame)
            if isinstance(message, Audio | Final):
                assert isinstance(message.audio, str)


@pytest.mark.parametrize("frame", ["[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("end", [opened, serving])
def test_a_frame_nested_beyond_reading_is_their_error(
    end: Callable[[], SpeechProtocol], frame: str
) -> None:
    with pytest.raises(RemoteProtocolError, match="JSON"):
        end().receive(frame)


def test_audio_that_is_no_text_is_their_error() -> None:
    with pytest.raises(RemoteProtocolError, match="audio"):
        opened(Text("", "c1")).receive('{"context_id":"c1","audio":7,"final":true}')


@pytest.mark.parametrize("name", ["[]", "{}", "7", "true"])
def test_a_context_of_no_known_shape_is_none_of_ours(name: str) -> None:
    frame = f'{{"context_id":{name},"audio":"AA=="}}'
    assert opened(Text("Hi ", "c1")).receive(frame) is None


def test_a_context_that_is_begun_again_owes_a_final_for_each_close() -> None:
    pair = ConnectionPair()
    for message in (INIT, Text("a ", "c1"), CloseContext("c1"), Text("b ", "c1")):
        pair.pass_on(message)
    assert pair.pass_on(Final(context_id="c1")) == Final(context_id="c1")
    with pytest.raises(LocalProtocolError, match="Final is not legal for context 'c1' in open"):
        pair.server.send(Final(context_id="c1"))
    assert pair.client.live == {"c1": False}


def test_an_illegal_final_leaves_the_context_open() -> None:
    pair = ConnectionPair()
    pair.pass_on(INIT)
    pair.pass_on(Text("Hi ", "c1"))
    with pytest.raises(LocalProtocolError, match="Final is not legal for context 'c1' in open"):
        pair.server.send(Final(context_id="c1"))
    for message in (Audio("//8=", "c1"), CloseContext("c1"), Final(context_id="c1")):
        assert pair.pass_on(message) == message
