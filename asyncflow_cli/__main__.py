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
    if sys.argv[1:] == ["--version"] and _tells_version():
        return
    # What is loaded stays: to look for what of it could go takes a tenth of the loading. App.run
    # switches this on again.
    gc.disable()
    try:
        from asyncflow_cli.cli import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


def _tells_version() -> bool:
    """Scripts ask this in loops; it need not load a command line for it. False if it cannot be
    told: the command line fails as well, and says why."""
    from asyncflow_cli import __version__

    try:
        # Past the buffer, which would keep what cannot be written.
        os.write(sys.stdout.fileno(), f"asyncflow {__version__}\n".encode())
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
