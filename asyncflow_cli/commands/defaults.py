"""Options whose default stands in a file: which there are, and how they reach the parser.

Files name an option as its flag does, with `_` for `-`: `--ring-timeout` is `ring_timeout`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from asyncflow_cli.commands.complaints import in_words
from asyncflow_cli.errors import UsageError
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings.names import KEYS, key_of
from asyncflow_cli.transport.config.files import Default

RIVALS = {
    "format": {"output", "preset"},
    "preset": {"output", "format"},
    "encoding": {"output", "preset", "format"},
    "bit_rate": {"output", "preset", "format"},
    "tunnel": {"public_url"},
    "public_url": {"tunnel"},
}
"""Options that answer the same question. Who answered it on the command line wants no default."""

SENTENCES = ("[NUMBER=]SCRIPT", "WHERE:WHAT")
"""Of which kind of value a list is written in the file itself, and not by `config set`."""


def commands_in(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Every command's path and the command itself."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands_in(command, (*path, name))
        else:
            yield (*path, name), command


def options(command: Any) -> list[TyperOption]:
    return [param for param in command.params if isinstance(param, TyperOption)]


def id_of(param: Any) -> str:
    """An option's name in files."""
    return key_of(param.opts, str(param.name))


class FileDefaults(MutableMapping[str, Any]):
    """What the parser asks for the value of an option that is not on the command line.

    It asks for those last, so by then it is known which profile was named.
    """

    def __init__(
        self, ctx: typer.Context, find: Callable[[], list[Default]], used: list[Default]
    ) -> None:
        self._ctx = ctx
        self._find = find
        self._used = used
        self._found: Mapping[str, Default] | None = None
        own = (param for param in options(ctx.command) if param.expose_value)
        self._keys = {str(param.name): id_of(param) for param in own}

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self._keys:  # an argument, or an option of every command
            return default
        if self._found is None:
            self._found = {found.key: found for found in self._find()}
        found = self._found.get(self._keys[name])
        if found is None or found.key in KEYS or self._is_answered(found.key):
            return default
        self._used.append(found)
        return self._as_typed(name, found)

    def _is_answered(self, key: str) -> bool:
        return any(self._was_given(rival) for rival in RIVALS.get(key, ()))

    def _was_given(self, name: str) -> bool:
        source = self._ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            return False
        # A path without an ending leaves the format open.
        return name != "output" or bool(Path(str(self._ctx.params[name])).suffix)

    def _as_typed(self, name: str, found: Default) -> Any:
        """A list for an option that may be given several times, and only for such a one."""
        param = next(param for param in options(self._ctx.command) if param.name == name)
        is_list = isinstance(found.value, list)
        if is_list and not param.multiple:
            raise UsageError(f"{found.origin} is a list; the option takes one value")
        return [found.value] if param.multiple and not is_list else found.value

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        raise NotImplementedError("Files are read here, and nothing else")

    def __delitem__(self, name: str) -> None:
        raise NotImplementedError("Files are read here, and nothing else")

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def typed(ctx: typer.Context, name: str, text: str) -> Any:
    """The value for a file of an option such as `tts.format`; of anything else, the text.

    UsageError for what the option, or the command, does not take.
    """
    found = option_named(_tree(ctx), name)
    try:
        return _cast(ctx, name, found, text)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", hint=error.hint, code=error.code) from None
    except typer.BadParameter as error:
        raise UsageError(f"{name}: {in_words(error.message)}") from None


def _cast(ctx: typer.Context, name: str, found: TyperOption | None, text: str) -> Any:
    from asyncflow_cli.commands.values import check  # every line would pay for it

    metavar = found.metavar if found is not None else None
    several = found is not None and found.multiple
    texts = _listed(text, metavar) if several else [text]
    check(name, metavar, texts)
    if found is None or id_of(found) in KEYS:
        return text
    value = found.type_cast_value(ctx, texts if several else text)
    return value if isinstance(value, bool | int | float) else texts if several else text


def _listed(text: str, metavar: str | None) -> list[str]:
    """Several values in one text; a script or a fault has blanks and commas of its own."""
    return [text] if metavar in SENTENCES else re.split(r"[\s,]+", text)


def option_named(tree: TyperGroup, name: str) -> TyperOption | None:
    """The option that files call `tts.format`; None if there is none."""
    *path, key = name.split(".")
    command = dict(commands_in(tree)).get(tuple(path))
    known = options(command) if command is not None else []
    return next((param for param in known if id_of(param) == key), None)


def _tree(ctx: typer.Context) -> TyperGroup:
    root = ctx.find_root().command
    assert isinstance(root, TyperGroup)
    return root


def blamed(error: UsageError, used: list[Default]) -> UsageError:
    """The error, with the place in a file of the value or option that it names."""
    for default in used:
        flag = f"--{default.key.replace('_', '-')}"
        value = quoted(str(default.value))
        told = error.message.replace(repr(str(default.value)), value)
        if value in told or flag in told:
            return UsageError(f"{default.origin}: {told}", hint=error.hint, code=error.code)
    return error
