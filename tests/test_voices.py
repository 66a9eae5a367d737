"""`asyncflow voices`, through the real client into the sandbox."""

from __future__ import annotations

import array
import io
import math
import os
import signal
import socket
import stat
import subprocess
import sys
import uuid
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest

from asyncflow_cli.protocol.audio import Encoding, encode_mulaw, wav_file
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.voices import LIBRARY
from tests.conftest import Result, Run, ServedSandbox, environment
from tests.documents import checked

JENNIE = "cca0e076-94b9-4c6d-86b7-546168f11174"
STELLA = "f493c663-b272-493e-8b78-72d2262a2a8d"
NOBODY = str(uuid.UUID(int=404))

COLUMNS = ["voice_id", "name", "language", "gender", "accent", "style"]


@pytest.fixture(autouse=True)
def _no_voices_of_mine(request: pytest.FixtureRequest) -> Iterator[None]:
    """The sandbox's memory is the session's: leave it as it was."""
    yield
    if "fast" in request.fixturenames:
        store = request.getfixturevalue("fast").sandbox.store
        for voice_id in list(store.voices()):
            store.delete_voice(voice_id)


@pytest.fixture
def mine(fast: ServedSandbox) -> list[str]:
    """The ids of two voices of mine: Me and Narrator."""
    return own(fast, "Me", "Narrator")


def own(served: ServedSandbox, *names: str) -> list[str]:
    like: dict[str, Any] = msgspec.to_builtins(LIBRARY[0])
    ids = [str(uuid.uuid4()) for _ in names]
    for voice_id, name in zip(ids, names, strict=True):
        voice = {**like, "voice_id": voice_id, "name": name, "description": "mine", "accent": ""}
        served.sandbox.store.put_voice(voice_id, voice)
    return ids


def renderings(run: Run, *args: str) -> tuple[Result, Result, Result]:
    """For people, for programs and for scripts, once each went well."""
    results = run(*args), run(*args, "--json"), run(*args, "--quiet")
    for result in results:
        assert result.code == 0, result.err
    assert (results[1].err, results[2].err) == ("", "")
    return results


def test_a_list_is_a_table_a_document_or_ids(sandboxed: Run) -> None:
    human, document, quiet = renderings(sandboxed, "voices", "list", "--limit", "3")
    heading, *rows = human.out.splitlines()
    assert heading.split() == " ".join(COLUMNS).replace("_", " ").split()
    ids = [voice.voice_id for voice in LIBRARY[:3]]
    assert [row.split()[0] for row in rows] == ids
    assert human.err == f"3 voices; more with --after {ids[-1]}, or --all\n"
    assert document.json["schema"] == "asyncflow.voices"
    assert [voice["voice_id"] for voice in document.json["voices"]] == ids
    assert document.json["next_cursor"] == ids[-1]
    assert quiet.out.split() == ids


def test_the_next_page_begins_where_the_last_one_ended(sandboxed: Run) -> None:
    first = sandboxed("voices", "list", "--limit", "4", "--json").json
    second = sandboxed("voices", "list", "--limit", "4", "--after", first["next_cursor"], "-q")
    assert second.out.split() == [voice.voice_id for voice in LIBRARY[4:8]]


