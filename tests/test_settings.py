"""Settings: which source wins, what is refused, and what is never shown."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import dotenv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli import settings
from asyncflow_cli.errors import PrerequisiteError, UsageError
from asyncflow_cli.settings import FIELDS, Settings, load

NONE: Mapping[str, Any] = {}


def from_env(**variables: str) -> Settings:
    return load(NONE, variables, NONE, NONE, NONE)


def text_for(name: str, nth: int) -> str:
    """A legal text for a setting, another for each source."""
    legal: dict[Callable[[str], Any], str] = {
        settings.http_url: f"https://nth{nth}.example.com",
        settings.http_urls: f"https://nth{nth}.example.com",
        settings.boolean: str(nth % 2 == 0).lower(),
        settings.patience: f"{nth + 1}m",
        settings.count: f"{nth + 10}",
        settings.port: f"{nth + 10}",
    }
    return legal.get(FIELDS[name].metadata["parse"], f"text-{nth}")


COMMAND = ("voices", "list")


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_comes_from_the_first_source_that_has_it(name: str) -> None:
    """Flag, environment, .env, project file, profile, keyring, default; all settings, all sources.

    In the project file and the profile, the command's own table stands before the rest.
    """
    names, parse = FIELDS[name].metadata["names"], FIELDS[name].metadata["parse"]
    key = name.strip("_")
    flags, environ, dotenv, project, profile = sources = tuple[dict[str, Any], ...](
        {} for _ in range(5)
    )
    in_project, in_profile = (
        table.setdefault("voices", {}).setdefault("list", {}) for table in (project, profile)
    )
    places = [
        (flags, name, f"--{key.replace('_', '-')}"),
        *((environ, variable, variable) for variable in names),
        *((dotenv, variable, f".env {variable}") for variable in names),
        (in_project, key, f"asyncflow.toml [voices.list] {key}"),
        (project, key, f"asyncflow.toml {key}"),
        (in_profile, key, f"profile [voices.list] {key}"),
        (profile, key, f"profile {key}"),
    ]
    nothing = load(*sources, command=COMMAND)
    assert getattr(nothing, name) == FIELDS[name].default
    assert nothing.origins[name] == "default"
    profile[key] = {"keyring": True}
    held = load(*sources, command=COMMAND, keyring=lambda _: text_for(name, 99))
    assert (getattr(held, name), held.origins[name]) == (
        parse(text_for(name, 99)),
        f"keyring {key}",
    )
    for nth, (source, entry, origin) in reversed(list(enumerate(places))):
        source[entry] = text_for(name, nth)
        loaded = load(*sources, command=COMMAND)
        assert (getattr(loaded, name), loaded.origins[name]) == (parse(text_for(name, nth)), origin)


def test_the_table_of_another_command_says_nothing() -> None:
    loaded = load(NONE, NONE, NONE, {"tts": {"voice": "v"}}, NONE, command=COMMAND)
    assert loaded.origins["voice"] == "default"


def test_a_keyring_is_not_asked_for_what_another_source_has() -> None:
    asked: list[str] = []
    profile = {"api_key": {"keyring": True}}
    loaded = load(NONE, {"ASYNC_API_KEY": "k"}, NONE, NONE, profile, keyring=asked.append)
    assert (loaded.api_key, asked) == ("k", [])


@pytest.mark.parametrize("others", [{}, {"ASYNCFLOW_SANDBOX": "false"}])
@pytest.mark.parametrize(
    ("flags", "environ", "origin"),
    [
        ({"profile": "sandbox"}, {}, "--profile"),
        ({}, {"ASYNCFLOW_PROFILE": "sandbox"}, "ASYNCFLOW_PROFILE"),
    ],
)
def test_the_profile_sandbox_is_the_sandbox_whatever_else_is_said(
    flags: dict[str, str], environ: dict[str, str], origin: str, others: dict[str, str]
) -> None:
    loaded = load(flags, {**environ, **others}, NONE, NONE, {"sandbox": False})
    assert (loaded.sandbox, loaded.origins["sandbox"]) == (True, origin)


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
@pytest.mark.parametrize("name", FIELDS)
def test_a_blank_value_is_unset(name: str, blank: str) -> None:
    variables = dict.fromkeys(FIELDS[name].metadata["names"], blank)
    file = {name.strip("_"): blank}
    loaded = load(NONE, variables, variables, file, file)
    assert (getattr(loaded, name), loaded.origins[name]) == (FIELDS[name].default, "default")


def test_a_blank_variable_lets_the_next_source_speak() -> None:
    loaded = load(NONE, {"ASYNC_API_KEY": " "}, {"ASYNC_API_KEY": "k"}, NONE, NONE)
    assert (loaded.api_key, loaded.origins["api_key"]) == ("k", ".env ASYNC_API_KEY")


def test_a_blank_flag_is_not_replaced_by_another_source() -> None:
    loaded = load({"to": ""}, {"OUTBOUND_NUMBER": "+15551230001"}, NONE, NONE, NONE)
    with pytest.raises(PrerequisiteError):
        loaded.need("to")


BOTH = {"ASYNC_API_KEY": "first", "ASYNCAI_API_KEY": "second"}
DIFFER = "ASYNC_API_KEY and {0}ASYNCAI_API_KEY differ; {0}ASYNC_API_KEY is used"


@pytest.mark.parametrize(
    ("flags", "environ", "from_file", "expected", "warnings"),
    [
        ({}, BOTH, {}, "first", (DIFFER.format(""),)),
        ({}, BOTH, BOTH, "first", (DIFFER.format(""),)),
        ({}, {}, BOTH, "first", (".env " + DIFFER.format(".env "),)),
        ({}, {**BOTH, "ASYNC_API_KEY": " second "}, {}, "second", ()),
        ({}, {**BOTH, "ASYNC_API_KEY": " "}, {}, "second", ()),
        ({}, {"ASYNCAI_API_KEY": "second"}, BOTH, "second", ()),
        ({"api_key": "flag"}, BOTH, {}, "flag", ()),
    ],
)
def test_both_names_of_the_key_warn_once_where_they_differ(
    flags: dict[str, str],
    environ: dict[str, str],
    from_file: dict[str, str],
    expected: str,
    warnings: tuple[str, ...],
) -> None:
    loaded = load(flags, environ, from_file, NONE, NONE)
    assert (loaded.api_key, loaded.warnings) == (expected, warnings)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("400ms", 0.4), ("30s", 30), ("2m", 120), ("1h", 3600), ("1.5", 1.5), (" 30s ", 30), ("0", 0)],
)
def test_a_duration_has_a_unit_or_is_in_seconds(text: str, seconds: float) -> None:
    assert settings.duration(text) == pytest.approx(seconds)


WRONG: list[tuple[Callable[[str], Any], list[str]]] = [
    (settings.patience, ["0", "0ms", "soon"]),
    (settings.duration, ["", "s", "-1s", "1 s", "1d", "1e3", ".5s", "9" * 400, "nan", "inf"]),
    (settings.port, ["-1", "65536", "ssh"]),
    (settings.region, ["", "no such/region", "ie", "IE1", "ie1."]),
    (settings.edge, ["", "dub lin", "Dublin", "-dublin", "dublin-"]),
    (settings.domain, ["", "localhost", "not a domain", "a..b", "-a.b", "https://a.b", "a.b/c"]),
    (settings.account_sid, ["", "AC", "SK5f", "AC-xyz", "nonsense"]),
    (settings.count, ["", "-1", "1.5", "two", "9" * 5000, "²"]),
    (settings.boolean, ["maybe", "2", "truee"]),
    (
        settings.http_url,
        [
            *("", "api.async.com", "ftp://h", "wss://h", "http://", "http://h?q=1", "http://h/#f"),
            *("http://a b", "http://[", "http://h:99999", "http://h:x"),
        ],
    ),
    (settings.credential, ["kéy", "k\x00ey", "k\ney", "ключ"]),
]


@pytest.mark.parametrize(
    ("parse", "text"), [(parse, text) for parse, texts in WRONG for text in texts]
)
def test_what_does_not_parse_is_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize("parse", [parse for parse, _ in WRONG])
@given(text=st.text() | st.from_regex(r"https?://\S+") | st.from_regex(r"\d+(ms|s|m|h)?"))
def test_any_text_parses_or_is_refused(parse: Callable[[str], Any], text: str) -> None:
    with contextlib.suppress(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("environ", "from_file", "profile", "origin"),
    [
        ({"ASYNC_BASE_URL": "x"}, {}, {}, "ASYNC_BASE_URL: 'x' is no http"),
        ({}, {"ASYNC_BASE_URL": "x"}, {}, ".env ASYNC_BASE_URL: 'x' is no http"),
        ({}, {}, {"base_url": "x"}, "profile base_url: 'x' is no http"),
        ({}, {}, {"timeout": "x"}, "profile timeout: 'x' is no duration"),
    ],
)
def test_a_refusal_names_where_the_value_came_from(
    environ: dict[str, str], from_file: dict[str, str], profile: dict[str, str], origin: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(origin)):
        load(NONE, environ, from_file, NONE, profile)


ANY_KEY = "4f1c9a27bd504e6e8a1f6b7c2d3e4f50"


@pytest.mark.parametrize("variable", ["ASYNC_BASE_URL", "SSH_TUNNEL_PORT", "ASYNCFLOW_SANDBOX"])
def test_a_key_in_the_place_of_something_else_is_told_by_its_length(variable: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_env(**{variable: ANY_KEY})
    assert caught.value.message.startswith(f"{variable}: a text of 32 characters is n")
    assert ANY_KEY[:8] not in caught.value.message


@pytest.mark.parametrize(
    "flags", [("--timeout", ANY_KEY), ("--tunnel", ANY_KEY), ("--to", ANY_KEY)]
)
def test_a_key_behind_the_wrong_flag_is_not_repeated(
    sandboxed: Any, flags: tuple[str, str]
) -> None:
    result = sandboxed("call", "Hi", "--to", "+15551230001", *flags)
    assert (result.code, "a text of 32 characters" in result.err) == (2, True)
    assert ANY_KEY not in result.err


def test_an_address_that_is_wrong_can_be_recognised() -> None:
    with pytest.raises(UsageError, match=re.escape("'ftp://api.example.com/v1/text_to_speech'")):
        from_env(ASYNC_BASE_URL="ftp://api.example.com/v1/text_to_speech")


def test_a_refused_key_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UsageError) as caught:
        from_env(ASYNC_API_KEY="sk_sécret")
    assert "cret" not in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("1400ms", 1), ("10m", 600), ("600", 600)]
)
def test_whole_seconds_are_rounded(text: str, seconds: int) -> None:
    assert settings.whole_seconds(text, at_most=600) == seconds


@pytest.mark.parametrize("text", ["0", "400ms", "601s", "11m", "9" * 400])
def test_whole_seconds_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        settings.whole_seconds(text, at_most=600)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.async.com", "https://api.async.com"),
        (" http://127.0.0.1:8787/ ", "http://127.0.0.1:8787"),
        ("https://h/v1//", "https://h/v1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_loses_blanks_and_the_last_slash(text: str, url: str) -> None:
    assert settings.http_url(text) == url


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1:80/x", True),
        ("http://[::1]:80", True),
        ("https://api.async.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, loopback: bool) -> None:
    assert settings.is_loopback(url) is loopback


@pytest.mark.parametrize(
    "text", ["https://a, http://127.0.0.1:8/ ", "https://a http://127.0.0.1:8"]
)
def test_further_addresses_stand_in_for_the_first(text: str) -> None:
    loaded = from_env(ASYNC_BASE_URL=text)
    assert loaded.base_url == "https://a"
    assert loaded.base_urls == ("https://a", "http://127.0.0.1:8")
    assert loaded.warnings == ()
    described = {name: value for name, value, _ in loaded.described()}
    assert described["base_url"] == "https://a,http://127.0.0.1:8"
    assert loaded.pointed_at(SANDBOX, "sandbox").base_urls == ("http://127.0.0.1:1",)


def test_one_address_that_others_can_read_is_warned_of() -> None:
    (warning,) = from_env(ASYNC_BASE_URL="https://a,http://b").warnings
    assert "ASYNC_BASE_URL is not https" in warning


@pytest.mark.parametrize("text", ["https://a,b", "https://a,,ftp://b"])
def test_one_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        from_env(ASYNC_BASE_URL=text)


SECRETS = (
    *("api_key", "twilio_auth_token", "twilio_api_secret", "twilio_shared_key_secret"),
    "ngrok_authtoken",
)


def test_secrets_are_known_and_never_described() -> None:
    variables = {
        variable: f"canary-{variable}"
        for name in SECRETS
        for variable in FIELDS[name].metadata["names"][:1]
    }
    loaded = from_env(**variables)
    assert sorted(loaded.secrets()) == sorted(variables.values())
    described = {name: (value, origin) for name, value, origin in loaded.described()}
    assert "canary" not in str([value for value, _ in described.values()])
    assert all(described[name][0] == "***" for name in SECRETS)
    assert described["api_key"] == ("***", "ASYNC_API_KEY")
    assert described["to"] == (None, "default")
    assert described["from"] == (None, "default")
    assert described["timeout"] == ("30.0", "default")


@pytest.mark.parametrize("name", [name for name, f in FIELDS.items() if f.metadata["names"]])
def test_what_is_needed_but_missing_is_asked_for_by_its_variable(name: str) -> None:
    variable, missing = FIELDS[name].metadata["names"][0], cast("dict[str, Any]", {name: None})
    with pytest.raises(PrerequisiteError, match=f"{variable} is not set") as caught:
        Settings(**missing).need(name)
    assert (caught.value.exit_code, caught.value.code) == (10, "SETTING_MISSING")
    assert variable in (caught.value.hint or "")


SANDBOX = {
    "ASYNC_BASE_URL": "http://127.0.0.1:1",
    "ASYNC_API_KEY": "sandbox",
    "TWILIO_AUTH_TOKEN": "t",
    "INBOUND_NUMBER": "+15557654321",
    "UNKNOWN": "x",
}


def test_all_that_is_missing_is_listed_for_people_and_one_sentence_for_programs() -> None:
    with pytest.raises(PrerequisiteError) as caught:
        from_env().need_for_call(speaks=True)
    told, lines = caught.value, caught.value.lines
    assert told.message == "; ".join(lines[:5])
    assert str(told.hint).startswith(
        "Set OUTBOUND_NUMBER and INBOUND_NUMBER and TWILIO_ACCOUNT_SID"
    )
    assert lines[5:] == (
        "Set them in the environment or a .env file, or give --to and --from",
        "or asyncflow auth login --service twilio and asyncflow auth login",
        "or add --sandbox, which needs no account",
    )


def test_pointed_at_a_sandbox_its_addresses_and_keys_replace_all_others() -> None:
    loaded = from_env(ASYNC_API_KEY="real", TWILIO_API_KEY="SK1", ASYNC_VOICE_ID="v")
    pointed = loaded.pointed_at(SANDBOX, "sandbox")
    assert (pointed.api_key, pointed.base_url) == ("sandbox", "http://127.0.0.1:1")
    assert (pointed.twilio_auth_token, pointed.twilio_api_key) == ("t", None)
    assert (pointed.voice, pointed.origins["voice"]) == ("v", "ASYNC_VOICE_ID")
    assert pointed.origins["api_key"] == pointed.origins["twilio_api_key"] == "sandbox"
    assert (loaded.api_key, loaded.origins["api_key"]) == ("real", "ASYNC_API_KEY")


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        ({"from_": "+1999"}, {}, ("+1999", "--from")),
        ({}, {"INBOUND_NUMBER": "+1999"}, ("+15557654321", "sandbox")),
        ({}, {}, ("+15557654321", "sandbox")),
    ],
)
def test_the_number_to_call_from_is_kept_only_if_it_was_a_flag(
    flags: dict[str, str], environ: dict[str, str], expected: tuple[str, str]
) -> None:
    pointed = load(flags, environ, NONE, NONE, NONE).pointed_at(SANDBOX, "sandbox")
    assert (pointed.from_, pointed.origins["from_"]) == expected


TEMPLATE = (Path(__file__).parent.parent / ".env.example").read_text()
VENDORS = {
    *("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "ASYNC_API_KEY"),
    *("OUTBOUND_NUMBER", "INBOUND_NUMBER"),
}


def test_the_env_template_names_every_setting_and_nothing_else() -> None:
    named = re.findall(r"^(?:# )?([A-Z_]+)=", TEMPLATE, re.M)
    known = [name for f in FIELDS.values() for name in f.metadata["names"]]
    assert sorted(named) == sorted(known)


@pytest.mark.parametrize("name", [name for name, f in FIELDS.items() if f.metadata["names"]])
def test_the_env_template_explains_each_variable_in_the_words_of_its_help(name: str) -> None:
    help, variable = FIELDS[name].metadata["help"], FIELDS[name].metadata["names"][0]
    assert re.search(rf"^# {re.escape(help)}\n(# )?{variable}=", TEMPLATE, re.M)


def test_the_env_template_sets_nothing_and_offers_the_vendors_five_to_fill_in() -> None:
    offered = dotenv.dotenv_values(stream=io.StringIO(TEMPLATE))
    assert set(offered) >= VENDORS
    assert not any(offered.values())


def test_the_env_template_shows_the_defaults() -> None:
    uncommented = re.sub(r"^# ([A-Z_]+=)", r"\1", TEMPLATE, flags=re.M)
    values = dotenv.dotenv_values(stream=io.StringIO(uncommented))
    shown = load(NONE, NONE, {name: value or "" for name, value in values.items()}, NONE, NONE)
    for name, f in FIELDS.items():
        assert getattr(shown, name) == f.default
        if f.metadata["names"] and f.default is not None:
            assert shown.origins[name] == f".env {f.metadata['names'][0]}"
