"""`asyncflow auth`: keys are checked, kept where nobody else reads them, and never shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from asyncflow_cli.sandbox.speaker import API_KEY
from tests.conftest import Run, ServedSandbox, environment

KEY = API_KEY.encode()


class MemoryKeyring(KeyringBackend):
    """A keyring that lasts as long as a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.fails: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self.fails:
            raise self.fails
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.fails:
            raise self.fails
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not found")
        del self.kept[service, username]


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def keyless(run: Run, fast: ServedSandbox) -> Run:
    """Pointed at the fast sandbox by addresses alone."""
    bases = {name: url for name, url in fast.environ.items() if name.endswith("BASE_URL")}

    def keyless(*args: str, stdin: bytes = b"", **variables: str) -> object:
        return run(*args, stdin=stdin, **{**bases, **variables})

    return keyless  # type: ignore[return-value]


def config(home: Path) -> str:
    path = home / "config" / "asyncflow" / "config.toml"
    return path.read_text() if path.exists() else ""


def test_a_key_is_checked_and_kept_in_a_file_for_its_owner_alone(keyless: Run, home: Path) -> None:
    result = keyless("auth", "login", "--json", stdin=KEY + b"\n")
    report = result.json
    assert (report["checked"], report["kept_in"], report["profile"]) == (True, "file", "default")
    assert config(home) == f'[profiles.default]\napi_key = "{API_KEY}"\n'
    if os.name == "posix":
        assert Path(report["file"]).stat().st_mode & 0o777 == 0o600
    assert API_KEY not in result.out + result.err
    assert keyless("voices", "list", "--limit", "1").code == 0


def test_a_key_stays_with_the_address_it_was_given_with(
    run: Run, fast: ServedSandbox, home: Path
) -> None:
    where = fast.environ["ASYNC_BASE_URL"]
    login = ("auth", "login", "--base-url", where)
    report = run(*login, "--json", stdin=KEY).json
    assert (report["base_url"], "warnings" in report) == (where, False)
    assert f'base_url = "{where}"' in config(home)
    assert run("voices", "list", "--limit", "1").code == 0
    told = run(*login, stdin=KEY, ASYNC_BASE_URL="http://127.0.0.1:9")
    assert f"in the config file for profile default, with its address {where}" in told.err
    assert "ASYNC_BASE_URL is set, too, and wins" in told.err


def test_a_key_that_the_service_refuses_is_not_kept(keyless: Run, home: Path) -> None:
    result = keyless("auth", "login", "--json", stdin=b"sk_canary_canary")
    assert (result.code, result.error["code"]) == (4, "INVALID_API_KEY")
    assert result.error["hint"].startswith("Nothing was kept. Look at what was given: ")
    assert "ASYNC_API_KEY" not in result.error["hint"]
    assert "canary_canary" not in result.err
    assert config(home) == ""


def test_a_key_may_be_kept_unchecked(run: Run, home: Path) -> None:
    result = run("auth", "login", "--no-check", stdin=b"sk_canary_canary")
    assert result.code == 0
    assert "kept unchecked in the config file" in result.err
    assert "sk_canary_canary" in config(home)


@pytest.mark.parametrize(
    ("args", "stdin", "words"),
    [
        ((), b"", "No API key of Async was given"),
        ((), b" \n", "No API key of Async was given"),
        (("--no-check",), "sk_sécret".encode(), "printable ASCII"),
        (("--no-check",), b"two\nlines", "printable ASCII"),
        (("--sandbox",), KEY, "The sandbox has keys of its own"),
        (("--account-sid", "AC1"), KEY, "goes with --service twilio"),
        (("--service", "twilio"), b"token", "TWILIO_ACCOUNT_SID is not set"),
        (("--service", "twilio"), b"", "--account-sid AC…"),
        (("--service", "twilio", "--account-sid", "AC1"), b"", "No auth token of Twilio was given"),
        (("--service", "twilio", "--account-sid", "me"), b"t", "--account-sid: 'me' is no account"),
        (("--service", "ngrok"), b"", "No authtoken of ngrok was given"),
    ],
)
def test_what_is_no_key_is_refused_and_nothing_written(
    keyless: Run, home: Path, args: tuple[str, ...], stdin: bytes, words: str
) -> None:
    result = keyless("auth", "login", *args, stdin=stdin)
    assert result.code in (2, 10)
    assert words in result.err
    assert config(home) == ""


