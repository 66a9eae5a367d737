"""What the sandbox remembers, and who may read it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from asyncflow_cli.sandbox.resources import (
    CallReport,
    CallResource,
    Notification,
    RecordingResource,
)
from asyncflow_cli.sandbox.store import FILE_NAME, KEPT, Store

DATE = "Thu, 01 Jan 2026 00:00:00 +0000"


def call(sid: str, status: str = "queued") -> CallResource:
    return CallResource(
        sid=sid,
        account_sid="AC1",
        to="+15551230001",
        from_="+15557654321",
        status=status,
        date_created=DATE,
        date_updated=DATE,
    )


def notification(call_sid: str, code: str) -> Notification:
    return Notification(
        sid="NO1",
        account_sid="AC1",
        call_sid=call_sid,
        error_code=code,
        log="0",
        message_text="Msg=x",
        request_url="",
        message_date=DATE,
        date_created=DATE,
        date_updated=DATE,
        uri="",
    )


def recording(sid: str) -> RecordingResource:
    return RecordingResource(
        sid=sid,
        account_sid="AC1",
        call_sid="CA1",
        status="completed",
        source="OutboundAPI",
        channels=1,
        track="both",
        date_created=DATE,
        date_updated=DATE,
        start_time=DATE,
        uri="",
        media_url="",
    )


def say(store: Store, text: str, audio: bytes) -> int:
    form = {"container": "raw", "sample_rate": 8000}
    return store.add_speech(
        operation="tts", voice_id="v1", transcript=text, output_format=form, audio=audio
    )


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    folder = None if request.param == "memory" else tmp_path / "state"
    with closing(Store(folder, kept=dict.fromkeys(KEPT, 1000))) as made:
        yield made


def test_a_call_is_found_with_its_report_and_its_sound(store: Store) -> None:
    report = CallReport(ended_by="callee", seconds_heard=0.02)
    store.save_call(call("CA1"), report, b"\xff" * 160)
    assert store.call("CA1") == call("CA1")
    assert store.report("CA1") == report
    assert store.heard("CA1") == b"\xff" * 160


def test_what_is_unknown_is_none(store: Store) -> None:
    assert store.call("CA1") is None
    assert store.report("CA1") is None
    assert store.heard("CA1") is None


def test_calls_are_listed_latest_first_and_an_update_keeps_the_order(store: Store) -> None:
    for sid in ("CA1", "CA2"):
        store.save_call(call(sid), CallReport(), b"")
    store.update_call(call("CA1", "completed"))
    store.save_call(call("CA1", "completed"), CallReport(), b"abc")
    assert [found.sid for found in store.calls()] == ["CA2", "CA1"]
    assert store.calls()[1].status == "completed"


def test_a_deleted_call_takes_its_notifications_along(store: Store) -> None:
    store.save_call(call("CA1"), CallReport(), b"")
    store.add_notification(notification("CA1", "31920"))
    assert [found.error_code for found in store.notifications("CA1")] == ["31920"]
    store.delete_call("CA1")
    assert store.call("CA1") is None
    assert store.notifications("CA1") == []


def test_speeches_are_numbered_and_kept_in_order(store: Store) -> None:
    for text in ("Hello.", "Goodbye."):
        say(store, text, text.encode())
    first, second = store.speeches()
    assert (first.id, first.transcript, first.audio) == (1, "Hello.", b"Hello.")
    assert second.output_format == {"container": "raw", "sample_rate": 8000}


def test_the_oldest_speeches_are_forgotten_when_there_is_too_much_of_them(store: Store) -> None:
    for text in ("one", "two", "three"):
        say(store, text, bytes(500))
    assert [speech.transcript for speech in store.speeches()] == ["two", "three"]
    assert [speech.id for speech in store.speeches(after=2)] == [3]
    assert store.count_speeches() == 3


def test_a_speech_that_is_too_large_is_kept_until_the_next(store: Store) -> None:
    say(store, "small", b"x")
    say(store, "large", bytes(1001))
    assert [speech.transcript for speech in store.speeches()] == ["large"]
    say(store, "last", b"x")
    assert [speech.transcript for speech in store.speeches()] == ["last"]


def test_old_recordings_are_forgotten_and_those_that_still_run_are_not(store: Store) -> None:
    store.save_recording(recording("RE0"), b"", b"")
    for sid in ("RE1", "RE2", "RE3"):
        store.save_recording(recording(sid), bytes(250), bytes(250))
    assert [kept.sid for kept in store.recordings()] == ["RE3", "RE2", "RE0"]


def test_old_calls_are_forgotten_with_what_was_heard_and_live_ones_are_not(
    store: Store,
) -> None:
    store.save_call(call("CA0"), CallReport(), b"")
    for sid in ("CA1", "CA2", "CA3"):
        store.save_call(call(sid), CallReport(), bytes(500))
    assert [kept.sid for kept in store.calls()] == ["CA3", "CA2", "CA0"]


def test_voices_can_be_put_replaced_and_deleted(store: Store) -> None:
    store.put_voice("v1", {"name": "Old"})
    store.put_voice("v1", {"name": "New"})
    assert store.voices() == {"v1": {"name": "New"}}
    store.delete_voice("v1")
    assert store.voices() == {}


def test_reset_forgets_everything(store: Store) -> None:
    store.save_call(call("CA1"), CallReport(), b"")
    store.put_voice("v1", {})
    store.reset()
    assert store.calls() == []
    assert store.voices() == {}
    assert store.count_calls() == 0


def test_what_is_there_is_counted_and_not_what_there_has_been(store: Store) -> None:
    for sid in ("CA1", "CA2"):
        store.save_call(call(sid), CallReport(), b"")
    store.delete_call("CA1")
    assert (store.sizes()["calls"], store.count_calls()) == (1, 2)


def test_two_who_share_a_folder_see_the_same_calls(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as one, closing(Store(tmp_path)) as other:
        one.save_call(call("CA1"), CallReport(), b"")
        assert other.call("CA1") == call("CA1")


def test_many_writers_at_once_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with closing(Store(tmp_path / "state")) as store:
            for turn in range(5):
                store.save_call(call(f"CA{number}-{turn}"), CallReport(), b"x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with closing(Store(tmp_path / "state")) as store:
        assert len(store.calls()) == 40


def test_reset_gives_the_room_on_the_disk_back_while_others_have_the_file_open(
    tmp_path: Path,
) -> None:
    with closing(Store(tmp_path)) as one, closing(Store(tmp_path)) as other:
        say(other, "Hello", bytes(5_000_000))
        one.reset()
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200_000
        assert other.speeches() == []
        assert say(other, "Again", b"x") == 1
        assert [speech.transcript for speech in one.speeches()] == ["Again"]


def test_resets_do_not_get_in_the_way_of_writers(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with closing(Store(tmp_path)) as store:
            for _ in range(10):
                say(store, f"{number}", bytes(10_000))
                if number == 0:
                    store.reset()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))


def test_one_who_opens_a_new_file_waits_for_another_who_writes_it(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE calls (old TEXT)")
        opening = pool.submit(lambda: Store(tmp_path))
        assert not wait([opening], timeout=0.1).done
        writer.execute("COMMIT")
        with closing(opening.result()) as store:
            assert store.calls() == []


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "state"
    with closing(Store(folder)) as store:
        store.put_voice("v1", {})
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes[FILE_NAME] == 0o600
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_database_of_another_version_begins_anew(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database:
        database.executescript("CREATE TABLE calls (old TEXT); PRAGMA user_version = 99")
    with closing(Store(tmp_path)) as store:
        assert store.calls() == []


def test_a_call_is_written_with_twilios_keys() -> None:
    written = msgspec.to_builtins(call("CA1"))
    assert written["from"] == "+15557654321"
    assert "from_" not in written
