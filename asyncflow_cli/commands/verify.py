"""`asyncflow verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands import values
from asyncflow_cli.commands.options import read_text, seconds
from asyncflow_cli.protocol.verify.findings import Limits, VerifyOrder


def register(app: typer.Typer) -> None:
    app.command("verify", no_args_is_help=True)(verify)


FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="Audio of any kind; - reads stdin.")
]
ContainerOption = Annotated[
    str | None,
    typer.Option("--container", metavar="NAME", help="What it must be; else its name tells."),
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="pcm_s16le, pcm_mulaw, mp3, …")
]
RateOption = Annotated[
    int | None, typer.Option("--sample-rate", min=1, metavar="HZ", help="Samples a second.")
]
SilenceOption = Annotated[
    str,
    typer.Option(
        "--max-silence", metavar="DURATION", help="Longer silence is dead air; from 200ms."
    ),
]
ShortestOption = Annotated[
    str | None, typer.Option("--min-duration", metavar="DURATION", help="It lasts at least.")
]
LongestOption = Annotated[
    str | None, typer.Option("--max-duration", metavar="DURATION", help="It lasts at most.")
]
QuietestOption = Annotated[
    float, typer.Option("--min-level", metavar="DBFS", help="How loud it is at least.")
]
LoudestOption = Annotated[
    float | None, typer.Option("--max-level", metavar="DBFS", help="How loud it is at most.")
]
SlowestOption = Annotated[
    float | None, typer.Option("--min-wpm", metavar="N", help="Words a minute at least; 60.")
]
FastestOption = Annotated[
    float | None, typer.Option("--max-wpm", metavar="N", help="Words a minute at most; 280.")
]
TimingsOption = Annotated[
    str | None,
    typer.Option(
        "--timings", metavar="FILE", help="Word times: json, srt, vtt; else those beside."
    ),
]
SaidOption = Annotated[
    str | None, typer.Option("--text", metavar="TEXT", help="What should be said in it.")
]
SaidFileOption = Annotated[
    str | None, typer.Option("-f", "--file", metavar="FILE", help="The same, from a file.")
]


def verify(
    ctx: typer.Context,
    files: FilesArgument,
    container: ContainerOption = None,
    encoding: EncodingOption = None,
    sample_rate: RateOption = None,
    max_silence: SilenceOption = f"{Limits.max_silence:g}s",
    min_duration: ShortestOption = None,
    max_duration: LongestOption = None,
    min_level: QuietestOption = Limits.min_level,
    max_level: LoudestOption = None,
    min_wpm: SlowestOption = None,
    max_wpm: FastestOption = None,
    timings: TimingsOption = None,
    text: SaidOption = None,
    file: SaidFileOption = None,
) -> None:
    """Check files of audio: whole, of the right kind, loud enough, no dead air, words and all.

    Examples:
        asyncflow verify order.mp3
        asyncflow verify me.wav order.mp3 --sample-rate 44100 --max-silence 1s --json
        asyncflow verify me.wav -f talk.txt
        asyncflow tts "Your order ships today." --format mp3 | asyncflow verify - --container mp3
    """
    app: App = ctx.obj
    limits = Limits(
        container=container,
        encoding=encoding,
        sample_rate=sample_rate,
        max_silence=values.silence(max_silence),
        min_duration=seconds(min_duration),
        max_duration=seconds(max_duration),
        min_level=min_level,
        max_level=max_level,
        min_wpm=min_wpm,
        max_wpm=max_wpm,
    )
    said = None if text is None and file is None else read_text(text, file)
    order = VerifyOrder(limits=limits, timings=timings, text=said)
    from asyncflow_cli.transport import verifying

    report = verifying.verify(files, order)
    app.out.warnings(report.remarks)
    app.out.verdict(report, report.rows, (), report.failure)
