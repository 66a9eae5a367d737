"""A command line is run here, and here errors become exit codes, once.

Only this file sees the environment, and says where the files are that configure us. What can be
answered without the command line, help and completion, is answered before it is loaded.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asyncflow_cli.streams import drop, settle

if TYPE_CHECKING:
    from typer.core import TyperGroup

    from asyncflow_cli.app import App, Folders
    from asyncflow_cli.errors import AsyncflowError

VARIABLE = "_ASYNCFLOW_COMPLETE"
"""What a shell asks with: the word behind `=`. protocol/completion.py has the shells' scripts."""

HELP_FLAGS = ("-h", "--help")


def run(args: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run a command line and return its exit code."""
    environ = os.environ if environ is None else environ
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  # it was closed, and so is empty
    settle((sys.stdout, sys.stderr))
    if _answers_completion(args, environ) or _shows_help(args):
        return 0
    code = _run(args, environ)
    try:
        sys.stderr.flush()
    except OSError:  # nobody can be told why; the exit code tells that much
        drop(sys.stderr)
    return code


def build() -> TyperGroup:
    """The whole command tree, for who looks at it."""
    from asyncflow_cli.parser import build

    return build()


def _answers_completion(args: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell a shell how a word goes on, and never a complaint; False if it did not ask."""
    if VARIABLE not in environ:
        return False
    from asyncflow_cli.completion import completed

    def state(flags: Mapping[str, Any]) -> App:
        state = _state(environ)
        state.flags |= flags
        return state

    with contextlib.suppress(Exception):
        found = completed(args[1:], environ[VARIABLE][1:], state)
        sys.stdout.write("".join(f"{candidate.line}\n" for candidate in found))
        sys.stdout.flush()
    return True


def _shows_help(args: Sequence[str]) -> bool:
    """Print help, if that is all that is asked for; False if not, or if it cannot be printed."""
    words = [word for word in args if word not in HELP_FLAGS]
    if len(words) == len(args) > 1:  # only the program, or one word, is shown unasked
        return False
    from asyncflow_cli.manual import written

    command = " ".join(words)
    if command and command not in written.commands():
        return False
    if len(words) == len(args) and not written.page(command).is_bare:
        return False
    from asyncflow_cli.manual.terminal import help_of

    with contextlib.suppress(OSError):  # the parser's help fails as well, and tells it
        sys.stdout.write(f"{help_of(command)}\n")
        sys.stdout.flush()
        return True
    return False


def _run(args: Sequence[str], environ: Mapping[str, str]) -> int:
    from asyncflow_cli.app import JSON_FLAGS
    from asyncflow_cli.errors import AsyncflowError

    state = _state(environ)
    if JSON_FLAGS & {word.partition("=")[0].removeprefix("--") for word in args}:
        # A usage error may come before the parser has seen the flag.
        state.flags["json"] = True
    try:
        with contextlib.closing(state):
            return _exit_code(args, state)
    except BrokenPipeError:
        drop(sys.stdout)
        return 0
    except OSError as error:
        drop(sys.stdout)
        return _told(_unwritten(error, state.folders), state)
    except AsyncflowError as error:
        return _told(error, state)
    except Exception as error:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        bug = AsyncflowError(why, hint="This is a bug of ours; --debug shows where", code="BUG")
        bug.__cause__ = error
        return _told(bug, state)


def _exit_code(args: Sequence[str], state: App) -> int:
    from asyncflow_cli.errors import InterruptedByUserError
    from asyncflow_cli.plainline import command_of

    try:
        code = 0
        if (command := command_of(args, state)) is not None:
            command()
        else:
            from asyncflow_cli.parser import run

            code = run(args, state)
    except KeyboardInterrupt:
        raise InterruptedByUserError("Stopped") from None
    sys.stdout.flush()
    return code


def _told(error: AsyncflowError, state: App) -> int:
    with contextlib.suppress(OSError):  # stderr is full, or its reader gone
        state.out.error(error)
    return error.exit_code


def _unwritten(error: OSError, folders: Folders) -> AsyncflowError:
    """Of our own folders with the variable that chooses another."""
    from pathlib import Path

    from asyncflow_cli.errors import AsyncflowError
    from asyncflow_cli.transport.files import NO_ROOM

    if isinstance(error, FileNotFoundError) and error.filename is None:
        # Nothing fails so but the question where we are.
        return AsyncflowError("The folder you are in is gone", hint="cd to one that is there")
    what, why = error.filename or "stdout", error.strerror or str(error)
    ours = [
        f"XDG_{kind.upper()}_HOME=FOLDER"
        for kind, folder in folders._asdict().items()
        if folder.is_relative_to(what) or Path(what).is_relative_to(folder)
    ]
    hint = f"Choose another place: export {' '.join(ours)}" if ours else None
    code = "DISK_FULL" if error.errno in NO_ROOM else "NOT_WRITABLE"
    return AsyncflowError(f"{what} cannot be written: {why}", hint=hint, code=code)


def _state(environ: Mapping[str, str]) -> App:
    from asyncflow_cli.app import App
    from asyncflow_cli.transport.config.files import ConfigFiles

    def file_options() -> dict[str, set[str]]:
        from asyncflow_cli.manual.fileoptions import file_options

        return file_options()

    folders = _folders(environ)
    return App(ConfigFiles(environ, folders.config, file_options), folders, environ)


def _folders(environ: Mapping[str, str]) -> Folders:
    from pathlib import Path

    from asyncflow_cli.app import Folders

    def folder(kind: str) -> Path:
        if home := environ.get(f"XDG_{kind.upper()}_HOME"):
            return Path(home, "asyncflow")
        import platformdirs

        return Path(getattr(platformdirs, f"user_{kind}_dir")("asyncflow", False))

    return Folders(config=folder("config"), state=folder("state"), cache=folder("cache"))