def test_all_voices_are_a_line_of_json_each(sandboxed: Run, fast: ServedSandbox) -> None:
    own(fast, *(f"Mine {number}" for number in range(120)))
    human, lines, quiet = renderings(sandboxed, "voices", "list", "--all")
    voices = [checked(msgspec.json.decode(line)) for line in lines.stdout.splitlines()]
    assert len(voices) == len(LIBRARY) + 120 == len({voice["voice_id"] for voice in voices})
    assert {voice["schema"] for voice in voices} == {"asyncflow.voice"}
    assert quiet.out.split() == [voice["voice_id"] for voice in voices]
    assert human.err == f"{len(voices)} voices\n"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (("--language", "tr"), ["Emre"]),
        (("--gender", "neutral"), ["Robin"]),
        (("--accent", "scot"), ["Fiona"]),
        (("--style", "Advertising", "--gender", "Female"), ["Lucía"]),
        (("--model", "async_flash_v1.0", "--language", "ro"), ["Andrei"]),
        (("--mine",), ["Me", "Narrator"]),
        (("--search", "TELEPHONE bright"), ["Jennie"]),
        (("--search", "american", "--limit", "2", "--gender", "Female"), ["Jennie", "Stella"]),
        (("--all", "--mine", "--limit", "1"), ["Me"]),
        (("--search", "no such thing"), []),
    ],
)
def test_filters_leave_what_was_asked_for(
    sandboxed: Run, mine: list[str], filters: tuple[str, ...], names: list[str]
) -> None:
    known = dict(zip(mine, ("Me", "Narrator"), strict=True))
    known |= {voice.voice_id: voice.name for voice in LIBRARY}
    result = sandboxed("voices", "list", *filters, "--quiet")
    assert result.code == 0, result.err
    assert [known[voice_id] for voice_id in result.out.split()] == names


def test_nothing_found_is_said_to_people_and_to_nobody_else(sandboxed: Run) -> None:
    human, lines, quiet = renderings(sandboxed, "voices", "list", "--search", "no such thing")
    assert (human.out, lines.out, quiet.out) == ("", "", "")
    assert human.err == "0 voices\n"


def test_an_unheard_of_filter_passes_with_a_warning(sandboxed: Run) -> None:
    result = sandboxed("voices", "list", "--model", "async_future_v9", "--limit", "1", "--json")
    assert result.json["warnings"] == ["Model async_future_v9 is not one we have heard of"]


def test_one_voice_is_a_record(sandboxed: Run) -> None:
    human, document, quiet = renderings(sandboxed, "voices", "get", "jen")
    assert human.out.splitlines()[:2] == [f"voice id     {JENNIE}", "name         Jennie"]
    assert document.json["schema"] == "asyncflow.voice"
    assert set(document.json) >= {*COLUMNS, "voice_type", "schema_version"}
    assert quiet.out == f"{JENNIE}\n"


def test_several_voices_are_a_table_in_the_order_asked_for(sandboxed: Run) -> None:
    human, document, quiet = renderings(sandboxed, "voices", "get", STELLA, "jennie")
    assert [line.split()[0] for line in human.out.splitlines()[1:]] == [STELLA, JENNIE]
    assert document.json["schema"] == "asyncflow.voices"
    assert [voice["name"] for voice in document.json["voices"]] == ["Stella", "Jennie"]
    assert quiet.out.split() == [STELLA, JENNIE]


# Cloning


def tone(seconds: float, amplitude: float = 0.3, rate: int = 8000) -> array.array[int]:
    """A voice, for all that is measured here."""
    peak = amplitude * 32767
    wave = (peak * math.sin(2 * math.pi * 150 * n / rate) for n in range(int(seconds * rate)))
    return array.array("h", map(int, wave))


def wav(seconds: float = 4.0, amplitude: float = 0.3, encoding: Encoding = "pcm_s16le") -> bytes:
    samples = tone(seconds, amplitude)
    audio = {
        "pcm_s16le": samples.tobytes(),
        "pcm_f32le": array.array("f", (sample / 32768 for sample in samples)).tobytes(),
        "pcm_mulaw": encode_mulaw(samples.tobytes()),
    }[encoding]
    return wav_file(encoding, 8000, audio)


def stereo_wav(seconds: float = 4.0, amplitude: float = 0.3) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(array.array("h", (s for s in tone(seconds, amplitude) for _ in "lr")))
    return stream.getvalue()


def encoded(kind: str, seconds: float = 4.0, amplitude: float = 0.3) -> bytes:
    """The tone as mp3, flac, aiff or ogg."""
    stream = io.BytesIO()
    codec = {"aiff": "pcm_s16be", "ogg": "flac"}.get(kind, kind)
    with av.open(stream, "w", format=kind) as container:
        track = container.add_stream(codec, rate=16000, layout="mono")
        assert isinstance(track, av.AudioStream)
        frame = av.AudioFrame(format="s16", layout="mono", samples=int(seconds * 16000))
        frame.planes[0].update(tone(seconds, amplitude, 16000).tobytes())
        frame.sample_rate = 16000
        for packet in (*track.encode(frame), *track.encode(None)):
            container.mux(packet)
    return stream.getvalue()


