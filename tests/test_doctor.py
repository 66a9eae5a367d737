"""`asyncflow doctor` in worlds that are broken, each for real, and in whole ones."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from asyncflow_cli.protocol.catalogue import ENTRIES
from asyncflow_cli.protocol.doctorreport import DoctorReport, Finding, Standing
from asyncflow_cli.transport.doctor.machine import EXTRAS, amiss
from asyncflow_cli.transport.journal import Entry, Journal
from tests.conftest import FROM, TO, Result, Run, ServedSandbox, environment
from tests.documents import checked
from tests.httpservers import Service, serving
from tests.ports import deaf_port
from tests.transport.roads.test_ngrok import Agent

AWAY = "https://api.example.invalid"
"""A name that no resolver knows: https://www.rfc-editor.org/rfc/rfc6761#section-6.4"""

GONE = 2**31 - 2
"""A number that no process has."""


class Resolver:
    """Knows this machine, and one name at most."""

    def __init__(self, knows: str | None = None) -> None:
        self._knows = knows
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, *args: Any, **options: Any) -> Any:
        if host == self._knows:
            host = "127.0.0.1"
        if host not in ("127.0.0.1", "localhost", None):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._real(host, *args, **options)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without network, proxy and tunnels."""
    monkeypatch.setattr(socket, "getaddrinfo", Resolver())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "bin" / "none"))


def report(result: Result) -> dict[str, Any]:
    """What doctor found: on stdout if all is well, else beside the error."""
    if result.code == 0:
        return dict(result.json)
    assert (result.out, result.error["code"]) == ("", "PROBLEMS_FOUND")
    return dict(checked(result.error["details"]))


def finding(result: Result, check: str) -> dict[str, Any]:
    (found,) = [each for each in report(result)["findings"] if each["check"] == check]
    return dict(found)


def assert_named(
    result: Result, check: str, code: str, remedy: str, exit_code: int, *others: str
) -> None:
    """The check is told to be a problem with this code and remedy, and decides the exit code.
    Besides `others` there is no other problem, so that nobody is sent the wrong way."""
    problems = {f["check"] for f in report(result)["findings"] if f["standing"] == "problem"}
    assert problems == {check, *others}
    found = finding(result, check)
    assert (found["standing"], found["code"]) == ("problem", code), found
    assert remedy in found["remedy"]
    assert (found["exit_code"], result.code) == (exit_code, exit_code)
    assert code in ENTRIES


def test_the_sandbox_is_well(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json")
    assert (result.code, result.err, report(result)["exit_code"]) == (0, "", 0)
    standings = {found["check"]: found["standing"] for found in report(result)["findings"]}
    assert "problem" not in standings.values()
    assert len(standings) > 20
    for check in ("API over HTTP", "API over WebSocket", "voice", "clock", "way in"):
        assert standings[check] == "ok", finding(result, check)


def test_an_embedded_sandbox_is_well_too(run: Run) -> None:
    assert run("--sandbox", "doctor", "-q").code == 0


# Twelve broken worlds


def test_no_key(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", ASYNC_API_KEY="")
    assert_named(result, "API key", "SETTING_MISSING", "Set ASYNC_API_KEY", 10)
    assert finding(result, "API over HTTP")["standing"] == "skipped"
    assert finding(result, "Twilio account")["standing"] == "ok"


def test_a_bad_key(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", ASYNC_API_KEY="sk_of_somebody_else_0123")
    assert_named(result, "API over HTTP", "INVALID_API_KEY", "Check ASYNC_API_KEY", 4)
    assert finding(result, "API over WebSocket")["found"] == "API over HTTP comes first"


class Watch(Service):
    """A service whose clock is not ours."""

    ahead: ClassVar[float]

    def do_GET(self) -> None:
        self.answer(b'{"status":"ok","version":"v1"}', "application/json")

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        return formatdate(time.time() + self.ahead, usegmt=True)


@pytest.mark.parametrize(
    ("ahead", "told"), [(-130, "2 minutes fast"), (130, "2 minutes slow"), (-1e6, "12 days fast")]
)
def test_a_wrong_clock(sandboxed: Run, ahead: float, told: str) -> None:
    with serving(type("Ahead", (Watch,), {"ahead": ahead})) as url:
        result = sandboxed("doctor", "--json", ASYNC_BASE_URL=url)
    assert_named(result, "clock", "CLOCK_WRONG", "timedatectl", 10, "API over HTTP")
    assert told in finding(result, "clock")["found"]


def test_no_dns(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", ASYNC_BASE_URL=AWAY)
    assert_named(result, "DNS", "DNS_FAILED", "nslookup api.example.invalid", 6)
    skipped = {f["check"] for f in report(result)["findings"] if f["found"] == "DNS comes first"}
    assert skipped == {"connection"}, "one cause is told once"


def test_a_proxy_in_the_way(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with deaf_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:CANARY@127.0.0.1:{port}")
        result = sandboxed("doctor", "--json", ASYNC_BASE_URL=AWAY)
    assert_named(result, "proxy", "PROXY_FAILED", "unset HTTPS_PROXY", 6)
    assert "CANARY" not in result.out


def test_a_proxy_that_is_not_on_the_way_is_not_blamed(
    sandboxed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.invalid")
    result = sandboxed("doctor", "--json", ASYNC_BASE_URL=AWAY)
    assert_named(result, "DNS", "DNS_FAILED", "nslookup", 6)


def test_no_agent(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ngrok", None)  # as without the extra
    result = sandboxed("doctor", "--json", TWILIO_BASE_URL=AWAY)
    missing = "ngrok agent", "tunnels", "Twilio login"
    assert_named(result, "ngrok agent", "NGROK_MISSING", "ngrok.com/download", 10, *missing)
    assert_named(result, "tunnels", "TUNNEL_MISSING", "ngrok.com/download", 10, *missing)


def test_ngrok_without_a_token(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", TWILIO_BASE_URL=AWAY)
    remedy = "asyncflow auth login --service ngrok"
    assert_named(result, "tunnels", "SETTING_MISSING", remedy, 10, "Twilio login")
    assert "ngrok's SDK is installed and has no token" in finding(result, "tunnels")["found"]
    agent = finding(result, "ngrok agent")
    assert (agent["standing"], agent["found"].split(",")[0]) == (
        "warning",
        "ngrok's agent is not installed",
    )


def test_a_bad_token(sandboxed: Run, tmp_path: Path) -> None:
    Agent(tmp_path / "bin").make("ERR_NGROK_105")
    result = sandboxed("doctor", "--json", TWILIO_BASE_URL=AWAY)
    assert_named(result, "way in", "ERR_NGROK_105", "without quotes", 10, "Twilio login")
    assert finding(result, "ngrok agent")["standing"] == "ok"
    assert finding(result, "tunnels")["found"].startswith("ngrok; not set up: ngrok-sdk, cloudf")


def test_a_trial_account(run: Run) -> None:
    with ServedSandbox(account=["trial"]) as served:
        result = run("doctor", "--json", **served.environ)
    assert_named(result, "Twilio account", "TRIAL_ACCOUNT", "Upgrade the account", 4)


def test_a_number_of_somebody_else(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", INBOUND_NUMBER="+442071838750")
    assert_named(
        result, "number to call from", "TWILIO_21210", "a number of this Twilio account", 22
    )
    assert FROM in finding(result, "number to call from")["found"]


def test_a_port_that_is_taken(sandboxed: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = sandboxed("doctor", "--json", "--port", port)
    assert_named(result, "port", "PORT_TAKEN", "Leave the port out", 10)


SMALL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from asyncflow_cli.__main__ import main
main()
"""

