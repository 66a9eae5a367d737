"""What may stand at the place of a half-written word: commands, options, and values we know of.

Commands, options and choices stand in the manual's pages, so nothing else is loaded for them.
Other values come from this machine alone: the files that configure us, the journal of calls, and
the voices that were listed lately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asyncflow_cli.manual import written
from asyncflow_cli.manual.page import Page, Parameter

if TYPE_CHECKING:
    from asyncflow_cli.app import App


class Candidate(NamedTuple):
    value: str
    about: str = ""

    @property
    def line(self) -> str:
        """As the scripts read it."""
        value, about = (" ".join(text.split()) for text in (self.value, self.about))
        return f"{value}\t{about}" if about else value


def _voices(app: App) -> Iterator[Candidate]:
    yield from (Candidate(name, "your name for a voice") for name in app.own_settings.aliases)
    for voice in app.remembered.voices():
        yield Candidate(voice.name, f"{voice.language} {voice.gender}")


def _languages(app: App) -> Iterator[Candidate]:
    from asyncflow_cli.protocol.models import LANGUAGES

    spoken = (voice.language.split(",") for voice in app.remembered.voices())
    yield from map(Candidate, sorted(LANGUAGES.union(*spoken) - {""}))


def _models(_app: App) -> Iterator[Candidate]:
    from asyncflow_cli.protocol.models import MODELS

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
    from asyncflow_cli.settings.names import CHOOSES_PROFILE, JUST_ONCE, KEYS

    for key in KEYS.keys() - CHOOSES_PROFILE:
        yield Candidate(key, KEYS[key]["help"])
    for command, keys in app.files.options().items():
        for key in set(keys) - JUST_ONCE:
            yield Candidate(f"{command.replace(' ', '.')}.{key}", f"of {command}")


def _set(app: App) -> Iterator[Candidate]:
    """The names of what files say."""
    from asyncflow_cli.settings import PROJECT_FILE

    for row in app.configuration.list(app.own_settings).settings:
        if row.origin.split(" ")[0] in ("profile", "keyring", "config", PROJECT_FILE):
            yield Candidate(row.name, row.origin)


def _gettable(app: App) -> Iterator[Candidate]:
    for row in app.configuration.list(app.own_settings).settings:
        yield Candidate(row.name, row.value or "")


def _aliases(app: App) -> Iterator[Candidate]:
    yield from (Candidate(f"aliases.{name}", v) for name, v in app.own_settings.aliases.items())


Values: TypeAlias = "Callable[[App], Iterable[Candidate]]"

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


def completed(
    before: Sequence[str], word: str, make: Callable[[Mapping[str, Any]], App]
) -> list[Candidate]:
    """What begins with `word`, behind the words `before` it. Nothing means: perhaps a file.

    `make` is only called for what has to be looked up, with the global flags given so far.
    """
    place = _Place(make)
    for earlier in before:
        place.go_on(earlier)
    option, joined, _ = word.partition("=")
    if joined and (param := place.options.get(option)) is not None:
        found = [Candidate(f"{option}={c.value}", c.about) for c in place.values(param)]
    else:
        found = list(place.candidates(word))
    return [candidate for candidate in found if candidate.value.lower().startswith(word.lower())]


class _Place:
    """Where on a command line we are, word by word."""

    def __init__(self, make: Callable[[Mapping[str, Any]], App]) -> None:
        self._make = make
        self._page = written.page("")
        self._open: Parameter | None = None
        self._arguments: list[str] = []
        self.given: dict[str, Any] = {}

    @property
    def options(self) -> dict[str, Parameter]:
        own = self._page.parameters
        return {name: param for param in own for name in (*param.flags, *param.opposites)}

    def go_on(self, word: str) -> None:
        if self._open is not None:
            if word != "=":  # which bash takes for a word of its own
                self.given[self._open.name], self._open = word, None
        elif word.startswith("-") and word != "-":
            self._option(word)
        elif (below := self._below(word)) is not None:
            self._page = below
        else:
            self._arguments.append(word)

    def _below(self, name: str) -> Page | None:
        path = f"{self._page.command} {name}".strip()
        known = self._page.is_group and path in written.commands()
        return written.page(path) if known else None

    def _option(self, word: str) -> None:
        name, joined, value = word.partition("=")
        param = self.options.get(name)
        if param is None:
            return
        self.given[param.name] = value if joined else True
        self._open = None if joined or param.is_switch else param

    def candidates(self, word: str) -> Iterable[Candidate]:
        if self._open is not None:
            return self.values(self._open)
        if word.startswith("-"):
            return self._options_left(no=word.startswith("--n"))
        if self._page.is_group:
            # Behind a command there is none of, nothing is known.
            return self._commands() if not self._arguments else ()
        return self._argument()

    def _commands(self) -> Iterator[Candidate]:
        rows = next(section.rows for section in self._page.sections if section.title == "Commands")
        yield from (Candidate(*row) for row in rows)

    def values(self, param: Parameter) -> Iterable[Candidate]:
        """The choices of an option or an argument, or what is known to stand there."""
        if param.choices:
            return map(Candidate, param.choices)
        command = self._page.command.rpartition(" ")[2]
        named = VALUES.get(f"{command} {param.name}") or VALUES.get(param.name)
        return self._known(named)

    def _known(self, named: Values | None) -> Iterable[Candidate]:
        if named is None:
            return ()
        flags = {name: value for name, value in self.given.items() if isinstance(value, str)}
        return named(self._make(flags | ({"sandbox": True} if "sandbox" in self.given else {})))

    def _options_left(self, *, no: bool) -> Iterator[Candidate]:
        """The long names of those that were not given; opposites only for who asks for a `no`."""
        for param in self._page.parameters:
            opposites = param.opposites if no else ()
            if param.repeats or param.name not in self.given:
                for name in (*param.flags[-1:], *opposites):
                    yield Candidate(name, param.text)

    def _argument(self) -> Iterable[Candidate]:
        arguments = [param for param in self._page.parameters if not param.flags]
        if not arguments:
            return ()
        given = len(self._arguments)
        param = arguments[min(given, len(arguments) - 1)]
        if self._page.command == "config set" and param.name == "value" and given == 1:
            return self._values_of(self._arguments[0])
        return self.values(param) if given < len(arguments) or param.repeats else ()

    def _values_of(self, setting: str) -> Iterable[Candidate]:
        """What may stand in a file behind a name."""
        from asyncflow_cli.manual.fileoptions import option_named
        from asyncflow_cli.settings import boolean
        from asyncflow_cli.settings.names import KEYS

        option = option_named(setting)
        if option is not None and not option.is_switch:
            return self.values(option)
        if option is not None or (setting in KEYS and KEYS[setting]["parse"] is boolean):
            return map(Candidate, ("true", "false"))
        return self._known(VALUES.get("voice" if setting.startswith("aliases.") else setting))
