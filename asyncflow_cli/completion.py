"""What may stand at the place of a half-written word: commands, options, and values we know of.

Values come from this machine alone: the command tree, the files that configure us, the journal of
calls, and the voices that were listed lately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from typer.core import TyperArgument, TyperGroup

from asyncflow_cli.app import App
from asyncflow_cli.protocol.completion import Candidate
from asyncflow_cli.protocol.models import LANGUAGES, MODELS


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
    for call in app.journalled(live_only=False).calls:
        yield Candidate(call.call_sid, f"{call.to} {call.state}")


def _codes(_app: App) -> Iterator[Candidate]:
    from asyncflow_cli.protocol.catalogue import ENTRIES

    yield from (Candidate(code, entry.title) for code, entry in ENTRIES.items())


def _schemas(app: App) -> Iterator[Candidate]:
    yield from map(Candidate, getattr(app.schema(None), "names", ()))


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
        self._command: Any = tree
        self._open: Any = None
        self._arguments = 0
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
            self._arguments += 1

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
            yield from self._options_left()
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

    def _options_left(self) -> Iterator[Candidate]:
        for param in self._command.params:
            names = _names(param)
            if names and (param.multiple or param.name not in self.given):
                yield Candidate(names[-1], param.help or "")

    def _argument(self, app: App) -> Iterator[Candidate]:
        arguments = [p for p in self._command.params if isinstance(p, TyperArgument)]
        if not arguments:
            return
        param = arguments[min(self._arguments, len(arguments) - 1)]
        if self._arguments < len(arguments) or param.nargs == -1:
            yield from self.values(param, app)


def _names(param: Any) -> list[str]:
    return [] if isinstance(param, TyperArgument) else [*param.opts, *param.secondary_opts]
