"""The root command: global options, and the one place where errors become exit codes.

Only this file sees the environment, and says where the files are that configure us.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from asyncflow_cli import __version__
from asyncflow_cli.app import JSON_FLAGS, App, Folders
from asyncflow_cli.commands import (
    auth,
    call,
    calls,
    ci,
    completion,
    config,
    doctor,
    explain,
    sandbox,
    schema,
    status,
    stt,
    timestamps,
    tts,
    tts_stream,
    verify,
    voices,
)
from asyncflow_cli.commands.defaults import LOCAL, FileDefaults, blamed, options_of
from asyncflow_cli.commands.options import env
from asyncflow_cli.completion import completed
from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError, UsageError
from asyncflow_cli.manual.nearest import meant
from asyncflow_cli.manual.page import page_of
from asyncflow_cli.manual.terminal import shown
from asyncflow_cli.manual.themes import EVERYWHERE
from asyncflow_cli.output import COLORS, drop, settle
from asyncflow_cli.protocol.completion import VARIABLE
from asyncflow_cli.transport.config.files import ConfigFiles

app = typer.Typer(
    name="asyncflow",
    help="""The Async Voice API at a terminal: speech to files, and into phone calls.

With --sandbox every command works without an account, without a network and without a bill.

Examples:
    asyncflow --sandbox tts "Hello." -o hello.wav
    asyncflow --sandbox call --to +15551230001 "Your table is ready."
    asyncflow tts --help
""",
    no_args_is_help=True,
    add_completion=False,  # ours, which knows voices and asks no network
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
status.register(app)
tts.register(app)
tts_stream.register(app)
timestamps.register(app)
stt.register(app)
verify.register(app)
call.register(app)
doctor.register(app)
explain.register(app)
schema.register(app)
completion.register(app)
app.add_typer(calls.app)
app.add_typer(voices.app)
app.add_typer(ci.app)
app.add_typer(sandbox.app)
app.add_typer(auth.app)
app.add_typer(config.app)


@app.callback()
def root() -> None:
    """Options of all commands are added below, so that they may stand anywhere on the line."""


def _show_version(_ctx: typer.Context, _param: Any, value: bool) -> None:
    if value:
        typer.echo(f"asyncflow {__version__}")
        raise typer.Exit


def _remember(ctx: typer.Context, param: Any, value: Any) -> None:
    """Note a global flag that was given, before the command or after it."""
    if value is not None and (value or param.secondary_opts):
        ctx.obj.flags[param.name] = value
    if ctx.default_map is None:
        _let_files_speak(ctx, ctx.obj)


def _let_files_speak(ctx: typer.Context, state: App) -> None:
    """Options that are not given come from the files that configure us, where these say."""
    state.command = tuple(ctx.command_path.split(" ")[1:])
    if state.command and state.command[0] not in LOCAL:
        ctx.default_map = FileDefaults(ctx, state.file_defaults, state.used_defaults)


def _remember_color(ctx: typer.Context, param: Any, value: str | None) -> None:
    if value not in (None, *COLORS):
        raise typer.BadParameter(f"{value!r} is none of {', '.join(COLORS)}")
    _remember(ctx, param, value)


def _remember_pick(ctx: typer.Context, param: Any, value: str | None) -> None:
    _remember(ctx, param, value)
    if value is not None:
        from asyncflow_cli.protocol.picking import PICKS

        if ctx.obj.flags.keys() >= PICKS.keys():
            raise UsageError("Both --field and --jq say what is wanted", hint="Leave one out")
        ctx.obj.flags["pick"] = PICKS[param.name](value)


def _print_page(ctx: typer.Context) -> None:
    ctx.obj.out.text(shown(page_of(ctx), shutil.get_terminal_size().columns))


def _show_help(ctx: typer.Context, _param: Any, value: bool) -> None:
    """Or go on: of the options that are looked at first, this one is the last."""
    if value:
        _print_page(ctx)
        raise typer.Exit
    if "field" in ctx.obj.flags and not isinstance(ctx.command, TyperGroup):
        from asyncflow_cli.commands.printed import check_field

        path, dry_run = ctx.obj.flags["field"], bool(ctx.params.get("dry_run"))
        check_field(ctx.obj, path, dry_run=dry_run)


def _option(*names: str, callback: Any = _remember, **attributes: Any) -> TyperOption:
    return TyperOption(
        param_decls=list(names),
        expose_value=False,
        is_eager=True,  # before the command's own, whose defaults depend on --profile
        callback=callback,
        rich_help_panel=EVERYWHERE,
        **attributes,
    )


def global_options() -> list[TyperOption]:
    return [
        _option("--json", is_flag=True, help="One JSON document on stdout."),
        _option(
            "--field",
            callback=_remember_pick,
            metavar="PATH",
            help="One value of that: seconds, words.0.text, voices.*.voice_id.",
        ),
        _option(
            "--jq",
            callback=_remember_pick,
            metavar="PROGRAM",
            help="What jq makes of that; needs the extra [jq].",
        ),
        _option("-q", "--quiet", is_flag=True, help="Only the result."),
        _option("-v", "--verbose", is_flag=True, help="More words."),
        _option("--debug", is_flag=True, help="Tracebacks."),
        _option("--profile", metavar="NAME", help=f"Profile of the config file. {env('profile')}"),
        _option(
            "--sandbox/--no-sandbox",
            is_flag=True,
            default=None,
            help=f"No account, no network: the local stand-in. {env('sandbox')}",
        ),
        _option(
            "--base-url",
            metavar="URL",
            help=f"Another address of the Async Voice API. {env('base_url')}",
        ),
        _option("--timeout", metavar="DURATION", help="How long to wait for an answer: 30s."),
        _option("--retries", metavar="N", help="Further tries after a passing failure: 2."),
        _option(
            "--color",
            callback=_remember_color,
            metavar="WHEN",
            help=f"{', '.join(COLORS)}. [env: NO_COLOR, FORCE_COLOR]",
        ),
        _option("--no-input", is_flag=True, help="Never ask."),
        _option("-y", "--yes", is_flag=True, help="Answer yes."),
        _option(
            *("-h", "--help"),
            is_flag=True,
            callback=_show_help,
            help="Show this page.",
        ),
    ]


@functools.cache
def build() -> TyperGroup:
    """The command tree, with the global options on every command; the same for every run."""
    tree = typer.main.get_command(app)
    assert isinstance(tree, TyperGroup)
    tree.params.append(
        TyperOption(
            param_decls=["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version.",
        )
    )
    _add_options(tree)
    return tree


def _add_options(command: TyperGroup | TyperCommand) -> None:
    command.params.extend(global_options())
    command.add_help_option = False  # ours is among the global ones
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            assert isinstance(child, TyperGroup | TyperCommand)
            _add_options(child)


def run(args: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run a command line and return its exit code."""
    environ = os.environ if environ is None else environ
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  # it was closed, and so is empty
    settle((sys.stdout, sys.stderr))
    folders = _folders(environ)
    tree = build()
    files = ConfigFiles(environ, folders.config, lambda: options_of(tree))
    state = App(files, folders, environ)
    if VARIABLE in environ:
        return _complete(tree, args, environ[VARIABLE], state)
    if JSON_FLAGS & {word.partition("=")[0].removeprefix("--") for word in args}:
        # A usage error may come before the parser has seen the flag.
        state.flags["json"] = True
    try:
        with contextlib.closing(state):
            return _invoke(tree, args, state)
    except BrokenPipeError:
        drop(sys.stdout)
        return 0
    except OSError as error:
        drop(sys.stdout)
        what = error.filename or "stdout"
        why = error.strerror or str(error)
        full = AsyncflowError(f"{what} cannot be written: {why}", code="NOT_WRITABLE")
        state.out.error(full)
        return full.exit_code
    except AsyncflowError as error:
        told = blamed(error, state.used_defaults) if isinstance(error, UsageError) else error
        state.out.error(told)
        return told.exit_code
    except Exception as error:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        bug = AsyncflowError(why, hint="This is a bug of ours; --debug shows where", code="BUG")
        bug.__cause__ = error
        state.out.error(bug)
        return bug.exit_code


