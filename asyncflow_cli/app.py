"""What a command works with: output, settings and clients, each built on first use.

The heavy imports stand inside the properties: reaching for `app.api` is what loads httpx, so
`--help`, `--version` and completion pay for none of it. What a command does with them is a job of
`transport/` or `sandbox/`, which it imports where it calls it, for the same reason. The one
place that runs an event loop is `App.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.output import Format, Output
from asyncflow_cli.settings import FIELDS, Settings, without_login
from asyncflow_cli.stopping import Stop, first

if TYPE_CHECKING:
    from asyncflow_cli.sandbox.server import Sandbox
    from asyncflow_cli.transport.api import ApiClient
    from asyncflow_cli.transport.calls import OwnCalls
    from asyncflow_cli.transport.ci.surroundings import Surroundings
    from asyncflow_cli.transport.config.configuration import Configuration
    from asyncflow_cli.transport.config.files import ConfigFiles, Default
    from asyncflow_cli.transport.config.login import Accounts
    from asyncflow_cli.transport.doctor.visit import Patient
    from asyncflow_cli.transport.journal import Journal
    from asyncflow_cli.transport.library import VoiceLibrary
    from asyncflow_cli.transport.ownvoices import OwnVoices
    from asyncflow_cli.transport.remembered import Remembered

T = TypeVar("T")

_SECRETS = [name for f in FIELDS.values() if f.metadata["secret"] for name in f.metadata["names"]]

JSON_FLAGS = {"json", "field", "jq"}
"""Global flags that want documents."""


class Folders(NamedTuple):
    config: Path
    state: Path
    cache: Path


class App:
    """One run of one command.

    `flags` holds the global flags that were given, wherever on the line they stood; `command` is
    the path of the command, such as `("voices", "list")`.
    """

    def __init__(self, files: ConfigFiles, folders: Folders, environ: Mapping[str, str]) -> None:
        self.flags: dict[str, Any] = {}
        self.command: tuple[str, ...] = ()
        self.used_defaults: list[Default] = []
        """What files said of options that were not given."""
        self.files = files
        self.folders = folders
        self.environ = environ
        self.stop = Stop()
        self._embedded: Sandbox | None = None

    def close(self) -> None:
        """Give back what was taken for work that never ran."""
        if self._embedded is not None:
            self._embedded.close()

    @cached_property
    def out(self) -> Output:
        quiet = Format.QUIET if self.flags.get("quiet") else Format.HUMAN
        out = Output(
            format=Format.JSON if self.flags.keys() & JSON_FLAGS else quiet,
            pick=self.flags.get("pick"),
            color=self.flags.get("color") or "auto",
            verbose=bool(self.flags.get("verbose")),
            debug=bool(self.flags.get("debug")),
            yes=bool(self.flags.get("yes")),
            no_input=bool(self.flags.get("no_input")),
            explains=_explains,
        )
        # Already here, for what fails before there are settings must not tell a key either.
        out.redactor.hide(self.environ.get(name, "").strip() for name in _SECRETS)
        return out

    @cached_property
    def own_settings(self) -> Settings:
        """The user's settings as they stand, before a sandbox may take the service's place."""
        return self.files.load(self.flags, self.command)

    @cached_property
    def settings(self) -> Settings:
        """The user's settings; in the sandbox, its addresses and keys in place of theirs."""
        settings = self.own_settings
        self.out.redactor.hide(settings.secrets())
        self.out.warnings(settings.warnings)
        if settings.sandbox:
            callee = self.flags.get("callee")
            wanted = {"callees": {"*": callee} if callee else {}}
            self._embedded = self._embed(**self.flags.get("sandbox_with", wanted))
            return settings.pointed_at(self._embedded.environment, "sandbox")
        if "callee" in self.flags:
            raise UsageError(
                "Only callees of the sandbox do as they are told", hint="Add --sandbox"
            )
        return settings

    def configured(self, **flags: Any) -> Settings:
        """The settings, with a command's own flags before everything else."""
        self.flags |= {name: value for name, value in flags.items() if value is not None}
        return self.settings

    def file_defaults(self) -> list[Default]:
        """What files say of the options of this command."""
        return self.files.defaults(self.flags, self.command)

    @cached_property
    def configuration(self) -> Configuration:
        from asyncflow_cli.transport.config.configuration import Configuration

        return Configuration(self.files, self.flags)

    @cached_property
    def accounts(self) -> Accounts:
        from asyncflow_cli.transport.config.login import Accounts

        return Accounts(self.configuration, self.settings, self.out.redactor.hide)

    @cached_property
    def api(self) -> ApiClient:
        from asyncflow_cli.transport.api import ApiClient

        return ApiClient(self.settings)

    @cached_property
    def library(self) -> VoiceLibrary:
        from asyncflow_cli.transport.library import VoiceLibrary

        return VoiceLibrary(self.api, seen=self.remembered.keep)

    @cached_property
    def remembered(self) -> Remembered:
        """The voices that were listed lately; it asks nobody."""
        from asyncflow_cli.transport.remembered import Remembered

        own = self.own_settings
        service = "sandbox" if own.sandbox else without_login(own.base_url)
        clean = self.out.redactor.clean
        return Remembered(self.folders.cache / "voices.json", service, clean=clean)

    @cached_property
    def own_voices(self) -> OwnVoices:
        from asyncflow_cli.transport.ownvoices import OwnVoices

        return OwnVoices(self.api, self.library, warn=self.out.warning)

    @cached_property
    def journal(self) -> Journal:
        from asyncflow_cli.transport.journal import Journal

        in_sandbox = self._is_sandboxed
        folder = self.sandbox_folder if in_sandbox else self.folders.state
        journal = Journal(folder / "calls", warn=self.out.warning)
        if in_sandbox:
            journal.forget_orphans()  # an embedded sandbox that is gone took its calls with it
        return journal

    @property
    def _is_sandboxed(self) -> bool:
        """As the flag says where the settings cannot be read, which is no matter of the journal."""
        try:
            return self.own_settings.sandbox
        except AsyncflowError:
            return bool(self.flags.get("sandbox"))

    @cached_property
    def own_calls(self) -> OwnCalls:
        from asyncflow_cli.transport.calls import OwnCalls

        return OwnCalls(self.settings, self.journal, warn=self.out.warning)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What commands run in that we run: our environment, flags and sandbox."""
        from asyncflow_cli.transport.ci.surroundings import surroundings

        sandbox = self._embedded.environment if self.settings.sandbox and self._embedded else {}
        return surroundings(self.environ, self.flags, sandbox)

    @cached_property
    def patient(self) -> Patient:
        """What the doctor looks at; also where the settings cannot be read."""
        from asyncflow_cli.transport.doctor.files import Places
        from asyncflow_cli.transport.doctor.visit import Patient

        try:
            settings, private = self.settings, tuple(self.files.with_keys(self.flags))
        except AsyncflowError as error:
            places = Places(self.folders.state, ())
            return Patient(Settings(), error, places, self.journal)
        return Patient(settings, None, Places(self.folders.state, private), self.journal)

    @property
    def sandbox_folder(self) -> Path:
        return self.folders.state / "sandbox"

    def make_sandbox(self, *, remembers: bool = True, **options: Any) -> Sandbox:
        """A sandbox on this user's state, or on none; its port is bound. Enter it to serve."""
        from asyncflow_cli.sandbox.server import Sandbox

        return Sandbox(state=self.sandbox_folder if remembers else None, **options)

    def _embed(self, **options: Any) -> Sandbox:
        """One that remembers nothing, where nothing can be written: the command can still run."""
        try:
            return self.make_sandbox(**options)
        except OSError as error:
            self.out.warning(
                f"{self.sandbox_folder} cannot be written ({error.strerror}), so this sandbox "
                "forgets all when the command ends; another place: export XDG_STATE_HOME=FOLDER"
            )
            return self.make_sandbox(remembers=False, **options)

    def run(self, work: Coroutine[Any, Any, T], *, live: bool = False) -> T:
        """Run to the end, with the sandbox beside it if one is embedded. What is `live`, as a call
        is, has uvloop's event loop where that is installed.

        Ctrl-C and SIGTERM cancel `work`, which cleans up; a second one cancels that, too.
        """
        if not gc.isenabled():  # as the program begins
            gc.freeze()
            gc.enable()
        try:
            loop = _fast_loop() if live else None
            # To the loop's end, for what it cancels then has things to log, too.
            with self.out.logs(), asyncio.Runner(loop_factory=loop) as runner:
                return runner.run(self._run(work))
        except ExceptionGroup as group:
            raise first(group) from group
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise self.stop.error from None

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(self.stop.cancels())
            if self._embedded is not None:
                await stack.enter_async_context(self._embedded)
            stack.push_async_callback(self._close_api)
            return await work

    async def _close_api(self) -> None:
        if "api" in self.__dict__:
            await self.api.aclose()


def _explains(code: str) -> bool:
    from asyncflow_cli.protocol.catalogue import ENTRIES

    return code in ENTRIES


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