TINY = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"'


def in_little_room(home: Path) -> Iterator[tuple[list[str], list[str]]]:
    """The beginning of a command that runs where files may hardly grow; and which checks tell of
    it besides that of the state."""
    yield [sys.executable, "-c", SMALL], ["room here"]
    state = home / "state"
    state.mkdir()
    tiny = ["/usr/bin/unshare", "-rm", "/bin/sh", "-c", TINY, "sh", str(state)]
    if (
        Path(tiny[0]).exists()
        and subprocess.run([*tiny, "true"], capture_output=True).returncode == 0
    ):
        yield [*tiny, sys.executable, "-m", "asyncflow_cli"], []


@pytest.mark.skipif(sys.platform == "win32", reason="nothing there limits the size of a file")
def test_a_full_disk(home: Path, fast: ServedSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    variables = environment(home, **fast.environ)
    for command, others in in_little_room(home):
        done = subprocess.run(
            [*command, "doctor", "--offline", "--json"],
            env=variables,
            cwd=home,
            capture_output=True,
        )
        result = Result(done.returncode, done.stdout, done.stderr.decode())
        assert_named(result, "room for state", "DISK_FULL", "df -h", 10, *others)


@pytest.mark.skipif(os.name != "posix", reason="modes say nothing there")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620])
def test_a_loose_file_mode_is_named_and_mended(sandboxed: Run, home: Path, mode: int) -> None:
    secret, calls = home / ".env", home / "state" / "asyncflow" / "calls"
    secret.write_text("NGROK_AUTHTOKEN=0123456789abcdef\n")
    secret.chmod(mode)
    calls.mkdir(parents=True)
    calls.chmod(0o750)
    result = sandboxed("doctor", "--offline", "--json")
    found = finding(result, "private files")
    assert (found["standing"], found["code"], result.code) == ("warning", "FILE_MODE_LOOSE", 0)
    assert found["remedy"].startswith(f"chmod go= .env {calls}, or")
    fixed = sandboxed("doctor", "--fix", "--offline", "--json")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (secret, calls)] == [0o600, 0o700]
    assert finding(fixed, "private files")["standing"] == "ok"
    assert finding(fixed, "configuration")["standing"] == "ok"
    assert "nobody else may read .env any more" in report(fixed)["mended"]


