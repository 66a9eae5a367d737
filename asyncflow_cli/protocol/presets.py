"""Formats by purpose, for `--preset`: one word instead of three flags."""

from __future__ import annotations

from typing import NamedTuple

from asyncflow_cli.protocol.models import OutputFormat


class Preset(NamedTuple):
    output_format: OutputFormat
    reason: str


PRESETS: dict[str, Preset] = {
    "phone": Preset(
        OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=8000),
        "what a telephone line carries; every PBX and Twilio's <Play> take it as it is",
    ),
    "web": Preset(
        OutputFormat(container="mp3", sample_rate=44_100, bit_rate=128_000),
        "plays in every browser, and is small",
    ),
    "hd": Preset(
        OutputFormat(container="wav", encoding="pcm_f32le", sample_rate=48_000),
        "for cutting and mixing: the rate of video, and nothing rounded or clipped",
    ),
    "stt": Preset(
        OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=16_000),
        "what speech recognition is trained on",
    ),
}
"""No preset is μ-law: `/text_to_speech` does not make it."""
