"""The command tree as Typer parses it, with the global options on every command.

A command's module is imported when the command is named, and no other command's: of their names
alone this file knows. Help and completion ask `manual.written`, and load nothing of this.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from asyncflow_cli import __version__
from asyncflow_cli.app import App
from asyncflow_cli.commands.complaints import in_words
from asyncflow_cli.commands.declared import typed_for
from asyncflow_cli.commands.defaults import FileDefaults, blamed
from asyncflow_cli.commands.options import env
from asyncflow_cli.errors import InterruptedByUserError, UsageError
from asyncflow_cli.manual.page import ROOT
from asyncflow_cli.manual.terminal import help_of
from asyncflow_cli.manual.themes import EVERYWHERE
from asyncflow_cli.output import COLORS
from asyncflow_cli.settings.names import WITHOUT_FILES

Command = TyperGroup | TyperCommand

HELP = """The Async Voice API at a terminal: speech to files, and into phone calls.

With --sandbox every command works without an account, without a network and without a bill.

Examples:
    asyncflow --sandbox tts "Hello." -o hello.wav
    asyncflow --sandbox call --to +15551230001 "Your table is ready."
    asyncflow tts --help
"""

NAMES = (
    *("status", "tts", "tts-stream", "timestamps", "stt", "verify", "call"),
    *("doctor", "explain", "schema", "completion"),
    *("calls", "voices", "ci", "sandbox", "auth", "config"),
)
"""Commands and groups, in the order in which help lists them. Each has a module in `commands/`."""


class _Commands(Mapping[str, Command]):
    """All commands by name, each built when it is first asked for."""

    def __init__(self) -> None:
        self._built: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in NAMES:
            raise KeyError(name)
        if name not in self._built:
            self._built[name] = _command(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


def _command(name: str) -> Command:
    module = import_module(f"asyncflow_cli.commands.{name.replace('-', '_')}")
    if hasattr(module, "app"):
        _declare(module.app)
        return _with_options(typer.main.get_group(module.app))
    alone = typer.Typer(add_completion=False)
    module.register(alone)
    _declare(alone)
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand)
    return _with_options(command)


def _declare(commands: typer.Typer) -> None:
    for command in commands.registered_commands:
        assert command.callback is not None
        typed_for(typer, command.callback)


@functools.cache
def build() -> TyperGroup:
    """The command tree, with the global options on every command; the same for every run."""
    root = typer.Typer(
        name="asyncflow",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,  # ours, which knows voices and asks no network
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    root.callback()(_root)
    tree = typer.main.get_group(root)
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
    _with_options(tree)
    tree.commands = _Commands()  # type: ignore[assignment]  # it only ever reads them
    return tree


def _root() -> None:
    """Options of all commands are added below, so that they may stand anywhere on the line."""


def _with_options(command: Any) -> Command:
    assert isinstance(command, TyperGroup | TyperCommand)
    command.params.extend(global_options())
    command.add_help_option = False  # ours is among the global ones
    command.rich_markup_mode = None  # or Typer prints a page of its own beside ours
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _with_options(child)
    return command


def run(args: Sequence[str], state: App) -> int:
    """The command's exit code; an AsyncflowError for a line that is none."""
    try:
        code = build().main(list(args), prog_name="asyncflow", standalone_mode=False, obj=state)
        if code == InterruptedByUserError.exit_code:
            # Typer makes a Ctrl-C outside the event loop a code, and says nothing.
            raise InterruptedByUserError("Stopped")
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        ctx = getattr(error, "ctx", None)
        if ctx is not None and type(error).__name__ == "NoArgsIsHelpError":
            _print_page(ctx)  # Typer does not export the class
            return 0
        wrong = _wrong_usage(error, ctx)
        raise blamed(wrong, state.used_defaults) from error
    except UsageError as error:
        raise blamed(error, state.used_defaults) from error
    except typer.Abort:
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
    message = in_words(error.format_message())
    unknown = re.match(r"No such (?:command '(.*?)'|option: (\S+))", error.message)
    if unknown is None:
        return UsageError(message, hint=f"See {ctx.command_path} --help")
    from asyncflow_cli.manual.nearest import meant

    near = " or ".join(meant(ctx, unknown[1] or unknown[2]))
    hint = f"Did you mean {near}? " if near else ""
    return UsageError(unknown[0], hint=f"{hint}See {ctx.command_path} --help")


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
    if state.command and state.command[0] not in WITHOUT_FILES:
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
    ctx.obj.out.text(help_of(ctx.command_path.removeprefix(ROOT).strip()))


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
