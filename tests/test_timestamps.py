"""`asyncflow timestamps`, through the real client into the sandbox and back to files."""

from __future__ import annotations

import base64
import csv
import io
import re
import wave
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest

from asyncflow_cli.sandbox.voices import LIBRARY
from tests.conftest import Result, Run, ServedSandbox
from tests.httpservers import saying
from tests.transport.test_files import contents, no_room_beyond

TALK = 'Your order of $12.50 ships today. "Really?" she asked; it does, by 5 p.m., Dr. Müller said.'
FORMATS = ("json", "srt", "vtt", "ass", "lrc", "csv", "TextGrid")
SECOND = b"\1\0" * 8000
RAW = ("-o", "x.raw", "--sample-rate", "8000")


def bare(text: str) -> str:
    """Without white space, which captions may set otherwise."""
    return re.sub(r"\s", "", text)


def assert_in_order(words: list[dict[str, Any]], seconds: float) -> None:
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= seconds


def decoded_seconds(path: Path) -> float:
    with av.open(str(path), "r") as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_one_call_three_renderings(sandboxed: Run) -> None:
    call = ("timestamps", "Hello there.", "-o", "hi.wav", "--captions", "srt,vtt")
    human, quiet = sandboxed(*call), sandboxed(*call, "--quiet")
    document = sandboxed(*call, "--json")
    assert [line.split()[:2] for line in human.out.splitlines()] == [
        ["file", "format"],
        ["hi.wav", "wav"],
        ["hi.srt", "srt"],
        ["hi.vtt", "vtt"],
    ]
    assert human.err.startswith("Timed: 2 words, 1.")
    assert (quiet.out, quiet.err, document.err) == ("hi.wav\n", "", "")
    assert document.json["schema"] == "asyncflow.timestamps"
    assert [word["text"] for word in document.json["words"]] == ["Hello", "there."]
    assert [(file["file"], file["format"]) for file in document.json["files"]] == [
        ("hi.wav", "wav"),
        ("hi.srt", "srt"),
        ("hi.vtt", "vtt"),
    ]
    for file in document.json["files"]:
        assert file["bytes"] == Path(file["file"]).stat().st_size


@pytest.mark.parametrize("name", ["talk.wav", "talk.mp3", "talk.raw"])
def test_words_are_those_of_the_text_and_inside_the_audio(sandboxed: Run, name: str) -> None:
    result = sandboxed("timestamps", TALK, "-o", name, "--strict", "--json")
    assert result.code == 0, result.err
    document = result.json
    assert " ".join(word["text"] for word in document["words"]) == TALK
    assert_in_order(document["words"], document["seconds"])
    if name != "talk.raw":
        assert document["seconds"] == pytest.approx(decoded_seconds(Path(name)), abs=0.002)


def test_every_format_of_captions_holds_every_word(sandboxed: Run, home: Path) -> None:
    made = sandboxed("timestamps", TALK, "-o", "talk.mp3", "--captions", ",".join(FORMATS))
    assert made.code == 0, made.err
    texts = {name: (home / f"talk.{name}").read_text("utf-8") for name in FORMATS}
    for name, demuxer in {"srt": "srt", "vtt": "webvtt", "ass": "ass", "lrc": "lrc"}.items():
        assert bare(TALK) in bare(" ".join(payloads(texts[name], demuxer))), name
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert " ".join(row["word"] for row in rows) == TALK
    document = msgspec.json.decode(texts["json"])
    assert " ".join(line for cue in document["cues"] for line in cue["lines"]) == TALK
    assert document["title"] == "talk"
    labels = re.findall(r'text = "((?:[^"]|"")*)"', texts["TextGrid"].split("item [2]")[0])
    assert " ".join(filter(None, labels)).replace('""', '"') == TALK


def payloads(text: str, demuxer: str) -> list[str]:
    """What FFmpeg reads as text, without tags."""
    with av.open(io.BytesIO(text.encode()), mode="r", format=demuxer) as file:
        packets = [bytes(packet).decode() for packet in file.demux() if packet.size]
    plain = (re.sub(r"\{\\k\d+\}|<\d+:[\d.]+>|^\d+,\d+,Default,,0,0,0,,", "", p) for p in packets)
    return [text.replace("\\N", " ") for text in plain]


def test_captions_alone_go_where_one_says(sandboxed: Run, home: Path) -> None:
    piped = sandboxed("timestamps", TALK, "--captions", "srt")
    named = sandboxed("timestamps", TALK, "-c", "a.SRT", "--quiet")
    beside = sandboxed("timestamps", TALK, "-o", "t.wav", "-c", "-", "--captions", "srt")
    assert (piped.code, named.code, beside.code) == (0, 0, 0)
    assert piped.out.startswith("1\n00:00:00,")
    assert beside.out == piped.out == (home / "a.SRT").read_text()
    assert named.out == "a.SRT\n"
    assert set(contents(home)) == {"a.SRT", "t.wav"}