@pytest.fixture
def clip(home: Path) -> str:
    (home / "me.wav").write_bytes(wav())
    return "me.wav"


def test_a_clip_becomes_a_voice_that_speaks(sandboxed: Run, clip: str) -> None:
    human, document, quiet = (
        sandboxed("voices", "clone", clip, "--name", name, *how)
        for name, how in (("Clone", ()), ("Second", ("--json",)), ("Third", ("--quiet",)))
    )
    assert human.err == "me.wav: 4.0 s, 64044 bytes of wav\nCloned: Clone\n"
    ids = {human.out.strip(), document.json["voice_id"], quiet.out.strip()}
    assert len(ids) == 3
    assert document.json["schema"] == "asyncflow.voices-clone"
    assert document.json["created"] is True
    spoken = sandboxed("tts", "Hi", "-o", "hi.wav", "--voice", quiet.out.strip())
    assert spoken.code == 0, spoken.err


def test_what_is_told_of_a_clone_is_kept(sandboxed: Run, clip: str) -> None:
    told = {"description": "Calm", "accent": "Welsh", "gender": "Female", "style": "Warm,Slow"}
    flags = [part for name, value in told.items() for part in (f"--{name}", value)]
    more = ("--enhance", "--transcript", "Hello", "--language", "fr")
    assert sandboxed("voices", "clone", clip, "--name", "Clone", *flags, *more).code == 0
    voice = sandboxed("voices", "get", "Clone", "--json").json
    assert {name: voice[name] for name in told} == told
    assert (voice["language"], voice["voice_type"]) == ("fr", "CUSTOM")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("wav", wav(encoding="pcm_f32le")),
        ("wav", wav(encoding="pcm_mulaw")),
        ("wav", stereo_wav()),
        ("mp3", encoded("mp3")),
        ("flac", encoded("flac")),
        ("aiff", encoded("aiff")),
    ],
    ids=["f32", "mulaw", "stereo", "mp3", "flac", "aiff"],
)
def test_a_clip_of_any_kind_is_measured(run: Run, home: Path, kind: str, content: bytes) -> None:
    (home / "clip.bin").write_bytes(content)
    plan = run("voices", "clone", "clip.bin", "--name", "Clone", "-n", "--json").json
    assert plan["format"] == kind
    assert plan["seconds"] == pytest.approx(4.0, abs=0.1)


def test_a_clip_may_come_through_a_pipe(sandboxed: Run) -> None:
    result = sandboxed("voices", "clone", "-", "--name", "Clone", stdin=encoded("mp3"))
    assert result.code == 0, result.err


