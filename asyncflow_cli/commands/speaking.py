"""Options of the commands that synthesise speech, and the request they come to."""

from __future__ import annotations

from typing import Annotated

import msgspec

from asyncflow_cli.app import App
from asyncflow_cli.commands.declared import Option
from asyncflow_cli.protocol.audio import Container
from asyncflow_cli.protocol.formats import PresetName
from asyncflow_cli.protocol.models import OutputFormat, SpeechRequest, VoiceSelector, doubts
from asyncflow_cli.protocol.transcript import pieces

OutputOption = Annotated[
    str | None,
    Option("-o", "--output", metavar="FILE", help="wav, mp3 or raw by its ending; - stdout."),
]
FormatOption = Annotated[
    Container | None, Option("--format", help="Whatever the file's name says.")
]
RateOption = Annotated[
    int | None,
    Option("--sample-rate", min=8000, max=48000, metavar="HZ", help="8000 to 48000; 44100."),
]
EncodingOption = Annotated[
    str | None, Option("--encoding", metavar="NAME", help="pcm_s16le or pcm_f32le.")
]
BitRateOption = Annotated[
    int | None,
    Option("--bit-rate", min=32_000, max=320_000, metavar="BIT/S", help="For mp3; 192000."),
]
SpeedOption = Annotated[
    float | None,
    Option("--speed", min=0.7, max=2.0, metavar="X", help="0.7 to 2; async_flash_v1.0 only."),
]
StabilityOption = Annotated[
    int | None,
    Option("--stability", min=0, max=100, metavar="N", help="0–100; async_flash_v1.0 only."),
]
PresetOption = Annotated[
    PresetName | None, Option("--preset", help="phone, web, hd or stt in place of a format.")
]
JobsOption = Annotated[
    int, Option("--jobs", min=1, max=16, metavar="N", help="Requests at a time; long text.")
]
DryRunOption = Annotated[  # early, for --field is held against what it prints
    bool,
    Option("-n", "--dry-run", is_eager=True, help="Show the request and its price; send nothing."),
]
PlayOption = Annotated[bool, Option("--play/--no-play", show_default=False, help="Play it.")]
ForceOption = Annotated[bool, Option("--force", help="Write audio to a terminal.")]


def speech_request(
    app: App,
    transcript: str,
    form: OutputFormat,
    *,
    language: str | None,
    speed: float | None,
    stability: int | None,
) -> SpeechRequest:
    """In the voice and of the model in force. What the service may not like is warned of."""
    request = SpeechRequest(
        model_id=app.settings.model,
        transcript=transcript,
        voice=VoiceSelector(app.settings.voice),
        output_format=form,
        language=language,
        speed_control=speed,
        stability=stability,
    )
    app.out.warnings(doubts(request))
    return request


def show_plan(app: App, path: str, request: SpeechRequest) -> None:
    """What `--dry-run` shows of a request, or of the several that a long text takes."""
    from asyncflow_cli.protocol.dryrun import speech_plan

    settings, shown = app.settings, to_show(app, request)
    texts, key = pieces(request.transcript), bool(settings.api_key)
    app.out.record(speech_plan(settings.base_url + path, shown, texts, key=key))


def to_show(app: App, request: SpeechRequest) -> SpeechRequest:
    """What `--dry-run` shows of it: nobody need be asked which voice an alias is."""
    named = request.voice.id
    voice = VoiceSelector(app.settings.aliases.get(named, named))
    return msgspec.structs.replace(request, voice=voice)
