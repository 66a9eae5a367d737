"""What would be done to voices, and with a recording, without doing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Result, Run, ServedSandbox
from tests.test_tts import FOX


@pytest.fixture
def own(run: Run) -> Iterator[Run]:
    """A sandbox of its own, in which there is one voice of ours: Me."""
    with ServedSandbox(speed=20, deterministic=True) as served:

        def own(*args: str) -> Result:
            return run(*args, **served.environ)

        run("tts", f"{FOX} {FOX}", "-o", "me.wav", **served.environ)
        assert run("voices", "clone", "me.wav", "--name", "Me", **served.environ).code == 0
        yield own


def names(own: Run) -> list[str]:
    return own("voices", "list", "--mine", "--field", "voices.*.name").out.split()


def test_a_deletion_is_shown_by_its_voices_and_not_done(own: Run) -> None:
    plan = own("voices", "delete", "me", "--dry-run", "--json")
    assert [voice["name"] for voice in plan.json["voices"]] == ["Me"]
    human = own("voices", "delete", "Me", "-n")
    assert (human.code, "Would be deleted: 1 voice" in human.err) == (0, True)
    assert names(own) == ["Me"]
    assert own("voices", "delete", "Nobody", "-n").code == 3


def test_a_change_is_shown_and_not_made(own: Run) -> None:
    plan = own("voices", "update", "Me", "--name", "You", "-n", "--json").json
    assert [(c["field"], c["before"], c["after"]) for c in plan["changes"]] == [
        ("name", "Me", "You")
    ]
    assert names(own) == ["Me"]


def test_a_second_voice_of_one_name_is_warned_of(own: Run) -> None:
    again = own("voices", "clone", "me.wav", "--name", "Me")
    assert again.code == 0
    assert "Warning: You had a voice named Me already" in again.err


def test_a_recording_is_described_and_not_sent(run: Run, home: Path) -> None:
    (home / "x.flac").write_bytes(b"fLaC" + bytes(96))
    plan = run("stt", "x.flac", "--language", "en", "-n", "--json").json
    assert (plan["method"], plan["url"]) == ("POST", "https://api.async.com/speech_to_text")
    assert plan["fields"] == {"language": "en"}
    assert (plan["file"], plan["format"], plan["bytes"]) == ("x.flac", "flac", 100)


def test_a_fault_that_is_none_names_those_of_its_place(run: Run) -> None:
    result = run("sandbox", "serve", "--port", "0", "--fault", "tunnel:die 1s", "--json")
    assert (result.code, result.error["code"]) == (2, "FAULT_UNKNOWN")
    assert "tunnel knows no die, but die-after" in result.error["message"]
    assert "tunnel:die-after 1s" in result.error["hint"]
