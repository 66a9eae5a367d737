"""Every screen of a command, on terminals of three widths, with colour and without."""

from __future__ import annotations

import shlex

import pytest

from tests.screens.snapshots import check
from tests.screens.stage import Stage, stable
from tests.screens.terminal import LEGIBLE, bare, spans, too_long

WIDTHS = (40, 80, 120)

SCREENS = {
    "status": "status",
    "voices-list": "voices list --limit 3",
    "voices-get": "voices get e0f39dc4-f691-4e78-bba5-5c636692cc04",
    "voices-get-two": "voices get Adam Jennie",
    "tts": "tts 'Hello. Your table is ready.' -o hello.wav",
    "tts-show": "tts 'Hello. Your table is ready.' -o hello.wav --show",
    "tts-dry-run": "tts 'Hello. Your table is ready.' -o hello.wav --dry-run",
    "tts-stream": "tts-stream 'Hello. Your table is ready.' -o hello.wav",
    "timestamps": "timestamps 'Hello. Your table is ready.' -o hello.wav -c hello.srt",
    "timestamps-show": "timestamps 'Hello. Your table is ready.' --show",
    "stt": "stt talk.wav",
    "verify": "verify talk.wav",
    "calls-list": "calls list",
    "calls-show": "calls show CA",
    "config-list": "config list",
    "config-get": "config get voice",
    "auth-status": "auth status",
    "explain": "explain RATE_LIMIT_EXCEEDED",
    "explain-list": "explain --list",
    "schema-list": "schema",
    "sandbox-env": "sandbox env",
    "call-dry-run": "call --to +15551230001 'Your table is ready.' --dry-run",
    "help": "--help",
    "help-stt": "stt --help",
    "error-unknown-voice": "tts Hello -o hello.wav --voice Nobody",
    "error-unknown-code": "explain RATE_LIMIT",
    "error-usage": "voices lst",
    "error-option": "tts Hello --outptu hello.wav",
    "error-missing": "verify nowhere.wav",
    "error-warned": "tts Hello -o hello.wav --model async_odd_v9 --speed 1.5",
}

DRAWN = {"tts-show", "timestamps-show"}
"""Those that are another drawing on every width, and of ASCII where there is no more."""


GROWING = {"explain-list", "schema-list"}
"""Those that are longer with every release, and have no copy."""

UNSTEADY = {"tts-stream", "timestamps", "timestamps-show"}
"""Those that break on 40 columns where the milliseconds will have it."""

FOR_PROGRAMS = {"sandbox-env"}
"""Those whose lines a shell reads."""


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_its_copy_does(stage: Stage, name: str) -> None:
    args = shlex.split(SCREENS[name])
    seen = {width: stable(stage.run(*args, columns=width).written) for width in WIDTHS}
    for width, written in seen.items():
        assert name in FOR_PROGRAMS or too_long(written, width) == []
        assert {style for span in spans(written) for style in span.styles} <= LEGIBLE
    if name not in DRAWN:
        # Nothing is cut where there is less room, but for what continues a command line.
        assert words(seen[120]) <= words(seen[40]) | TITLES
    if name not in GROWING:
        copied = WIDTHS[1:] if name in UNSTEADY else WIDTHS
        check(name, f"asyncflow {SCREENS[name]}", {width: seen[width] for width in copied})


LONG = "Dear friends, all of you: here is one <brake> more, and much is behind it. " + "So. " * 20


@pytest.mark.parametrize("width", WIDTHS)
def test_wrong_mark_up_is_pointed_at_on_any_width(stage: Stage, width: int) -> None:
    seen = stage.run("tts", LONG, "-o", "hello.wav", columns=width).written
    lines = bare(seen).splitlines()
    carets = next(nth for nth, line in enumerate(lines) if "^" in line)
    column = lines[carets].index("^")
    assert lines[carets - 1][column : column + 7] == "<brake>"
    assert lines[carets].strip() == "^~~~~~~"
    assert too_long(seen, width) == []


TITLES = {"voice", "id", "call", "service", "name", "code", "file"}
"""Of columns that are headings where there is no room for columns."""


def words(written: str) -> set[str]:
    return set(bare(written).split())


PLAIN = [name for name in SCREENS if not name.startswith("help")]
"""Those of which something has a colour somewhere."""


@pytest.mark.parametrize("name", PLAIN)
def test_without_colour_and_on_a_dumb_terminal_the_same_is_said(stage: Stage, name: str) -> None:
    args = shlex.split(SCREENS[name])
    coloured = stable(stage.run(*args).written)
    colourless = stable(stage.run(*args, NO_COLOR="1").written)
    assert {style for span in spans(colourless) for style in span.styles} <= {"bold", "dim"}
    assert bare(colourless) == bare(coloured)
    dumb = stable(stage.run(*args, TERM="dumb").written)
    assert "\x1b" not in dumb
    if name in DRAWN:
        assert dumb.splitlines()[-1] == bare(coloured).splitlines()[-1]
        assert not set("▁▂▃▄▅▆▇█") & set(dumb)
    else:
        assert dumb == bare(coloured)
