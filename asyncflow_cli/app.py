"""What a command works with: output, settings and clients, each built on first use.

The heavy imports stand inside the properties: reaching for `app.api` is what loads httpx, so
`--help`, `--version` and completion pay for none of it. The one `asyncio.run` is in `App.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from asyncflow_cli.errors import (
    AsyncflowError,
    IncompleteError,
    InterruptedByUserError,
    PrerequisiteError,
    StrictSandboxError,
    UsageError,
)
from asyncflow_cli.output import Format, Output
from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.reports import EnvironmentReport, ResetReport, SandboxReport
from asyncflow_cli.settings import Settings, duration, is_loopback

if TYPE_CHECKING:
    from asyncflow_cli.protocol.answers import TranscriptionRequest
    from asyncflow_cli.protocol.callplan import CallPlanReport
    from asyncflow_cli.protocol.callreports import CallsReport
    from asyncflow_cli.protocol.callresult import CallReport
    from asyncflow_cli.protocol.calltrace import Tracer
    from asyncflow_cli.protocol.catalogue.report import ExplainReport
    from asyncflow_cli.protocol.ci.order import SmokeOrder
    from asyncflow_cli.protocol.ci.report import SuiteReport
    from asyncflow_cli.protocol.clips import Clip
    from asyncflow_cli.protocol.doctorreport import DoctorOrder, DoctorReport
    from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest
    from asyncflow_cli.protocol.order import CallOrder
    from asyncflow_cli.protocol.products import TimedOrder
    from asyncflow_cli.protocol.reports import (
        DryRunReport,
        SpeechReport,
        StatusReport,
        StreamReport,
        TimestampsReport,
        TranscriptReport,
    )
    from asyncflow_cli.protocol.schemas import SchemaReport, SchemasReport
    from asyncflow_cli.protocol.timings import Word
    from asyncflow_cli.protocol.verify.findings import VerifyOrder
    from asyncflow_cli.protocol.verify.report import VerifyReport
    from asyncflow_cli.protocol.voicereports import PreviewReport
    from asyncflow_cli.sandbox.server import Sandbox
    from asyncflow_cli.transport.api import ApiClient
    from asyncflow_cli.transport.call import PhoneCall, Tell
    from asyncflow_cli.transport.calls import OwnCalls
    from asyncflow_cli.transport.config.configuration import Configuration
    from asyncflow_cli.transport.config.files import ConfigFiles, Default
    from asyncflow_cli.transport.config.login import Accounts
    from asyncflow_cli.transport.journal import Journal
    from asyncflow_cli.transport.library import VoiceLibrary
    from asyncflow_cli.transport.ownvoices import OwnVoices
    from asyncflow_cli.transport.remembered import Remembered
    from asyncflow_cli.transport.synthesis import Destination, Show

T = TypeVar("T")

SIGNALS = {
    getattr(signal, name): 128 + getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
}
"""What ends us, after clean-up, and the exit code of each."""


JSON_FLAGS = {"json", "field", "jq"}
"""Global flags that want documents."""


@dataclass(frozen=True)
class Folders:
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
        self._environ = environ
        self._embedded: Sandbox | None = None
        self._exit_code: int | None = None

    def close(self) -> None:
        """Give back what was taken for work that never ran."""
        if self._embedded is not None:
            self._embedded.close()

    @cached_property
    def out(self) -> Output:
        quiet = Format.QUIET if self.flags.get("quiet") else Format.HUMAN
        return Output(
            format=Format.JSON if self.flags.keys() & JSON_FLAGS else quiet,
            pick=self.flags.get("pick"),
            color=self.flags.get("color") or "auto",
            verbose=bool(self.flags.get("verbose")),
            debug=bool(self.flags.get("debug")),
            yes=bool(self.flags.get("yes")),
            no_input=bool(self.flags.get("no_input")),
            explains=_explains,
        )

    @cached_property
    def own_settings(self) -> Settings:
        """The user's settings as they stand, before a sandbox may take the service's place."""
        return self.files.load(self.flags, self.command)

    @cached_property
    def settings(self) -> Settings:
        """The user's settings; in the sandbox, its addresses and keys in place of theirs."""
        settings = self.own_settings
        self.out.redactor.hide(settings.secrets())
        for warning in settings.warnings:
            self.out.warning(warning)
        if settings.sandbox:
            callee = self.flags.get("callee")
            wanted = {"callees": {"*": callee} if callee else {}}
            self._embedded = self.make_sandbox(**self.flags.get("sandbox_with", wanted))
            settings = settings.pointed_at(self._embedded.environment, "sandbox")
        return settings

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

        return Accounts(self.configuration, self.settings)

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
        service = "sandbox" if own.sandbox else own.base_url
        return Remembered(self.folders.cache / "voices.json", service)

    @cached_property
    def own_voices(self) -> OwnVoices:
        from asyncflow_cli.transport.ownvoices import OwnVoices

        return OwnVoices(self.api, self.library)

    @cached_property
    def journal(self) -> Journal:
        from asyncflow_cli.transport.journal import Journal

        in_sandbox = self._embedded is not None or self.flags.get("sandbox")
        folder = self.sandbox_folder if in_sandbox else self.folders.state
        journal = Journal(folder / "calls", warn=self.out.warning)
        if in_sandbox:
            journal.forget_orphans()  # an embedded sandbox that is gone took its calls with it
        return journal

    @cached_property
    def own_calls(self) -> OwnCalls:
        from asyncflow_cli.transport.calls import OwnCalls

        return OwnCalls(self.settings, self.journal, warn=self.out.warning)

    def journalled(self, *, live_only: bool) -> CallsReport:
        """What the journal has of our calls. It asks nobody, and needs no settings."""
        from asyncflow_cli.transport.journalled import journalled

        return journalled(self.journal, live_only=live_only)

    def clip(self, file: str) -> Clip:
        from asyncflow_cli.transport.clipfile import read_clip

        return read_clip(file, warn=self.out.warning)

    def status(self, patience: float | None) -> Coroutine[Any, Any, StatusReport]:
        """Whether the service is up, now or within `patience` seconds."""
        from asyncflow_cli.transport.waiting import wait_until_up

        return self.api.status() if patience is None else wait_until_up(self.api, patience)

    def configured(self, **flags: Any) -> Settings:
        """The settings, with a command's own flags before everything else."""
        self.flags |= {name: value for name, value in flags.items() if value is not None}
        return self.settings

    def plan(self, path: str, request: SpeechRequest) -> DryRunReport:
        """What would be sent. It opens no socket and needs no key."""
        from asyncflow_cli.protocol.dryrun import speech_plan
        from asyncflow_cli.protocol.transcript import pieces

        url, key = self.settings.base_url + path, self.settings.api_key
        return speech_plan(url, request, pieces(request.transcript), key=bool(key))

    def plan_stream(self, request: SpeechRequest, text: str, transport: str) -> DryRunReport:
        """The same for a stream, whose text goes out in small pieces."""
        from asyncflow_cli.protocol.dryrun import socket_plan, speech_plan
        from asyncflow_cli.protocol.formats import streamed
        from asyncflow_cli.protocol.speech import PATH
        from asyncflow_cli.protocol.splitting import split

        base, pieces, key = self.settings.base_url, split(text), bool(self.settings.api_key)
        request = msgspec.structs.replace(request, output_format=streamed(request.output_format))
        if transport == "http":
            return speech_plan(f"{base}/text_to_speech/streaming", request, pieces, key=key)
        return socket_plan("ws" + base.removeprefix("http") + PATH, request, pieces, key=key)

    def synthesize(
        self,
        request: SpeechRequest,
        output: str | None,
        *,
        jobs: int,
        play: bool,
        force: bool,
        verify: bool = False,
        show: bool = False,
    ) -> Coroutine[Any, Any, SpeechReport]:
        """To the file `output`, to stdout for `-` or where nothing is said, or just played."""
        from asyncflow_cli.protocol.transcript import pieces
        from asyncflow_cli.transport.synthesis import synthesize

        destination = self._destination(output, play=play, force=force)
        parts = pieces(request.transcript)
        shown = self._show(request.output_format) if show else None
        return synthesize(
            self.api, request, parts, destination, jobs=jobs, verify=verify, show=shown
        )

    def _show(self, form: OutputFormat) -> Show | None:
        """Draws speech of this format; None where nobody sees it."""
        from asyncflow_cli.protocol.waveform import ASCII
        from asyncflow_cli.transport.showing import waveform_of

        def show(audio: bytes, words: Sequence[Word] = ()) -> None:
            try:
                self.out.drawing(waveform_of(audio, form, words), ASCII)
            except (PrerequisiteError, IncompleteError) as error:
                self.out.warning(f"It cannot be shown: {error.message}")

        return show if self.out.draws else None

    def preview(
        self, voice: str, output: str | None, *, play: bool, force: bool
    ) -> Coroutine[Any, Any, PreviewReport]:
        """A voice's sample, to wherever `synthesize` would put audio."""
        from asyncflow_cli.transport.preview import preview

        destination = self._destination(output, play=play, force=force)
        return preview(self.library, voice, destination)

    def _destination(self, output: str | None, *, play: bool, force: bool) -> Destination:
        from asyncflow_cli.transport.synthesis import Destination

        to_stdout = output == "-" or (output is None and not play)
        return Destination(
            path=None if output in (None, "-") else Path(str(output)),
            stream=self.out.audio(force) if to_stdout else None,
            play=play,
        )

    def timestamps(
        self, order: TimedOrder, *, force: bool, show: bool = False
    ) -> Coroutine[Any, Any, TimestampsReport]:
        """To files, one of which may be stdout; the words alone are what --json is for."""
        from asyncflow_cli.protocol.products import AUDIO
        from asyncflow_cli.transport.timestamps import synthesize_timed

        shown = self._show(order.request.output_format) if show else None
        if not order.products and shown is None and self.out.format is not Format.JSON:
            raise UsageError(
                "Nothing is asked for", hint="Add -o talk.mp3, --captions srt, both, or --json"
            )
        piped = [product.kind for product in order.products if product.path is None]
        to_stdout = self.out.audio(force) if AUDIO in piped else self.out.pipe() if piped else None
        return synthesize_timed(self.api, order, to_stdout, warn=self.out.warning, show=shown)

    def transcribe(
        self, name: str, content: bytes, request: TranscriptionRequest
    ) -> Coroutine[Any, Any, TranscriptReport]:
        from asyncflow_cli.transport.transcription import transcribe

        return transcribe(self.api, name, content, request)

    def stream(
        self,
        request: SpeechRequest,
        text: str | None,
        output: str | None,
        *,
        transport: str,
        flush_after: float | None,
        limits: tuple[str | None, str | None, float | None],
        play: bool,
        force: bool,
        verify: bool = False,
    ) -> Coroutine[Any, Any, StreamReport]:
        """Speak a text, or stdin while it is written, to a file, stdout or the loudspeaker."""
        from asyncflow_cli.transport import sinks, streaming

        if play and output is not None:
            raise UsageError("A stream goes to one place", hint="Leave out -o or --play")
        to_stdout = output == "-" or (output is None and not play)
        sink, sent = sinks.open_sink(
            request.output_format,
            path=None if output in (None, "-") else Path(str(output)),
            stream=self.out.audio(force) if to_stdout else None,
        )
        first_byte, max_gap = (None if limit is None else duration(limit) for limit in limits[:2])
        return streaming.stream_speech(
            self.settings,
            self.api,
            self.library,
            msgspec.structs.replace(request, output_format=sent),
            streaming.texts_of(text, flush_after),
            sink,
            transport=transport,
            gates=streaming.Gates(first_byte, max_gap, limits[2]),
            output="-" if to_stdout else output,
            verify=verify,
        )

    def plan_call(self, order: CallOrder) -> CallPlanReport:
        """What a call would ask for, and cost at most. It opens no socket."""
        from asyncflow_cli.protocol import callplan
        from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
        from asyncflow_cli.protocol.speech import PATH
        from asyncflow_cli.transport.roads import choice as roads
        from asyncflow_cli.transport.roads.public import websocket_address

        settings, host = self.settings, order.public_url
        roads.check(order.tunnels, settings, host)
        at = callplan.Addresses(websocket_address(host)) if host else callplan.Addresses()
        hold = math.ceil(order.reconnect) if len(order.tunnels) > 1 else 0
        twiml = stream_twiml(at.media, at.stream_status, hold)
        plan = callplan.call_plan(
            CallRequest.of(order, twiml=twiml, status_callback=at.status, amd_callback=at.machine),
            callplan.Playing(seconds=len(order.audio) / PHONE_RATE * order.manners.repeat)
            if order.audio is not None
            else callplan.Speaking(
                url="ws" + settings.base_url.removeprefix("http") + PATH,
                model_id=settings.model,
                voice_id=settings.voice,
                characters=None if order.is_live else len(order.text or "") * order.manners.repeat,
            ),
            media_url=at.media,
            twilio=settings.twilio_base_url,
            account_sid=settings.twilio_account_sid or "ACCOUNT",
            api_key=settings.twilio_api_key,
        )
        self.out.warnings(callplan.doubts(plan))
        return plan

    def phone_clip(self, file: str) -> bytes:
        from asyncflow_cli.transport.phoneclip import read_phone_clip

        return read_phone_clip(file, warn=self.out.warning)

    def call(
        self, order: CallOrder, *, save_heard: Path | None, reports: Sequence[Path]
    ) -> Coroutine[Any, Any, CallReport]:
        """Make the call, and write down what happened and, in the sandbox, what was heard."""
        from asyncflow_cli.protocol.calltrace import Tracer
        from asyncflow_cli.transport.call import PhoneCall
        from asyncflow_cli.transport.callfiles import check_reports
        from asyncflow_cli.transport.roads import choice as roads

        settings = self.settings
        settings.need_for_call(speaks=order.audio is None)
        if save_heard is not None and not is_loopback(settings.twilio_base_url):
            raise UsageError("Only the sandbox tells what was heard", hint="Add --sandbox")
        if "callee" in self.flags and self._embedded is None:
            raise UsageError(
                "Only callees of the sandbox do as they are told", hint="Add --sandbox"
            )
        check_reports([*reports, *([save_heard] if save_heard else [])], written=reports)
        roads.check(order.tunnels, settings, order.public_url, order.port)
        self._tell_how_to_type(order)
        tracer = Tracer()
        call = PhoneCall(
            settings, order, self.journal, self.library, warn=self.out.warning, watcher=tracer
        )
        return self._call(call, order, tracer, save_heard, reports)

    def _tell_how_to_type(self, order: CallOrder) -> None:
        if order.is_live and sys.stdin.isatty():
            ends = "a blank line hangs up" if order.manners.keep_open else "Ctrl-D ends the text"
            self.out.step(f"Type what is to be said; {ends}")

    async def _call(
        self,
        call: PhoneCall,
        order: CallOrder,
        tracer: Tracer,
        save_heard: Path | None,
        reports: Sequence[Path],
    ) -> CallReport:
        from asyncflow_cli.protocol.callevents import Failed
        from asyncflow_cli.protocol.callview import CallView
        from asyncflow_cli.transport.callfiles import written_down

        # Whoever types the text needs the foot of the terminal.
        view = None if order.manners.keep_open else CallView(order.sentences, tracer)
        clean = self.out.redactor.clean
        async with written_down(reports, call, tracer, lambda: self._exit_code or 130, clean):
            try:
                with self.out.events(Failed.of, view) as tell:
                    if save_heard is None:
                        return await call.run(tell)
                    return await self._heard(call, tell, save_heard)
            except (AsyncflowError, asyncio.CancelledError):
                if call.report is not None:
                    self.out.summary(call.report)
                raise

    async def _heard(self, call: PhoneCall, tell: Tell, path: Path) -> CallReport:
        from asyncflow_cli.sandbox.client import heard
        from asyncflow_cli.transport.files import write_file

        try:
            report = await call.run(tell)
        finally:
            if call.sid is not None:
                audio = await heard(self.settings.twilio_base_url, call.sid)
                write_file(path, audio, private=True)
        return msgspec.structs.replace(report, heard_file=str(path))

    def ci(self, order: SmokeOrder) -> Coroutine[Any, Any, SuiteReport]:
        """Run the steps of a file, each as a process of its own, and tell how they went."""
        from asyncflow_cli.transport.ci.run import SmokeFile, run_file
        from asyncflow_cli.transport.ci.surroundings import surroundings

        file = SmokeFile.read(order.file)
        self.configured(sandbox_with=file.sandbox)
        self.out.redactor.hide(file.secrets(self._environ))
        sandbox = {} if self._embedded is None else self._embedded.environment
        around = surroundings(self._environ, self.flags, sandbox)
        return run_file(file, order, around, self.out)

    def make_sandbox(self, **options: Any) -> Sandbox:
        """A sandbox on this user's state, its port bound; enter it to serve."""
        from asyncflow_cli.sandbox.server import Sandbox

        return Sandbox(state=self.sandbox_folder, **options)

    async def serve(self, sandbox: Sandbox) -> None:
        """Serve until cancelled. StrictSandboxError if it is strict, and saw failures."""
        try:
            await self._serve(sandbox)
        finally:
            if failures := sandbox.failures:
                raise StrictSandboxError(
                    "\n".join(["The sandbox saw failures:", *map(str, failures)]),
                    hint=f"asyncflow explain {failures[0].code}",
                    details={"failures": msgspec.to_builtins(failures)},
                )

    async def _serve(self, sandbox: Sandbox) -> None:
        """Serve until cancelled, and let others on this machine find it."""
        from asyncflow_cli.sandbox.client import announced

        async with sandbox:
            with announced(self.sandbox_folder, sandbox.environment):
                self.out.ready(
                    SandboxReport(
                        url=sandbox.url,
                        pid=os.getpid(),
                        state=str(self.sandbox_folder),
                        environment=sandbox.environment,
                    )
                )
                self.out.step('Ready. In another shell: eval "$(asyncflow sandbox env)"')
                await asyncio.Event().wait()

    def served_sandbox(self, patience: float) -> EnvironmentReport:
        """The environment that leads to the sandbox that is being served."""
        from asyncflow_cli.sandbox.client import served

        return EnvironmentReport(environment=dict(served(self.sandbox_folder, patience=patience)))

    def reset_sandbox(self) -> ResetReport:
        from asyncflow_cli.sandbox.store import Store

        with contextlib.closing(Store(self.sandbox_folder)) as store:
            calls, speeches = len(store.calls()), len(store.speeches())
            store.reset()
        return ResetReport(state=str(self.sandbox_folder), calls=calls, speeches=speeches)

    @property
    def sandbox_folder(self) -> Path:
        return self.folders.state / "sandbox"

    def doctor(self, order: DoctorOrder) -> Coroutine[Any, Any, DoctorReport]:
        """What is missing; also where the settings cannot be read."""
        from asyncflow_cli.transport.doctor.files import Places
        from asyncflow_cli.transport.doctor.visit import Patient, visit

        unread: AsyncflowError | None = None
        try:
            settings, private = self.settings, tuple(self.files.with_keys(self.flags))
        except AsyncflowError as error:
            settings, private, unread = Settings(), (), error
        places = Places(self.folders.state, private)
        patient = Patient(settings, unread, places, self.journal)
        return visit(patient, order, ask=self._ask, clean=self.out.redactor.clean)

    async def _ask(self, question: str) -> None:
        await self.out.confirmation("Ending calls")(question)

    def verified(self, files: Sequence[str], order: VerifyOrder) -> VerifyReport:
        """Files of audio, measured on this machine. It needs no settings and no network."""
        from asyncflow_cli.transport.verifying import verify

        return verify(files, order)

    def explained(self, code: str | None) -> ExplainReport:
        """What is known of a code, or of every code."""
        from asyncflow_cli.protocol.catalogue import explained

        return explained(code)

    def schema(self, name: str | None) -> SchemaReport | SchemasReport:
        """The JSON Schema of one of our documents, or the names of all."""
        from asyncflow_cli import output
        from asyncflow_cli.protocol import (
            callevents,
            callplan,
            callreports,
            callresult,
            calltrace,
            completion,
            configreports,
            doctorreport,
            reports,
            schemas,
            voicereports,
        )
        from asyncflow_cli.protocol.catalogue import report
        from asyncflow_cli.protocol.ci import report as ci_report
        from asyncflow_cli.protocol.verify import report as verify_report

        documents = (
            *(callevents, callplan, callresult, calltrace, callreports),
            *(configreports, doctorreport, reports, voicereports),
            *(ci_report, verify_report, completion),
        )
        modules = (output, *documents, schemas, report)
        return schemas.published(schemas.shapes_in(modules), name)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, with the sandbox beside it if one is embedded.

        Ctrl-C and SIGTERM cancel `work`, which cleans up; a second one cancels that, too.
        """
        try:
            return asyncio.run(self._run(work))
        except ExceptionGroup as group:
            raise _first(group) from group
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise InterruptedByUserError("Stopped", exit_code=self._exit_code or 130) from None

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(self.out.logs())
            stack.enter_context(self._cancelled_by_signals())
            if self._embedded is not None:
                await stack.enter_async_context(self._embedded)
            if "api" in self.__dict__:
                stack.push_async_callback(self.api.aclose)
            return await work

    @contextlib.contextmanager
    def _cancelled_by_signals(self) -> Iterator[None]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop(exit_code: int) -> None:
            self._exit_code = exit_code
            task.cancel()

        for number, exit_code in SIGNALS.items():
            try:
                loop.add_signal_handler(number, stop, exit_code)
            except NotImplementedError:  # Windows
                signal.signal(
                    number, lambda *_, code=exit_code: loop.call_soon_threadsafe(stop, code)
                )
        try:
            yield
        finally:
            for number in SIGNALS:
                with contextlib.suppress(NotImplementedError):
                    loop.remove_signal_handler(number)


def _explains(code: str) -> bool:
    from asyncflow_cli.protocol.catalogue import ENTRIES

    return code in ENTRIES


def _first(group: ExceptionGroup[Any]) -> BaseException:
    """The error a TaskGroup wrapped; ours before anybody else's."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, AsyncflowError)), leaves[0])


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
