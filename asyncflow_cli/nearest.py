"""What was probably meant by a name that is none, or may be several. Knows nothing of what is
named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LIKE_ENOUGH = 0.5
"""Of 1, by difflib; `tsst` is 0.57 like `tts`."""

SURE_ENOUGH = 0.6
"""To name one only; `ci` is 0.5 like `config`."""


def nearest(word: str, known: Iterable[str], n: int = 3, like: float = LIKE_ENOUGH) -> list[str]:
    """At most `n` of the known names: first those that begin with the word, or have it for one of
    their own, then those like it, the likeliest first, without any far less like than the best."""
    import difflib  # few names are wrong, and all runs would pay for it

    names = sorted(known)
    found = difflib.get_close_matches(word, names, n, like)
    begun = [name for name in names if len(word.strip("-")) > 1 and name.startswith(word)]
    parts = sorted((name for name in names if word.strip("-") in _words(name)), key=len)
    likeness = {name: difflib.SequenceMatcher(None, word, name).ratio() for name in found}
    best = max(likeness.values(), default=0)
    close = [name for name in found if likeness[name] > best - 0.15]
    return list(dict.fromkeys([*begun, *parts, *close]))[:n]


def _words(name: str) -> list[str]:
    """`call` and `sid` of `call_sid`; a letter is none."""
    return [part for part in name.replace("_", "-").split("-") if len(part) > 1]


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """A hint: the likeliest name, or what to say where none is like it."""
    names = nearest(word, known, 1, SURE_ENOUGH)
    return f"Did you mean {names[0]}?" if names else otherwise


def first(names: Sequence[str], n: int) -> str:
    """At most `n` of the names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(names[:n]) + more