def test_a_voice_has_a_name(sandboxed: Run) -> None:
    voice = LIBRARY[1]
    document = sandboxed("timestamps", "Hi", "--voice", voice.name, "--json").json
    assert document["voice_id"] == voice.voice_id


def test_audio_on_stdout_is_alone_there(sandboxed: Run, home: Path) -> None:
    result = sandboxed("timestamps", "Hi", "-o", "-", "-c", "hi.vtt")
    with wave.open(io.BytesIO(result.stdout)) as file:
        assert file.getnframes() > 1000
    assert (home / "hi.vtt").read_text().startswith("WEBVTT")


def test_words_alone_are_a_document(sandboxed: Run, home: Path) -> None:
    document = sandboxed("timestamps", "Hello there.", "--json").json
    assert document["files"] == []
    assert_in_order(document["words"], document["seconds"])
    assert contents(home) == {}


def test_cue_rules_are_kept(sandboxed: Run) -> None:
    rules = ("--max-chars", "12", "--max-lines", "1", "--max-cue", "1500ms", "--gap-split", "0.1s")
    srt = sandboxed("timestamps", TALK, "--captions", "srt", *rules).out
    cues = [block.splitlines()[2:] for block in srt.strip().split("\n\n")]
    assert all(len(lines) == 1 and len(lines[0]) <= 12 for lines in cues)
    assert " ".join(line for lines in cues for line in lines) == TALK
    one = ("--split-on", "", "--max-lines", "9", "--max-cue", "60s", "--gap-split", "9s")
    assert sandboxed("timestamps", TALK, "--json", *one).json["cues"] == 1


def test_long_text_is_one_file_and_its_words_are_in_it(
    sandboxed: Run, fast: ServedSandbox, home: Path
) -> None:
    sentences = [f"This is number {n} of many sentences, and it is not long." for n in range(60)]
    text = " ".join(sentences)
    (home / "talk.txt").write_text(text)
    before = fast.sandbox.store.count_speeches()
    options = ("-o", "t.mp3", "--sample-rate", "16000", "--bit-rate", "32000", "--captions", "json")
    result = sandboxed("timestamps", "-f", "talk.txt", *options, "--strict", "--json")
    assert result.code == 0, result.err
    document = result.json
    assert len(document["words"]) == len(text.split()) == 720
    assert " ".join(word["text"] for word in document["words"]) == text
    seconds = decoded_seconds(home / "t.mp3")
    assert document["seconds"] == pytest.approx(seconds, abs=0.002)
    assert_in_order(document["words"], seconds)
    assert seconds - document["words"][-1]["end"] < 1.0
    gaps = [later["start"] - sooner["end"] for sooner, later in pairwise(document["words"])]
    assert max(gaps) < 1.0
    made = fast.sandbox.store.speeches(after=before)
    assert document["requests"] == len(made) > 2
    assert sum(len(speech.transcript.split()) for speech in made) == 720


def test_a_dry_run_asks_nobody(sandboxed: Run) -> None:
    nowhere = ("--base-url", "http://127.0.0.1:1")
    result = sandboxed("timestamps", TALK, "-o", "t.mp3", "-n", "--json", *nowhere)
    assert result.code == 0, result.err
    assert result.json["url"] == "http://127.0.0.1:1/text_to_speech/with_timestamps"
    assert result.json["body"]["transcript"] == TALK
    assert result.json["headers"]["x-api-key"] == "***"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "Nothing is asked for"),
        (("--captions", "sub"), "'sub' is no format of captions"),
        (("--captions", ""), "'' is no format of captions"),
        (("--captions", "srt,vtt"), "The captions have no name"),
        (("-o", "-", "--captions", "srt"), "The captions have no name"),
        (("-c", "x.srt", "--captions", "srt,vtt"), "x.srt holds captions of one format, not of 2"),
        (("-c", "x.srt", "--captions", "vtt"), "x.srt and --captions vtt disagree"),
        (("-c", "x.txt"), "x.txt tells no format of captions"),
        (("-c", "-"), "- tells no format of captions"),
        (("-o", "-", "-c", "-", "--captions", "srt"), "both want stdout"),
        (("-o", "x.srt", "--format", "wav", "--captions", "srt"), "Two results want one file"),
        (("-o", "x.srt", "--format", "wav", "-c", "./x.srt"), "Two results want one file"),
        (("--captions", "srt", "--json"), "both want stdout"),
        (("-o", "-", "--json"), "both want stdout"),
        (("-o", "x.ogg"), "x.ogg"),
        (("-o", "nowhere/x.wav", "--captions", "srt"), "There is no folder nowhere"),
        (("-o", "x.wav", "-c", "folder", "--captions", "srt"), "folder is a folder"),
        (("-o", "x.wav", "--encoding", "pcm_mulaw"), "not made in pcm_mulaw"),
        (("-o", "x.wav", "--max-chars", "0"), "--max-chars"),
        (("-o", "x.wav", "--max-cue", "0s"), "A cue needs"),
        (("-o", "x.wav", "--gap-split", "soon"), "'soon' is no duration"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    sandboxed: Run, fast: ServedSandbox, home: Path, args: tuple[str, ...], says: str
) -> None:
    (home / "folder").mkdir()
    before = fast.sandbox.store.count_speeches()
    result = sandboxed("timestamps", "Hi", *args)
    assert (result.code, result.out) == (2, "")
    assert says in (result.err if "--json" not in args else result.error["message"])
    assert "Traceback" not in result.err
    assert fast.sandbox.store.count_speeches() == before


