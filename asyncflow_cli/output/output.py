"""One run's stdout and stderr.

Data goes to stdout and words to stderr, always. Commands say what they have; the format
decides how it looks. Every text passes one filter that knows the secrets.
"""

from __future__ import annotations

import traceback

import msgspec

from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError
from asyncflow_cli.output.data import Data
from asyncflow_cli.output.documents import Format, error_document
from asyncflow_cli.output.questions import Questions
from asyncflow_cli.output.telling import Telling
from asyncflow_cli.output.words import HANG


class Output(Data, Telling, Questions):
    """Everything a command may say, and how it fails."""

    def error(self, error: AsyncflowError) -> None:
        """What failed, why, what to do next, the code and the request id."""
        if self.debug:
            self._stderr.line("".join(traceback.format_exception(error)).rstrip())
        if self.format is Format.JSON:
            self._end_stream(error)
            document = msgspec.json.encode(error_document(error)).decode()
            self._stderr.line(self._with_warnings(document))
        elif isinstance(error, InterruptedByUserError):
            self._say(error.message)
        else:
            self._tell_why(error)

    def _tell_why(self, error: AsyncflowError) -> None:
        ids = [error.code, *([f"request {error.request_id}"] if error.request_id else [])]
        explain = f" asyncflow explain {error.code}" if self._explains(error.code) else ""
        message, *more = error.lines or (error.message, *filter(None, [error.hint]))
        hang = 2 * HANG if error.lines else HANG
        self._say(message, label="Error: ", label_style="bold red", hang=hang)
        for line in more:
            self._say(line, label="  ", hang=hang)
        self._say(f"[{', '.join(ids)}]{explain}", label="  ", style="dim")
