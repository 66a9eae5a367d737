"""What is asked of whoever sits at the terminal, and refused where nobody does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.output.asking import typed, unseen
from asyncflow_cli.output.words import Words

Confirm: TypeAlias = Callable[[str], Awaitable[None]]
"""Puts a question; comes back only from a yes."""


class Questions(Words):
    """A yes or a secret; --no-input, --yes and a pipe answer in a person's place."""

    async def confirm(self, question: str) -> None:
        """Comes back only from a yes; whoever does not say it ends the command.

        UsageError where nobody can answer and --yes did not.
        """
        if self.yes:
            return
        if self.no_input or not (self.stdin.isatty() and self.stderr.isatty()):
            raise UsageError(
                f"{question} That needs a yes, and there is nobody to ask",
                hint="Say it with -y (--yes)",
                code="CONFIRMATION_NEEDED",
            )
        self._say(f"{question} [y/N] ", end="")
        answer = await typed(self.stdin)
        if answer.strip().casefold() not in ("y", "yes"):
            raise AsyncflowError("You did not say yes: nothing was done", code="DECLINED")

    def secret(self, what: str) -> str:
        """A secret from a pipe, or typed unseen. UsageError where nobody can type it."""
        if not self.stdin.isatty():
            given = self.stdin.read().strip()
        elif self.no_input or not self.stderr.isatty():
            raise UsageError(f"There is nobody to ask for {what}", hint="Pipe it in")
        else:
            given = unseen(f"{what}: ", self.stderr)
        if not given:
            raise UsageError(f"No {what} was given", hint="Type it, or pipe it in")
        self.redactor.hide([given])
        return given
