"""Words and cues in the formats that players, editors and phoneticians read.

A writer is a function from words, cues, the seconds of audio and a title to the text of a file.
It counts in the whole milliseconds it is given; where a format has only centiseconds, moments are
rounded and lengths are differences of moments, so that they add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest

import msgspec

from asyncflow_cli.protocol.captions import Cue
from asyncflow_cli.protocol.timings import Word, clock, milliseconds, one_line, spaced, text_of

Writer = Callable[[Sequence[Word], Sequence[Cue], float, str], str]


def _json(words: Sequence[Word], cues: Sequence[Cue], seconds: float, title: str) -> str:
    document = {
        "title": title,
        "seconds": milliseconds(seconds) / 1000,
        "words": [{"text": word.text, **_seconds(word)} for word in words],
        "cues": [{"lines": cue.lines, **_seconds(cue)} for cue in cues],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _seconds(timed: Word | Cue) -> dict[str, float]:
    return {"start": timed.start / 1000, "end": timed.end / 1000}


# SubRip has no standard; https://www.matroska.org/technical/subtitles.html shows the practice.
def _srt(_words: Sequence[Word], cues: Sequence[Cue], _seconds: float, _title: str) -> str:
    return "".join(
        f"{number}\n{_span(cue, ',')}\n" + "".join(f"{line}\n" for line in cue.lines) + "\n"
        for number, cue in enumerate(cues, 1)
    )


# https://www.w3.org/TR/webvtt1/: neither a cue nor the header may contain "-->".
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _vtt(_words: Sequence[Word], cues: Sequence[Cue], _seconds: float, title: str) -> str:
    header = "WEBVTT" + (f" - {one_line(title)}" if title else "").replace("-->", "→")
    blocks = (
        f"{_span(cue, '.')}\n" + "".join(f"{line}\n" for line in cue.lines).translate(_VTT_ESCAPES)
        for cue in cues
    )
    return "\n".join((f"{header}\n", *blocks))


def _span(cue: Cue, point: str) -> str:
    # WebVTT wants an end later than the start.
    return f"{_time(cue.start, point)} --> {_time(max(cue.end, cue.start + 1), point)}"


def _time(time: int, point: str) -> str:
    rest, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"


def _centiseconds(time: int) -> int:
    return (time + 5) // 10


# https://aegisub.org/docs/latest/ass_tags/: `\k` counts in centiseconds, and what has not been
# spoken yet stands in the secondary colour.
_ASS_HEAD = """\
[Script Info]
{title}ScriptType: v4.00+
WrapStyle: 0
ScaledBorderAndShadow: yes
YCbCr Matrix: None
PlayResX: 1280
PlayResY: 720

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,48,&H00FFFFFF,&H00A0A0A0,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,2,1,2,40,40,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

# A backslash cannot be escaped: a word joiner behind it keeps it from being a command, as FFmpeg
# does it. A closing brace means nothing where no brace is open.
_ASS_ESCAPES = str.maketrans({"\\": "\\\u2060", "{": "\\{"})


def _ass(_words: Sequence[Word], cues: Sequence[Cue], _seconds: float, title: str) -> str:
    head = _ASS_HEAD.format(title=f"Title: {one_line(title)}\n" if title else "")
    return head + "".join(
        f"Dialogue: 0,{_ass_time(cue.start)},{_ass_time(cue.end)},Default,,0,0,0,,{_karaoke(cue)}\n"
        for cue in cues
    )


def _ass_time(time: int) -> str:
    rest, hundredths = divmod(_centiseconds(time), 100)
    minutes, seconds = divmod(rest, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}.{hundredths:02}"


def _karaoke(cue: Cue) -> str:
    """Each word for as long as until the next begins; all together as long as the cue."""
    moments = [_centiseconds(word.start) for word in cue.words] + [_centiseconds(cue.end)]
    lengths = (later - sooner for sooner, later in pairwise(moments))
    return "\\N".join(
        "".join(
            f"{{\\k{next(lengths)}}}{text.translate(_ASS_ESCAPES)}{space}"
            for text, space in _with_spaces(row)
        )
        for row in cue.rows
    )


