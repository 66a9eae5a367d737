"""Which exit codes a command can end with. What they mean stands in the catalogue."""

from __future__ import annotations

from asyncflow_cli.protocol.catalogue import exit_codes

ALWAYS = (0, 1, 2, 130, 143)
SERVICE = (3, 4, 5, 6, 7, 8, 10)
"""Whatever asks a service can be refused, held back, cut short, or not reached."""
CALL = (*SERVICE, 20, 21, 22, 23, 24, 25, 26)

FURTHER: dict[str, tuple[int, ...]] = {
    "status": SERVICE,
    "tts": (*SERVICE, 9),
    "tts-stream": (*SERVICE, 9),
    "timestamps": (*SERVICE, 9),
    "stt": SERVICE,
    "verify": (9, 10),
    "call": CALL,
    "calls list": (),
    "calls show": SERVICE,
    "calls hangup": SERVICE,
    "calls reap": SERVICE,
    "voices list": SERVICE,
    "voices get": SERVICE,
    "voices clone": SERVICE,
    "voices update": SERVICE,
    "voices delete": SERVICE,
    "voices preview": SERVICE,
    "ci run": (9, 10),
    "sandbox serve": (10,),
    "sandbox env": (10,),
    "sandbox reset": (10,),
    "auth login": SERVICE,
    "auth status": (),
    "auth logout": (),
    "config path": (),
    "config list": (),
    "config get": (3,),
    "config set": (),
    "config unset": (3,),
    "doctor": (*SERVICE, 22),
    "explain": (3,),
    "schema": (3,),
    "completion": (),
}
"""By command, what can come besides ALWAYS."""

TITLES = {int(str(entry.number)): entry.title for entry in exit_codes.ENTRIES}


def exits_of(command: str) -> tuple[tuple[int, str], ...]:
    """Number and meaning, lowest first; a group of commands ends as any of them may."""
    own = FURTHER.get(command)
    further = set(TITLES) - {129} if own is None else set(own)
    return tuple((code, TITLES[code]) for code in sorted({*ALWAYS, *further}))
