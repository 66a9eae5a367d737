"""Secrets planted in every setting, header, address and answer, and looked for in all we write."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import unquote

import httpx
import pytest
from websockets.sync.server import ServerConnection, serve

from tests.conftest import FROM, TO, Result, Run, ServedSandbox, start, wait_for_line
from tests.httpservers import Service, serving
from tests.test_schemas import EXAMPLES
from tests.test_tts import FOX

SECRETS = {
    "ASYNC_API_KEY": 'sk_CANARY"0123456789\\',
    "TWILIO_AUTH_TOKEN": "CANARYtoken+/=0123456789",
    "TWILIO_API_SECRET": "CANARYsecret&?0123456789",
    "TWILIO_SHARED_KEY_SECRET": "CANARYshared'0123456789",
    "NGROK_AUTHTOKEN": "CANARYngrok_0123456789",
}
IN_ADDRESSES = "CANARYaddress"
ACCOUNT = "AC" + "0123456789abcdef" * 2
API_KEY = {"TWILIO_API_KEY": "SK" + "0123456789abcdef" * 2}
"""Signs in in place of the auth token."""

FILES = {"ci run": ("--junit", "j.xml", "--summary", "s.md"), "doctor": ("--bundle", "d.zip")}
"""What the examples do not write."""

OWN = {"sandbox reset", "explain", "schema", "calls list", "config list"}
"""They ask nobody."""


class Gossip(Service):
    """A service that answers everybody with all it was told, in every place there is."""

    status: ClassVar[int] = 401

    def gossip(self) -> None:
        asked = self.asked().decode(errors="replace")
        login = self.headers.get("Authorization", "")
        whole = f"{self.headers.items()} {self.path} {unquote(self.path)} {asked} {login}"
        whole += f" {_decoded(login)} {login.removeprefix('Basic ')} {dict(self.headers.items())}"
        key = self.headers.get("x-api-key", "") or login
        body = {
            **{"error_code": "INVALID_API_KEY", "message": whole, "detail": {"error": whole}},
            **{"code": 20003, "more_info": whole, "status": self.status, "version": whole},
        }
        content = json.dumps(body).encode()
        self.send_response(self.status, key)
        for name in ("X-Request-Id", "Set-Cookie", "X-Api-Key", "Twilio-Request-Id"):
            self.send_header(name, key)
        self.send_header("Location", f"http://127.0.0.1:1{self.path}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = gossip


def _decoded(login: str) -> str:
    return base64.b64decode(login.removeprefix("Basic ")).decode() if login else ""


def telling(status: int) -> type[Gossip]:
    return type("Gossip", (Gossip,), {"status": status})


@contextlib.contextmanager
def signed_in(service: type[Service]) -> Iterator[str]:
    """Its address, a password and all."""
    with serving(service) as url:
        yield url.replace("//", f"//user:{IN_ADDRESSES}@")


def gossips(socket: ServerConnection) -> None:
    """Tell a speech session what it was opened with, once it has said something."""
    assert socket.request is not None
    told = f"{socket.request.path} {unquote(socket.request.path)}"
    socket.recv()
    error = {"error_code": "INVALID_API_KEY", "message": told, "extra": {"path": told}}
    socket.send(json.dumps(error))
    socket.close(1008, unquote(socket.request.path)[-100:])


@pytest.fixture
def gossip_by_socket() -> Iterator[str]:
    with serve(gossips, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://user:{IN_ADDRESSES}@127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def assert_nothing_seen(result: Result, home: Path) -> None:
    """Neither on stdout or stderr nor in any file that was written."""
    assert "CANARY" not in result.out + result.err
    for user, secret in itertools.product((ACCOUNT, *API_KEY.values()), SECRETS.values()):
        login = base64.b64encode(f"{user}:{secret}".encode()).decode()
        assert login not in result.out + result.err
    for path in home.rglob("*"):
        if path.is_file():
            assert b"CANARY" not in _content(path), path


def _content(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def told(url: str) -> dict[str, str]:
    """An environment full of secrets, at a service that keeps none."""
    where = {"ASYNC_BASE_URL": url, "TWILIO_BASE_URL": url}
    return {**SECRETS, **where, "TWILIO_ACCOUNT_SID": ACCOUNT, "INBOUND_NUMBER": FROM}


MANY = tuple(name for name in EXAMPLES if name not in OWN)
FEW = ("status", "tts", "call", "calls hangup")


@pytest.mark.parametrize(
    ("status", "how", "commands", "more"),
    [
        (200, "--json", MANY, {}),
        (401, "--verbose", MANY, {}),
        (401, "--json", FEW, API_KEY),
        (302, "--json", FEW, {}),
        (500, "--json", FEW, API_KEY),
    ],
)
def test_a_service_that_tells_all_is_not_repeated(
    run: Run, home: Path, status: int, how: str, commands: tuple[str, ...], more: dict[str, str]
) -> None:
    (home / "me.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(64_000))
    with signed_in(telling(status)) as url:
        for name in commands:
            args = (*EXAMPLES[name], *FILES.get(name, ()))
            result = run(*args, how, "--debug", "--retries", "0", **told(url), **more)
            assert result.err or result.out, name
            assert_nothing_seen(result, home)


@pytest.mark.parametrize(
    "args",
    [
        ("tts-stream", FOX, "-o", "x.wav"),
        ("call", FOX, "--to", TO, "--report", "c.json", "--report", "c.html"),
        ("call", FOX, "--to", TO, "--json"),
    ],
    ids=["tts-stream", "call", "call --json"],
)
def test_a_speech_service_that_tells_all_is_not_repeated(
    run: Run, home: Path, fast: ServedSandbox, gossip_by_socket: str, args: tuple[str, ...]
) -> None:
    twilio = {name: v for name, v in fast.environ.items() if name.startswith("TWILIO")}
    variables = {**told(gossip_by_socket), **twilio}
    del variables["TWILIO_API_SECRET"], variables["TWILIO_SHARED_KEY_SECRET"]
    result = run(*args, "--debug", "--retries", "0", **variables)
    assert result.code == 4, result.err
    assert_nothing_seen(result, home)


class Parrot(Service):
    """The sandbox, but that a voice has our key for its name, and so has a word that was heard."""

    far: ClassVar[str] = ""

    def repeat(self) -> None:
        with httpx.Client(base_url=self.far, timeout=60) as http:
            headers = {**self.headers, "accept-encoding": "identity"}
            answer = http.request(self.command, self.path, content=self.asked(), headers=headers)
        content = re.sub(b"Jennie|quick", self.headers["x-api-key"].encode(), answer.content)
        self.answer(content, answer.headers["content-type"], answer.status_code)

    do_GET = do_POST = repeat


def test_an_answer_that_is_right_and_holds_our_key_is_not_repeated(
    sandboxed: Run, fast: ServedSandbox, home: Path
) -> None:
    key = fast.environ["ASYNC_API_KEY"]
    assert sandboxed("tts", FOX, "-o", "me.wav").code == 0
    with signed_in(type("Ours", (Parrot,), {"far": fast.sandbox.url})) as url:
        for args in (EXAMPLES["voices list"], EXAMPLES["stt"], EXAMPLES["timestamps"]):
            for how in ("--json", "--quiet", "--debug"):
                result = sandboxed(*args, how, ASYNC_BASE_URL=url)
                assert result.code == 0, result.err
                assert key not in result.out + result.err
        known = sandboxed("--", "tts", "--voice", _ASYNCFLOW_COMPLETE="=", ASYNC_BASE_URL=url).out
    assert "***" in known
    assert not [path for path in home.rglob("*.json") if key in path.read_text()]


def test_a_served_sandbox_does_not_log_the_keys_it_is_given(run: Run, home: Path) -> None:
    with start(home, "sandbox", "serve", "--port", "0", "--json", "--debug") as process:
        (ready,) = wait_for_line(process.stdout, "asyncflow.sandbox")
        where = {**json.loads(ready)["environment"], **SECRETS}
        for args in (EXAMPLES["voices list"], EXAMPLES["tts-stream"], EXAMPLES["call"]):
            assert run(*args, "--retries", "0", **where).code == 4
        process.terminate()
        out, err = process.communicate()
    assert b"GET /" in out + err
    assert b"CANARY" not in out + err


def test_what_works_tells_no_key_either(sandboxed: Run, fast: ServedSandbox, home: Path) -> None:
    keys = [fast.environ["ASYNC_API_KEY"], fast.environ["TWILIO_AUTH_TOKEN"]]
    bundle = ("doctor", "--bundle", "doctor.zip")
    call = (*EXAMPLES["call"], "--report", "call.json", "--report", "call.html")
    more = [EXAMPLES[name] for name in ("tts", "tts-stream", "voices list", "calls show")]
    where = {
        name: fast.environ[name].replace("//", f"//user:{IN_ADDRESSES}@")
        for name in ("ASYNC_BASE_URL", "TWILIO_BASE_URL")
    }
    for args in (bundle, call, *more):
        result = sandboxed(*args, "--debug", NGROK_AUTHTOKEN=SECRETS["NGROK_AUTHTOKEN"], **where)
        assert result.code == 0, result.err
        assert_nothing_seen(result, home)
        assert not any(key in result.out + result.err for key in keys), args
    for path in (path for path in home.rglob("*") if path.is_file()):
        assert not any(key.encode() in _content(path) for key in keys), path
    assert (home / "cache" / "asyncflow" / "voices.json").exists(), "where there was much to leak"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASYNC_API_KEY", "sk_CANARY\u00e9"),
        ("TWILIO_AUTH_TOKEN", "CANARY\x00token"),
        ("ASYNC_BASE_URL", "ftp://user:CANARY@example.invalid"),
        ("ASYNC_BASE_URL", "https://CANARY@example.invalid:99999"),
        ("ASYNC_BASE_URL", "https://example.invalid/?access_token=CANARY&x=1"),
        ("TWILIO_BASE_URL", "https://example.invalid/?X-Amz-Signature=CANARY"),
        ("TWILIO_BASE_URL", "https://user:CANARY@example.invalid/?"),
        ("ASYNC_BASE_URL", f"https://example.invalid/?x={SECRETS['TWILIO_AUTH_TOKEN']}"),
        ("ASYNCFLOW_PROFILE", SECRETS["TWILIO_API_SECRET"]),
        ("ASYNCFLOW_SANDBOX", SECRETS["ASYNC_API_KEY"]),
        ("TWILIO_BASE_URL", "sk_CANARYofsomeprofile"),
    ],
)
def test_a_setting_that_is_wrong_is_not_read_out(
    run: Run, home: Path, name: str, value: str
) -> None:
    for args in (("status", "--json"), ("config", "list", "--debug"), ("doctor", "--offline")):
        result = run(*args, **{**SECRETS, name: value})
        assert result.code in (2, 10), args
        assert_nothing_seen(result, home)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[profiles.default]\napi_key = "sk_CANARY\n',
        "[profiles.default]\napi_key = sk_CANARY\n",
        "[profiles.default]\napi_key = 'sk_CANARY' x\n",
        "[profiles.default]\napi_key = 'a'\napi_key = 'sk_CANARY'\n",
        "[profiles.default]\napi_key = {secret = 'sk_CANARY'}\n",
        "[profiles.default]\napi_kye = 'sk_CANARY'\n",
        "[profiles]\ndefault = 'sk_CANARY'\n",
        "profiles = 'sk_CANARY'\n",
        "api_key = 'sk_CANARY'\n",
    ],
)
def test_files_that_cannot_be_read_are_not_read_out(run: Run, home: Path, text: str) -> None:
    home.joinpath(".env").write_text("export TWILIO_AUTH_TOKEN CANARY\n")
    config = home / "config" / "asyncflow" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(text)
    for args in (
        ("config", "list", "--debug"),
        ("doctor", "--offline", "--json"),
        ("config", "set", "voice", "x", "--debug"),
    ):
        config.write_text(text)
        result = run(*args)
        assert "CANARY" not in result.out + result.err


def test_a_proxy_that_refuses_is_named_without_its_password(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(telling(407)) as url:
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, url)
        for args in (EXAMPLES["status"], EXAMPLES["tts-stream"], EXAMPLES["call"], ("doctor",)):
            variables = told("https://api.example.invalid")
            result = run(*args, "--debug", "--retries", "0", **variables)
            assert result.code
            assert_nothing_seen(result, home)


@pytest.mark.parametrize("how", ["--json", "--debug"])
def test_a_key_that_is_put_into_the_config_file_is_shown_nowhere_else(run: Run, how: str) -> None:
    key = SECRETS["ASYNC_API_KEY"].encode()
    for args in (
        ("config", "set", "api_key", "-"),
        ("config", "get", "api_key"),
        ("config", "list"),
        ("doctor", "--offline", "-q"),
    ):
        result = run(*args, how, stdin=key)
        assert "CANARY" not in result.out + result.err, args
    assert run("config", "get", "api_key").out == "***\n"


LOGINS = {
    "async": ("ASYNC_API_KEY", ()),
    "twilio": ("TWILIO_AUTH_TOKEN", ("--account-sid", ACCOUNT)),
    "ngrok": ("NGROK_AUTHTOKEN", ()),
}


@pytest.mark.parametrize("service", LOGINS)
@pytest.mark.parametrize("how", ["--json", "--debug"])
def test_a_key_that_signs_in_is_shown_nowhere_and_kept_in_one_file(
    run: Run, home: Path, service: str, how: str
) -> None:
    variable, more = LOGINS[service]
    login = ("auth", "login", "--service", service, *more, "--no-keyring", how)
    key = SECRETS[variable].encode()
    for status in (401, 500, 200):
        with signed_in(telling(status)) as url:
            where = {"ASYNC_BASE_URL": url, "TWILIO_BASE_URL": url, "TWILIO_ACCOUNT_SID": ACCOUNT}
            tried = run(*login, "--retries", "0", stdin=key, **where)
            assert tried.out or tried.err
            assert_nothing_seen_but_in_config(tried, home)
    assert run(*login, "--no-check", stdin=key).code == 0
    for args in (("status",), ("logout", "--service", service)):
        result = run("auth", *args, how)
        assert result.code == 0
        assert_nothing_seen_but_in_config(result, home)
    assert_nothing_seen(result, home)  # it is forgotten


def test_a_key_that_cannot_be_one_is_not_read_out(run: Run, home: Path) -> None:
    for service in LOGINS:
        result = run(
            *("auth", "login", "--service", service, "--no-check", "--debug"),
            stdin="CANARY\u00e9".encode(),
        )
        assert result.code == 2
        assert_nothing_seen(result, home)


def assert_nothing_seen_but_in_config(result: Result, home: Path) -> None:
    """The one file that is there to hold keys is read by its owner alone."""
    config = home / "config" / "asyncflow" / "config.toml"
    kept = config.read_bytes() if config.exists() else None
    if kept is not None:
        assert config.stat().st_mode & 0o077 == 0
        config.unlink()
    assert_nothing_seen(result, home)
    if kept is not None:
        config.write_bytes(kept)
        config.chmod(0o600)