def test_what_cannot_be_measured_is_sent_with_a_warning(
    sandboxed: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "clip.mp3").write_bytes(encoded("mp3"))
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "av", None)
        plan = sandboxed("voices", "clone", "clip.mp3", "--name", "Clone", "-n", "--json").json
    assert plan["seconds"] is None
    assert "clip.mp3 was not measured" in plan["warnings"][0]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (None, "NOT_READABLE", "No such file"),
        (b"", "FORMAT_NOT_RECOGNIZED", "is empty"),
        (b"hello" * 100, "FORMAT_NOT_RECOGNIZED", "whatever its name says"),
        (b"\xff\xf1\x50\x80" + bytes(99), "FORMAT_NOT_RECOGNIZED", "is no wav"),
        (b"OggS" + bytes(99), "FORMAT_NOT_RECOGNIZED", "is no wav"),
        (b"ID3" + bytes(999), "FORMAT_NOT_RECOGNIZED", "cannot be decoded"),
        (b"fLaC" + bytes(999), "FORMAT_NOT_RECOGNIZED", "cannot be decoded"),
        (b"RIFF\0\0\0\0WAVE", "FORMAT_NOT_RECOGNIZED", "cannot be decoded"),
        (b"RIFF\0\0\0\0WAVE" + bytes(10 * 2**20), "FILE_TOO_LARGE", "larger than 10 MB"),
        (wav(2.9), "SHORT_SPEECH_DURATION", "lasts 2.9 s"),
        (stereo_wav(1.0), "SHORT_SPEECH_DURATION", "lasts 1.0 s"),
        (wav(0), "SHORT_SPEECH_DURATION", "lasts 0.0 s"),
        (encoded("flac", 2.0), "SHORT_SPEECH_DURATION", "lasts 2.0 s"),
        (wav(amplitude=0.0), "BAD_SPEECH_QUALITY", "is silent"),
        (wav(amplitude=0.002, encoding="pcm_f32le"), "BAD_SPEECH_QUALITY", "is silent"),
        (encoded("mp3", amplitude=0.0), "BAD_SPEECH_QUALITY", "is silent"),
    ],
    ids=range(16),
)
def test_a_clip_that_cannot_do_is_refused_before_anything_is_sent(
    run: Run, home: Path, content: bytes | None, code: str, says: str
) -> None:
    if content is not None:
        (home / "clip.wav").write_bytes(content)
    result = run("voices", "clone", "clip.wav", "--name", "Clone", "--json")  # without a key
    assert (result.code, result.out) == (2, "")
    assert result.error["code"] == code
    assert says in result.error["message"]


class NoSocket:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")


