"""`asyncflow config`: what is told and changed, and what stays as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asyncflow_cli.transport.config.writing import changed
from tests.conftest import Run
from tests.test_config_files import configure

WRITTEN = """\
# Mine.
[profiles.default]   # the usual one
voice = "old"        # to be changed
model = 'm'

[aliases]
host = "Jennie"  # nice
"""


def test_setting_keeps_comments_order_and_everything_else(run: Run, home: Path) -> None:
    path = configure(home, WRITTEN)
    assert run("config", "set", "voice", "new").code == 0
    assert path.read_text() == WRITTEN.replace('"old"', '"new"')
    assert run("config", "unset", "voice").code == 0
    assert "voice" not in path.read_text()
    assert "# the usual one" in path.read_text()
    assert 'host = "Jennie"  # nice' in path.read_text()


def test_the_first_setting_makes_a_file_for_its_owner_alone(run: Run, home: Path) -> None:
    result = run("config", "set", "retries", "5")
    path = home / "config" / "asyncflow" / "config.toml"
    assert (result.code, result.out.strip()) == (0, str(path))
    assert result.err.strip() == "Set: retries in profile default"
    assert path.read_text() == "[profiles.default]\nretries = 5\n"
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert run("config", "get", "retries").out == "5\n"


def test_a_table_goes_with_its_last_value_unless_somebody_wrote_in_it(run: Run, home: Path) -> None:
    path = configure(
        home, WRITTEN.replace("[aliases]", "[profiles.work]\nvoice = 'w'\n\n[aliases]")
    )
    names = ("voice", "model", "aliases.host")
    assert [run("config", "unset", name).code for name in names] == [0, 0, 0]
    assert run("config", "unset", "voice", "--profile", "work").code == 0
    kept = "# Mine.\n[profiles.default]   # the usual one\n\n[profiles.work]\n"
    assert path.read_text() == kept, "and a profile stays one that may be named"
    path = configure(home, WRITTEN.replace("   # the usual one", ""))
    assert [run("config", "unset", name).code for name in names] == [0, 0, 0]
    assert path.read_text() == "# Mine.\n"
    assert run("config", "get", "retries", "--profile", "default").code == 0


def test_a_new_table_stands_apart_from_its_neighbours(run: Run, home: Path) -> None:
    path = configure(home, "[profiles.default]\nretries = 3\n\n[profiles.work]\nvoice = 'w'\n")
    for name, value in (("aliases.host", "J"), ("tts.format", "wav"), ("call.repeat", "2")):
        assert run("config", "set", name, value).code == 0
    assert path.read_text() == (
        "[profiles.default]\nretries = 3\n\n"
        '[profiles.default.tts]\nformat = "wav"\n\n'
        "[profiles.default.call]\nrepeat = 2\n\n"
        "[profiles.work]\nvoice = 'w'\n\n"
        '[aliases]\nhost = "J"\n'
    )


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_a_file_that_was_open_to_all_is_closed_when_it_is_written(run: Run, home: Path) -> None:
    path = configure(home, "")
    path.chmod(0o644)
    run("config", "set", "voice", "v")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("sandbox", "yes", "[profiles.default]\nsandbox = true\n"),
        ("timeout", "45s", '[profiles.default]\ntimeout = "45s"\n'),
        ("from", "+15557654321", '[profiles.default]\nfrom = "+15557654321"\n'),
        ("tts.format", "mp3", '[profiles.default.tts]\nformat = "mp3"\n'),
        ("tts.sample_rate", "16000", "[profiles.default.tts]\nsample_rate = 16000\n"),
        ("tts.speed", "0.9", "[profiles.default.tts]\nspeed = 0.9\n"),
        ("tts.plain_text", "yes", "[profiles.default.tts]\nplain_text = true\n"),
        ("tts.voice", "v", '[profiles.default.tts]\nvoice = "v"\n'),
        ("voices.list.limit", "5", "[profiles.default.voices.list]\nlimit = 5\n"),
        ("call.tunnel", "ngrok,ssh", '[profiles.default.call]\ntunnel = ["ngrok", "ssh"]\n'),
        ("aliases.host", "Jennie", '[aliases]\nhost = "Jennie"\n'),
        (
            "ssh_tunnel_url",
            "https://example.com:{port}",
            '[profiles.default]\nssh_tunnel_url = "https://example.com:{port}"\n',
        ),
        (
            "sandbox.serve.callee",
            "*=press 1; hang up",
            '[profiles.default.sandbox.serve]\ncallee = ["*=press 1; hang up"]\n',
        ),
    ],
)
def test_a_value_is_written_as_what_it_is_and_read_back(
    run: Run, home: Path, name: str, value: str, written: str
) -> None:
    assert run("config", "set", name, value).code == 0
    assert (home / "config" / "asyncflow" / "config.toml").read_text() == written
    got = run("config", "get", name, "--json").json
    assert got["name"] == name
    assert got["origin"].split(" ")[0] in ("profile", "config")
    assert run("config", "unset", name).code == 0
    assert run("config", "unset", name).code == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("voise", "v", "Did you mean voice?"),
        ("format", "wav", "There is no setting 'format'"),
        ("tts.fromat", "wav", "Did you mean format?"),
        ("tss.format", "wav", "Did you mean tts?"),
        ("tts.format", "wave", "tts.format: 'wave' is not one of"),
        ("tts.output", "x.wav", "says what to do this once"),
        ("timeout", "soon", "timeout: 'soon' is no duration"),
        ("base_url", "ftp://x", "is no http(s) address"),
        ("profile", "x", "decides which file is read"),
        ("aliases.", "x", "There is no command 'aliases'"),
        ("api_key", "canary-canary", "stays in the shell's history"),
        ("voice", "", "voice: no value was given"),
        ("call.voice", " ", "asyncflow config unset call.voice"),
        ("retries", "-3", "retries: '-3' is no whole number, 0 or more"),
        ("tts.jobs", "-3", "tts.jobs: -3 is not in the range from 1 to 16"),
        ("tts.jobs", "two", "tts.jobs: 'two' is no whole number"),
        ("voices.list.limit", "0", "voices.list.limit: 0 is not in the range from 1 to 100"),
        ("timestamps.max_chars", "0", "timestamps.max_chars: 0 is less than 1"),
        ("call.max_duration", "soon", "call.max_duration: 'soon' is no duration"),
        ("from", "12", "'12' is no phone number to use as the number to call from"),
        ("to", "Jack", "'Jack' is no phone number to use as the number to call"),
        ("call.to", "12", "The country code is missing"),
        ("call.caller_id", "12", "is no phone number to use as the caller id"),
        ("ssh_tunnel", "me@-oProxyCommand", "is no server"),
        ("ssh_tunnel_url", "ftp://{port}.example.com", "is no public address"),
        ("ssh_tunnel_port", "99999", "ssh_tunnel_port: '99999' is no port"),
        ("twilio_account_sid", "nonsense", "twilio_account_sid: 'nonsense' is no account SID"),
        ("twilio_api_key", "AC5f", "'AC5f' is no SID of an API key"),
        ("twilio_region", "no such/region", "is no region of Twilio"),
        ("twilio_edge", "Dublin!", "is no edge of Twilio"),
        ("ngrok_domain", "not a domain", "'not a domain' is no domain"),
        ("ngrok_domain", "https://x.ngrok.app", "is no domain"),
        ("to", "+1555", "Behind +1 stand ten digits"),
        ("twilio_base_url", "twilio", "is no http(s) address"),
        ("call.tunnel", "ngrok,ngork", "'ngork' is no tunnel"),
        ("call.public_url", "ws://example.com", "wss:// addresses only"),
        ("call.public_url", "wss://example.com:{port}", "is no public address"),
        ("call.ring_timeout", "1h", "'1h' is out of range"),
        ("call.max_silence", "soon", "'soon' is no duration"),
        ("call.press_to_stop", "12", "--press-to-stop takes one key"),
        ("call.send_digits", "x", "--send-digits takes up to 32"),
        ("call.callee", "dance", "dance"),
        ("status.wait", "soon", "'soon' is no duration"),
        ("tts.encoding", "pcm_mulaw", "A whole file is not made in pcm_mulaw"),
        ("verify.container", "tape", "'tape' is no container"),
        ("tts-stream.assert_ttfb", "soon", "'soon' is no duration"),
        ("timestamps.captions", "srt,vvt", "'vvt' is no format of captions"),
        ("sandbox.serve.fault", "nonsense", "nonsense"),
        ("sandbox.serve.callee", "+15551230001=dance", "dance"),
        ("sandbox.serve.account", "rich", "No knob of an account: rich"),
    ],
)
def test_a_wrong_name_or_value_is_refused_and_nothing_written(
    run: Run, home: Path, name: str, value: str, words: str
) -> None:
    result = run("config", "set", name, value)
    assert result.code == 2
    assert words.lower() in result.err.lower()
    assert "canary" not in result.err
    assert not (home / "config").exists()


def test_a_value_may_begin_with_a_dash_and_a_digit_wherever_flags_stand(run: Run) -> None:
    for args in (
        ("aliases.cold", "-3"),
        ("--yes", "aliases.cold", "-3"),
        ("aliases.cold", "-y", "-3"),
        ("aliases.cold", "--jq", "-3", "-3"),
    ):
        assert run("config", "set", *args, "--retries", "1").code == 0
        assert run("config", "get", "aliases.cold").out == "-3\n"
    assert run("config", "set", "-3", "aliases.cold").code == 2, "no name begins so"
    assert "Did you mean --project?" in run("config", "set", "voice", "v", "--projct").err


def test_a_secret_may_come_through_a_pipe_and_is_never_shown(run: Run) -> None:
    result = run("config", "set", "api_key", "-", "--json", stdin=b"canary-canary\n")
    assert result.json["value"] == "***"
    assert 'api_key = "canary-canary"' in Path(result.json["file"]).read_text()
    for args in (("get", "api_key"), ("list",), ("get", "api_key", "--json")):
        told = run("config", *args)
        assert "***" in told.out
        assert "canary" not in told.out + told.err


def test_another_profile_is_changed_when_it_is_named(run: Run, home: Path) -> None:
    configure(home, "[profiles.support]\n")
    run("config", "set", "model", "m", "--profile", "support")
    assert run("config", "get", "model", "--profile", "support").out == "m\n"
    assert run("config", "get", "model").out != "m\n"


def test_the_project_file_is_made_where_one_works_and_found_again(run: Run, home: Path) -> None:
    path = run("config", "set", "tts.format", "wav", "--project").out.strip()
    assert path == str(home / "asyncflow.toml")
    assert Path(path).read_text() == '[tts]\nformat = "wav"\n'
    got = run("config", "get", "tts.format", "--json").json
    assert got["origin"] == "asyncflow.toml [tts] format"
    assert run("config", "set", "base_url", "https://x", "--project").code == 2
    assert run("config", "unset", "tts.format", "--project").code == 0


@pytest.mark.parametrize("name", ["model", "tts.model"])
def test_a_model_nobody_has_heard_of_is_kept_with_a_warning(run: Run, name: str) -> None:
    report = run("config", "set", name, "async_flash_1.5", "--json").json
    (warning,) = report["warnings"]
    assert warning.startswith("Model async_flash_1.5 is not one we have heard of; did you mean ")
    assert run("config", "get", name).out == "async_flash_1.5\n"
    known = run("config", "set", name, "async_flash_v1.5", "--json").json
    assert "warnings" not in known


def test_a_value_that_another_source_outranks_is_told(run: Run) -> None:
    result = run("config", "set", "voice", "v", "--json", ASYNC_VOICE_ID="other")
    assert result.json["warnings"] == ["ASYNC_VOICE_ID is set, too, and wins"]


def test_what_has_no_value_is_not_found(run: Run) -> None:
    error = run("config", "get", "to", "--json").error
    assert (error["code"], error["exit_code"]) == ("SETTING_NOT_SET", 3)
    assert run("config", "get", "too", "--json").error["code"] == "SETTING_UNKNOWN"
    assert run("config", "get", "tts.format", "--json").error["code"] == "SETTING_NOT_SET"


def test_the_path_is_told_though_the_file_is_broken(run: Run, home: Path) -> None:
    path = configure(home, "= 3\n")
    (home / "asyncflow.toml").touch()
    report = run("config", "path", "--json").json
    assert (report["config"], report["exists"]) == (str(path), True)
    assert report["project"] == str(home / "asyncflow.toml")
    assert run("config", "path").out == f"{path}\n"
    assert "is not valid TOML" in run("config", "set", "voice", "v").err
    assert path.read_text() == "= 3\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ("a", "b", "c")),
        ("a = {b = {d = 1}}\n", ("a", "b", "c")),
        ("a.b.d = 1\n", ("a", "b", "c")),
        ("[a.b.d]\n[z]\n[a.b]\nx = 1\n", ("a", "b", "c")),
        ("[t]\nx = 1\n", ("c",)),
        ("# only words\n", ("c",)),
        ("x = 1\r\n[a]\r\n", ("a", "c")),
    ],
)
def test_a_value_finds_its_place_in_any_toml_and_leaves_it_as_it_came(
    text: str, keys: tuple[str, ...]
) -> None:
    with_value = changed(text, keys, "v", "x.toml")
    assert '"v"' in with_value
    assert "v" not in changed(with_value, keys, None, "x.toml").replace("only words", "")
