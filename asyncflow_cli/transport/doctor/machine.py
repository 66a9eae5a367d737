"""Python, what is installed with it, and a program that plays sound."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.transport.doctor.examination import Answer, Doubt, Skipped
from asyncflow_cli.transport.listener import listen_on
from asyncflow_cli.transport.player import find_player

DISTRIBUTION = "asyncflow-cli"

OLDEST = (3, 11)

EXTRAS = {
    "sandbox": ("espeakng_loader", "av"),
    "audio": ("av",),
    "keyring": ("keyring",),
    "ngrok": ("ngrok",),
    "jq": ("jq",),
    "fast": ("uvloop",),
    "stt": ("pocketsphinx",),
}
"""The modules of each extra of pyproject.toml."""

AGAIN = f"pip install --upgrade --force-reinstall {DISTRIBUTION}"


async def python() -> Answer:
    told = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST:
        raise PrerequisiteError(
            f"Python {told} is too old", hint="Install Python 3.11 or newer", code="PYTHON_TOO_OLD"
        )
    return told


async def dependencies() -> Answer:
    """Whether what we were installed with is there still, and no older than we need it."""
    try:
        wanted = list(_wanted())
    except metadata.PackageNotFoundError:
        return Skipped("asyncflow runs from its source; nothing tells what it was installed with")
    wrong = [told for name, least in wanted if (told := amiss(name, least))]
    if wrong:
        raise PrerequisiteError("; ".join(wrong), hint=AGAIN, code="DEPENDENCY_MISSING")
    return f"asyncflow {metadata.version(DISTRIBUTION)}, and all {len(wanted)} that it needs"


async def extras(wanted: str | None) -> Answer:
    """Which extras there are; `wanted` is one that must be there."""
    there = [extra for extra, modules in EXTRAS.items() if all(map(find_spec, modules))]
    if wanted is not None and wanted not in there:
        raise PrerequisiteError(
            f"The extra [{wanted}] is not installed",
            hint=f"pip install '{DISTRIBUTION}[{wanted}]'",
            code="EXTRA_MISSING",
        )
    others = [extra for extra in EXTRAS if extra not in there]
    more = f"; add others with pip install '{DISTRIBUTION}[{','.join(others)}]'" if others else ""
    return f"{', '.join(there) or 'none'}{more}"


async def player() -> Answer:
    try:
        return find_player("mp3")[0]
    except PrerequisiteError as error:
        return Doubt(error)  # it is for --play alone


async def port(number: int) -> Answer:
    """Whether the port that a call's server would listen on is free; 0 is any."""
    with listen_on(number) as listener:
        told = listener.getsockname()[1]
    return f"{told} on 127.0.0.1 is free" if number else "a free one is there"


def versions() -> dict[str, str]:
    """Of everything installed beside us; for a bundle."""
    found = ((d.metadata["Name"], d.version) for d in metadata.distributions())
    return {"python": sys.version, "platform": platform.platform(), **dict(sorted(found))}


def _wanted() -> Iterator[tuple[str, str | None]]:
    """Name and least version of each requirement that is not an extra's."""
    # https://packaging.python.org/en/latest/specifications/dependency-specifiers/
    for line in metadata.requires(DISTRIBUTION) or ():
        if ";" not in line and (name := re.match(r"[\w.-]+", line)):
            least = re.search(r">=\s*([\d.]+)", line)
            yield name[0], least[1] if least else None


def amiss(name: str, least: str | None) -> str | None:
    """What is wrong with an installed distribution, in words."""
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    if least is not None and _numbers(found) < _numbers(least):
        return f"{name} {found} is older than {least}"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