def test_twilio_is_signed_in_to_with_the_account(
    keyless: Run, home: Path, fast: ServedSandbox
) -> None:
    sid, token = (fast.environ[f"TWILIO_{name}"] for name in ("ACCOUNT_SID", "AUTH_TOKEN"))
    login = ("auth", "login", "--service", "twilio", "--account-sid", sid)
    refused = keyless(*login, "--json", stdin=b"0" * 32)
    assert (refused.code, "TWILIO_AUTH_TOKEN" in refused.error["hint"]) == (4, False)
    assert config(home) == ""
    assert keyless(*login, "--json", stdin=token.encode()).json["checked"] is True
    rows = {row["service"]: row for row in keyless("auth", "status", "--json").json["services"]}
    assert rows["twilio"]["signed_in"] is True
    assert rows["twilio"]["origin"] == "profile twilio_auth_token"
    assert rows["async"]["signed_in"] is False


def test_the_token_of_ngrok_cannot_be_checked_and_is_kept(run: Run) -> None:
    report = run("auth", "login", "--service", "ngrok", "--json", stdin=b"2abc_token").json
    assert (report["service"], report["checked"]) == ("ngrok", False)
    rows = run("auth", "status", "--json").json["services"]
    assert [row["service"] for row in rows if row["signed_in"]] == ["ngrok"]


def test_a_keyring_keeps_the_key_and_the_file_only_says_so(
    keyless: Run, home: Path, memory: MemoryKeyring
) -> None:
    report = keyless("auth", "login", "--json", stdin=KEY).json
    assert report["kept_in"] == "keyring"
    assert memory.kept == {("asyncflow", "default/api_key"): API_KEY}
    assert config(home) == "[profiles.default]\napi_key = {keyring = true}\n"
    assert keyless("voices", "list", "--limit", "1").code == 0
    got = keyless("config", "get", "api_key", "--json").json
    assert (got["value"], got["origin"]) == ("***", "keyring api_key")
    assert keyless("auth", "logout").code == 0
    assert (memory.kept, "api_key" in config(home)) == ({}, False)


LOCKED = KeyringLocked("the user said no")


@pytest.mark.parametrize("fails", [LOCKED, OSError(f"no bus for {API_KEY}"), RuntimeError("dbus")])
def test_a_keyring_that_fails_is_done_without(
    keyless: Run, home: Path, memory: MemoryKeyring, fails: Exception
) -> None:
    memory.fails = fails
    assert keyless("auth", "login", "--json", stdin=KEY).json["kept_in"] == "file"
    assert API_KEY in config(home)


def test_a_keyring_that_was_locked_later_is_told_and_the_key_is_missing(
    keyless: Run, memory: MemoryKeyring
) -> None:
    keyless("auth", "login", stdin=KEY)
    memory.fails = LOCKED
    (warning,) = keyless("config", "list", "--json").json["warnings"]
    assert warning.startswith("profile default keeps api_key in the keyring, which does not give")
    assert keyless("voices", "list", "--json").error["code"] == "SETTING_MISSING"


def test_a_keyring_may_be_left_out_and_forgets_what_it_kept(
    keyless: Run, home: Path, memory: MemoryKeyring
) -> None:
    keyless("auth", "login", stdin=KEY)
    assert keyless("auth", "login", "--no-keyring", "--json", stdin=KEY).json["kept_in"] == "file"
    assert memory.kept == {}
    assert API_KEY in config(home)


