"""Every document that is written from the command tree."""

from __future__ import annotations

from collections.abc import Sequence

from asyncflow_cli.manual.markdown import reference
from asyncflow_cli.manual.page import Page
from asyncflow_cli.manual.roff import man_page, name_of


def documents(pages: Sequence[Page]) -> dict[str, str]:
    """Contents by path below docs/; the first page is the program's own."""
    names = [name_of(page) for page in pages]
    men = {f"man/{name_of(page)}.1": man_page(page, names) for page in pages}
    return {"reference.md": reference(pages), **men}
