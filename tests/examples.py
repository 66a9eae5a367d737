"""Lines of shell from help and documents, run against the sandbox in this process.

Pipes, `> FILE`, variables and comments are what they are in a shell. Programs of others are stood
in for, and questions are answered with yes. `asyncflow --sandbox` runs against the sandbox of the
tests, whose phone line is quick.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from asyncflow_cli.sandbox.speaker import API_KEY
from tests.conftest import Result, Run

LEFT_OUT = ("--sandbox", "--play")
GATES = {"--assert-ttfb": "60s"}
"""Options that ask how fast this machine is, and what none is too slow for."""
SOME_CALL = "CA5f"
"""In documents; the latest call stands in for it."""


def commands(block: str) -> Iterator[str]:
    """The lines of a block that run our program, joined where a backslash ends one."""
    for line in block.replace("\\\n", " ").splitlines():
        told = line.split("  #")[0].strip()
        if re.search(r"(^|[|] |[A-Z_]=\S+ )asyncflow ", told) and "…" not in told:
            yield told


def run_line(run: Run, home: Path, line: str) -> Result:
    """Run a pipeline; the result is that of its last part that is ours."""
    content, result = b"", None
    for part in re.split(r" \| ", line):
        words = shlex.split(part)
        if "asyncflow" not in words:
            content = _foreign(words, home)
            continue
        words, target = _redirected(words)
        variables = dict(word.split("=", 1) for word in words[: words.index("asyncflow")])
        args = [word for word in words[words.index("asyncflow") + 1 :] if word not in LEFT_OUT]
        args = unhurried(args)
        if SOME_CALL in args:
            args[args.index(SOME_CALL)] = run("calls", "list", "--json").json["calls"][0][
                "call_sid"
            ]
        result = run(*args, "--yes", stdin=content, **variables)
        content = result.stdout
        if target is not None:
            (home / target).write_bytes(content)
    assert result is not None, line
    return result


def unhurried(words: list[str]) -> list[str]:
    """The same with every gate so wide that nothing fails at it."""
    return [GATES.get(before, word) for before, word in zip(["", *words], words, strict=False)]


def _redirected(words: list[str]) -> tuple[list[str], str | None]:
    if ">" not in words:
        return words, None
    return words[: words.index(">")], words[words.index(">") + 1]


def _foreign(words: list[str], home: Path) -> bytes:
    """What another program puts into the pipe."""
    match words[0]:
        case "echo":
            return " ".join(words[1:]).encode()
        case "pass":
            return API_KEY.encode()
        case "llm":
            return b"We are sorry. It is on its way."
        case "cat":
            return (home / words[1]).read_bytes()
        case "arecord" | "sox":
            return (home / "me.wav").read_bytes()
        case _:
            return b""