@pytest.mark.parametrize(
    ("args", "variables", "code", "error"),
    [
        (("  ",), {}, 2, "TEXT_EMPTY"),
        (("<brake/>",), {}, 2, "BAD_MARKUP"),
        (("Hi",), {"ASYNC_API_KEY": ""}, 10, "SETTING_MISSING"),
        (("Hi",), {"ASYNC_API_KEY": "sk_wrong"}, 4, "INVALID_API_KEY"),
        (("Hi", "--voice", "nobody"), {}, 3, "VOICE_NOT_FOUND"),
        (("Hi", "--voice", "f7e6d5c4-0000-4000-8000-000000000000"), {}, 3, "VOICE_NOT_FOUND"),
        (("Hi", "--language", "xx"), {}, 2, "INVALID_LANGUAGE"),
        (("Hi", "--model", "async_future_v9"), {}, 2, "HTTP_422"),
        (("Hi", "--base-url", "http://127.0.0.1:1"), {}, 6, "CONNECTION_FAILED"),
    ],
)
def test_refusals_leave_no_file_and_keep_the_old_ones(
    sandboxed: Run,
    home: Path,
    args: tuple[str, ...],
    variables: dict[str, str],
    code: int,
    error: str,
) -> None:
    (home / "old.srt").write_bytes(b"old")
    files = ("-o", "old.wav", "--captions", "srt,vtt", "--retries", "0")
    result = sandboxed("timestamps", *args, *files, "--json", **variables)
    assert (result.code, result.out) == (code, "")
    assert (result.error["code"], result.error["exit_code"]) == (error, code)
    assert contents(home) == {"old.srt": b"old"}


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        ("500", 7, "HTTP_500"),
        ("429 USAGE_LIMIT_EXCEEDED", 5, "USAGE_LIMIT_EXCEEDED"),
        ("truncate", 8, "BODY_CUT"),
        ("drop 1000", 8, "BODY_CUT"),
        ("truncate 0", 8, "BODY_CUT"),
    ],
)
def test_a_service_that_fails_leaves_nothing(
    sandboxed: Run, fast: ServedSandbox, home: Path, fault: str, code: int, error: str
) -> None:
    fast.sandbox.faults.add([f"POST /text_to_speech/with_timestamps:{fault} x1"])
    result = sandboxed("timestamps", TALK, "-o", "t.wav", "--captions", "srt", "--json")
    fast.sandbox.faults.clear()
    assert (result.code, result.out, result.error["code"]) == (code, "", error)
    assert contents(home) == {}


def test_if_one_file_cannot_be_written_none_is(sandboxed: Run, home: Path) -> None:
    (home / "old.srt").write_bytes(b"old")
    with no_room_beyond(4000):
        result = sandboxed("timestamps", TALK, "-o", "t.wav", "-c", "old.srt")
    assert result.code != 0
    assert "t.wav" in result.err
    assert contents(home) == {"old.srt": b"old"}


def timed(
    words: list[str], starts: list[float], ends: list[float], audio: bytes = SECOND
) -> dict[str, Any]:
    return {
        "audio_base64": base64.b64encode(audio).decode(),
        "alignment": {
            "words": words,
            "word_start_times_milliseconds": starts,
            "word_end_times_milliseconds": ends,
        },
    }


def against(run: Run, answer: Any, *args: str, text: str = "One two.") -> Result:
    with saying(msgspec.json.encode(answer)) as service:
        return run("timestamps", text, *args, **service)


