"""What a call says: a text, a file that is played, or what is still being written."""

from __future__ import annotations

from typing import Any

from asyncflow_cli.app import App
from asyncflow_cli.commands.options import text_source
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.transcript import prepared


def speech_of(
    app: App, text: str | None, file: str | None, audio: str | None, *, keep_open: bool, plain: bool
) -> dict[str, Any]:
    """The `text` or the `audio` of a CallOrder, or neither for text that stdin is to bring.

    UsageError for two of them, or none.
    """
    if audio is not None:
        if text is not None or file is not None or keep_open:
            raise UsageError("Two things to say: a text, and a file with --audio", hint=_ONE)
        return {"text": None, "audio": app.phone_clip(audio)}
    if keep_open and "-" in (text, file):
        raise UsageError("With --keep-open stdin is for the lines you type", hint=_ONE)
    typed_only = keep_open and text is None and file is None
    said = None if typed_only else text_source(text, file)
    return {"text": said and prepared(said, plain=plain, warn=app.out.warning)}


_ONE = "Leave one out"
