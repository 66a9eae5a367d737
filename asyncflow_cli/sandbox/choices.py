"""Where the service's behaviour is unknown, or was another in 2025, the sandbox can be told.

Pure data; the defaults are the choices of `docs/sandbox.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from asyncflow_cli.protocol.models import LEGACY_MODELS, MODELS

Era = Literal["voice-api", "asyncflow"]
Cursor = Literal["last", "next"]
ModelRule = Literal["july", "june"]

STREAMED_ONLY = frozenset({"async_pro_v1.0", "async_flash_v1.5"})
"""What the Models page of June 2026 lists for streaming and the WebSocket only."""


class Paging(StrEnum):
    """Bad manners of a list."""

    DUPLICATES = "duplicates"
    """A page begins with the last voice of the one before."""
    REPEATED_CURSOR = "repeated-cursor"
    """`next_cursor` is what was sent as `after`, on the last page too."""
    EMPTY_LAST_PAGE = "empty-last-page"
    """The last page with voices has a cursor, and leads to one without."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    era: Era = "voice-api"
    """`asyncflow` is the service of 2025."""
    cursor: Cursor = "last"
    """What `next_cursor` is: the last id of the page, or the first of the next one."""
    paging: frozenset[Paging] = frozenset()
    model_rule: ModelRule = "july"
    init_ack: bool = False
    """Whether an init is answered: one public client waits for that, others do not expect it."""
    validation: int = 422
    """The status of what does not validate: 422 with FastAPI's list, or 400 with a code."""

    @property
    def legacy(self) -> bool:
        return self.era == "asyncflow"

    @property
    def models(self) -> frozenset[str]:
        return LEGACY_MODELS if self.legacy else MODELS | LEGACY_MODELS

    @property
    def whole_models(self) -> frozenset[str]:
        """Those of the two endpoints that do not stream."""
        return self.models - STREAMED_ONLY if self.model_rule == "june" else self.models

    @property
    def shortest_clip(self) -> float:
        """Seconds of speech that a clone needs, by the error text of the era."""
        return 5.0 if self.legacy else 3.0
