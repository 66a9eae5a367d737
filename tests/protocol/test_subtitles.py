"""Every format reads back to the words and times it was written from.

FFmpeg's own demuxers (PyAV) are the witness for SubRip, WebVTT, ASS and LRC; the rest is read by
the few lines below.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise

import av
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.captions import Cue, CueRules, cues
from asyncflow_cli.protocol.subtitles import FORMATS, format_of
from asyncflow_cli.protocol.timings import Word, read, text_of

TITLE = "A talk"
FFMPEG = {"srt": "srt", "vtt": "webvtt", "ass": "ass", "lrc": "lrc"}


def said(*texts: str) -> list[Word]:
    return [Word(text, 500 * n, 500 * n + 400) for n, text in enumerate(texts)]


def render(name: str, words: list[Word], seconds: float = 10.0, title: str = TITLE) -> str:
    return FORMATS[name](words, cues(words, CueRules(max_chars=12)), seconds, title)


def packets(name: str, text: str) -> list[tuple[int, int, str]]:
    """What FFmpeg finds: start and end in milliseconds, and the payload."""
    with av.open(io.BytesIO(text.encode()), mode="r", format=FFMPEG[name]) as file:
        return [
            (
                round(packet.pts * packet.time_base * 1000),
                round((packet.pts + (packet.duration or 0)) * packet.time_base * 1000),
                bytes(packet).decode(),
            )
            for packet in file.demux()
            if packet.size and packet.pts is not None
        ]


@st.composite
def timed(draw: st.DrawFn) -> list[Word]:
    """Words in order, of at least a centisecond, with every character that is special somewhere."""
    texts = st.text(alphabet="ab\\N&<>{}\"',;.[]#-你。é", min_size=1, max_size=7)
    words: list[Word] = []
    at = 0
    for text in draw(st.lists(texts, min_size=1, max_size=10)):
        start = at + draw(st.integers(0, 1500))
        at = start + draw(st.integers(10, 3000))
        words.append(Word(text, start, at))
    return words


def grouped(words: list[Word]) -> list[Cue]:
    return cues(words, CueRules(max_chars=10, max_cue=5.0))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_say_nothing(name: str) -> None:
    assert isinstance(FORMATS[name]([], [], 0.0, ""), str)


@pytest.mark.parametrize("name", ["srt", "vtt", "ass", "lrc", "csv", "json", "TextGrid"])
def test_the_extension_tells_the_format(name: str) -> None:
    assert format_of(f"talks/one.two.{name}") == name
    assert format_of(name.upper()) == name
    assert format_of("talk.mp3") is None


def test_json_holds_words_and_cues_in_seconds() -> None:
    assert msgspec.json.decode(render("json", said("Hello", "you."))) == {
        "title": "A talk",
        "seconds": 10.0,
        "words": [
            {"text": "Hello", "start": 0.0, "end": 0.4},
            {"text": "you.", "start": 0.5, "end": 0.9},
        ],
        "cues": [{"lines": ["Hello you."], "start": 0.0, "end": 0.9}],
    }


def test_subrip_is_numbered_and_unescaped() -> None:
    assert render("srt", said("Tom", "&", "Jerry.", "<3")) == (
        "1\n00:00:00,000 --> 00:00:01,400\nTom & Jerry.\n\n2\n00:00:01,500 --> 00:00:01,900\n<3\n\n"
    )


def test_webvtt_escapes_what_it_would_read_as_markup() -> None:
    assert render("vtt", said("Tom", "&", "Jerry.", "-->", "<3"), title="a --> b\nc") == (
        "WEBVTT - a → b c\n\n"
        "00:00:00.000 --> 00:00:01.400\nTom &amp; Jerry.\n\n"
        "00:00:01.500 --> 00:00:02.400\n--&gt; &lt;3\n"
    )


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("srt", "01:00:00,000 "),
        ("vtt", "01:00:00.000 "),
        ("ass", "1:00:00.00,"),
        ("lrc", "60:00.00"),
    ],
)
def test_a_moment_before_the_hour_is_the_hour(name: str, moment: str) -> None:
    words = list(read(["late"], [3_599_999.6], [3_600_400.0]))
    text = render(name, words, 3601.0)
    assert moment in text
    assert not re.search(r":60\b", text.replace("length:60", ""))


def test_a_word_without_length_is_still_seen() -> None:
    text = render("vtt", [Word("tick", 100, 100)])
    assert "00:00:00.100 --> 00:00:00.101\ntick" in text


def test_karaoke_has_a_length_for_each_word_and_a_break_for_each_line() -> None:
    assert render("ass", said("Sing", "along", "with", "me.")).splitlines()[-1] == (
        "Dialogue: 0,0:00:00.00,0:00:01.90,Default,,0,0,0,,"
        "{\\k50}Sing {\\k50}along\\N{\\k50}with {\\k40}me."
    )


def test_ass_text_is_never_a_command() -> None:
    line = render("ass", said("{\\b1}", "a\\Nb")).splitlines()[-1]
    assert line.endswith("{\\k50}\\{\\\u2060b1} {\\k40}a\\\u2060Nb")


def test_lyrics_time_each_word_and_the_end() -> None:
    assert render("lrc", said("Sing", "along", "with", "me."), title="x [y]") == (
        "[ti:x (y)]\n[length:00:10.00]\n\n"
        "[00:00.00]<00:00.00>Sing <00:00.50>along<00:00.90>\n"
        "[00:01.00]<00:01.00>with <00:01.50>me.<00:01.90>\n"
    )


def test_lyrics_may_last_more_than_a_hundred_minutes() -> None:
    assert "[123:20.00]<123:20.00>late" in render("lrc", [Word("late", 7_400_000, 7_400_100)])


def test_csv_quotes_what_it_must() -> None:
    assert render("csv", said("a,", '"b"', "c")) == (
        'word,start,end\r\n"a,",0.000,0.400\r\n"""b""",0.500,0.900\r\nc,1.000,1.400\r\n'
    )


def test_a_textgrid_is_praats_long_form() -> None:
    text = render("TextGrid", [Word('"Hi"', 100, 400)], 1.0)
    assert text.startswith(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        "xmin = 0\nxmax = 1.000\ntiers? <exists>\nsize = 2\nitem []:\n"
        '    item [1]:\n        class = "IntervalTier"\n        name = "words"\n'
    )
    assert text.count('text = """Hi"""') == 2
    assert tiers(text)["words"] == [(0, 100, ""), (100, 400, '"Hi"'), (400, 1000, "")]


def test_words_without_length_share_their_neighbours_interval() -> None:
    words = [Word("a", 0, 0), Word("b", 0, 500), Word("c", 1000, 1000)]
    assert tiers(render("TextGrid", words, 1.0))["words"] == [(0, 500, "a b"), (500, 1000, "c")]
    words = [Word("b", 0, 1000), Word("c", 1000, 1000)]
    assert tiers(render("TextGrid", words, 1.0))["words"] == [(0, 1000, "b c")]


_INTERVAL = re.compile(r'xmin = ([\d.]+)\n\s+xmax = ([\d.]+)\n\s+text = "((?:[^"]|"")*)"')


def tiers(text: str) -> dict[str, list[tuple[int, int, str]]]:
    found = {}
    for item in re.split(r"item \[\d+\]:", text)[1:]:
        name = item.split('name = "', 1)[1].split('"', 1)[0]
        intervals = [
            (round(float(start) * 1000), round(float(stop) * 1000), label.replace('""', '"'))
            for start, stop, label in _INTERVAL.findall(item)
        ]
        assert f"intervals: size = {len(intervals)}\n" in item
        found[name] = intervals
    return found


@given(timed())
def test_ffmpeg_reads_subrip_back(words: list[Word]) -> None:
    found = grouped(words)
    text = FORMATS["srt"](words, found, 60.0, TITLE)
    assert packets("srt", text) == [(c.start, c.end, "\n".join(c.lines)) for c in found]


@given(timed())
def test_ffmpeg_reads_webvtt_back(words: list[Word]) -> None:
    found = grouped(words)
    read_back = packets("vtt", FORMATS["vtt"](words, found, 60.0, TITLE))
    assert [(start, end) for start, end, _ in read_back] == [(c.start, c.end) for c in found]
    for (_, _, payload), cue in zip(read_back, found, strict=True):
        assert "<" not in payload
        assert ">" not in payload
        plain = payload.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert plain == "\n".join(cue.lines)


@given(timed())
def test_ffmpeg_reads_ass_back_and_the_karaoke_adds_up(words: list[Word]) -> None:
    found = grouped(words)
    read_back = packets("ass", FORMATS["ass"](words, found, 60.0, TITLE))
    for (start, end, payload), cue in zip(read_back, found, strict=True):
        assert (abs(start - cue.start), abs(end - cue.end)) <= (5, 5)
        body = payload.split(",", 8)[8]
        lengths = [int(length) * 10 for length in re.findall(r"\{\\k(\d+)\}", body)]
        assert len(lengths) == len(cue.words)
        assert sum(lengths) == end - start
        plain = re.sub(r"\{\\k\d+\}", "", body).replace("\\{", "{")
        lines = [line.replace("\\\u2060", "\\") for line in re.split(r"\\N", plain)]
        assert lines == list(cue.lines)


@given(timed())
def test_ffmpeg_reads_lyrics_back_and_every_word_has_its_time(words: list[Word]) -> None:
    found = grouped(words)
    read_back = packets("lrc", FORMATS["lrc"](words, found, 60.0, TITLE))
    rows = [row for cue in found for row in cue.rows]
    assert len(read_back) == len(rows)
    for (start, _, payload), row in zip(read_back, rows, strict=True):
        assert abs(start - row[0].start) <= 5
        times = re.findall(r"<(\d\d+):(\d\d)\.(\d\d)>", payload)
        moments = [int(m) * 60_000 + int(s) * 1000 + int(c) * 10 for m, s, c in times]
        heard = [*(word.start for word in row), row[-1].end]
        assert all(abs(a - b) <= 5 for a, b in zip(moments, heard, strict=True))
        assert re.sub(r"<\d\d+:\d\d\.\d\d>", "", payload).strip("\n") == text_of(row)


@given(timed())
def test_csv_reads_back(words: list[Word]) -> None:
    head, *rows = csv.reader(io.StringIO(FORMATS["csv"](words, grouped(words), 60.0, TITLE)))
    assert head == ["word", "start", "end"]
    assert [(t, round(float(a) * 1000), round(float(b) * 1000)) for t, a, b in rows] == [
        (word.text, word.start, word.end) for word in words
    ]


@given(timed())
def test_json_reads_back(words: list[Word]) -> None:
    found = grouped(words)
    document = msgspec.json.decode(FORMATS["json"](words, found, 60.0, TITLE))
    assert [(w["text"], round(w["start"] * 1000)) for w in document["words"]] == [
        (word.text, word.start) for word in words
    ]
    assert [tuple(cue["lines"]) for cue in document["cues"]] == [cue.lines for cue in found]


@given(timed(), st.floats(0, 60))
def test_textgrid_intervals_are_contiguous_and_hold_all(words: list[Word], seconds: float) -> None:
    found = grouped(words)
    read_back = tiers(FORMATS["TextGrid"](words, found, seconds, TITLE))
    end = max(round(seconds * 1000), words[-1].end)
    for intervals in read_back.values():
        assert (intervals[0][0], intervals[-1][1]) == (0, end)
        assert all(start < stop for start, stop, _ in intervals)
        assert all(before[1] == after[0] for before, after in pairwise(intervals))
    assert [i for i in read_back["words"] if i[2]] == [(w.start, w.end, w.text) for w in words]
    assert [i for i in read_back["cues"] if i[2]] == [
        (cue.start, cue.end, text_of(cue.words)) for cue in found
    ]
