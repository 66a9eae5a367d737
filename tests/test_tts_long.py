"""Long text, mark-up, presets and dry runs of `asyncflow tts`."""

from __future__ import annotations

import array
import re
import wave
from pathlib import Path

import av
import pytest

from asyncflow_cli.protocol.presets import PRESETS
from tests.conftest import Run, ServedSandbox

TALE = "the quick brown fox jumps over the lazy dog while seven wizards watch in silence"
WORDS = re.findall(r"\w+", TALE)
STORY = " ".join(
    " ".join(WORDS[(n + k) % len(WORDS)] for k in range(10)).capitalize() + "." for n in range(1000)
)


def longest_silence(path: Path) -> float:
    with wave.open(str(path)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        rate = file.getframerate()
    step = rate // 100
    quiet = [max(map(abs, samples[i : i + step])) < 60 for i in range(0, len(samples), step)]
    runs = re.findall("1+", "".join("01"[q] for q in quiet))
    return max(map(len, runs)) / 100


@pytest.mark.parametrize(
    ("words", "requests"), [(1000, 4), pytest.param(10_000, 40, marks=pytest.mark.soak)]
)
def test_thousands_of_words_become_one_file(
    sandboxed: Run, home: Path, words: int, requests: int
) -> None:
    story = " ".join(STORY.split()[:words])
    (home / "story.txt").write_text(story)
    args = ("-f", "story.txt", "-o", "story.wav", "--sample-rate", "8000", "--jobs", "4", "--json")
    result = sandboxed("tts", *args)
    assert result.code == 0, result.err
    report = result.json
    assert report["requests"] >= requests
    assert report["characters"] == len(story)
    with wave.open("story.wav") as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(
            report["seconds"], abs=0.001
        )
    assert words / 5 < report["seconds"] < words * 3 / 5
    assert longest_silence(home / "story.wav") < 1.0


def test_the_pieces_come_in_order(sandboxed: Run, fast: ServedSandbox) -> None:
    before = fast.sandbox.store.count_speeches()
    text = STORY[:3000]
    together = sandboxed("tts", text, "-o", "a.wav", "--sample-rate", "8000", "--jobs", "4")
    one_by_one = sandboxed("tts", text, "-o", "b.wav", "--sample-rate", "8000", "--jobs", "1")
    assert together.code == one_by_one.code == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()
    said = fast.sandbox.store.speeches(after=before)
    assert "".join(speech.transcript for speech in said[len(said) // 2 :]) == text.strip()


def test_a_long_mp3_is_one_file_of_the_right_length(sandboxed: Run) -> None:
    result = sandboxed("tts", STORY[:2500], "-o", "s.mp3", "--sample-rate", "22050", "--json")
    assert result.code == 0, result.err
    with av.open("s.mp3", "r") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 22_050 == pytest.approx(result.json["seconds"], abs=0.06)


def test_one_piece_that_fails_leaves_no_file(run: Run, home: Path) -> None:
    with ServedSandbox(faults=["POST /text_to_speech:USAGE_LIMIT_EXCEEDED x1"]) as served:
        result = run("tts", STORY[:3000], "-o", "s.wav", "--json", **served.environ)
    assert (result.code, result.out) == (5, ""), result.err
    assert not (home / "s.wav").exists()


def test_a_rate_limit_is_waited_out_by_all_workers_together(run: Run) -> None:
    fault = "POST /text_to_speech:RATE_LIMIT_EXCEEDED retry_after_ms=20 x2"
    with ServedSandbox(faults=[fault]) as served:
        result = run("tts", STORY[:3000], "-o", "s.wav", "--json", **served.environ)
    assert result.code == 0, result.err


def test_mark_up_that_is_none_is_shown_where_it_stands(sandboxed: Run, fast: ServedSandbox) -> None:
    before = fast.sandbox.store.count_speeches()
    result = sandboxed("tts", "Wait <break time='1x'/> now", "-o", "x.wav")
    assert (result.code, result.out) == (2, "")
    lines = result.err.splitlines()
    place = next(n for n, line in enumerate(lines) if "Wait <break" in line)
    assert lines[place + 1].index("^") >= lines[place].index("<break")
    assert "--plain-text" in result.err
    assert fast.sandbox.store.count_speeches() == before


def test_plain_text_is_never_mark_up(sandboxed: Run, fast: ServedSandbox) -> None:
    result = sandboxed("tts", "a <break time='5s'/> b", "-o", "x.wav", "--plain-text", "--json")
    assert result.code == 0, result.err
    assert "<break" not in fast.sandbox.store.speeches()[-1].transcript


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_what_the_dry_run_expands(sandboxed: Run, preset: str) -> None:
    form = PRESETS[preset].output_format
    name = f"x.{form.container}"
    plan = sandboxed("tts", "Hi", "-o", name, "--preset", preset, "--dry-run", "--json").json
    assert plan["body"]["output_format"]["sample_rate"] == form.sample_rate
    report = sandboxed("tts", "Hi", "-o", name, "--preset", preset, "--json").json
    assert (report["container"], report["sample_rate"]) == (form.container, form.sample_rate)


def test_a_preset_that_contradicts_the_name_is_refused(sandboxed: Run) -> None:
    assert sandboxed("tts", "Hi", "-o", "x.wav", "--preset", "web").code == 2


def test_a_dry_run_opens_no_socket_and_needs_no_key(run: Run) -> None:
    nowhere = {"ASYNC_BASE_URL": "http://127.0.0.1:1"}
    result = run("tts", STORY, "-o", "x.mp3", "-n", "--json", **nowhere)
    assert result.code == 0, result.err
    plan = result.json
    assert (plan["method"], plan["url"]) == ("POST", "http://127.0.0.1:1/text_to_speech")
    assert plan["requests"] > 30
    assert plan["characters"] == len(STORY)
    assert plan["estimated_usd"] == pytest.approx(plan["estimated_seconds"] / 7200, rel=0.01)
    assert not Path("x.mp3").exists()
    shown = run("tts", "Hi", "-o", "x.mp3", "-n", ASYNC_API_KEY="sk_0123456789", **nowhere)
    assert "sk_0123456789" not in shown.out
    assert "***" in shown.out


@pytest.mark.parametrize(
    ("fault", "code"), [("truncate 3000", 8), ("drop 3000", 8), ("quota-marker", 5)]
)
@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_audio_that_is_not_whole_leaves_no_file_and_keeps_the_old_one(
    run: Run, home: Path, fault: str, code: int, container: str
) -> None:
    old = home / f"x.{container}"
    old.write_bytes(b"old")
    with ServedSandbox(faults=[f"POST /text_to_speech:{fault}"]) as served:
        result = run("tts", STORY[:300], "-o", old.name, "--json", **served.environ)
    assert (result.code, result.out) == (code, ""), result.err
    assert old.read_bytes() == b"old"
    assert [path.name for path in home.iterdir() if path.is_file()] == [old.name]
