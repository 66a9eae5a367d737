"""What may stand at the place of a half-written word: commands, options, and values we know of.

Values come from this machine alone: the command tree, the files that configure us, the journal of
calls, and the voices that were listed lately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from typer.core import TyperArgument, TyperGroup

from asyncflow_cli.app import App
from asyncflow_cli.commands.defaults import option_named
from asyncflow_cli.protocol.completion import Candidate
from asyncflow_cli.protocol.models import LANGUAGES, MODELS
from asyncflow_cli.settings import PROJECT_FILE, boolean
from asyncflow_cli.settings.names import CHOOSING, KEYS, NOW


def _voices(app: App) -> Iterator[Candidate]:
    yield from (Candidate(name, "your name for a voice") for name in app.own_settings.aliases)
    for voice in app.remembered.voices():
        yield Candidate(voice.name, f"{voice.language} {voice.gender}")


def _languages(app: App) -> Iterator[Candidate]:
    spoken = (voice.language.split(",") for voice in app.remembered.voices())
    yield from map(Candidate, sorted(LANGUAGES.union(*spoken) - {""}))


def _models(_app: App) -> Iterator[Candidate]:
    yield from map(Candidate, sorted(MODELS))


def _profiles(app: App) -> Iterator[Candidate]:
    yield from map(Candidate, app.own_settings.profiles)


def _calls(app: App) -> Iterator[Candidate]:
    from asyncflow_cli.transport.journalled import journalled

    for call in journalled(app.journal).calls:
        yield Candidate(call.call_sid, f"{call.to} {call.state}")


def _codes(_app: App) -> Iterator[Candidate]:
    from asyncflow_cli.protocol.catalogue import ENTRIES

    yield from (Candidate(code, entry.title) for code, entry in ENTRIES.items())


def _schemas(_app: App) -> Iterator[Candidate]:
    from asyncflow_cli.published import schema

    yield from map(Candidate, getattr(schema(None), "names", ()))


def _settable(app: App) -> Iterator[Candidate]:
    """Every name that may stand in a file."""
    for key in KEYS.keys() - CHOOSING:
        yield Candidate(key, KEYS[key]["help"])
    for command, keys in app.files.options().items():
        for key in set(keys) - NOW:
            yield Candidate(f"{command.replace(' ', '.')}.{key}", f"of {command}")


def _set(app: App) -> Iterator[Candidate]:
    """The names of what files say."""
    for row in app.configuration.list(app.own_settings).settings:
        if row.origin.split(" ")[0] in ("profile", "keyring", "config", PROJECT_FILE):
            yield Candidate(row.name, row.origin)


def _gettable(app: App) -> Iterator[Candidate]:
    for row in app.configuration.list(app.own_settings).settings:
        yield Candidate(row.name, row.value or "")


def _aliases(app: App) -> Iterator[Candidate]:
    yield from (Candidate(f"aliases.{name}", v) for name, v in app.own_settings.aliases.items())


def _truths(_app: App) -> Iterator[Candidate]:
    yield from map(Candidate, ("true", "false"))


Values = Callable[[App], Iterable[Candidate]]

VALUES: Mapping[str, Values] = {
    "voice": _voices,
    "voices": _voices,
    "language": _languages,
    "model": _models,
    "profile": _profiles,
    "sid": _calls,
    "sids": _calls,
    "code": _codes,
    "schema name": _schemas,
    "get name": _gettable,
    "set name": lambda app: (*_settable(app), *_aliases(app)),
    "unset name": _set,
}
"""By the name of the parameter, in whichever command it stands; or in the one that is named."""


def completed(tree: TyperGroup, before: Sequence[str], word: str, app: App) -> list[Candidate]:
    """What begins with `word`, behind the words `before` it. Nothing means: perhaps a file."""
    place = _Place(tree)
    for earlier in before:
        place.go_on(earlier)
    app.flags |= {name: value for name, value in place.given.items() if isinstance(value, str)}
    app.flags |= {"sandbox": True} if "sandbox" in place.given else {}
    option, joined, _ = word.partition("=")
    if joined and (param := place.options.get(option)) is not None:
        found = [Candidate(f"{option}={c.value}", c.about) for c in place.values(param, app)]
    else:
        found = list(place.candidates(word, app))
    return [candidate for candidate in found if candidate.value.lower().startswith(word.lower())]


class _Place:
    """Where on a command line we are, word by word."""

    def __init__(self, tree: TyperGroup) -> None:
        self._tree = tree
        self._command: Any = tree
        self._open: Any = None
        self._arguments: list[str] = []
        self.given: dict[str, Any] = {}

    @property
    def options(self) -> dict[str, Any]:
        return {name: param for param in self._command.params for name in _names(param)}

    def go_on(self, word: str) -> None:
        if self._open is not None:
            if word != "=":  # which bash takes for a word of its own
                self.given[self._open.name], self._open = word, None
        elif word.startswith("-") and word != "-":
            self._option(word)
        elif isinstance(self._command, TyperGroup) and word in self._command.commands:
            self._command = self._command.commands[word]
        else:
            self._arguments.append(word)

    def _option(self, word: str) -> None:
        name, joined, value = word.partition("=")
        param = self.options.get(name)
        if param is None:
            return
        self.given[param.name] = value if joined else True
        self._open = None if joined or param.is_flag else param

    def candidates(self, word: str, app: App) -> Iterator[Candidate]:
        if self._open is not None:
            yield from self.values(self._open, app)
        elif word.startswith("-"):
            yield from self._options_left(no=word.startswith("--n"))
        elif isinstance(self._command, TyperGroup):
            # Behind a command there is none of, nothing is known.
            for name, command in self._command.commands.items() if not self._arguments else ():
                yield Candidate(name, (command.help or "").partition("\n")[0])
        else:
            yield from self._argument(app)

    def values(self, param: Any, app: App) -> Iterable[Candidate]:
        """The choices of an option or an argument, or what is known to stand there."""
        if choices := getattr(param.type, "choices", ()):
            return [Candidate(str(getattr(choice, "value", choice))) for choice in choices]
        named = VALUES.get(f"{self._command.name} {param.name}") or VALUES.get(param.name)
        return named(app) if named is not None else ()

    def _options_left(self, *, no: bool) -> Iterator[Candidate]:
        """The long names of those that were not given; opposites only for who asks for a `no`."""
        for param in self._command.params:
            names = [] if isinstance(param, TyperArgument) else param.opts[-1:]
            opposites = param.secondary_opts if no else []
            if param.multiple or param.name not in self.given:
                yield from (Candidate(name, param.help or "") for name in (*names, *opposites))

    def _argument(self, app: App) -> Iterator[Candidate]:
        arguments = [p for p in self._command.params if isinstance(p, TyperArgument)]
        if not arguments:
            return
        given = len(self._arguments)
        param = arguments[min(given, len(arguments) - 1)]
        if self._command.name == "set" and param.name == "value" and given == 1:
            yield from self._values_of(self._arguments[0], app)
        elif given < len(arguments) or param.nargs == -1:
            yield from self.values(param, app)

    def _values_of(self, setting: str, app: App) -> Iterable[Candidate]:
        """What may stand in a file behind a name."""
        option = option_named(self._tree, setting)
        if option is not None and not option.is_flag:
            return self.values(option, app)
        if option is not None or (setting in KEYS and KEYS[setting]["parse"] is boolean):
            return _truths(app)
        named = VALUES.get("voice" if setting.startswith("aliases.") else setting)
        return named(app) if named is not None else ()


def _names(param: Any) -> list[str]:
    return [] if isinstance(param, TyperArgument) else [*param.opts, *param.secondary_opts]
