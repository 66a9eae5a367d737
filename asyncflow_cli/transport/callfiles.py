"""What happened in a call, written down: as JSON for programs, as a page for people."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.output import Output
from asyncflow_cli.protocol.callpage import page
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.calltrace import CallFile, Failure
from asyncflow_cli.protocol.tracer import Tracer
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.stopping import Stop
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.chronicle import Tell
from asyncflow_cli.transport.files import check_writable, is_special, write_file

WRITERS: dict[str, Callable[[CallFile], bytes]] = {
    ".json": msgspec.json.encode,
    ".html": lambda file: page(file).encode(),
}


@dataclass(frozen=True)
class CallFiles:
    """What is written at the end of a call, and where. `ask` has what the callee of a call heard,
    as a WAV, from the sandbox at an address; only it can tell."""

    reports: Sequence[Path] = ()
    heard: Path | None = None
    ask: Callable[[str, str], Awaitable[bytes]] | None = None
    written: set[Path] = field(default_factory=set)
    """Of these, what is there by now."""

    def check(self, twilio: str) -> None:
        """UsageError, before anybody is called, for a file that cannot be written, or not by us."""
        if self.heard is not None and not is_loopback(twilio):
            raise UsageError("Only the sandbox tells what was heard", hint="Add --sandbox")
        if self.heard is not None and not _may_be_wav(self.heard):
            raise UsageError(
                f"What was heard is a file of .wav, not {self.heard}",
                hint="--save-heard heard.wav",
            )
        for path in self.reports:
            if path.suffix.lower() not in WRITERS:
                raise UsageError(
                    f"A report is a file of .json or .html, not {path}", hint="--report call.html"
                )
        for path in (*self.reports, *([self.heard] if self.heard else ())):
            check_writable(path)

    async def with_heard(
        self, call: PhoneCall, tell: Tell, twilio: str, warn: Callable[[str], None]
    ) -> CallReport:
        """Run the call, and keep what was heard if that is wanted, however the call ends."""
        try:
            report = await call.run(tell)
        except BaseException:
            with _only_warns(warn):
                await self._keep_heard(call, twilio)
            raise
        await self._keep_heard(call, twilio)
        return report

    async def _keep_heard(self, call: PhoneCall, twilio: str) -> None:
        if self.heard is None or self.ask is None or call.sid is None:
            return
        self._write(self.heard, await self.ask(twilio, call.sid))

    def write_report(self, path: Path, file: CallFile) -> None:
        self._write(path, WRITERS[path.suffix.lower()](file))

    def _write(self, path: Path, content: bytes) -> None:
        """It holds what was said, and to whom."""
        write_file(path, content, private=True)
        self.written.add(path)

    def named(self, report: CallReport) -> CallReport:
        """The report, with the files that were written by now."""
        return msgspec.structs.replace(
            report,
            heard_file=str(self.heard) if self.heard in self.written else None,
            report_files=tuple(str(path) for path in self.reports if path in self.written),
        )


def _may_be_wav(path: Path) -> bool:
    return path.suffix.lower() == ".wav" or is_special(path)


@contextlib.contextmanager
def _only_warns(warn: Callable[[str], None]) -> Iterator[None]:
    """Why a file was not written is less than why a call failed, which is told as its error."""
    try:
        yield
    except AsyncflowError as error:
        warn(error.message)


@contextlib.asynccontextmanager
async def written_down(
    files: CallFiles, call: PhoneCall, tracer: Tracer, stop: Stop, out: Output
) -> AsyncIterator[None]:
    """Write the reports at the end of the block, without secrets, however it ends.

    A call that was stopped raises InterruptedByUserError.
    """
    began = datetime.now(UTC).isoformat(timespec="seconds")
    failure: AsyncflowError | None = None
    try:
        yield
    except AsyncflowError as error:
        failure = error
        raise
    except Exception as error:
        failure = AsyncflowError(str(error) or type(error).__name__, code="BUG")
        raise
    except asyncio.CancelledError:
        failure = stop.error
        raise failure from None
    finally:
        file = CallFile(
            began=began,
            exit_code=failure.exit_code if failure else 0,
            failure=_failure(failure),
            warnings=tuple(call.warnings),
            report=files.named(call.report) if call.report else None,
            trace=tracer.trace(),
        )
        file = _cleaned(file, out.redactor.clean) if files.reports else file
        for path in files.reports:
            with _only_warns(out.warning) if failure else contextlib.nullcontext():
                files.write_report(path, file)


def _cleaned(file: CallFile, clean: Callable[[str], str]) -> CallFile:
    """Before it is a page: what a page makes of a quote is no secret as anybody knows it."""
    return msgspec.json.decode(clean(msgspec.json.encode(file).decode()), type=CallFile)


def _failure(error: AsyncflowError | None) -> Failure | None:
    if error is None:
        return None
    return Failure(code=error.code, message=error.message, hint=error.hint)
