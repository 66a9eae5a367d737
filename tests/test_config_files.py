"""The project file, profiles, and defaults of options: found, checked, and asked in their order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from asyncflow_cli.settings import DEFAULT_MODEL, FIELDS
from asyncflow_cli.settings.names import CHOOSES_PROFILE, DESTINATIONS, KEYS
from tests.conftest import Run
from tests.test_settings import ANY_KEY, text_for
from tests.test_tts import FOX


def configure(home: Path, text: str) -> Path:
    path = home / "config" / "asyncflow" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def listed(run: Run, *args: str, **variables: str) -> dict[str, tuple[str | None, str]]:
    rows = run("config", "list", "--json", *args, **variables).json["settings"]
    return {row["name"]: (row["value"], row["origin"]) for row in rows}


# Order


@pytest.mark.parametrize("source", ["environment", ".env", "project", "profile"])
def test_every_setting_is_read_from_every_file_that_may_hold_it(
    run: Run, home: Path, source: str
) -> None:
    said = {key: text_for(name, 1) for key, name in zip(KEYS, FIELDS, strict=True)}
    variables = {KEYS[key]["names"][0]: text for key, text in said.items() if KEYS[key]["names"]}
    for chooser in ("ASYNCFLOW_PROFILE", "ASYNCFLOW_CONFIG"):
        del variables[chooser]
    lines = "".join(f'{key} = "{text}"\n' for key, text in said.items() if allowed(key, source))
    environ: dict[str, str] = {}
    match source:
        case "environment":
            environ, expected = variables, variables
        case ".env":
            (home / ".env").write_text("".join(f"{k}={v}\n" for k, v in variables.items()))
            expected = {f".env {name}": text for name, text in variables.items()}
        case "project":
            (home / "asyncflow.toml").write_text(lines)
            expected = {f"asyncflow.toml {k}": v for k, v in said.items() if allowed(k, source)}
        case _:
            configure(home, f"[profiles.default]\n{lines}")
            expected = {f"profile {k}": v for k, v in said.items() if allowed(k, source)}
    result = run("config", "list", "--json", **environ)
    assert result.code == 0, result.err
    origins = [row["origin"] for row in result.json["settings"]]
    assert set(expected) <= set(origins)
    assert len(expected) >= 13


def allowed(key: str, source: str) -> bool:
    """All but what chooses files; in a project file, all but secrets and what leads elsewhere."""
    if key in CHOOSES_PROFILE:
        return False
    return source != "project" or not (KEYS[key]["secret"] or key in DESTINATIONS)


def test_each_source_wins_over_those_below_it(run: Run, home: Path) -> None:
    configure(home, '[profiles.default]\nmodel = "profile"\n')
    assert listed(run)["model"] == ("profile", "profile model")
    (home / "asyncflow.toml").write_text('model = "project"\n')
    assert listed(run)["model"] == ("project", "asyncflow.toml model")
    (home / ".env").write_text("ASYNC_MODEL_ID=dotenv\n")
    assert listed(run)["model"] == ("dotenv", ".env ASYNC_MODEL_ID")
    assert listed(run, ASYNC_MODEL_ID="e")["model"] == ("e", "ASYNC_MODEL_ID")


def test_a_profile_is_the_one_that_the_first_source_names(run: Run, home: Path) -> None:
    names = ("flag", "environment", "dotenv", "project", "default")
    configure(home, "".join(f'[profiles.{name}]\nmodel = "of-{name}"\n' for name in names))
    project, dotenv = home / "asyncflow.toml", home / ".env"
    project.write_text('profile = "project"\n')
    dotenv.write_text("ASYNCFLOW_PROFILE=dotenv\n")
    environ = {"ASYNCFLOW_PROFILE": "environment"}
    found = [listed(run, "--profile", "flag", **environ), listed(run, **environ), listed(run)]
    for file in (dotenv, project):
        file.unlink()
        found.append(listed(run))
    assert [each["model"] for each in found] == [(f"of-{name}", "profile model") for name in names]


def test_the_config_file_is_the_one_that_the_first_source_names(run: Run, home: Path) -> None:
    names = ("environment", "dotenv", "usual")
    usual = configure(home, "")
    paths = {name: home / f"{name}.toml" for name in names} | {"usual": usual}
    for name, path in paths.items():
        path.write_text(f'[profiles.default]\nmodel = "of-{name}"\n')
    (home / ".env").write_text(f"ASYNCFLOW_CONFIG={paths['dotenv']}\n")
    found = [listed(run, ASYNCFLOW_CONFIG=str(paths["environment"])), listed(run)]
    (home / ".env").unlink()
    found.append(listed(run))
    assert [each["model"][0] for each in found] == [f"of-{name}" for name in names]


# Where the project file is


def test_the_project_file_is_found_up_to_the_root_of_the_repository(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "asyncflow.toml").write_text('model = "outside"\n')
    root = home / "repository"
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    (root / ".git").mkdir()
    monkeypatch.chdir(inner)
    assert listed(run)["model"][1] == "default"
    (root / "asyncflow.toml").write_text('model = "root"\n')
    assert listed(run)["model"] == ("root", "asyncflow.toml model")
    (root / "a" / "asyncflow.toml").write_text('model = "nearer"\n')
    assert listed(run)["model"] == ("nearer", "asyncflow.toml model")


def test_without_a_repository_no_folder_above_is_asked(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "asyncflow.toml").write_text('model = "above"\n')
    (home / "inner").mkdir()
    monkeypatch.chdir(home / "inner")
    assert listed(run)["model"] == (DEFAULT_MODEL, "default")


# What may stand there


@pytest.mark.parametrize("key", [key for key, data in KEYS.items() if data["secret"]])
def test_a_secret_in_a_project_file_is_refused_and_not_repeated(
    run: Run, home: Path, key: str
) -> None:
    (home / "asyncflow.toml").write_text(f'{key} = "canary-canary"\n')
    result = run("config", "list", "--json")
    assert (result.code, result.error["code"]) == (2, "SETTING_MISPLACED")
    assert f"asyncflow.toml: {key} is a secret" in result.error["message"]
    assert "auth login" in result.error["hint"]
    assert "canary" not in result.err


@pytest.mark.parametrize("key", sorted(DESTINATIONS & set(KEYS) | {"config"}))
def test_a_project_file_does_not_say_where_keys_go(run: Run, home: Path, key: str) -> None:
    (home / "asyncflow.toml").write_text(f'{key} = "https://elsewhere.example.com"\n')
    result = run("status", "--json", ASYNC_API_KEY="canary-canary")
    assert (result.code, result.error["code"]) == (2, "SETTING_MISPLACED")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('voise = "v"', "there is no setting 'voise'", "Did you mean voice?"),
        ('qqqq = "v"', "there is no setting 'qqqq'", "All names: asyncflow config list"),
        ('[tss]\nformat = "wav"', "there is no command 'tss'", "Did you mean tts?"),
        ("[voices.lisst]\nlimit = 3", "there is no command 'voices lisst'", "mean voices list?"),
        ('[tts]\nfromat = "wav"', "[tts] has no option 'fromat'", "Did you mean format?"),
        ('[tts]\noutput = "x.wav"', "output says what to do this once", "Give --output each time"),
        ("[tts]\nforce = true", "force says what to do this once", "Give --force"),
        ("[tts]\njson = true", "[tts] has no option 'json'", ""),
        ("[tts.format]\nx = 1", "[tts] format is a table", ""),
        ("[voices]\nlimit = 3", "voices.limit belongs in the table of a command", ""),
        ("model = 1.5", "model is a number, and must be a text", 'in quotes: model = "…"'),
        ("retries = true", "retries is a truth value, and must be", ""),
        ("[tts]\nvoice = 5", "[tts]: voice is a number, and must be a text", ""),
        ("voice = 1999-01-01", "voice is a date, and must be a text", ""),
    ],
)
@pytest.mark.parametrize("source", ["project", "profile"])
def test_a_wrong_key_names_its_file_and_the_nearest_right_one(
    run: Run, home: Path, source: str, text: str, message: str, hint: str
) -> None:
    if source == "project":
        (home / "asyncflow.toml").write_text(text + "\n")
    else:
        text = text.replace("[", "[profiles.default.")
        head = "" if text.startswith("[") else "[profiles.default]\n"
        configure(home, f"{head}{text}\n")
    result = run("config", "list", "--json")
    assert result.code == 2
    assert message in result.error["message"]
    assert ("asyncflow.toml" if source == "project" else "profile") in result.error["message"]
    assert hint in (result.error.get("hint") or "")


@pytest.mark.parametrize("value", ['["canary-canary"]', "20251126", "true", "1.5"])
def test_a_secret_that_is_no_text_is_told_by_its_place_alone(
    run: Run, home: Path, value: str
) -> None:
    path = configure(home, f"[profiles.default]\napi_key = {value}\n")
    result = run("voices", "list", "--json")
    assert result.code == 2
    assert f"{path}, profile default: api_key is a" in result.error["message"]
    assert value.strip('["]') not in result.err


@pytest.mark.parametrize("value", ["3", '["Jennie"]', "{voice = 'Jennie'}"])
def test_an_alias_that_is_no_text_is_told_by_its_place(run: Run, home: Path, value: str) -> None:
    (home / "asyncflow.toml").write_text(f"[aliases]\nhost = {value}\n")
    error = run("config", "list", "--json").error
    assert "asyncflow.toml: [aliases] host must be a text" in error["message"]


def test_numbers_and_truth_values_need_no_quotes(run: Run, home: Path) -> None:
    configure(home, "[profiles.default]\nretries = 3\ntimeout = 4.5\nsandbox = true\n")
    told = listed(run)
    assert [told[name][0] for name in ("retries", "timeout", "sandbox")] == ["3", "4.5", "True"]


@pytest.mark.parametrize("option", ["tunnel", "public_url"])
def test_only_your_own_file_says_which_way_a_call_takes(run: Run, home: Path, option: str) -> None:
    (home / "asyncflow.toml").write_text(f'[call]\n{option} = "ssh:elsewhere.example.com"\n')
    assert run("config", "list", "--json").error["code"] == "SETTING_MISPLACED"
    (home / "asyncflow.toml").unlink()
    configure(home, f'[profiles.default.call]\n{option} = "ssh:mine.example.com"\n')
    assert run("config", "list").code == 0


def test_a_broken_project_file_is_told_and_help_works_nevertheless(run: Run, home: Path) -> None:
    (home / "asyncflow.toml").write_text("= 3\n")
    result = run("status", "--json")
    assert (result.code, "asyncflow.toml is not valid TOML" in result.err) == (2, True)
    for args in (("--help",), ("tts", "--help"), ("explain", "24"), ("schema",)):
        assert run(*args).code == 0, args


# Profiles


def test_a_profile_that_is_not_there_is_told_with_the_one_that_was_meant(
    run: Run, home: Path
) -> None:
    configure(home, "[profiles.support]\n")
    error = run("config", "list", "--profile", "suport", "--json").error
    assert "has no profile 'suport'" in error["message"]
    assert error["hint"] == "Did you mean support?"
    error = run("config", "list", "--profile", "x", "--json").error
    assert error["hint"] == "It has: support, sandbox"


def test_a_key_in_place_of_a_profiles_name_is_not_repeated(run: Run, home: Path) -> None:
    configure(home, "[profiles.support]\n")
    result = run("config", "list", ASYNCFLOW_PROFILE=ANY_KEY)
    assert (result.code, ANY_KEY in result.err) == (2, False)
    assert "It has: support, sandbox" in result.err


def test_the_profile_sandbox_needs_no_file(run: Run, home: Path) -> None:
    report = run("--profile", "sandbox", "tts", FOX, "-o", "x.wav", "--json").json
    assert report["seconds"] > 1
    assert listed(run, ASYNCFLOW_PROFILE="sandbox")["sandbox"] == ("True", "ASYNCFLOW_PROFILE")
    configure(home, '[profiles.sandbox]\nmodel = "m"\n')
    assert listed(run, "--profile", "sandbox")["model"] == ("m", "profile model")


def test_a_project_may_choose_a_profile(run: Run, home: Path) -> None:
    configure(home, '[profiles.support]\nfrom = "+15557654321"\n')
    (home / "asyncflow.toml").write_text('profile = "support"\n')
    assert listed(run)["from"] == ("+15557654321", "profile from")


# Defaults of options


def test_an_option_has_its_default_from_the_project_and_the_flag_wins(
    sandboxed: Run, home: Path
) -> None:
    configure(home, '[profiles.default.tts]\nformat = "mp3"\nsample_rate = 16000\n')
    assert sandboxed("tts", FOX, "-o", "out", "--json").json["container"] == "mp3"
    (home / "asyncflow.toml").write_text('[tts]\nformat = "wav"\n')
    report = sandboxed("tts", FOX, "-o", "out", "--json").json
    assert (report["container"], report["sample_rate"]) == ("wav", 16000)
    assert (
        sandboxed("tts", FOX, "-o", "out", "--format", "raw", "--json").json["container"] == "raw"
    )


def test_a_name_that_says_its_format_needs_no_default(sandboxed: Run, home: Path) -> None:
    (home / "asyncflow.toml").write_text('[tts]\nformat = "wav"\nencoding = "pcm_f32le"\n')
    assert sandboxed("tts", FOX, "-o", "x.mp3", "--json").json["container"] == "mp3"


def test_a_voice_of_one_command_gives_way_to_the_environment(sandboxed: Run, home: Path) -> None:
    (home / "asyncflow.toml").write_text(
        '[tts]\nvoice = "host"\n[aliases]\nhost = "Jennie"\n[timestamps]\nlanguage = "en"\n'
    )
    jennie = sandboxed("voices", "get", "Jennie", "-q").out.strip()
    assert sandboxed("tts", FOX, "-o", "x.wav", "--json").json["voice_id"] == jennie
    other = sandboxed("tts", FOX, "-o", "x.wav", "--json", ASYNC_VOICE_ID="Stella").json
    assert other["voice_id"] != jennie


def test_an_alias_of_the_project_wins_over_ones_own(sandboxed: Run, home: Path) -> None:
    configure(home, '[aliases]\nhost = "Stella"\nguest = "Stella"\n')
    (home / "asyncflow.toml").write_text('[aliases]\nhost = "Jennie"\n')
    names = [sandboxed("voices", "get", name, "--json").json["name"] for name in ("host", "guest")]
    assert names == ["Jennie", "Stella"]


@pytest.mark.parametrize(
    ("command", "line", "place"),
    [
        (("tts", "Hi"), 'format = "wave"', "[tts] format"),
        (("tts", "Hi"), "sample_rate = 3", "[tts] sample_rate"),
        (("tts", "Hi"), 'jobs = "many"', "[tts] jobs"),
        (("tts", "Hi"), 'plain_text = "perhaps"', "[tts] plain_text"),
        (("tts", "Hi"), "format = [1]", "[tts] format"),
        (("call", "Hi"), 'ring_timeout = "soon"', "[call] ring_timeout"),
        (("call", "Hi"), "repeat = 1000", "[call] repeat"),
    ],
)
def test_a_wrong_default_is_an_error_that_names_file_and_key(
    sandboxed: Run, home: Path, command: tuple[str, ...], line: str, place: str
) -> None:
    (home / "asyncflow.toml").write_text(f"[{command[0]}]\n{line}\n")
    result = sandboxed(*command, "--json", OUTBOUND_NUMBER="+15551230001")
    assert (result.code, result.error["code"]) == (2, "USAGE")
    assert result.error["message"].startswith(f"asyncflow.toml {place}"), result.error


@pytest.mark.parametrize("line", ["format", "sample_rate"])
def test_a_key_where_an_option_is_meant_is_not_repeated(
    sandboxed: Run, home: Path, line: str
) -> None:
    (home / "asyncflow.toml").write_text(f'[tts]\n{line} = "{ANY_KEY}"\n')
    result = sandboxed("tts", "Hi", "-n")
    assert (result.code, ANY_KEY in result.err) == (2, False)
    assert f"asyncflow.toml [tts] {line}: " in result.err


def test_defaults_are_listed_with_their_origins(run: Run, home: Path) -> None:
    (home / "asyncflow.toml").write_text('[voices.list]\nlimit = 3\n[tts]\nvoice = "v"\n')
    configure(home, "[profiles.default.voices.list]\nlimit = 4\nlanguage = 'en'\n")
    rows = listed(run)
    assert rows["voices.list.limit"] == ("3", "asyncflow.toml [voices.list] limit")
    assert rows["voices.list.language"] == ("en", "profile [voices.list] language")
    assert rows["tts.voice"] == ("v", "asyncflow.toml [tts] voice")


def test_an_option_that_may_be_given_often_takes_a_list_or_one(run: Run, home: Path) -> None:
    for value in ('"no-such-tunnel"', '["no-such-tunnel"]'):
        configure(home, f"[profiles.default.call]\ntunnel = {value}\n")
        call = ("call", "Hi", "--to", "+15551230001", "--from", "+15557654321", "--json")
        result = run(*call, ASYNC_API_KEY="k", TWILIO_ACCOUNT_SID="AC", TWILIO_AUTH_TOKEN="t")
        assert "no-such-tunnel" in result.error["message"]


# Permissions


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o644, True), (0o620, True)])
def test_files_with_keys_that_others_can_read_are_warned_of_once(
    run: Run, home: Path, mode: int, warns: bool
) -> None:
    path = configure(home, '[profiles.other]\napi_key = "k"\n')
    path.chmod(mode)
    (home / ".env").write_text("TWILIO_AUTH_TOKEN=t\n")
    (home / ".env").chmod(mode)
    warnings: Any = run("config", "list", "--json").json.get("warnings", [])
    told = [f"{p} holds keys, and others can read it: chmod 600 {p}" for p in (".env", path)]
    assert warnings == (told if warns else [])


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_files_without_keys_may_be_read_by_all(run: Run, home: Path) -> None:
    configure(home, '[profiles.default]\nvoice = "v"\n').chmod(0o644)
    (home / ".env").write_text("ASYNC_VOICE_ID=v\nASYNC_API_KEY=\n")
    assert run("config", "list", "--json").json.get("warnings", []) == []
