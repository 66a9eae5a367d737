"""All that was found, in one .zip that may be shown to others.

Secrets are not in it, of telephone numbers the last digits only, and of the environment the names.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.configreports import SettingReport, SettingsReport
from asyncflow_cli.protocol.doctorreport import DoctorReport
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.doctor.machine import versions
from asyncflow_cli.transport.files import check_writable, write_file
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.journalled import journalled

TOLD = re.compile(
    r"ASYNC|TWILIO|NGROK|SSH_|_PROXY$|^SSL_|^XDG_|BOUND_NUMBER$|COLOR|^(CI|TERM|LANG|COLUMNS)$",
    re.I,
)
"""Variables whose names are worth telling. Their values are not."""

NUMBER = re.compile(r"\+\d{4,11}(?=\d{4})")

README = """What `asyncflow doctor --bundle` found, to show to somebody who helps.

report.json       what was looked at, and what was found
settings.json     every setting, and where it comes from; secrets are ***
versions.json     Python, this system, and what is installed
environment.json  names of variables that are set; not their values
calls.json        our calls of late; numbers by their last four digits
"""


def write_bundle(
    path: Path,
    report: DoctorReport,
    settings: Settings,
    journal: Journal,
    clean: Callable[[str], str],
) -> None:
    """For its owner's eyes alone until they choose to show it: mode 0600."""
    if path.suffix != ".zip":
        raise UsageError(f"{path} is no .zip", hint="Name it doctor.zip")
    check_writable(path)
    documents = {
        "report.json": report,
        "settings.json": SettingsReport(
            settings=tuple(SettingReport(*row) for row in settings.described())
        ),
        "versions.json": versions(),
        "environment.json": sorted(name for name in os.environ if TOLD.search(name)),
        "calls.json": journalled(journal),
    }
    texts = {name: msgspec.json.encode(each).decode() for name, each in documents.items()}
    write_file(path, _zipped({"README.txt": README, **texts}, clean), private=True)


def _zipped(texts: dict[str, str], clean: Callable[[str], str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, NUMBER.sub("…", clean(text)))
    return buffer.getvalue()
