"""Without an extra, whatever wants it names the command that installs it.

`INSTALLED=/elsewhere/bin/python pytest tests/install/test_extras.py` asks another installation,
as `make install-check` does; ours has the extras, so here their modules are hidden.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.transport.doctor.machine import EXTRAS
from tests.conftest import environment

ROOT = Path(__file__).parents[2]
NAMED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]
CALL = "--sandbox call --to +15551230001"

WANTS = {
    "sandbox": ("--sandbox tts Hello -o hello.wav", 10),
    "audio": (f"{CALL} --audio notice.flac", 10),
    "keyring": ("tts Hello -o hello.wav", 10),
    "ngrok": (f"{CALL} Hello --tunnel ngrok-sdk", 10),
    "jq": ("--sandbox status --jq .status", 10),
    "stt": ("--sandbox stt strange.wav", 10),
}
"""For each extra a command that cannot do without, and the exit code that it ends with."""

SPARES = {"fast": f"{CALL} Hello"}
"""For each of the others a command that uses it, and does as well without."""


@pytest.fixture
def workplace(home: Path) -> Path:
    """A folder with what the commands read."""
    (home / "notice.flac").write_bytes(b"fLaC" + bytes(400))
    tone = b"".join((b"\0\x20" * 20, b"\0\xe0" * 20)) * 400
    (home / "strange.wav").write_bytes(wav_file("pcm_s16le", 16_000, tone))
    config = home / "config" / "asyncflow" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[profiles.default]\napi_key = {keyring = true}\n", encoding="utf-8")
    config.chmod(0o600)
    return home


def hidden(home: Path, modules: tuple[str, ...]) -> str:
    """A folder that, on the path of Python, keeps these modules from being found."""
    folder = home / "hidden"
    folder.mkdir()
    text = f"import sys\nsys.modules.update(dict.fromkeys({modules}))\n"
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return str(folder)


def test_every_extra_is_known_to_doctor_and_is_tried_here() -> None:
    assert set(NAMED) == set(EXTRAS) == set(WANTS) | set(SPARES)


def without(extra: str, line: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [os.environ.get("INSTALLED", sys.executable), "-m", "asyncflow_cli", *line.split()],
        env=environment(home, PYTHONPATH=hidden(home, EXTRAS[extra])),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("extra", WANTS)
def test_an_error_for_want_of_an_extra_names_its_command(workplace: Path, extra: str) -> None:
    line, exit_code = WANTS[extra]
    done = without(extra, line, workplace)
    assert f"pip install 'asyncflow-cli[{extra}]'" in done.stderr, done.stderr
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert not (workplace / "hello.wav").exists()


@pytest.mark.parametrize("extra", SPARES)
def test_what_is_only_nice_to_have_is_not_missed(home: Path, extra: str) -> None:
    done = without(extra, SPARES[extra], home)
    assert done.returncode == 0, done.stderr
