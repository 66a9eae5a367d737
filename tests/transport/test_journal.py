"""Calls that may still be live: what is written of them, and how they are seen to end."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    NetworkError,
    NotFoundError,
    ServiceError,
)
from asyncflow_cli.protocol.callrequest import CallRequest
from asyncflow_cli.transport.ending import HANG_UP_TRIES
from asyncflow_cli.transport.journal import KEPT, Ending, Entry, Journal
from asyncflow_cli.transport.placed import PlacedCall
from asyncflow_cli.transport.roads.process import Running, identify
from asyncflow_cli.transport.twilio import TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord

ACCOUNT, BASE_URL = "AC" + "1" * 32, "https://api.twilio.com"
SID = "CA" + "2" * 32
REQUEST = CallRequest("+15551230001", "+15557654321", "<Response/>", "https://h.example", 25, 300)
ENDING = Ending(at="2026-01-01T00:01:00+00:00", status="completed", exit_code=0)
AT_ONCE = (0.0, 0.0, 0.0)

LIVE, OVER = CallRecord(SID, "in-progress", None), CallRecord(SID, "completed", 3)
FORGOTTEN = CallRecord(SID, "completed", None)
UNANSWERED = CallRecord(SID, "canceled", None, created=datetime(2026, 1, 1, tzinfo=UTC))
AWAY = NetworkError("away", code="TWILIO_UNREACHABLE")
GONE = ServiceError("gone", code="TWILIO_20404")
BROKEN = ServiceError("unavailable", code="TWILIO_20503")

Reply = CallRecord | AsyncflowError


class FakeTwilio(TwilioClient):
    """One answer after the other for each operation, the last for ever."""

    def __init__(self, **replies: list[Reply]) -> None:
        self.account_sid = ACCOUNT
        self.base_url = BASE_URL
        self.asked: list[tuple[str, str]] = []
        self.creating = asyncio.Event()
        self.created = asyncio.Event()
        self._replies = replies

    async def create_call(self, request: CallRequest) -> CallRecord:
        self.creating.set()
        await self.created.wait()
        return self._next("create", request.to)

    async def fetch_call(self, sid: str) -> CallRecord:
        return self._next("fetch", sid)

    async def hang_up(self, sid: str) -> CallRecord:
        return self._next("hang_up", sid)

    def _next(self, name: str, about: str) -> CallRecord:
        self.asked.append((name, about))
        replies = self._replies[name]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, AsyncflowError):
            raise reply
        return reply


class Desk:
    """A journal in a folder, a Twilio, and what a person was told."""

    def __init__(self, folder: Path, **replies: list[Reply]) -> None:
        self.folder = folder / "calls"
        self.journal = Journal(self.folder)
        self.twilio = FakeTwilio(**replies)
        self.warnings: list[str] = []
        self.placed = PlacedCall(
            self.twilio, self.journal, self.warnings.append, hang_up_tries=AT_ONCE
        )

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*"))

    def run(self, *work: Callable[[PlacedCall], Any]) -> Any:
        async def running() -> Any:
            self.twilio.created.set()
            return [await each(self.placed) for each in work][-1]

        return asyncio.run(running())


def place(placed: PlacedCall) -> Any:
    return placed.place(REQUEST)


def end(placed: PlacedCall) -> Any:
    return placed.end()


def end_orphans(placed: PlacedCall) -> Any:
    return placed.end_orphans()


@pytest.fixture(scope="module")
def dead() -> int:
    """The pid of nobody."""
    with subprocess.Popen([sys.executable, "-IS", "-c", ""]) as process:
        pass
    return process.pid


def leave(folder: Path, *entries: Entry) -> None:
    """Write them down as a process does that dies then."""
    journal = Journal(folder)
    for each in entries:
        journal.add(each)
    journal.close()


def entry(owner: int, **changes: Any) -> Entry:
    made = Entry(SID, ACCOUNT, BASE_URL, owner, "2026-01-01T00:00:00+00:00")
    return msgspec.structs.replace(made, **changes)


def test_an_entry_is_for_our_eyes_only_and_goes_without_trace(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a" / "b")
    journal.add(entry(1))
    (path,) = (tmp_path / "a" / "b").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    journal.forget(SID)
    journal.forget(SID)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"account_sid": "AC" + "9" * 32}, False),
        ({"base_url": "http://127.0.0.1:8000"}, False),
        ({"pid": os.getpid()}, True),
    ],
    ids=["ours", "another account", "another Twilio", "its number is another process's by now"],
)
def test_orphans_are_calls_of_this_account_whose_owner_is_gone(
    tmp_path: Path, dead: int, changes: dict[str, Any], found: bool
) -> None:
    leave(tmp_path, entry(dead, **changes))
    assert bool(list(Journal(tmp_path).orphans(ACCOUNT, BASE_URL))) is found


def test_a_call_whose_owner_lives_is_no_orphan_even_to_itself(tmp_path: Path, dead: int) -> None:
    owner = Journal(tmp_path)
    owner.add(entry(dead))
    assert list(owner.orphans(ACCOUNT, BASE_URL)) == []
    assert list(Journal(tmp_path).orphans(ACCOUNT, BASE_URL)) == []
    owner.add(entry(dead, tunnel="ngrok", agent=Running(dead, "ngrok 1")))
    assert list(Journal(tmp_path).orphans(ACCOUNT, BASE_URL)) == []
    owner.close()
    (orphan,) = Journal(tmp_path).orphans(ACCOUNT, BASE_URL)
    assert (orphan.tunnel, orphan.agent) == ("ngrok", Running(dead, "ngrok 1"))


@pytest.mark.parametrize(
    ("owner", "found"), [("dead", True), ("ours", False), ("another user's", False)]
)
def test_where_there_are_no_locks_the_number_of_the_process_decides(
    tmp_path: Path, dead: int, owner: str, found: bool
) -> None:
    pid = {"dead": dead, "ours": os.getpid(), "another user's": 1}[owner]
    (tmp_path / f"{SID}.call.json").write_bytes(msgspec.json.encode(entry(pid)))
    assert bool(list(Journal(tmp_path).orphans(ACCOUNT, BASE_URL))) is found


def test_of_the_calls_that_ended_the_latest_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(KEPT + 3):
        made = entry(1, call_sid=f"CA{number}", began=f"{number:04}")
        journal.add(made)
        journal.end(made, ENDING)
    kept = journal.entries()
    assert [e.call_sid for e in kept[:2]] == [f"CA{KEPT + 2}", f"CA{KEPT + 1}"]
    assert len(kept) == KEPT
    assert kept[0].ending == ENDING
    assert journal.entries(live_only=True) == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_call_is_named_by_as_much_of_its_sid_as_is_unique(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for sid in ("CA12", "CA13", "CA2"):
        journal.add(entry(1, call_sid=sid))
    assert journal.find("CA2").call_sid == "CA2"
    assert journal.find("CA13").call_sid == "CA13"
    for prefix, code in (("CA1", "CALL_AMBIGUOUS"), ("CA9", "CALL_NOT_FOUND")):
        with pytest.raises(NotFoundError) as caught:
            journal.find(prefix)
        assert caught.value.code == code


def test_a_beginning_that_is_many_calls_says_how_many_it_does_not_list(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(25):
        journal.add(entry(1, call_sid=f"CA{number:02}"))
    with pytest.raises(NotFoundError) as caught:
        journal.find("CA")
    assert caught.value.hint == "Write more of it: CA00, CA01, CA02, CA03, CA04 and 20 more"


def test_an_end_that_cannot_be_written_is_an_end_all_the_same(tmp_path: Path) -> None:
    warnings: list[str] = []
    journal = Journal(tmp_path, warn=warnings.append)
    journal.add(entry(1))
    (tmp_path / f"{SID}.ended.json").mkdir()
    journal.end(entry(1), ENDING)
    assert not list(tmp_path.glob("*.call.json"))
    assert [SID in warning for warning in warnings] == [True]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'{"call_sid": "\xff"}',
        b"[" * 9,
        msgspec.json.encode({**msgspec.to_builtins(entry(1)), "pid": 2**40}),
        msgspec.json.encode({**msgspec.to_builtins(entry(1)), "pid": -1}),
    ],
)
def test_a_broken_entry_is_no_orphan_and_stops_nobody(
    tmp_path: Path, dead: int, content: bytes
) -> None:
    leave(tmp_path, entry(dead))
    warnings: list[str] = []
    journal = Journal(tmp_path, warn=warnings.append)
    (tmp_path / "CA0.call.json").write_bytes(content)
    (tmp_path / "CA1.call.json").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert [orphan.call_sid for orphan in journal.orphans(ACCOUNT, BASE_URL)] == [SID]
    assert sorted(warning.split()[0][-13:] for warning in warnings) == [
        "CA0.call.json",
        "CA1.call.json",
    ]


def test_without_a_folder_there_are_no_orphans(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "none").orphans(ACCOUNT, BASE_URL)) == []


def test_a_call_is_in_the_journal_from_its_creation_to_its_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, create=[CallRecord(SID, "queued", None)], fetch=[LIVE], hang_up=[OVER])
    desk.run(place)
    assert desk.files == [f"{SID}.call.json"]
    written = msgspec.json.decode((desk.folder / desk.files[0]).read_bytes(), type=Entry)
    assert (written.account_sid, written.base_url) == (ACCOUNT, BASE_URL)
    assert written.pid == os.getpid()
    assert (written.to, written.from_) == ("…0001", "…4321")
    assert desk.run(end) == OVER
    assert (desk.files, desk.warnings) == ([f"{SID}.ended.json"], [])
    desk.placed.note_outcome(end_reason="completed", seconds_heard=1.5, exit_code=0)
    (ended,) = desk.journal.entries()
    assert ended.ending is not None
    assert (ended.ending.status, ended.ending.duration) == ("completed", 3)
    assert (ended.ending.seconds_heard, ended.ending.exit_code) == (1.5, 0)


def test_the_tunnel_of_a_call_is_in_the_journal_and_so_is_the_next_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, create=[LIVE], fetch=[OVER])
    desk.placed.through("public-url")
    desk.run(place)
    assert [(e.tunnel, e.agent) for e in desk.journal.entries()] == [("public-url", None)]
    desk.placed.through("ngrok", os.getpid())
    (written,) = desk.journal.entries()
    assert (written.tunnel, written.agent) == ("ngrok", identify(os.getpid()))
    desk.run(end)
    desk.placed.through("ssh")
    assert desk.files == [f"{SID}.ended.json"]


@pytest.mark.parametrize(
    ("fetch", "hang_up", "asked"),
    [
        ([OVER], [AWAY], ["fetch"]),
        ([LIVE], [OVER], ["fetch", "hang_up"]),
        ([AWAY, LIVE], [AWAY, OVER], ["fetch", "fetch", "hang_up", "fetch", "hang_up"]),
        ([LIVE, OVER], [LIVE], ["fetch", "hang_up", "fetch"]),
        ([GONE], [FORGOTTEN], ["fetch", "hang_up"]),
        ([GONE], [UNANSWERED], ["fetch", "hang_up"]),
        ([GONE, OVER], [LIVE], ["fetch", "hang_up", "fetch"]),
        ([BROKEN], [OVER], ["fetch", "hang_up"]),
    ],
)
def test_a_call_is_seen_to_end(
    tmp_path: Path, fetch: list[Reply], hang_up: list[Reply], asked: list[str]
) -> None:
    desk = Desk(tmp_path, create=[LIVE], fetch=[*fetch], hang_up=[*hang_up])
    record = desk.run(place, end)
    assert (record.sid, record.ended) == (SID, True)
    assert [name for name, _ in desk.twilio.asked[1:]] == asked
    assert (desk.files, desk.warnings) == ([f"{SID}.ended.json"], [])


@pytest.mark.parametrize(
    ("fetch", "hang_up"),
    [([AWAY], [AWAY]), ([LIVE], [AWAY]), ([LIVE], [LIVE]), ([AuthError("who?")], [AWAY])],
)
def test_a_call_that_cannot_be_ended_is_told_with_the_command_that_does(
    tmp_path: Path, fetch: list[Reply], hang_up: list[Reply]
) -> None:
    desk = Desk(tmp_path, create=[LIVE], fetch=fetch, hang_up=hang_up)
    assert desk.run(place, end) == LIVE
    assert desk.warnings == [
        f"CALL {SID} MAY STILL BE LIVE. End it: asyncflow calls hangup {SID}, or "
        f"curl -X POST -d Status=completed -u {ACCOUNT}:$TWILIO_AUTH_TOKEN "
        f"{BASE_URL}/2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json"
    ]
    assert desk.files == [f"{SID}.call.json"]
    assert len([1 for name, _ in desk.twilio.asked if name == "fetch"]) == len(AT_ONCE)


def test_hanging_up_is_tried_for_seconds_and_at_once_first() -> None:
    assert len(HANG_UP_TRIES) >= 3
    assert HANG_UP_TRIES[0] == 0 < sum(HANG_UP_TRIES) < 10


def test_a_call_that_was_not_made_needs_no_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, create=[AWAY])
    with pytest.raises(NetworkError):
        desk.run(place)
    assert desk.run(end) is None
    assert (desk.placed.sid, desk.files, desk.warnings) == (None, [], [])


@pytest.mark.parametrize(("reply", "sid"), [(LIVE, SID), (AWAY, None)])
def test_a_call_that_is_being_made_when_we_are_cancelled_is_known(
    tmp_path: Path, reply: Reply, sid: str | None
) -> None:
    desk = Desk(tmp_path, create=[reply], fetch=[LIVE] * 4, hang_up=[LIVE] * 4)

    async def test() -> None:
        placing = asyncio.create_task(desk.placed.place(REQUEST))
        await desk.twilio.creating.wait()
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        asyncio.get_running_loop().call_soon(desk.twilio.created.set)
        await desk.placed.end()

    asyncio.run(test())
    assert desk.placed.sid == sid
    assert desk.files == ([f"{SID}.call.json"] if sid else [])


def test_a_journal_that_cannot_be_written_is_a_warning_and_the_call_goes_on(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, create=[LIVE], fetch=[OVER])
    desk.folder.write_text("no folder")
    desk.run(place)
    assert desk.placed.sid == SID
    (warning,) = desk.warnings
    assert "in no journal" in warning
    assert f"{desk.folder} cannot be written: " in warning
    assert "Errno" not in warning


@pytest.mark.parametrize(
    ("fetch", "hang_up", "words", "stays"),
    [
        (OVER, AWAY, "had ended by itself (completed)", False),
        (LIVE, OVER, "was still live and was hung up (completed)", False),
        (GONE, FORGOTTEN, "Twilio no longer knows it", False),
        (GONE, UNANSWERED, "was still live and was hung up (canceled)", False),
        (AWAY, AWAY, "IT MAY STILL BE LIVE: away", True),
        (LIVE, AWAY, "IT MAY STILL BE LIVE: away", True),
        (LIVE, LIVE, "IT MAY STILL BE LIVE: Twilio has it in-progress still", True),
    ],
)
def test_what_became_of_an_orphan_is_told(
    tmp_path: Path, dead: int, fetch: Reply, hang_up: Reply, words: str, stays: bool
) -> None:
    desk = Desk(tmp_path, fetch=[fetch], hang_up=[hang_up])
    leave(desk.folder, entry(dead))
    desk.run(end_orphans)
    (warning,) = desk.warnings
    assert SID in warning
    assert words in warning
    assert desk.files == [f"{SID}.call.json" if stays else f"{SID}.ended.json"]


def test_an_orphan_that_takes_a_moment_to_end_was_hung_up(tmp_path: Path, dead: int) -> None:
    desk = Desk(tmp_path, fetch=[LIVE, LIVE, OVER], hang_up=[LIVE, LIVE])
    leave(desk.folder, entry(dead))
    desk.run(end_orphans)
    (warning,) = desk.warnings
    assert "was still live and was hung up (completed)" in warning
    assert desk.files == [f"{SID}.ended.json"]


def test_the_calls_of_others_are_left_alone(tmp_path: Path, dead: int) -> None:
    desk = Desk(tmp_path)
    others = {"CA1": {"account_sid": "AC9"}, "CA2": {"base_url": "http://127.0.0.1:1"}}
    leave(desk.folder, *(entry(dead, call_sid=sid, **other) for sid, other in others.items()))
    desk.journal.add(entry(dead, call_sid="CA3"))
    before = desk.files
    desk.run(end_orphans)
    assert (desk.twilio.asked, desk.warnings, desk.files) == ([], [], before)


def test_a_create_request_without_an_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, create=[LIVE])
    monkeypatch.setattr("asyncflow_cli.transport.placed.ANSWER_WITHIN", 0.01)

    async def stop_while_dialling() -> Any:
        placing = asyncio.create_task(desk.placed.place(REQUEST))
        await desk.twilio.creating.wait()
        placing.cancel()
        await asyncio.wait([placing])
        return await desk.placed.end()

    assert asyncio.run(stop_while_dialling()) is None
    assert ["MAY BE LIVE" in warning for warning in desk.warnings] == [True]


def test_the_process_of_an_orphans_tunnel_is_ended_and_no_other(tmp_path: Path, dead: int) -> None:
    desk = Desk(tmp_path, fetch=[OVER])
    waits = [sys.executable, "-IS", "-c", "import sys; sys.stdin.read()"]
    with (
        subprocess.Popen(waits, stdin=subprocess.PIPE, start_new_session=True) as agent,
        subprocess.Popen(waits, stdin=subprocess.PIPE, start_new_session=True) as stranger,
    ):
        ours, theirs = identify(agent.pid), Running(stranger.pid, "ngrok, long ago")
        leave(
            desk.folder,
            entry(dead, call_sid="CA1", agent=ours),
            entry(dead, call_sid="CA2", agent=theirs),
        )
        desk.run(end_orphans)
        assert agent.wait(10) != 0
        assert stranger.poll() is None
        stranger.kill()
