"""What is logged while a command runs: nothing of it is said to those who did not ask."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from asyncflow_cli.app import App, Folders
from asyncflow_cli.transport.config.files import ConfigFiles


async def leave_behind_what_complains() -> None:
    async def complaining() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            logging.getLogger("theirs").error("cancelled in mid-request")

    task = asyncio.create_task(complaining())
    await asyncio.sleep(0)
    assert not task.done()


@pytest.mark.parametrize(("flag", "said"), [("quiet", False), ("verbose", False), ("debug", True)])
def test_what_is_cut_off_with_the_loop_complains_to_nobody_who_did_not_ask(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    said: bool,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # without those of pytest
    app = App(ConfigFiles({}, home, dict), Folders(home, home, home), {})
    app.flags[flag] = True
    app.run(leave_behind_what_complains())
    assert ("cancelled in mid-request" in capsys.readouterr().err) is said
