"""`asyncflow call`, whole: our command line, real sockets, the sandbox's Twilio, its phone line."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import av
import msgspec
import pytest
from websockets.sync.server import ServerConnection

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from tests.conftest import FROM, TO, Run, ServedSandbox, environment, start, wait_for_line
from tests.documents import checked
from tests.heard import around
from tests.speechservers import (
    Script,
    SpeechServer,
    drops,
    refuses,
    says_nothing,
)

TEXT = "Your table is ready. We look forward to seeing you."
LONG = " ".join([TEXT] * 12)
LEAD_IN = MULAW_SILENCE * 1600


def mulaw_of(path: Path) -> bytes:
    content = path.read_bytes()
    return content[content.index(b"data") + 8 :]


def test_the_callee_hears_every_byte_to_the_last_word(
    sandboxed: Run, fast: ServedSandbox, home: Path
) -> None:
    before = fast.sandbox.store.count_speeches()
    result = sandboxed("call", "--to", TO, "--from", FROM, TEXT, "--save-heard", "h.wav", "--json")
    assert result.code == 0, result.err
    spoken = fast.sandbox.store.speeches(after=before)
    assert len(spoken) == 2, "a sentence at a time"
    sent = sum(len(speech.audio) for speech in spoken)
    lead_in, after = around(mulaw_of(home / "h.wav"), (speech.audio for speech in spoken))
    assert len(lead_in) >= len(LEAD_IN)
    assert set(lead_in + after) == {MULAW_SILENCE[0]}
    report = result.json
    assert report["status"] == report["end_reason"] == "completed"
    assert report["seconds_heard"] == report["seconds_sent"] == pytest.approx(sent / 8000, abs=1e-3)
    assert 0 <= report["first_frame_ms"] < 10_000
    assert 0 < report["seconds_answered"] < 60
    assert report["heard_file"] == "h.wav"
    assert (home / "h.wav").stat().st_mode & 0o777 == 0o600
    assert fast.ended()


def test_one_call_three_renderings(sandboxed: Run) -> None:
    human = sandboxed("call", "--to", TO, "--from", FROM, "Hello.")
    quiet = sandboxed("call", "--to", TO, "--from", FROM, "Hello.", "-q")
    document = sandboxed("--json", "call", "--to", TO, "--from", FROM, "Hello.")
    assert human.out.splitlines()[0].split()[:2] == ["call", "sid"]
    assert f"Calling {TO} from your number {FROM}" in human.err
    assert (quiet.out, quiet.err) == ("completed\n", "")
    assert (document.json["schema"], document.err) == ("asyncflow.call", "")


def test_the_text_may_come_from_anywhere(sandboxed: Run, fast: ServedSandbox, home: Path) -> None:
    (home / "text.txt").write_text(TEXT)
    call = ("call", "--to", TO, "--from", FROM)
    for args, stdin in (((TEXT,), b""), (("-f", "text.txt"), b""), (("-",), TEXT.encode())):
        assert sandboxed(*call, *args, stdin=stdin).code == 0
    spoken = [speech.audio for speech in fast.sandbox.store.speeches()[-6:]]
    assert spoken[:2] == spoken[2:4] == spoken[4:]


def test_numbers_come_from_the_vendors_variables_too(sandboxed: Run, home: Path) -> None:
    (home / ".env").write_text(f"OUTBOUND_NUMBER={TO}\nINBOUND_NUMBER=ignored\n")
    result = sandboxed("call", "Hello.", "--json")
    assert result.code == 0, result.err
    assert (result.json["to"], result.json["from"]) == (TO, FROM)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TWILIO_REGION", "no such/region", "is no region of Twilio"),
        ("TWILIO_REGION", "ie1", "region and edge go together"),
        ("TWILIO_EDGE", "dublin", "region and edge go together"),
        ("INBOUND_NUMBER", "+1555", "is no phone number"),
    ],
)
def test_a_wrong_setting_is_told_with_where_it_was_set(
    sandboxed: Run, home: Path, variable: str, value: str, words: str
) -> None:
    (home / ".env").write_text(f"{variable}='{value}'\n")
    result = sandboxed("call", "--to", TO, "Hello.", **({variable: ""}))
    assert result.code in (2, 10)
    assert f"Error: .env {variable}: " in result.err
    assert words in " ".join(result.err.split())


@pytest.mark.parametrize(
    ("args", "variables", "code", "error"),
    [
        (("--to", "5551230001"), {}, 2, "BAD_PHONE_NUMBER"),
        (("--to", "+1555123000x"), {}, 2, "BAD_PHONE_NUMBER"),
        (("--from", "12"), {}, 2, "BAD_PHONE_NUMBER"),
        ((), {"INBOUND_NUMBER": ""}, 10, "SETTING_MISSING"),
        ((), {"ASYNC_API_KEY": ""}, 10, "SETTING_MISSING"),
        ((), {"TWILIO_AUTH_TOKEN": ""}, 10, "SETTING_MISSING"),
        ((), {"TWILIO_AUTH_TOKEN": "0" * 32}, 4, "TWILIO_20003"),
        ((), {"TWILIO_BASE_URL": "http://127.0.0.1:1"}, 6, "TWILIO_UNREACHABLE"),
        ((), {"ASYNC_API_KEY": "sk_wrong"}, 4, "INVALID_API_KEY"),
        ((), {"ASYNC_BASE_URL": "http://127.0.0.1:1"}, 6, "CONNECTION_FAILED"),
        ((), {"TWILIO_REGION": "ie1"}, 10, "PREREQUISITE_MISSING"),
        (("--voice", "nobody"), {}, 3, "VOICE_NOT_FOUND"),
        (("--language", "xx"), {}, 2, "INVALID_LANGUAGE"),
        (("--from", "+441632960000"), {}, 22, "TWILIO_21210"),
        (("--max-duration", "0s"), {}, 2, "USAGE"),
        (("--ring-timeout", "11m"), {}, 2, "USAGE"),
        (("--public-url", "wss://host.example/?a=1"), {}, 2, "USAGE"),
        (("--public-url", "ws://host.example"), {}, 2, "USAGE"),
        (("--save-heard", "no/where.wav"), {}, 2, "USAGE"),
        (("--save-heard", "heard.mp3"), {}, 2, "USAGE"),
        (("--save-heard", "-"), {}, 2, "USAGE"),
        (("--public-url", "ws://127.0.0.1:1"), {}, 6, "PUBLIC_URL_UNREACHABLE"),
    ],
)
def test_what_is_wrong_beforehand_rings_no_phone(
    sandboxed: Run,
    fast: ServedSandbox,
    args: tuple[str, ...],
    variables: dict[str, str],
    code: int,
    error: str,
) -> None:
    calls = len(fast.statuses)
    result = sandboxed("call", "--to", TO, "Hello.", "--json", "--retries", "0", *args, **variables)
    assert (result.code, result.out) == (code, ""), result.err
    assert result.error["code"] == error
    assert result.error["exit_code"] == code
    assert "Traceback" not in result.err
    assert len(fast.statuses) == calls


def test_mark_up_that_is_none_rings_no_phone(sandboxed: Run, fast: ServedSandbox) -> None:
    calls = len(fast.statuses)
    result = sandboxed("call", "--to", TO, "a <break> b", "--json")
    assert (result.code, result.error["code"]) == (2, "BAD_MARKUP")
    assert len(fast.statuses) == calls


def test_a_dry_run_needs_no_key_and_no_network_and_says_what_would_be_asked_for(run: Run) -> None:
    nowhere = {"TWILIO_BASE_URL": "http://127.0.0.1:1", "ASYNC_BASE_URL": "http://127.0.0.1:1"}
    call = ("call", "--to", TO, "--from", FROM, "Hello.", "--dry-run", "--machine", "hangup")
    plan = run(*call, "--public-url", "wss://h.example", "--json", **nowhere)
    assert (plan.code, plan.err) == (0, "")
    parameters = plan.json["parameters"]
    assert (parameters["To"], parameters["TimeLimit"]) == (TO, 120)
    assert 'url="wss://h.example/twilio/media/***"' in parameters["Twiml"]
    assert parameters["MachineDetection"] == "Enable"
    human = run(*call, **nowhere)
    assert human.out.splitlines()[0].split(maxsplit=2)[2].startswith(TO)
    assert "at most 2 billed minutes; machine detection, for each call" in human.out


def test_a_failure_is_one_clear_error_for_people(sandboxed: Run) -> None:
    result = sandboxed("call", "--to", "+15551230486", "Hello.", "--quiet")
    lines = ["Error: The line is busy", "  [CALLEE_BUSY] asyncflow explain CALLEE_BUSY"]
    assert result.err.splitlines() == lines


def test_a_cut_call_tells_how_much_was_heard(run: Run, served: ServedSandbox) -> None:
    result = run("call", "--to", "+15551230410", LONG, "--json", **served.environ)
    report = result.error["details"]
    heard = served.sandbox.heard(report["call_sid"]).lstrip(MULAW_SILENCE)
    assert report["seconds_heard"] == pytest.approx(len(heard) / 8000, abs=1), "a mark a second"
    assert report["seconds_sent"] > 20


@pytest.mark.parametrize(
    ("script", "code", "error"),
    [
        (drops, 24, "CUT_SHORT"),
        (refuses, 5, "USAGE_LIMIT_EXCEEDED"),
        (says_nothing, 7, "TTS_EMPTY"),
    ],
)
def test_a_failing_speech_service_leaves_no_live_call(
    sandboxed: Run, fast: ServedSandbox, script: Script, code: int, error: str
) -> None:
    with SpeechServer(script) as server:
        result = sandboxed("call", "--to", TO, TEXT, "--json", ASYNC_BASE_URL=server.url)
    assert result.code == code, result.err
    assert result.error["code"] == error
    fast.finish()
    assert fast.ended()


@pytest.mark.parametrize(
    ("to", "moment"), [("+15551230480", "Ringing"), (TO, "Speaking")], ids=["ringing", "speaking"]
)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_signal_ends_the_call_before_it_ends_us(
    served: ServedSandbox, home: Path, to: str, moment: str, number: int, code: int
) -> None:
    process = start(home, "call", "--to", to, LONG, **served.environ)
    with process:
        wait_for_line(process.stderr, moment)
        process.send_signal(number)
        assert process.stderr is not None
        words = process.stderr.read().decode()
    assert process.returncode == code
    assert "Traceback" not in words
    assert "MAY STILL BE LIVE" not in words
    served.finish()
    assert served.ended()
    assert not list((home / "state").rglob("*.call.json"))


def test_a_second_signal_does_not_stop_the_hanging_up(served: ServedSandbox, home: Path) -> None:
    with start(home, "call", "--to", TO, LONG, **served.environ) as process:
        wait_for_line(process.stderr, "Speaking")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode in (130, 143)
    served.finish()
    assert served.ended()
    assert not list((home / "state").rglob("*.call.json"))


def test_after_a_sigkill_the_call_ends_by_itself_and_the_next_run_tells(
    served: ServedSandbox, home: Path, run: Run
) -> None:
    with start(home, "call", "--to", TO, LONG, **served.environ) as process:
        wait_for_line(process.stderr, "Speaking")
        process.kill()
    served.finish()
    assert served.statuses[0] == "completed"
    sid = served.sandbox.store.calls()[0].sid
    result = run("call", "--to", "+15551230486", "Hello.", **served.environ)
    assert result.code == 20
    assert f"left call {sid}" in result.err
    assert "had ended by itself (completed)" in result.err
    assert sid not in run("call", "--to", "+15551230486", "Hi", **served.environ).err


def test_a_call_that_outlived_its_owner_is_hung_up_by_the_next_run(
    served: ServedSandbox, home: Path, run: Run
) -> None:
    with start(home, "call", "--to", "+15551230480", LONG, **served.environ) as process:
        wait_for_line(process.stderr, "Ringing")
        process.kill()
    assert not served.ended()
    result = run("call", "--to", "+15551230486", "Hello.", **served.environ)
    assert "was still live and was hung up" in result.err
    served.finish()
    assert served.ended()


def test_the_embedded_sandbox_needs_nothing(run: Run, home: Path) -> None:
    result = run("--sandbox", "call", "--to", TO, "--from", FROM, "Hi.", "--save-heard", "h.wav")
    assert result.code == 0, result.err
    with av.open("h.wav") as heard:
        assert heard.streams.audio[0].codec_context.name == "pcm_mulaw"
    assert len(mulaw_of(home / "h.wav")) > 4000


def test_what_happened_is_written_down_for_programs_and_for_people(
    sandboxed: Run, home: Path
) -> None:
    call = ("call", "--to", TO, "--from", FROM, TEXT, "--report", "c.json", "--report", "c.html")
    assert sandboxed(*call).code == 0
    written = checked(msgspec.json.decode((home / "c.json").read_bytes()))
    assert (written["exit_code"], written["report"]["end_reason"]) == (0, "completed")
    assert written["trace"]["events"][-1]["event"] == "hung-up"
    assert all(mark["echoed"] for mark in written["trace"]["marks"])
    assert written["trace"]["callee"]["levels"]
    html = (home / "c.html").read_text()
    assert TO not in html
    assert "We look forward to seeing you." in html
    assert {path.stat().st_mode & 0o777 for path in home.glob("c.*")} == {0o600}


def test_a_call_that_failed_is_written_down_too(sandboxed: Run, home: Path) -> None:
    result = sandboxed("call", "--to", "+15551230486", "Hello.", "--report", "c.json")
    assert result.code == 20
    written = checked(msgspec.json.decode((home / "c.json").read_bytes()))
    assert (written["exit_code"], written["failure"]["code"]) == (20, "CALLEE_BUSY")
    assert written["report"]["sip_code"] == "486"
    assert written["report"]["seconds_answered"] is None


@pytest.mark.parametrize("path", ["c.txt", "no/c.json"])
def test_a_report_that_cannot_be_written_rings_nobody(
    sandboxed: Run, fast: ServedSandbox, path: str
) -> None:
    calls = len(fast.statuses)
    assert sandboxed("call", "--to", TO, "Hello.", "--report", path).code == 2
    assert len(fast.statuses) == calls


def test_a_call_that_is_stopped_tells_what_was_heard_until_then(
    served: ServedSandbox, home: Path
) -> None:
    call = ("call", "--to", TO, LONG, "--json", "--report", "c.json")
    with start(home, *call, **served.environ) as process:
        wait_for_line(process.stdout, "first-frame")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    error = checked(msgspec.json.decode(err))["error"]
    assert error["details"]["end_reason"] == "stopped"
    assert not error["details"]["last_word_heard"]
    assert msgspec.json.decode(out.splitlines()[-1])["event"] == "error"
    written = checked(msgspec.json.decode((home / "c.json").read_bytes()))
    assert written["report"]["status"] == "completed"


KEEP = ("--save-heard", "h.wav", "--report", "c.json")


def test_a_call_that_was_cut_short_names_the_files_it_wrote(run: Run, home: Path) -> None:
    call = ("call", "--to", TO, LONG, *KEEP)
    with ServedSandbox(speed=20, callees={TO: "answer after 0s; hang up after 4s"}) as line:
        told = run(*call, **line.environ)
        details = run(*call, "--json", **line.environ).error["details"]
    assert told.code == 24, told.err
    assert "heard file    h.wav\n" in told.err
    assert (details["heard_file"], details["report_files"]) == ("h.wav", ["c.json"])
    written = checked(msgspec.json.decode((home / "c.json").read_bytes()))
    assert written["report"]["heard_file"] == "h.wav"
    assert len(mulaw_of(home / "h.wav")) > 4000


def test_a_call_that_is_stopped_names_the_files_it_wrote(served: ServedSandbox, home: Path) -> None:
    with start(home, "call", "--to", TO, LONG, "--json", *KEEP, **served.environ) as process:
        wait_for_line(process.stdout, "first-frame")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
    assert process.returncode == 143
    details = checked(msgspec.json.decode(err))["error"]["details"]
    assert (details["heard_file"], details["report_files"]) == ("h.wav", ["c.json"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is always full here")
def test_what_came_of_a_call_outlives_a_file_that_cannot_be_written(sandboxed: Run) -> None:
    call = ("call", "--to", TO, "Hello.", "--save-heard", "/dev/full", "--report", "c.json")
    result = sandboxed(*call, "--json")
    assert (result.code, result.error["code"]) == (1, "DISK_FULL")
    details = result.error["details"]
    assert (details["end_reason"], details["heard_file"]) == ("completed", None)
    assert details["report_files"] == ["c.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is always full here")
def test_a_call_that_failed_ends_so_whatever_cannot_be_written(sandboxed: Run, home: Path) -> None:
    (home / "full.json").symlink_to("/dev/full")
    call = ("call", "--to", "+15551230486", "Hello.", "--save-heard", "/dev/full")
    result = sandboxed(*call, "--report", "full.json", "--report", "c.json")
    assert result.code == 20, result.err
    assert "/dev/full was not written" in result.err
    assert "full.json was not written" in result.err
    assert checked(msgspec.json.decode((home / "c.json").read_bytes()))["exit_code"] == 20


def test_a_signal_that_comes_while_a_stopped_call_is_told_changes_nothing(
    served: ServedSandbox, home: Path
) -> None:
    with start(home, "call", "--to", TO, LONG, "--json", **served.environ) as process:
        wait_for_line(process.stdout, "first-frame")
        process.send_signal(signal.SIGINT)
        wait_for_line(process.stdout, '"error"')
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.001)
        err = process.stderr.read() if process.stderr else b""
    assert process.returncode == 130, err
    assert checked(msgspec.json.decode(err))["error"]["details"]["end_reason"] == "stopped"


def test_everything_that_is_not_set_is_told_at_once(run: Run) -> None:
    result = run("call", "--to", TO, "Hello.", "--json")
    assert (result.code, result.error["code"]) == (10, "SETTING_MISSING")
    wanted = ("INBOUND_NUMBER", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "ASYNC_API_KEY")
    assert [name for name in wanted if name not in result.error["message"]] == []


@pytest.mark.parametrize(
    "args",
    [
        ("--tunnel", "carrier-pigeon", "--dry-run"),
        ("--public-url", "wss://h.example"),
        ("--press-to-repeat", "1", "--press-to-stop", "1"),
    ],
)
def test_an_order_that_makes_no_sense_is_wrong_usage(sandboxed: Run, args: tuple[str, ...]) -> None:
    assert sandboxed("call", "--to", TO, "--from", FROM, "Hello.", *args).code == 2


def test_a_call_that_failed_says_which_it_was_and_what_was_heard(sandboxed: Run) -> None:
    words = sandboxed("call", "--to", "+15551230486", "Hello.").err
    assert "call sid      CA" in words
    assert "ended         busy" in words


def test_what_a_killed_run_left_in_its_own_sandbox_is_gone_with_it(home: Path, run: Run) -> None:
    with start(home, "--sandbox", "call", "--to", "+15551230480", LONG) as process:
        wait_for_line(process.stderr, "Ringing")
        process.kill()
    assert run("calls", "list", "--json").json["calls"] == []
    assert run("--sandbox", "calls", "list", "--live", "--json").json["calls"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_a_closed_stdout_and_stderr_are_written_to_in_vain(home: Path) -> None:
    command = f"{sys.executable} -m asyncflow_cli --sandbox explain 24 >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], env=environment(home), cwd=home).returncode == 0


def test_a_voice_that_the_service_does_not_know_is_asked_for_once(
    sandboxed: Run, fast: ServedSandbox
) -> None:
    asked: list[str] = []

    def knows_nobody(socket: ServerConnection, context: str) -> None:
        asked.append(context)
        socket.send(json.dumps({"error_code": "VOICE_NOT_FOUND", "message": "No such voice"}))

    calls = len(fast.statuses)
    with SpeechServer(knows_nobody) as server:
        result = sandboxed("call", "--to", TO, TEXT, "--json", ASYNC_BASE_URL=server.url)
    assert (result.code, result.error["code"], len(asked)) == (3, "VOICE_NOT_FOUND", 1)
    assert len(fast.statuses) == calls