# Others


def test_an_account_that_is_nearly_empty_is_a_warning(run: Run) -> None:
    with ServedSandbox(account=["balance=0.01"]) as served:
        result = run("doctor", "--json", **served.environ)
    found = finding(result, "Twilio balance")
    assert (found["standing"], found["code"]) == ("warning", "BALANCE_LOW")


def test_a_connection_without_tls_where_there_should_be(
    sandboxed: Run, fast: ServedSandbox
) -> None:
    url = fast.sandbox.url.replace("http:", "https:")
    result = sandboxed("doctor", "--json", ASYNC_BASE_URL=url)
    assert_named(result, "connection", "TLS_FAILED", "SSL_CERT_FILE", 6)


@pytest.mark.parametrize(
    ("variable", "value", "check", "code"),
    [
        ("HTTPS_PROXY", "foo://proxy", "proxy", "PROXY_UNUSABLE"),
        ("HTTPS_PROXY", "http://[::1", "proxy", "PROXY_UNUSABLE"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:1", "proxy", "PROXY_UNUSABLE"),
        ("SSL_CERT_FILE", "/nowhere/certificates.pem", "connection", "CERTIFICATES_UNREADABLE"),
    ],
)
def test_variables_that_nobody_can_go_by(
    sandboxed: Run,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    check: str,
    code: str,
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(knows="api.example.invalid"))
    result = sandboxed("doctor", "--json", ASYNC_BASE_URL=AWAY)
    assert_named(result, check, code, f"unset {variable}", 10)
    status = sandboxed("status", "--json", ASYNC_BASE_URL=AWAY)
    assert (status.code, status.error["code"]) == (10, code)


def test_a_key_that_looks_like_none_is_a_warning(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", "--offline", ASYNC_API_KEY="password")
    found = finding(result, "API key")
    assert (found["standing"], found["code"], result.code) == ("warning", "KEY_ODD", 0)


def test_half_a_login_at_twilio_is_a_problem(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--json", "--offline", TWILIO_AUTH_TOKEN="")
    assert_named(result, "Twilio credentials", "SETTING_MISSING", "TWILIO_AUTH_TOKEN", 10)


def test_what_is_local_is_told_before_what_is_graver(sandboxed: Run) -> None:
    result = sandboxed(
        "doctor",
        "--json",
        ASYNC_API_KEY="",
        INBOUND_NUMBER="+442071838750",
        TWILIO_AUTH_TOKEN="x" * 32,
    )
    codes = {f["exit_code"] for f in report(result)["findings"] if f["standing"] == "problem"}
    assert codes == {4, 10}
    assert result.code == 10


def test_it_works_with_no_configuration_at_all(run: Run) -> None:
    result = run("doctor")
    assert result.code == 10
    assert re.match(r"Error: \d problems? found\n  API key: ASYNC_API_KEY is not set", result.err)
    assert "problem  API key" in result.out
    assert "→ Set ASYNC_API_KEY in the environment or a .env file" in result.out
    assert "[SETTING_MISSING]" in result.out
    assert re.match(r"\d problems?, ", result.out.splitlines()[-1])


def test_quiet_tells_what_needs_somebody_and_nothing_where_all_is_well(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--offline", "-q", ASYNC_API_KEY="")
    (line,) = [line for line in result.out.splitlines() if not line.startswith("warning: player")]
    assert line.startswith("problem: API key: ASYNC_API_KEY is not set")
    assert line.endswith("[SETTING_MISSING]")
    assert "API key" not in sandboxed("doctor", "--offline", "-q").out


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_page_fits_and_breaks_no_word(width: int) -> None:
    long = "https://a.example/" + "x" * 50
    finding = Finding(
        check="API over WebSocket",
        standing=Standing.PROBLEM,
        found=f"words {'of a failure ' * 12}\n  on {long}",
        remedy="asyncflow explain CODE, and " * 5,
        code="CODE",
        exit_code=6,
    )
    lines = ["".join(text for text, _ in row) for row in DoctorReport.of((finding,)).page(width)]
    assert all(len(line) <= width or long in line for line in lines), lines
    assert any(line.endswith(long) for line in lines)
    assert any(line.strip().startswith("→ asyncflow explain") for line in lines)


@pytest.mark.parametrize(
    ("codes", "exit_code"),
    [((), 0), ((7, 6), 6), ((6, 4, 10), 10), ((22, 5), 22), ((1,), 1), ((3, 4), 4)],
)
def test_the_gravest_problem_decides_and_what_is_local_before_it(
    codes: tuple[int, ...], exit_code: int
) -> None:
    well = Finding(check="a", standing=Standing.WARNING, found="", exit_code=0)
    bad = [Finding(check="b", standing=Standing.PROBLEM, found="", exit_code=c) for c in codes]
    assert DoctorReport.of((well, *bad)).exit_code == exit_code


def test_it_works_where_the_configuration_cannot_be_read(run: Run, home: Path) -> None:
    (home / ".env").write_bytes(b"ASYNC_VOICE_ID=caf\xe9\n")
    result = run("doctor", "--json")
    assert (result.code, finding(result, "configuration")["found"]) == (2, ".env is not UTF-8")
    assert finding(result, "API key")["found"] == "configuration comes first"
    assert finding(result, "Python")["standing"] == "ok"


class Sealed:
    """A socket that leads nowhere."""

    def __init__(self) -> None:
        self.used = 0

    def __call__(self, *_: Any) -> None:
        self.used += 1
        raise OSError("sealed")


def test_offline_opens_no_socket(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Sealed()
    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, sealed)
    result = sandboxed("doctor", "--offline", "--json")
    assert (result.code, sealed.used) == (0, 0)
    assert finding(result, "API")["found"] == "--offline opens no socket"
    sandboxed("status", "--retries", "0")
    assert sealed.used


def test_calls_that_a_killed_run_left_are_ended_if_you_agree(
    sandboxed: Run, fast: ServedSandbox, home: Path
) -> None:
    journal = Journal(home / "state" / "asyncflow" / "calls")
    account = fast.environ["TWILIO_ACCOUNT_SID"]
    entry = Entry("CA" + "0" * 32, account, fast.sandbox.url, GONE, "2026-01-01T00:00:00Z")
    journal.add(entry)
    journal.close()
    path = home / "state" / "asyncflow" / "calls" / f"{entry.call_sid}.call.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(entry, locked=False)))
    found = finding(sandboxed("doctor", "--offline", "--json"), "unfinished calls")
    assert (found["standing"], found["code"]) == ("warning", "CALLS_LEFT")
    assert "asyncflow calls reap" in found["remedy"]
    (sealed,) = report(sandboxed("doctor", "--fix", "--offline", "--json"))["mended"]
    assert sealed.endswith("--offline opens no socket")
    (refused,) = report(sandboxed("doctor", "--fix", "--json"))["mended"]
    assert refused.startswith("not done: End the calls that runs left")
    mended = sandboxed("doctor", "--fix", "-y", "--json")
    assert finding(mended, "unfinished calls")["standing"] == "ok"
    assert not path.exists()


def test_a_library_that_is_gone_or_old_is_named() -> None:
    assert amiss("msgspec", "0.1") is None
    assert "is older than 99.0" in (amiss("msgspec", "99.0") or "")
    assert amiss("asyncflow-of-nowhere", None) == "asyncflow-of-nowhere is not installed"


def test_it_knows_every_extra_there_is() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert set(EXTRAS) == set(project["optional-dependencies"])


def test_a_bundle_tells_all_and_gives_nothing_away(sandboxed: Run, home: Path) -> None:
    secret = "CANARY-" + "0123456789abcdef" * 2
    (home / ".env").write_text(f"TWILIO_API_SECRET={secret}\nNGROK_AUTHTOKEN={secret}\n")
    result = sandboxed("doctor", "--bundle", "d.zip", "--json", "--offline", OUTBOUND_NUMBER=TO)
    assert report(result)["bundle"] == "d.zip"
    assert stat.S_IMODE((home / "d.zip").stat().st_mode) == 0o600 or os.name != "posix"
    with zipfile.ZipFile(home / "d.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {
        *("README.txt", "report.json", "settings.json"),
        *("versions.json", "environment.json", "calls.json"),
    }
    assert msgspec.json.decode(texts["report.json"])["findings"]
    assert "msgspec" in texts["versions.json"]
    settings = {
        s["name"]: s["value"] for s in msgspec.json.decode(texts["settings.json"])["settings"]
    }
    assert (settings["api_key"], settings["to"]) == ("***", "…0001")
    for text in texts.values():
        assert "CANARY" not in text
        assert TO not in text
        assert FROM not in text


def test_a_bundle_is_a_zip(sandboxed: Run) -> None:
    result = sandboxed("doctor", "--offline", "--bundle", "d.tar", "--json")
    assert (result.code, result.out) == (2, "")
    assert "doctor.zip" in result.error["hint"]