def test_a_dry_run_shows_the_request_and_opens_no_socket(
    run: Run, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", NoSocket)
    args = ("voices", "clone", clip, "--name", "Me", "--enhance", "--dry-run")
    nowhere = ("--base-url", "http://127.0.0.1:1")
    human, document, quiet = renderings(run, *args, *nowhere)
    assert 'fields   {"name": "Me", "enhance": "true"}' in human.out
    assert document.json == {
        "schema": "asyncflow.voices-clone-dry-run",
        "schema_version": 1,
        "method": "POST",
        "url": "http://127.0.0.1:1/voices/clone",
        "headers": {"version": "v1", "content-type": "multipart/form-data"},
        "fields": {"name": "Me", "enhance": "true"},
        "file": "me.wav",
        "format": "wav",
        "bytes": 64044,
        "seconds": 4.0,
    }
    assert quiet.out == "POST http://127.0.0.1:1/voices/clone\n"


def test_a_voice_that_exists_is_not_cloned_again(
    sandboxed: Run, fast: ServedSandbox, clip: str, mine: list[str]
) -> None:
    args = ("voices", "clone", clip, "--name", "Me", "--if-not-exists")
    human, document, quiet = renderings(sandboxed, *args)
    assert (human.out, quiet.out) == (f"{mine[0]}\n", f"{mine[0]}\n")
    assert human.err.endswith("There is one: Me\n")
    assert (document.json["voice_id"], document.json["created"]) == (mine[0], False)
    # One of the library's is not mine.
    other = sandboxed("voices", "clone", clip, "--name", "Jennie", "--if-not-exists", "--json")
    assert other.json["created"] is True
    assert len(fast.sandbox.store.voices()) == 3


# Changing and deleting


def test_an_update_shows_what_was_and_what_is(sandboxed: Run, mine: list[str]) -> None:
    human = sandboxed("voices", "update", "Me", "--name", "I", "--gender", "male", "--accent", "x")
    assert human.code == 0, human.err
    assert [line.split() for line in human.out.splitlines()] == [
        ["field", "before", "after"],
        ["name", "Me", "I"],
        ["accent", "x"],
    ]
    assert human.err == "Updated\n"
    document = sandboxed("voices", "update", mine[0], "--description", "", "--json").json
    assert document == {
        "schema": "asyncflow.voices-update",
        "schema_version": 1,
        "voice_id": mine[0],
        "changes": [{"field": "description", "before": "mine", "after": ""}],
    }
    assert sandboxed("voices", "update", "I", "--style", "a,b", "-q").out == f"{mine[0]}\n"
    voice = sandboxed("voices", "get", mine[0], "--json").json
    assert [voice[name] for name in COLUMNS[1:]] == ["I", "en", "Male", "x", "a,b"]
    assert voice["description"] == ""


def test_an_update_that_changes_nothing_sends_nothing(sandboxed: Run, mine: list[str]) -> None:
    before = sandboxed("voices", "get", mine[0], "--json").json
    same = sandboxed("voices", "update", "Me", "--name", "Me")
    assert (same.code, same.out) == (0, "")
    assert same.err == "Nothing to change: all of it is so already\n"
    assert sandboxed("voices", "get", mine[0], "--json").json == before


def test_deleted_voices_are_gone(sandboxed: Run, fast: ServedSandbox) -> None:
    own(fast, "A", "B", "C")
    ids = [sandboxed("voices", "get", name, "-q").out.strip() for name in "ABC"]
    human = sandboxed("voices", "delete", "A", "--yes")
    document = sandboxed("-y", "voices", "delete", ids[1], "--json")
    quiet = sandboxed("voices", "delete", "C", "C", "-y", "--quiet")
    assert (human.out, human.err) == (f"{ids[0]}\n", "Deleted: 1 voice\n")
    assert document.json["deleted"] == [ids[1]]
    assert document.json["schema"] == "asyncflow.voices-delete"
    assert (quiet.out, quiet.err) == (f"{ids[2]}\n", "")
    assert fast.sandbox.store.voices() == {}


def test_what_is_not_there_may_be_ignored(sandboxed: Run, mine: list[str]) -> None:
    args = ("voices", "delete", NOBODY, "no-such-voice", "Me", "-y", "--ignore-missing")
    result = sandboxed(*args, "--json")
    assert result.code == 0, result.err
    assert result.json["deleted"] == mine[:1]
    assert result.json["missing"] == [NOBODY, "no-such-voice"]
    assert sandboxed(*args, "-q").out == ""


def test_one_missing_voice_keeps_the_others(
    sandboxed: Run, fast: ServedSandbox, mine: list[str]
) -> None:
    result = sandboxed("voices", "delete", "Me", "no-such-voice", "-y")
    assert result.code == 3
    assert set(fast.sandbox.store.voices()) == set(mine)


@pytest.mark.parametrize("yes", [(), ("-y",)])
def test_a_voice_of_the_library_keeps_the_others_and_nobody_is_asked(
    sandboxed: Run, fast: ServedSandbox, mine: list[str], yes: tuple[str, ...]
) -> None:
    result = sandboxed("voices", "delete", "Me", "Jennie", *yes)
    assert (result.code, "for good?" in result.err) == (3, False)
    assert "which nobody can delete" in " ".join(result.err.split())
    assert set(fast.sandbox.store.voices()) == set(mine)


def at_a_terminal(
    home: Path, served: ServedSandbox, *args: str
) -> tuple[subprocess.Popen[bytes], int]:
    """Our program with a terminal for stdin and stderr, and the end of it that people have."""
    person, terminal = os.openpty()
    command = [sys.executable, "-m", "asyncflow_cli", *args]
    process = subprocess.Popen(
        command,
        env=environment(home, **served.environ),
        cwd=home,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    return process, person


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (None, 130)])
def test_a_person_is_asked(
    home: Path, fast: ServedSandbox, mine: list[str], answer: bytes | None, code: int
) -> None:
    process, person = at_a_terminal(home, fast, "voices", "delete", "Me")
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(person, 1024)
    assert f"Delete Me ({mine[0]}), for good?" in " ".join(shown.decode().split())
    if answer is None:
        process.send_signal(signal.SIGINT)
    else:
        os.write(person, answer)
    out, _ = process.communicate(timeout=20)
    os.close(person)
    assert process.returncode == code
    assert out.decode().split() == (mine[:1] if code == 0 else [])
    assert (mine[0] in fast.sandbox.store.voices()) is (code != 0)


# Listening


