"""Playing audio through programs that are real, small, and alone on the PATH."""

from __future__ import annotations

import asyncio
import os
import shutil
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from asyncflow_cli.errors import AsyncflowError, IncompleteError, PrerequisiteError
from asyncflow_cli.protocol.audio import Container
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.sandbox.encode import encode_whole
from asyncflow_cli.transport.player import PLAYERS, find_player, play
from tests.fifos import what_is_told

Install = Callable[..., Path]

WAV = OutputFormat(container="wav", sample_rate=22_050)
MP3 = OutputFormat(container="mp3", sample_rate=22_050)
RAW = OutputFormat(container="raw", sample_rate=22_050)

CP, SLEEP = shutil.which("cp"), shutil.which("sleep")
LAST_ARGUMENT = 'for file; do :; done; echo "$file" > {0}/name; ' + f'{CP} "$file" {{0}}/heard'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program on a PATH that holds nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(program: str, script: str = "", shell: str = "/bin/sh") -> Path:
        path = folder / program
        path.write_text(f"#!{shell}\n{script}\n")
        path.chmod(0o755)
        return path

    return install


@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_the_first_player_of_the_list_that_is_there_is_taken(
    install: Install, container: str
) -> None:
    for player in reversed(PLAYERS):
        path = install(player.program)
        if container in player.plays:
            assert find_player(container) == (str(path), *player.arguments)


def test_a_player_that_cannot_play_the_container_is_passed_over(install: Install) -> None:
    mpv, aplay = install("mpv"), install("aplay")
    assert find_player("mp3")[0] == str(mpv)
    mpv.unlink()
    assert find_player("mp3") == (str(aplay), "--quiet")


def test_a_player_that_takes_wav_only_gets_a_wav_made_of_mp3_or_raw(
    install: Install, tmp_path: Path
) -> None:
    install("aplay", LAST_ARGUMENT.format(tmp_path))
    pcm = bytes(44_100)
    for form in (MP3, RAW):
        asyncio.run(play(encode_whole(pcm, form), form))
        with wave.open(str(tmp_path / "heard")) as heard:
            assert heard.getnframes() / heard.getframerate() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    "audio",
    [b"ID3 and no audio", b"ffconcat version 1.0\nfile another.wav\n"],
    ids=["damaged", "a list of other files"],
)
def test_what_cannot_be_decoded_is_refused_and_no_other_file_is_opened(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio: bytes
) -> None:
    install("aplay", LAST_ARGUMENT.format(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "another.wav").write_bytes(encode_whole(bytes(44_100), WAV))
    with pytest.raises(IncompleteError):
        asyncio.run(play(audio, MP3))
    assert not (tmp_path / "heard").exists()


def test_a_preview_that_is_no_mp3_is_decoded_as_what_it_is(
    install: Install, tmp_path: Path
) -> None:
    install("aplay", LAST_ARGUMENT.format(tmp_path))
    asyncio.run(play(encode_whole(bytes(44_100), WAV), MP3))
    with wave.open(str(tmp_path / "heard")) as heard:
        assert heard.getnframes() == 22_050


@pytest.mark.parametrize("container", ["wav", "mp3", "raw"])
def test_without_a_player_something_local_is_missing(
    install: Install, container: Container
) -> None:
    install("cat")
    with pytest.raises(PrerequisiteError, match=f"plays {container}") as caught:
        asyncio.run(play(b"RIFF", OutputFormat(container=container, sample_rate=8000)))
    assert (caught.value.exit_code, caught.value.code) == (10, "PLAYER_MISSING")


def test_a_program_that_may_not_be_run_is_no_player(install: Install) -> None:
    install("aplay").chmod(0o644)
    with pytest.raises(PrerequisiteError):
        find_player("wav")


def test_the_player_is_given_the_audio_in_a_file_that_is_gone_afterwards(
    install: Install, tmp_path: Path
) -> None:
    install("mpv", LAST_ARGUMENT.format(tmp_path))
    asyncio.run(play(b"ID3 audio", MP3))
    assert (tmp_path / "heard").read_bytes() == b"ID3 audio"
    name = Path((tmp_path / "name").read_text().strip())
    assert name.suffix == ".mp3"
    assert not name.parent.exists()


def test_what_the_player_prints_does_not_reach_our_stdout(
    install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install("mpv", "echo noise")
    asyncio.run(play(b"RIFF", WAV))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_a_player_that_fails_is_named(install: Install, script: str) -> None:
    path = install("mpv", script)
    with pytest.raises(AsyncflowError, match=f"{path} failed with code") as caught:
        asyncio.run(play(b"RIFF", WAV))
    assert (caught.value.exit_code, caught.value.code) == (1, "PLAYER_FAILED")


def test_a_player_that_does_not_start_is_named(install: Install) -> None:
    path = install("mpv", shell="/no/such/shell")
    with pytest.raises(AsyncflowError, match=f"{path} cannot be started") as caught:
        asyncio.run(play(b"RIFF", WAV))
    assert caught.value.code == "PLAYER_FAILED"


def test_the_player_is_stopped_if_we_are(install: Install, tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    install("mpv", f"echo $$ > {started}; exec {SLEEP} 60")

    async def stopped_once_started() -> int:
        playing = asyncio.create_task(play(b"RIFF", WAV))
        pid = int(await asyncio.to_thread(what_is_told, started))
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        return pid

    pid = asyncio.run(stopped_once_started())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
