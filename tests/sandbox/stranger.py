"""What a stranger with the vendor's documentation sends: raw JSON, and no code of ours."""

from __future__ import annotations

import io
from typing import Any

import av
import httpx

from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.speaker import API_KEY

ADAM = "e0f39dc4-f691-4e78-bba5-5c636692cc04"
JENNIE = "cca0e076-94b9-4c6d-86b7-546168f11174"
KEY = {"x-api-key": API_KEY, "version": "v1"}
WAV = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 22050}


def web(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(
        base_url=sandbox.url, headers=KEY, trust_env=False, verify=False, timeout=20
    )


def speech(transcript: str = "Hello.", **changes: Any) -> dict[str, Any]:
    return {
        "model_id": "async_flash_v1.0",
        "transcript": transcript,
        "voice": {"mode": "id", "id": ADAM},
        "output_format": WAV,
        **changes,
    }


def voice(voice_id: str) -> dict[str, str]:
    return {"mode": "id", "id": voice_id}


def code(response: httpx.Response) -> Any:
    return response.json()["detail"]["error_code"]


def samples_of(file: bytes, rate: int = 8000, demuxer: str | None = None) -> memoryview:
    """The file decoded by FFmpeg: 16-bit samples, mono."""
    with av.open(io.BytesIO(file), "r", format=demuxer) as container:
        resampler = av.AudioResampler("s16", "mono", rate)
        made = [
            bytes(ready.planes[0])[: 2 * ready.samples]
            for frame in (*container.decode(audio=0), None)
            for ready in resampler.resample(frame)
        ]
    return memoryview(b"".join(made)).cast("h")


def seconds_of(file: bytes, demuxer: str | None = None) -> float:
    return len(samples_of(file, 48000, demuxer)) / 48000
