"""`python -m asyncflow_cli`, and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        # Scripts ask this in loops; it need not load a command line for it.
        from asyncflow_cli import __version__

        print(f"asyncflow {__version__}")  # noqa: T201
        return
    try:
        from asyncflow_cli.cli import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
