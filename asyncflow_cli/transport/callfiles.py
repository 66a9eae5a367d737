"""What happened in a call, written down: as JSON for programs, as a page for people."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError, UsageError
from asyncflow_cli.protocol.callpage import page
from asyncflow_cli.protocol.calltrace import CallFile, Failure, Tracer
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.files import check_writable, write_file

WRITERS: dict[str, Callable[[CallFile], bytes]] = {
    ".json": msgspec.json.encode,
    ".html": lambda file: page(file).encode(),
}


def check_reports(paths: Iterable[Path], *, written: Sequence[Path]) -> None:
    """UsageError, before anybody is called, for a file that cannot be written, or not by us."""
    for path in written:
        if path.suffix.lower() not in WRITERS:
            raise UsageError(
                f"A report is a file of .json or .html, not {path}", hint="--report call.html"
            )
    for path in paths:
        check_writable(path)


@contextlib.asynccontextmanager
async def written_down(
    paths: Sequence[Path],
    call: PhoneCall,
    tracer: Tracer,
    interrupted: Callable[[], int],
    clean: Callable[[str], str],
) -> AsyncIterator[None]:
    """Write the reports at the end of the block, however it ends. `clean` takes out secrets.

    A call that was stopped raises InterruptedByUserError, with `interrupted()` for its exit code
    and the report for its details.
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
        failure = InterruptedByUserError("Stopped", exit_code=interrupted())
        failure.details = msgspec.to_builtins(call.report) if call.report else None
        raise failure from None
    finally:
        file = CallFile(
            began=began,
            exit_code=failure.exit_code if failure else 0,
            failure=_failure(failure),
            warnings=tuple(call.warnings),
            report=call.report,
            trace=tracer.trace(),
        )
        file = _cleaned(file, clean) if paths else file
        for path in paths:
            # It holds what was said, and to whom.
            write_file(path, WRITERS[path.suffix.lower()](file), private=True)


def _cleaned(file: CallFile, clean: Callable[[str], str]) -> CallFile:
    """Before it is a page: what a page makes of a quote is no secret as anybody knows it."""
    return msgspec.json.decode(clean(msgspec.json.encode(file).decode()), type=CallFile)


def _failure(error: AsyncflowError | None) -> Failure | None:
    if error is None:
        return None
    return Failure(code=error.code, message=error.message, hint=error.hint)
