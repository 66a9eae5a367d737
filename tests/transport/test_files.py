"""Files are all or nothing: a failure leaves the old one, and nothing beside it."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.transport.files import all_or_none, check_writable, write_file

OLD, NEW = b"old", b"new" * 1000


@contextlib.contextmanager
def no_room_beyond(n_bytes: int) -> Iterator[None]:
    """Writes beyond this size fail half-way, as they do on a full disk."""
    resource = pytest.importorskip("resource", reason="limits of a POSIX system")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def device(name: str, folder: Path) -> Path:
    """A device; where we have the power to replace it by mistake, a copy of it."""
    original, copy = Path("/dev", name), folder / name
    if not original.exists():
        pytest.skip(f"no {original} on this system")
    if not os.access(original.parent, os.W_OK):
        return original
    try:
        os.mknod(copy, stat.S_IFCHR | 0o666, original.stat().st_rdev)
        copy.open("wb").close()
    except OSError as error:
        pytest.skip(f"no device of our own: {error}")
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("old", [{}, {"a.wav": OLD}])
@pytest.mark.parametrize("name", ["a.wav", "é" * 127, "x" * 255])
def test_a_file_is_written_whole_and_alone(
    tmp_path: Path, old: dict[str, bytes], name: str
) -> None:
    for there, content in old.items():
        (tmp_path / there).write_bytes(content)
    write_file(tmp_path / name, NEW)
    assert contents(tmp_path) == {**old, name: NEW}


@pytest.mark.parametrize("old", [{}, {"a.wav": OLD}])
def test_a_write_that_fails_half_way_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, old: dict[str, bytes]
) -> None:
    for there, content in old.items():
        (tmp_path / there).write_bytes(content)
    with no_room_beyond(100), pytest.raises(UsageError, match="cannot be written") as caught:
        write_file(tmp_path / "a.wav", NEW)
    assert caught.value.code == "NOT_WRITABLE"
    assert contents(tmp_path) == old


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    full = device("full", tmp_path)
    with pytest.raises(AsyncflowError, match="No space left") as caught:
        write_file(full, NEW)
    assert (caught.value.code, caught.value.exit_code) == ("DISK_FULL", 1)
    assert full.is_char_device()


def test_a_missing_folder_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.wav"
    with pytest.raises(UsageError, match="There is no folder") as caught:
        check_writable(path)
    assert caught.value.hint == f"mkdir -p {path.parent}"
    with pytest.raises(UsageError, match="No such file"):
        write_file(path, NEW)
    assert contents(tmp_path) == {}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    for refuse in (check_writable, lambda path: write_file(path, NEW)):
        with pytest.raises(UsageError, match=r"folder|directory"):
            refuse(tmp_path)
    assert contents(tmp_path) == {}


def test_what_is_writable_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "a.wav", Path("a.wav"), Path("/dev/null")):
        check_writable(path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("old", [True, False])
def test_a_link_stays_and_its_target_changes(tmp_path: Path, old: bool) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "link.wav"
    elsewhere.mkdir()
    if old:
        (elsewhere / "a.wav").write_bytes(OLD)
    link.symlink_to(Path("elsewhere", "a.wav"))
    write_file(link, NEW)
    assert link.is_symlink()
    assert contents(elsewhere) == {"a.wav": NEW}


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_file(pipe, NEW)
    reader.join(30)
    assert read == [NEW]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    null = device("null", tmp_path)
    write_file(null, NEW)
    assert null.is_char_device()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o666)])
def test_a_new_file_has_the_mode_the_umask_leaves(tmp_path: Path, mask: int, mode: int) -> None:
    with umask(mask):
        write_file(tmp_path / "a.wav", NEW)
        assert os.umask(mask) == mask
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_that_was_there_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(OLD)
    path.chmod(mode)
    write_file(path, NEW)
    assert path.stat().st_mode & 0o777 == mode


def test_several_files_come_together(tmp_path: Path) -> None:
    a, b = tmp_path / "a.wav", tmp_path / "b.srt"
    a.write_bytes(OLD)
    a.chmod(0o640)
    with all_or_none({a: NEW, b: NEW}):
        assert contents(tmp_path)["b.srt"] == NEW
    assert contents(tmp_path) == {"a.wav": NEW, "b.srt": NEW}
    assert stat.S_IMODE(a.stat().st_mode) == 0o640


def test_a_block_that_fails_takes_all_files_back(tmp_path: Path) -> None:
    a, b = tmp_path / "a.wav", tmp_path / "b.srt"
    a.write_bytes(OLD)
    with pytest.raises(RuntimeError), all_or_none({a: NEW, b: NEW}):
        raise RuntimeError
    assert contents(tmp_path) == {"a.wav": OLD}


def test_a_reader_that_leaves_takes_no_file_away(tmp_path: Path) -> None:
    a = tmp_path / "a.wav"
    with pytest.raises(BrokenPipeError), all_or_none({a: NEW}):
        raise BrokenPipeError
    assert contents(tmp_path) == {"a.wav": NEW}


def test_if_one_of_several_finds_no_room_none_is_new(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in ("a", "b", "c"))
    b.write_bytes(OLD)
    c.write_bytes(OLD)
    with pytest.raises(AsyncflowError), no_room_beyond(100), all_or_none({a: b"1", b: NEW, c: b""}):
        raise AssertionError
    assert contents(tmp_path) == {"b": OLD, "c": OLD}
