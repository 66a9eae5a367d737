"""Write what of this folder is made from the command tree: `make docs`."""

from __future__ import annotations

from pathlib import Path

from asyncflow_cli.cli import build
from asyncflow_cli.manual.documents import documents
from asyncflow_cli.manual.page import pages

HERE = Path(__file__).parent


def main() -> None:
    written = documents(pages(build()))
    for path in set(HERE.glob("man/*.1")) - {HERE / name for name in written}:
        path.unlink()
    for name, text in written.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