def _with_spaces(row: Sequence[Word]) -> Iterator[tuple[str, str]]:
    for word, following in zip_longest(row, row[1:]):
        yield word.text, " " if following and spaced(word, following) else ""


# https://en.wikipedia.org/wiki/LRC_(file_format), with the word times of its A2 extension.
_LRC_BRACKETS = str.maketrans("[]", "()")


def _lrc(_words: Sequence[Word], cues: Sequence[Cue], seconds: float, title: str) -> str:
    head = f"[ti:{one_line(title).translate(_LRC_BRACKETS)}]\n" if title else ""
    length = _lrc_time(milliseconds(seconds))
    rows = (_lrc_line(row) for cue in cues for row in cue.rows)
    return f"{head}[length:{length}]\n\n" + "".join(rows)


def _lrc_line(row: Sequence[Word]) -> str:
    parts = zip(row, _with_spaces(row), strict=True)
    timed = "".join(f"<{_lrc_time(word.start)}>{text}{space}" for word, (text, space) in parts)
    return f"[{_lrc_time(row[0].start)}]{timed}<{_lrc_time(row[-1].end)}>\n"


def _lrc_time(time: int) -> str:
    rest, hundredths = divmod(_centiseconds(time), 100)
    return f"{rest // 60:02}:{rest % 60:02}.{hundredths:02}"


# https://www.rfc-editor.org/rfc/rfc4180
def _csv(words: Sequence[Word], _cues: Sequence[Cue], _seconds: float, _title: str) -> str:
    rows = (f"{_field(word.text)},{clock(word.start)},{clock(word.end)}\r\n" for word in words)
    return "word,start,end\r\n" + "".join(rows)


def _field(text: str) -> str:
    quoted = any(character in text for character in '",\r\n')
    return _quoted(text) if quoted else text


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


# https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
def _textgrid(words: Sequence[Word], cues: Sequence[Cue], seconds: float, _title: str) -> str:
    # Praat knows no object without length.
    end = max(milliseconds(seconds), *(word.end for word in words), 1)
    tiers = (
        ("words", [(word.start, word.end, word.text) for word in words]),
        ("cues", [(cue.start, cue.end, text_of(cue.words)) for cue in cues]),
    )
    head = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        f"xmin = 0\nxmax = {clock(end)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    )
    return head + "".join(
        _tier(number, name, _intervals(labels, end), end)
        for number, (name, labels) in enumerate(tiers, 1)
    )


Interval = tuple[int, int, str]


def _tier(number: int, name: str, intervals: Sequence[Interval], end: int) -> str:
    head = (
        f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n'
        f"        xmin = 0\n        xmax = {clock(end)}\n"
        f"        intervals: size = {len(intervals)}\n"
    )
    return head + "".join(
        f"        intervals [{index}]:\n            xmin = {clock(start)}\n"
        f"            xmax = {clock(stop)}\n            text = {_quoted(label)}\n"
        for index, (start, stop, label) in enumerate(intervals, 1)
    )


def _intervals(labels: Iterable[Interval], end: int) -> list[Interval]:
    """From 0 to `end` without a gap. A label without length stands with its neighbour."""
    found: list[Interval] = []
    at, waiting = 0, ""
    for start, stop, label in labels:
        waiting = f"{waiting} {label}".lstrip()
        if stop <= max(start, at):
            continue
        if start > at:
            found.append((at, start, ""))
        found.append((max(start, at), stop, waiting))
        at, waiting = stop, ""
    if at < end:
        found.append((at, end, waiting))
    elif waiting:
        start, stop, label = found[-1]
        found[-1] = (start, stop, f"{label} {waiting}")
    return found


FORMATS: dict[str, Writer] = {
    "json": _json,
    "srt": _srt,
    "vtt": _vtt,
    "ass": _ass,
    "lrc": _lrc,
    "csv": _csv,
    "TextGrid": _textgrid,
}
"""By name, which is the file's extension too."""


def format_of(name: str) -> str | None:
    """The format that a file name, an extension or a format's own name means, in any case."""
    extension = name.rpartition(".")[2].lower()
    return next((known for known in FORMATS if known.lower() == extension), None)
