"""The programs we are held against, each in an environment of its own below `.peers/`.

They come from the package indexes when first wanted, at their newest; one that cannot be
installed is told and left out, and fails nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / ".peers"
PATIENCE = 240.0
"""Seconds for an installation."""


@dataclass(frozen=True)
class Package:
    index: str
    """pip or npm."""
    name: str
    program: str = ""
    """What it puts into bin; nothing for a library."""


PACKAGES = {
    "edge-tts": Package("pip", "edge-tts", "edge-tts"),
    "gtts-cli": Package("pip", "gTTS", "gtts-cli"),
    "httpie": Package("pip", "httpie", "http"),
    "dg": Package("pip", "deepctl", "dg"),
    "elevenlabs": Package("npm", "@elevenlabs/cli", "elevenlabs"),
    "twilio": Package("npm", "twilio-cli", "twilio"),
    "ws": Package("npm", "ws"),
}


@dataclass(frozen=True)
class Peer:
    name: str
    version: str
    folder: Path
    """Of npm packages, the one that `node_modules` is in."""
    program: str
    """The path of its program; empty for a library."""


@dataclass(frozen=True)
class Absent:
    name: str
    why: str


def peer(name: str) -> Peer | Absent:
    """The peer of this name in PACKAGES, installed now if it never was."""
    package, folder = PACKAGES[name], FOLDER / name
    try:
        if not (folder / "version").exists():
            _install(package, folder)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return Absent(name, _reason(error))
    program = str(_programs(package, folder) / package.program) if package.program else ""
    return Peer(name, (folder / "version").read_text(), folder, program)


def found(*names: str) -> tuple[list[Peer], list[str]]:
    """Those that could be had, and a note on each that could not."""
    peers = [peer(name) for name in names]
    notes = [f"{p.name} could not be installed: {p.why}" for p in peers if isinstance(p, Absent)]
    return [p for p in peers if isinstance(p, Peer)], notes


def _install(package: Package, folder: Path) -> None:
    sys.stderr.write(f"Installing {package.name} ...\n")
    folder.mkdir(parents=True, exist_ok=True)
    if package.index == "pip":
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(_programs(package, folder) / "pip"), "install", "--quiet", package.name)
    else:
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package.name)
    (folder / "version").write_text(_version(package, folder))


def _version(package: Package, folder: Path) -> str:
    if package.index == "npm":
        manifest = folder / "node_modules" / package.name / "package.json"
        return str(json.loads(manifest.read_text())["version"])
    told = _run(str(_programs(package, folder) / "pip"), "show", package.name)
    return next(line[9:] for line in told.splitlines() if line.startswith("Version: "))


def _programs(package: Package, folder: Path) -> Path:
    if package.index == "npm":
        return folder / "node_modules" / ".bin"
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, encoding="utf-8"
    )
    return done.stdout


def _reason(error: Exception) -> str:
    said = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return said[-1] if said else type(error).__name__
