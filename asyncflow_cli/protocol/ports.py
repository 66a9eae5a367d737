"""Why a port of this machine cannot be listened on. Knows nothing of sockets."""

from __future__ import annotations

from asyncflow_cli.errors import PrerequisiteError

SYSTEM_PORTS = range(1, 1024)
"""They are the administrator's on most systems: https://www.rfc-editor.org/rfc/rfc6335#section-6"""


def unusable(port: int, place: str, error: Exception, *, free: str) -> PrerequisiteError:
    """Of a port that is another's, or that nobody here may have; `free` tells how to take one that
    is free."""
    why = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
    told = f"Port {port} of {place} cannot be used: {why}"
    if not isinstance(error, PermissionError):
        return PrerequisiteError(told, hint=free, code="PORT_TAKEN")
    above = f"Take one from {SYSTEM_PORTS.stop} on" if port in SYSTEM_PORTS else "Take another"
    return PrerequisiteError(told, hint=above, code="PORT_FORBIDDEN")