def test_a_preview_is_a_file_a_pipe_or_sound(sandboxed: Run, home: Path) -> None:
    human, document, quiet = renderings(
        sandboxed, "voices", "preview", "Jennie", "-o", "jennie.mp3"
    )
    assert (human.out, quiet.out) == ("jennie.mp3\n", "jennie.mp3\n")
    assert human.err.startswith("Written: ")
    assert document.json["schema"] == "asyncflow.voices-preview"
    assert (document.json["voice_id"], document.json["format"]) == (JENNIE, "mp3")
    audio = (home / "jennie.mp3").read_bytes()
    assert document.json["bytes"] == len(audio)
    piped = sandboxed("voices", "preview", JENNIE, "-o", "-")
    assert piped.code == 0, piped.err
    assert piped.stdout[:4] == audio[:4]
    assert len(piped.stdout) == pytest.approx(len(audio), rel=0.05)


def test_a_preview_is_played(sandboxed: Run, home: Path) -> None:
    player = home / "bin" / "mpv"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\nfor last; do :; done\ncp "$last" {home}/played\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{player.parent}{os.pathsep}/bin{os.pathsep}/usr/bin")
        result = sandboxed("voices", "preview", "Jennie", "--play")
    assert (result.code, result.out) == (0, ""), result.err
    assert (home / "played").stat().st_size > 1000


def test_the_preview_of_a_clone_is_its_clip(sandboxed: Run, home: Path, clip: str) -> None:
    sandboxed("voices", "clone", clip, "--name", "Clone")
    assert (
        sandboxed("voices", "preview", "Clone", "-o", "back.wav", "--json").json["format"] == "wav"
    )
    assert (home / "back.wav").read_bytes() == (home / clip).read_bytes()


def test_the_signature_of_a_preview_is_never_shown(sandboxed: Run) -> None:
    result = sandboxed("voices", "preview", "Jennie", "-o", "x.mp3", "--debug")
    assert "signature=***" in result.err


# Names and refusals


@pytest.mark.parametrize("name", ["Jennie", "jennie", "JEN", JENNIE, JENNIE[:8]])
def test_any_name_of_a_voice_speaks(sandboxed: Run, name: str) -> None:
    result = sandboxed("tts", "Hi", "-o", "hi.wav", "--voice", name, "--json")
    assert result.code == 0, result.err
    assert result.json["voice_id"] == JENNIE


def test_a_name_in_the_environment_speaks(sandboxed: Run) -> None:
    result = sandboxed("tts", "Hi", "-o", "hi.wav", "--json", ASYNC_VOICE_ID="stella")
    assert result.json["voice_id"] == STELLA


@pytest.mark.parametrize(
    ("name", "voice"), [("jennie", JENNIE), ("host", STELLA), (STELLA, STELLA)]
)
def test_any_name_of_a_voice_speaks_a_stream(
    sandboxed: Run, home: Path, name: str, voice: str
) -> None:
    (home / "asyncflow.toml").write_text(f'[aliases]\nhost = "{STELLA}"\n')
    result = sandboxed("tts-stream", "Hi", "-o", "hi.wav", "--voice", name, "--json")
    assert result.json["voice_id"] == voice


