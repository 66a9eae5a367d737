"""Text that is still being written, and streams that do not end as they should."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from asyncflow_cli.errors import AsyncflowError, IncompleteError, UsageError
from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector
from asyncflow_cli.protocol.streamorder import StreamOrder
from asyncflow_cli.settings import DEFAULT_VOICE, Settings
from asyncflow_cli.transport import streaming
from asyncflow_cli.transport.destination import Destination
from asyncflow_cli.transport.stdin import read_text
from tests.conftest import ServedSandbox, environment

RAW = OutputFormat(container="raw", sample_rate=8000, encoding="pcm_s16le")
REQUEST = SpeechRequest(
    model_id="async_flash_v1.5",
    transcript="",
    voice=VoiceSelector(DEFAULT_VOICE),
    output_format=RAW,
)


class Gone:
    """A terminal whose session has ended."""

    def read(self, _size: int, /) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


def test_a_stdin_that_cannot_be_read_is_no_endless_wait() -> None:
    async def read() -> list[str]:
        async with asyncio.timeout(5):
            return [text async for text in read_text(Gone())]

    with pytest.raises(UsageError, match="stdin cannot be read: Input/output error"):
        asyncio.run(read())


def test_a_stdin_that_somebody_closes_has_ended() -> None:
    stream = io.BytesIO(b"Hi")

    async def read() -> list[str]:
        async with asyncio.timeout(5):
            return [text async for text in read_text(stream)]

    stream.close()
    assert asyncio.run(read()) == []


def talking(fast: ServedSandbox, home: Path, *args: str) -> subprocess.Popen[bytes]:
    """A process that speaks a text whose writer never comes to an end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncflow_cli", "tts-stream", "-o", "-", "--format", "raw", *args],
        env=environment(home, **fast.environ),
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(b"This is the first sentence. And this")
    process.stdin.flush()
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_while_stdin_is_open(
    fast: ServedSandbox, home: Path, number: int, code: int
) -> None:
    # So little that it fits into the pipe.
    with talking(fast, home, "--sample-rate", "8000") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1000)
        process.send_signal(number)
        assert process.wait(30) == code
        assert process.stderr.read() == b"Stopped\n"


class Api:
    """A service that streams what it is given."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    @contextlib.asynccontextmanager
    async def stream(self, _: SpeechRequest) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._sent()

    async def _sent(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


class Service(NamedTuple):
    """One whose voices are known by their ids."""

    api: Any
    settings: Settings = Settings()
    library: Any = None


def streamed(api: Any, destination: Destination) -> Any:
    order = StreamOrder(request=REQUEST, text="Hello.", transport="http")
    return asyncio.run(streaming.stream_speech(Service(api), order, destination))


def test_half_a_sample_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.raw"
    path.write_bytes(b"old")
    with pytest.raises(IncompleteError, match="middle of a sample"):
        streamed(Api(b"\0" * 3), Destination(path))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_player_that_cannot_be_started_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/nowhere/at/all\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AsyncflowError, match="cannot be started") as caught:
        streamed(Api(b"\0" * 4), Destination(play=True))
    assert caught.value.code == "PLAYER_FAILED"
