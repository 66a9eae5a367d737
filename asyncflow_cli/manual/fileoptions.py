"""The options that a file may set, as the pages tell them."""

from __future__ import annotations

from asyncflow_cli.manual import written
from asyncflow_cli.manual.page import Page, Parameter
from asyncflow_cli.settings.names import WITHOUT_FILES, key_of


def file_options() -> dict[str, set[str]]:
    """Of each command, the options that a file may set, as files name them."""
    common = set(_options(written.page("")))
    pages = map(written.page, written.commands())
    own = (
        page for page in pages if not page.is_group and page.command.split()[0] not in WITHOUT_FILES
    )
    return {page.command: set(_options(page)) - common for page in own}


def option_named(name: str) -> Parameter | None:
    """The option that files call `tts.format`; None if there is none."""
    *path, key = name.split(".")
    command = " ".join(path)
    if command not in written.commands():
        return None
    return _options(written.page(command)).get(key)


def _options(page: Page) -> dict[str, Parameter]:
    options = (param for param in page.parameters if param.flags)
    return {key_of(param.flags, param.name): param for param in options}
