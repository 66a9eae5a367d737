"""Input and output: thin shells around `protocol/`. They talk and decide nothing."""

import sys

# httpx loads a command line of its own where click and Rich are installed, which takes 40 ms. This
# is Python's way to say that there is none: https://docs.python.org/3/library/sys.html#sys.modules
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
