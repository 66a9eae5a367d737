"""`${NAME}` in a file of steps. A bare `$` is only a dollar, so that prices stay prices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_VARIABLE = re.compile(r"\$\$(?=\{)|\$\{(\w+)(?::-([^}]*))?\}")

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.I)

FOLDER = "SCRATCH"
"""`${SCRATCH}` is a folder that is there while the steps run."""


class UnsetError(Exception):
    """A variable has no value and no default; its name is the argument."""


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with every `${NAME}` or `${NAME:-default}` replaced, once; `$${` is `${`."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name is None:
            return "$"
        if found := variables.get(name) or default:
            return found
        if default is not None:
            return ""
        raise UnsetError(name)

    return _VARIABLE.sub(value, text)


def secrets(texts: Iterable[str], variables: Mapping[str, str]) -> set[str]:
    """Values that these texts ask for by a name that sounds of a secret."""
    names = {match[1] for text in texts for match in _VARIABLE.finditer(text) if match[1]}
    return {variables[n] for n in names if _SECRET.search(n) and variables.get(n)}
