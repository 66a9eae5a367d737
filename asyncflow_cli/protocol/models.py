"""The Async Voice API over HTTP, as shapes: what the client writes is what the sandbox reads.

https://docs.async.com

Unset fields are left out, unknown ones ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from string import hexdigits
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from asyncflow_cli.nearest import nearest
from asyncflow_cli.protocol.audio import Container, Encoding

VERSION = "v1"
"""The only version of the API that there is."""

SPEECH_PATH = "/text_to_speech"
TIMED_PATH = f"{SPEECH_PATH}/with_timestamps"
STREAMED_PATH = f"{SPEECH_PATH}/streaming"

LANGUAGES = frozenset(
    {"en", "fr", "es", "de", "it", "pt", "ar", "ru", "ro", "ja", "he", "hy", "tr", "hi", "zh"}
)
"""ISO 639-1 codes that synthesis documents, as of July 2026."""

MODELS = frozenset({"async_pro_v1.0", "async_flash_v1.5", "async_flash_v1.0"})
"""Model IDs documented as of July 2026. Both lists are open: others pass with a warning."""

LEGACY_MODELS = frozenset(
    {"asyncflow_v2.0", "asyncflow_multilingual_v1.0", "asyncflow_multilingual_v1.0.0"}
)
"""Model IDs of 2025; whether the service still takes them is not known."""

HONOURS_SPEED = "async_flash_v1.0"
"""The one model that honours `speed_control` and `stability`; the others ignore them."""


def with_integers(value: Any) -> Any:
    """A JSON value with 17.0 as 17 throughout: they are the same number, and Java's Gson writes the
    first. RecursionError if it is nested too deep."""
    match value:
        case dict():
            return {name: with_integers(inner) for name, inner in value.items()}
        case list():
            return [with_integers(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value


class Model(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all shapes: frozen, keyword-only, defaults not written."""


class VoiceSelector(msgspec.Struct, frozen=True):
    """The voice of a request. `id` may be a name, too, until `VoiceLibrary.with_id` has seen it."""

    id: str
    mode: Literal["id"] = "id"


def looks_like_an_id(name: str) -> bool:
    """Whether it has the form of a voice's id, which is that of a UUID."""
    parts = name.split("-")
    return [*map(len, parts)] == [8, 4, 4, 4, 12] and set(hexdigits).issuperset("".join(parts))


def known_id(name: str, aliases: Mapping[str, str]) -> str | None:
    """The id that a name is, or is an alias of; None if only the library can tell."""
    name = aliases.get(name, name)
    return name if looks_like_an_id(name) else None


class OutputFormat(Model, frozen=True):
    """`encoding` is not used for mp3, and `bit_rate` (bit/s) only for mp3."""

    container: Container
    sample_rate: Annotated[int, Meta(ge=8000, le=48000)]
    encoding: Encoding | None = None
    bit_rate: Annotated[int, Meta(ge=32_000, le=320_000)] | None = None


PHONE = OutputFormat(container="raw", encoding="pcm_mulaw", sample_rate=8000)
"""What Twilio plays unchanged."""

Speed = Annotated[float, Meta(ge=0.7, le=2.0)]
Stability = Annotated[int, Meta(ge=0, le=100)]


class SpeechRequest(Model, frozen=True):
    """Body of `/text_to_speech`, `/with_timestamps` and `/streaming`."""

    model_id: str
    transcript: str
    voice: VoiceSelector
    output_format: OutputFormat
    language: str | None = None
    speed_control: Speed | None = None
    stability: Stability | None = None
    normalize: bool | None = None


class Wishes(Protocol):
    """What a request over HTTP and the first frame of a WebSocket have in common."""

    @property
    def model_id(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def speed_control(self) -> float | None: ...
    @property
    def stability(self) -> int | None: ...


MISSPELT = 0.8
"""How like a known name one is that was meant for it; all models are somewhat alike."""


def unheard_of(what: str, name: str | None, known: Collection[str]) -> Iterator[str]:
    """A doubt about a name that was given and is not known."""
    if name is not None and name not in known:
        meant = nearest(name, known, 1, MISSPELT)
        yield f"{what} {name} is not one we have heard of" + (
            f"; did you mean {meant[0]}?" if meant else ""
        )


def doubts(request: Wishes) -> Iterator[str]:
    """What the service may not do as asked, by all we know; it is asked all the same."""
    yield from unheard_of("Model", request.model_id, MODELS | LEGACY_MODELS)
    yield from unheard_of("Language", request.language, LANGUAGES)
    ignored = request.speed_control is not None or request.stability is not None
    if ignored and request.model_id != HONOURS_SPEED:
        yield f"{request.model_id} ignores speed and stability: only {HONOURS_SPEED} has them"


class ServiceStatus(Model, frozen=True):
    """`GET /`: `status` since 2026, `ok` in 2025."""

    version: str
    status: str | None = None
    ok: bool | None = None

    @property
    def up(self) -> bool:
        return self.ok is True or self.status == "ok"


class ErrorBody(Model, frozen=True):
    error_code: str
    message: str
    extra: dict[str, Any] | None = None


class ErrorAnswer(Model, frozen=True):
    """Shape A: every documented 4xx."""

    detail: ErrorBody


class ServerErrorAnswer(Model, frozen=True):
    """Shape C: status 500; it has no code, and here `detail` is a string."""

    message: str
    method: str
    url: str
    detail: str


class Violation(Model, frozen=True):
    loc: list[str | int]
    msg: str
    type: str


class ValidationAnswer(Model, frozen=True):
    """Shape D: how a FastAPI service answers what does not validate. Assumed, not documented."""

    detail: list[Violation]
