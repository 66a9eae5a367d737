"""Write what is made from the command tree, here and for help and completion: `make docs`."""

from __future__ import annotations

from pathlib import Path

from asyncflow_cli.cli import build
from asyncflow_cli.manual import written
from asyncflow_cli.manual.documents import documents
from asyncflow_cli.manual.reading import pages

HERE = Path(__file__).parent


def main() -> None:
    found = pages(build())
    written.FILE.write_text(written.text(found), "utf-8")
    made = documents(found)
    for path in set(HERE.glob("man/*.1")) - {HERE / name for name in made}:
        path.unlink()
    for name, text in made.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