def _complete(tree: TyperGroup, args: Sequence[str], word: str, state: App) -> int:
    """Answer a shell that asks how a word goes on; it is no place for complaints."""
    with contextlib.suppress(Exception):
        found = completed(tree, args[1:], word[1:], state)
        if found:
            state.out.text("\n".join(candidate.line for candidate in found))
    return 0


def _invoke(tree: TyperGroup, args: Sequence[str], state: App) -> int:
    try:
        code = tree.main(list(args), prog_name="asyncflow", standalone_mode=False, obj=state)
        if code == InterruptedByUserError.exit_code:
            # Typer makes a Ctrl-C outside the event loop a code, and says nothing.
            raise InterruptedByUserError("Stopped")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        ctx = getattr(error, "ctx", None)
        if (
            ctx is not None and type(error).__name__ == "NoArgsIsHelpError"
        ):  # which Typer does not export
            _print_page(ctx)
            return 0
        raise _wrong_usage(error, ctx) from error
    except (typer.Abort, KeyboardInterrupt):
        raise InterruptedByUserError("Stopped") from None
    except SystemExit as leaving:
        # Typer makes a broken pipe an exit of its own, with code 1.
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        raise


def _wrong_usage(error: typer.TyperException, ctx: typer.Context | None) -> UsageError:
    """The parser's complaint, with what was probably meant, and where help is."""
    if ctx is None:
        return UsageError(error.format_message())
    unknown = re.match(r"No such (?:command '(.*?)'|option: (\S+))", error.message)
    if unknown is None:
        return UsageError(error.format_message(), hint=f"See {ctx.command_path} --help")
    near = " or ".join(meant(ctx, unknown[1] or unknown[2]))
    hint = f"Did you mean {near}? " if near else ""
    return UsageError(unknown[0], hint=f"{hint}See {ctx.command_path} --help")


def _folders(environ: Mapping[str, str]) -> Folders:
    def folder(variable: str, default: str) -> Path:
        home = environ.get(variable)
        return Path(home, "asyncflow") if home else Path(default)

    return Folders(
        config=folder("XDG_CONFIG_HOME", platformdirs.user_config_dir("asyncflow", False)),
        state=folder("XDG_STATE_HOME", platformdirs.user_state_dir("asyncflow", False)),
        cache=folder("XDG_CACHE_HOME", platformdirs.user_cache_dir("asyncflow", False)),
    )
