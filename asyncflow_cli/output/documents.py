"""What Output is given to show: it knows their form alone, and not what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import msgspec

from asyncflow_cli.columns import Row
from asyncflow_cli.errors import AsyncflowError


class Format(Enum):
    HUMAN = "human"
    JSON = "json"
    QUIET = "quiet"


class Document(Protocol):
    """A msgspec Struct whose fields are the result."""

    @property
    def headline(self) -> str: ...


@runtime_checkable
class BriefDocument(Document, Protocol):
    """One of which people see other rows than its fields."""

    @property
    def brief(self) -> Mapping[str, Any]: ...


class FileDocument(Document, Protocol):
    """One whose headline is a path, and which can be told in a sentence."""

    @property
    def summary(self) -> str: ...


class PageDocument(Document, Protocol):
    """One that people see on a page of its own."""

    def page(self, width: int | None) -> Sequence[Row]:
        """Rows of texts and their styles, on so many columns; None is any number."""


class Drawing(Protocol):
    """Something that is seen rather than read."""

    def rows(self, width: int, cells: str = ..., /) -> Iterable[Row]:
        """Rows of texts and their styles on so many columns; `cells` from empty to full."""


class EnvironmentDocument(Protocol):
    """One that is variables for a shell, and their values."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class Event(Protocol):
    """A msgspec Struct of something that has just happened."""

    warns: ClassVar[bool]
    """Whether its words are a warning."""

    @property
    def at(self) -> float:
        """Seconds since the work began."""

    @property
    def words(self) -> str | None:
        """For people; None for nothing to say."""


EventT = TypeVar("EventT", contravariant=True)


class View(Protocol[EventT]):
    """What people see of something that goes on, kept up to date by its events."""

    def tell(self, event: EventT, /) -> None: ...

    def frame(self, now: float, width: int) -> Sequence[Row]:
        """Rows of texts and their styles, at so many seconds since it began."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    message: str
    exit_code: int
    hint: str | None = None
    request_id: str | None = None
    details: dict[str, Any] | None = None


class ErrorReport(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="asyncflow.error"
):
    """The one object on stderr when a command with `--json` fails."""

    schema_version: int = 1
    error: Problem

    @property
    def headline(self) -> str:
        return self.error.message


def error_document(error: AsyncflowError) -> ErrorReport:
    return ErrorReport(
        error=Problem(
            code=error.code,
            message=error.message,
            exit_code=error.exit_code,
            hint=error.hint,
            request_id=error.request_id,
            details=dict(error.details) if error.details else None,
        )
    )