UNTRUE = {
    "before the audio": timed(["one", "two"], [-50, 500], [400, 900]),
    "before it begins": timed(["one", "two"], [0, 500], [400, 300]),
    "but the word before it at": timed(["one", "two"], [500, 0], [900, 400]),
    "but the word before it lasts until": timed(["one", "two"], [0, 100], [400, 900]),
    "but the audio ends at 1.000 s": timed(["one", "two"], [0, 500], [400, 1200]),
    "1 words of the text have no time": timed(["one"], [0], [400]),
}


@pytest.mark.parametrize("problem", UNTRUE)
def test_times_that_cannot_be_true_are_mended_or_with_strict_refused(
    run: Run, home: Path, problem: str
) -> None:
    strict = against(run, UNTRUE[problem], *RAW, "--strict", "--captions", "srt", "--json")
    assert (strict.code, strict.out) == (8, "")
    assert strict.error["code"] == "TIMES_NOT_TRUE"
    assert problem in strict.error["details"]["problems"][0]
    assert contents(home) == {}
    mended = against(run, UNTRUE[problem], *RAW, "--captions", "srt", "--json")
    assert mended.code == 0, mended.err
    assert problem in mended.json["warnings"][0]
    assert [word["text"] for word in mended.json["words"]] == ["One", "two."]
    assert_in_order(mended.json["words"], 1.0)


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (timed(["one", "two"], [0], [400, 900]), 8, "UNEQUAL_TIMINGS"),
        (timed(["one", "two"], [0, 500], [400]), 8, "UNEQUAL_TIMINGS"),
        (timed(["one"], [0, 500], [400, 900]), 8, "UNEQUAL_TIMINGS"),
        (timed([], [], []), 8, "TIMES_MISSING"),
        (timed(["one", "two"], [0, 1100], [400, 1400]), 8, "AUDIO_SHORTER_THAN_TIMES"),
        (timed(["one", "two"], [0, 900], [400, 1600]), 8, "AUDIO_SHORTER_THAN_TIMES"),
        (timed(["one"], [0], [400], audio=b""), 8, "AUDIO_EMPTY"),
        (timed(["one"], [0], [400], audio=SECOND[:-1]), 8, "AUDIO_TRUNCATED"),
        (timed(["one"], [0], [400]) | {"audio_base64": "AAA"}, 8, "AUDIO_NOT_BASE64"),
        (timed(["one"], [0], [400]) | {"audio_base64": "Ünï=="}, 8, "AUDIO_NOT_BASE64"),
        ({"audio_base64": ""}, 7, "REMOTE_PROTOCOL_ERROR"),
        ([], 7, "REMOTE_PROTOCOL_ERROR"),
        ({"error_code": "USAGE_LIMIT_EXCEEDED"}, 5, "USAGE_LIMIT_EXCEEDED"),
        ({"detail": {"error_code": "INVALID_API_KEY", "message": "no"}}, 4, "INVALID_API_KEY"),
    ],
)
def test_answers_that_are_not_whole_leave_no_file(
    run: Run, home: Path, answer: Any, code: int, error: str
) -> None:
    result = against(run, answer, *RAW, "--captions", "srt", "--json")
    assert (result.code, result.out, result.error["code"]) == (code, "", error)
    assert contents(home) == {}


def test_a_wav_that_is_not_as_asked_or_cut_is_refused(run: Run, home: Path) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(SECOND)
    other = timed(["one", "two"], [0, 100], [90, 200], audio=sound.getvalue())
    cut = timed(["one", "two"], [0, 100], [90, 200], audio=sound.getvalue()[:-100])
    for answer, rate, error in (
        (other, "8000", "AUDIO_NOT_AS_ASKED"),
        (cut, "16000", "AUDIO_TRUNCATED"),
    ):
        result = against(run, answer, "-o", "x.wav", "--sample-rate", rate, "--json")
        assert (result.code, result.error["code"]) == (8, error)
    assert contents(home) == {}


def test_later_pieces_are_heard_behind_the_measured_audio_of_those_before(run: Run) -> None:
    text = "One. " * 640
    answer = timed(["one."], [100], [900])
    document = against(run, answer, *RAW, "--jobs", "1", "--json", text=text).json
    firsts = [word["start"] for word in document["words"] if str(word["start"]).endswith(".1")]
    assert document["requests"] == document["seconds"] == 3
    assert firsts == [0.1, 1.1, 2.1]
    assert len(document["words"]) == 640
    assert_in_order(document["words"], 3.0)


def test_silence_has_no_words_and_empty_captions(sandboxed: Run) -> None:
    result = sandboxed("timestamps", "…", "--captions", "srt", "--strict")
    assert (result.code, result.out) == (0, "")
