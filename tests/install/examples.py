"""Write the examples of docs/library.md into a folder, a file each: `python examples.py FOLDER`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "library.md"


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for number, example in enumerate(examples()):
        (folder / f"example_{number}.py").write_text(example, encoding="utf-8")