def test_a_profile_of_ones_own_is_made_by_signing_in(keyless: Run, home: Path) -> None:
    assert keyless("auth", "login", "--profile", "work", stdin=KEY).code == 0
    assert "[profiles.work]" in config(home)
    rows = keyless("auth", "status", "--profile", "work", "--json").json["services"]
    assert rows[0]["signed_in"] is True
    assert keyless("auth", "status", "--json").json["services"][0]["signed_in"] is False


def test_signing_out_leaves_everything_else_and_may_be_done_twice(run: Run, home: Path) -> None:
    run("config", "set", "voice", "v")
    for service in ("async", "ngrok"):
        run("auth", "login", "--no-check", "--service", service, stdin=b"sk_secret_secret")
    assert run("auth", "logout", "--json").json["forgotten"] == ["async"]
    assert run("auth", "logout", "--all", "--json").json["forgotten"] == ["ngrok"]
    assert config(home) == '[profiles.default]\nvoice = "v"\n'
    result = run("auth", "logout")
    assert (result.code, result.err.strip()) == (0, "Nothing was kept in profile default")


def test_signing_out_forgets_what_signing_in_kept_beside_the_key(
    keyless: Run, home: Path, fast: ServedSandbox
) -> None:
    where = fast.environ["ASYNC_BASE_URL"]
    keyless("auth", "login", "--base-url", where, stdin=KEY)
    twilio = ("--service", "twilio", "--account-sid", "AC5f", "--no-check")
    keyless("auth", "login", *twilio, stdin=b"0" * 32)
    result = keyless("auth", "logout")
    assert "Signed out: async, in profile default; forgotten with it: base_url" in result.err
    assert "base_url" not in config(home)
    report = keyless("auth", "logout", "--all", "--json").json
    assert (report["forgotten"], report["with_them"]) == (["twilio"], ["twilio_account_sid"])
    assert config(home) == ""


def test_an_address_that_no_key_was_kept_with_stays(run: Run, home: Path) -> None:
    run("config", "set", "base_url", "http://127.0.0.1:9")
    assert run("auth", "logout", "--json").json["with_them"] == []
    assert "base_url" in config(home)


@pytest.mark.parametrize("service", ["twilio", "ngrok"])
def test_the_address_of_async_is_refused_for_another_service(
    run: Run, fast: ServedSandbox, home: Path, service: str
) -> None:
    where = ("--base-url", fast.environ["ASYNC_BASE_URL"])
    result = run("auth", "login", "--service", service, *where, "--json", stdin=b"0" * 32)
    assert (result.code, config(home)) == (2, "")
    assert f"--base-url is an address of Async, and not of {service}" in result.error["message"]
    assert ("TWILIO_BASE_URL" in result.error["hint"]) is (service == "twilio")


def test_another_source_that_wins_over_the_kept_key_is_told(keyless: Run) -> None:
    args = {"stdin": KEY, "ASYNC_API_KEY": "sk_other_other"}
    login = keyless("auth", "login", "--json", **args)
    assert login.json["warnings"] == ["ASYNC_API_KEY is set, too, and wins"]
    logout = keyless("auth", "logout", "--json", ASYNC_API_KEY="sk_other_other")
    assert logout.json["warnings"] == ["ASYNC_API_KEY is set, too, and wins"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--no-input",), 2)])
def test_a_key_that_is_typed_is_not_seen(home: Path, flags: tuple[str, ...], code: int) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncflow_cli", "auth", "login", "--no-check", *flags],
        env=environment(home, PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring"),
        cwd=home,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    if code == 0:
        while not seen.endswith(b"API key of Async: "):
            seen += os.read(ours, 1024)
        os.write(ours, b"sk_canary_canary\n")
    out, _ = process.communicate(timeout=30)
    seen += os.read(ours, 4096)
    assert process.returncode == code
    assert b"canary" not in out + seen
    assert ("sk_canary_canary" in config(home)) is (code == 0)
    os.close(ours)
