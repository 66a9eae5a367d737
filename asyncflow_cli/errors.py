"""Everything that can go wrong, each with a stable code and an exit code.

    AsyncflowError                    1   a failure of no other class
    ├── LocalProtocolError            1   we broke a protocol: our bug
    ├── StrictSandboxError            1   a strict sandbox saw its customer fail
    ├── UsageError                    2   wrong usage or invalid input
    ├── NotFoundError                 3   not found, or ambiguous
    ├── AuthError                     4   authentication or permission
    ├── LimitError                    5   rate limit or quota, after retries
    ├── NetworkError                  6   network, DNS, TLS, proxy, time-out
    ├── ServiceError                  7   the service failed
    │   └── RemoteProtocolError       7   they broke a protocol
    ├── IncompleteError               8   incomplete or corrupt audio or timings
    ├── GateError                     9   a gate the user asked for failed
    ├── PrerequisiteError            10   something local is missing
    ├── CallError                         the call ended otherwise than hoped
    │   ├── CalleeBusyError          20
    │   ├── NoAnswerError            21
    │   ├── CallRejectedError        22   rejected, failed or never placed
    │   ├── MachineAnsweredError     23
    │   ├── CutShortError            24   ended before the last word was heard
    │   ├── MediaNeverConnectedError 25
    │   └── TimeLimitReachedError    26
    └── InterruptedByUserError  130, 143  Ctrl-C, SIGTERM

Foreign exceptions are translated where they enter (`transport/`), and become exit
codes where they leave (`cli.py`); nowhere between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar


class AsyncflowError(Exception):
    """What failed and why (`message`), what to do next (`hint`), and the codes to search for."""

    exit_code: int = 1
    default_code: ClassVar[str] = "FAILED"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds the service asked us to wait before another try, if it did."""
        self.details = details
        self.lines: Sequence[str] = ()
        """What people see in place of a message and a hint that are long, a line each."""
        self.passing = False
        """Whether it may be over by itself, so that another try is right."""


class LocalProtocolError(AsyncflowError):
    default_code = "LOCAL_PROTOCOL_ERROR"


class StrictSandboxError(AsyncflowError):
    default_code = "SANDBOX_FAILURES"


class UsageError(AsyncflowError):
    exit_code = 2
    default_code = "USAGE"


class NotFoundError(AsyncflowError):
    exit_code = 3
    default_code = "NOT_FOUND"


class AuthError(AsyncflowError):
    exit_code = 4
    default_code = "NOT_AUTHORISED"


class LimitError(AsyncflowError):
    exit_code = 5
    default_code = "LIMIT_EXCEEDED"


class NetworkError(AsyncflowError):
    exit_code = 6
    default_code = "NETWORK"


class ServiceError(AsyncflowError):
    exit_code = 7
    default_code = "SERVICE_ERROR"


class RemoteProtocolError(ServiceError):
    default_code = "REMOTE_PROTOCOL_ERROR"


class IncompleteError(AsyncflowError):
    exit_code = 8
    default_code = "INCOMPLETE"


class GateError(AsyncflowError):
    exit_code = 9
    default_code = "GATE_FAILED"


class PrerequisiteError(AsyncflowError):
    exit_code = 10
    default_code = "PREREQUISITE_MISSING"


class CallError(AsyncflowError):
    default_code = "CALL_FAILED"


class CalleeBusyError(CallError):
    exit_code = 20
    default_code = "CALLEE_BUSY"


class NoAnswerError(CallError):
    exit_code = 21
    default_code = "NO_ANSWER"


class CallRejectedError(CallError):
    exit_code = 22
    default_code = "CALL_REJECTED"


class MachineAnsweredError(CallError):
    exit_code = 23
    default_code = "MACHINE_ANSWERED"


class CutShortError(CallError):
    exit_code = 24
    default_code = "CUT_SHORT"


class MediaNeverConnectedError(CallError):
    exit_code = 25
    default_code = "MEDIA_NEVER_CONNECTED"


class TimeLimitReachedError(CallError):
    exit_code = 26
    default_code = "TIME_LIMIT_REACHED"


class InterruptedByUserError(AsyncflowError):
    """Ctrl-C (130) or SIGTERM (143), after clean-up."""

    exit_code = 130
    default_code = "INTERRUPTED"

    def __init__(self, message: str, *, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that it came of."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__
