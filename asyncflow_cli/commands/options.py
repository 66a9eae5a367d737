"""Options used more than once, and where text comes from."""

from __future__ import annotations

import sys
from typing import Annotated

from asyncflow_cli.commands.declared import Argument, Option
from asyncflow_cli.errors import UsageError
from asyncflow_cli.settings import FIELDS, duration
from asyncflow_cli.transport.reading import read_whole


def env(name: str) -> str:
    """For the help of an option: the variables that set the same, `[env: ASYNC_VOICE_ID]`."""
    return f"[env: {', '.join(FIELDS[name].metadata['names'])}]"


TextArgument = Annotated[
    str | None, Argument(metavar="[TEXT]", help="What to say; - reads stdin, as a pipe does.")
]
FileOption = Annotated[
    str | None, Option("-f", "--file", metavar="FILE", help="Read the text from a file.")
]
VoiceOption = Annotated[
    str | None, Option("--voice", metavar="VOICE", help=f"Id or name. {env('voice')}")
]
ModelOption = Annotated[
    str | None, Option("--model", metavar="ID", help=f"Model id. {env('model')}")
]
LanguageOption = Annotated[
    str | None, Option("--language", metavar="CODE", help="Force a language: en, fr, …")
]
VerifyOption = Annotated[
    bool,
    Option(
        "--verify/--no-verify",
        show_default=False,
        help="Check the sound before it is put in place.",
    ),
]
ShowOption = Annotated[
    bool,
    Option(
        "--show/--no-show",
        show_default=False,
        help="Draw it on stderr, at a terminal or with --color always.",
    ),
]
PlainOption = Annotated[
    bool,
    Option(
        "--plain-text/--no-plain-text",
        show_default=False,
        help="Read <break> and the like as text, not as mark-up.",
    ),
]


def seconds(text: str | None) -> float | None:
    """Of an option that may be left out."""
    return None if text is None else duration(text)


def text_source(argument: str | None, file: str | None) -> str | None:
    """The text from the one source that was given, or None for stdin, which may still be written.

    UsageError for two sources, none, or nothing in one.
    """
    if argument not in (None, "-") and file is not None:
        raise UsageError("Two texts: one as an argument, one with -f", hint="Leave one out")
    if argument == "-" and file not in (None, "-"):
        raise UsageError("Two texts: one on stdin, one with -f", hint="Leave one out")
    if file not in (None, "-"):
        return _not_blank(_decoded(read_whole(str(file)), str(file)), str(file))
    if argument not in (None, "-"):
        return _not_blank(str(argument), "the argument")
    if argument is None and file is None and sys.stdin.isatty():
        from asyncflow_cli.protocol.transcript import TEXT_COMES

        raise UsageError("No text", hint=TEXT_COMES)
    return None


def read_text(argument: str | None, file: str | None) -> str:
    """The same, with stdin read to its end."""
    text = text_source(argument, file)
    if text is not None:
        return text
    return _not_blank(_decoded(read_whole("-"), "stdin"), "stdin")


def _not_blank(text: str, source: str) -> str:
    if not text.strip():
        from asyncflow_cli.protocol.transcript import no_text

        raise no_text(source)
    return text.strip()


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        from asyncflow_cli.protocol.transcript import not_utf8

        raise not_utf8(source) from None
