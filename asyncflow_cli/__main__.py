"""`python -m asyncflow_cli`, and the console script."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    for name in ("stdout", "stderr"):
        # Whoever closed it wants nothing of it; all that writes expects it to be there.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
    if sys.argv[1:] == ["--version"]:
        _tell_version()
        return
    # What is loaded stays: to look for what of it could go takes a tenth of the loading. App.run
    # switches this on again.
    gc.disable()
    try:
        from asyncflow_cli.cli import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


def _tell_version() -> None:
    """Scripts ask this in loops; it need not load a command line for it."""
    from asyncflow_cli import __version__

    try:
        print(f"asyncflow {__version__}", flush=True)  # noqa: T201
    except OSError as error:
        from asyncflow_cli.streams import drop

        drop(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            sys.exit(f"Error: stdout cannot be written: {error.strerror}\n  [NOT_WRITABLE]")


if __name__ == "__main__":
    main()