def test_any_name_of_a_voice_speaks_into_a_call(sandboxed: Run, fast: ServedSandbox) -> None:
    call = ("call", "--to", "+15551230001", "Hi.")
    assert sandboxed(*call, "--voice", "jennie").code == 0
    fast.finish()
    assert fast.sandbox.store.speeches()[-1].voice_id == JENNIE
    calls = len(fast.statuses)
    assert sandboxed(*call, "--voice", "nobody").code == 3
    assert len(fast.statuses) == calls


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("get", NOBODY), 3, "VOICE_NOT_FOUND"),
        (("get", NOBODY, JENNIE), 3, "VOICE_NOT_FOUND"),
        (("get", "nobody"), 3, "VOICE_NOT_FOUND"),
        (("get", "J"), 3, "VOICE_AMBIGUOUS"),
        (("list", "--limit", "0"), 2, "USAGE"),
        (("list", "--limit", "101"), 2, "USAGE"),
        (("list", "--gender", "robot"), 2, "USAGE"),
        (("list", "--language", "xx"), 2, "HTTP_422"),
        (("clone", "me.wav"), 2, "USAGE"),
        (("clone", "me.wav", "--name", "Clone", "--language", "xx"), 2, "INVALID_LANGUAGE"),
        (("update", "Me"), 2, "USAGE"),
        (("update", "Jennie", "--name", "Mine"), 2, "VOICE_FIELD_UPDATE_NOT_ALLOWED"),
        (("update", "nobody", "--name", "Mine"), 3, "VOICE_NOT_FOUND"),
        (("delete", "Me"), 2, "CONFIRMATION_NEEDED"),
        (("delete", "Me", "--no-input"), 2, "CONFIRMATION_NEEDED"),
        (("delete", NOBODY, "-y"), 3, "VOICE_NOT_FOUND"),
        (("delete", NOBODY), 3, "VOICE_NOT_FOUND"),
        (("delete", "J", "-y", "--ignore-missing"), 3, "VOICE_AMBIGUOUS"),
        (("delete", "Jennie", "-y"), 3, "VOICE_NOT_FOUND"),
        (("preview", "nobody", "-o", "x.mp3"), 3, "VOICE_NOT_FOUND"),
        (("preview", NOBODY, "-o", "x.mp3"), 3, "VOICE_NOT_FOUND"),
        (("preview", "Jennie", "-o", "nowhere/x.mp3"), 2, "USAGE"),
        (("preview", "Jennie"), 2, "USAGE"),
        (("list", "--base-url", "http://127.0.0.1:1", "--retries", "0"), 6, "CONNECTION_FAILED"),
    ],
)
def test_refusals(
    sandboxed: Run, home: Path, clip: str, mine: list[str], args: Any, code: int, error: str
) -> None:
    result = sandboxed("voices", *args, "--json")
    assert (result.code, result.out) == (code, ""), result.err
    assert result.error["code"] == error
    assert result.error["exit_code"] == code
    assert [path.name for path in home.iterdir() if path.is_file()] == [clip]
    assert mine


@pytest.mark.parametrize(
    ("args", "deed"),
    [(("delete", "Jennie"), "delete"), (("update", "Jennie", "--name", "I"), "change")],
)
def test_a_voice_of_the_library_is_told_to_be_nobodys_to_change(
    sandboxed: Run, args: tuple[str, ...], deed: str
) -> None:
    words = f"Jennie ({JENNIE}) is a voice of the library, which nobody can {deed}"
    error = sandboxed("voices", *args, "-y", "--json").error
    assert (error["message"], "voices list --mine" in error["hint"]) == (words, True)
    assert sandboxed("voices", *args, "-n", "--json").json["warnings"] == [words]


@pytest.mark.parametrize(("key", "code"), [("", 10), ("sk_wrong", 4)])
def test_a_list_needs_a_key_that_is_right(sandboxed: Run, key: str, code: int) -> None:
    assert sandboxed("voices", "list", ASYNC_API_KEY=key).code == code


def test_an_ambiguous_name_lists_its_voices(sandboxed: Run) -> None:
    result = sandboxed("voices", "get", "j")
    assert "Jennie (cca0e076" in result.err
    assert "Jonas (" in result.err


def test_the_service_of_2025_has_voices_too(run: Run) -> None:
    with ServedSandbox(choices=Choices(era="asyncflow"), deterministic=True) as served:

        def asked(*args: str) -> Result:
            result = run("voices", *args, "--json", **served.environ)
            assert result.code == 0, result.err
            return result

        own(served, "Me")
        assert asked("get", JENNIE, STELLA).json["voices"][1]["name"] == "Stella"
        assert len(asked("list", "--all").out.splitlines()) == len(LIBRARY) + 1
        assert asked("update", "Me", "--name", "I").json["changes"][0]["after"] == "I"
        assert asked("get", "I").json["description"] == "mine"
        assert asked("delete", "I", "-y").json["missing"] == []
