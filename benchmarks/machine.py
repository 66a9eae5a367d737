"""On what it was measured: numbers of one machine only can be compared."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from asyncflow_cli import __version__

PARTS = ("typer", "httpx", "websockets", "msgspec", "starlette", "uvicorn", "uvloop", "picows")


def machine() -> dict[str, Any]:
    """Processor, system and Python: what must be the same for two runs to be comparable."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Ours, and of the libraries we stand on; those not installed are left out."""
    found = {"asyncflow": __version__}
    for part in PARTS:
        try:
            found[part] = importlib.metadata.version(part)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load() -> float | None:
    """How many programs wanted a core in the last minute; a quiet machine says less than 1."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
