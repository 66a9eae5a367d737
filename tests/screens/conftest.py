from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asyncflow_cli.sandbox.client import announced
from tests.conftest import TO, ServedSandbox
from tests.screens.stage import Stage, alone

TEXT = "Hello. Your table is ready."


@pytest.fixture(scope="package", autouse=True)
def _utc() -> Iterator[None]:
    """Where the copies were made, the local time is UTC."""
    with pytest.MonkeyPatch.context() as world:
        world.setenv("TZ", "UTC")
        _set_zone()
        yield
    _set_zone()


def _set_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    """Somebody's home: two calls in the journal, a file of speech, a project with an alias."""
    with (
        pytest.MonkeyPatch.context() as world,
        tempfile.TemporaryDirectory(prefix="screens-") as folder,
        ServedSandbox(speed=20, deterministic=True) as sandbox,
    ):
        alone(world)
        stage = Stage(Path(folder), sandbox, world)
        assert stage.run("call", "--to", TO, TEXT).code == 0
        assert stage.run("tts", TEXT, "-o", "talk.wav").code == 0
        with announced(Path(folder, "state", "asyncflow", "sandbox"), sandbox.environ):
            yield stage
