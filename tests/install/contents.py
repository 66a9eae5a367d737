"""What is in a wheel and in a source distribution: `python contents.py FOLDER`.

It runs on a bare Python, and ends with a list of what is wrong.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "asyncflow_cli"


def modules() -> set[str]:
    """The files of the package in this tree, by the names that they are installed under."""
    found = (path for path in PACKAGE.rglob("*") if path.suffix == ".py" or path.name == "py.typed")
    return {path.relative_to(PACKAGE.parent).as_posix() for path in found}


def wheel(path: Path) -> set[str]:
    return set(zipfile.ZipFile(path).namelist())


def source(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def faults(names: set[str], *, wanted: set[str], only: tuple[str, ...]) -> list[str]:
    """What is missing, and what is there and begins with none of `only`."""
    missing = [f"{name} is missing" for name in sorted(wanted - names)]
    return missing + [f"{name} is too much" for name in sorted(names) if not name.startswith(only)]


def check(folder: Path) -> list[str]:
    (built,), (packed,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    stem = "-".join(built.name.split("-")[:2])
    notes = {f"{stem}.dist-info/licenses/LICENSE", f"{stem}.dist-info/entry_points.txt"}
    manual = f"{stem}.data/data/share/man/man1/"
    return [
        *faults(
            wheel(built),
            wanted={*modules(), *notes, f"{manual}asyncflow.1"},
            only=("asyncflow_cli/", manual, f"{stem}.dist-info/"),
        ),
        *faults(
            source(packed),
            wanted={*modules(), "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"},
            only=("asyncflow_cli/", "docs/", *TOP),
        ),
    ]


TOP = ("LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore")

if __name__ == "__main__":
    sys.exit("\n".join(check(Path(sys.argv[1]))) or None)
