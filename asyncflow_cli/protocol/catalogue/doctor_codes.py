"""Codes that only `asyncflow doctor` finds: nothing has failed of them yet."""

from __future__ import annotations

from asyncflow_cli import errors
from asyncflow_cli.protocol.catalogue.entry import Row

ROWS: tuple[Row, ...] = (
    (
        "PYTHON_TOO_OLD",
        errors.PrerequisiteError,
        "Python is too old",
        "asyncflow needs a newer Python than the one that runs it.",
        "The system's own Python.",
        "Install Python 3.11 or newer, and there: pip install asyncflow-cli",
    ),
    (
        "DEPENDENCY_MISSING",
        errors.PrerequisiteError,
        "A library is missing",
        "A library that asyncflow was installed with is gone, or older than it must be.",
        "Another program was installed into the same environment.",
        "Give it an environment of its own: pipx install asyncflow-cli",
    ),
    (
        "EXTRA_MISSING",
        errors.PrerequisiteError,
        "An extra is missing",
        "What you asked for needs libraries that are not installed with everything else.",
        "The extra was left out.",
        "pip install 'asyncflow-cli[sandbox]'",
    ),
    (
        "FILE_MODE_LOOSE",
        errors.PrerequisiteError,
        "Others may read your keys",
        "A file that may hold keys can be read, or written, by others on this machine.",
        "It was made by an editor, which gives files to everybody.",
        "asyncflow doctor --fix",
    ),
    (
        "SETTING_DOUBTFUL",
        errors.UsageError,
        "A setting is doubtful",
        "A setting holds, but may not be what you want.",
        "Two variables that differ, or an address that others can listen to.",
        "See what is set, and from where: asyncflow config list",
    ),
    (
        "KEY_ODD",
        errors.AuthError,
        "An odd key",
        "What stands in place of the key does not look like one.",
        "Half a key, or another service's.",
        "Copy it once more from the developer console",
    ),
    (
        "SID_ODD",
        errors.AuthError,
        "An odd SID",
        "What stands in place of a SID of Twilio's does not look like one.",
        "Half a SID, or a name in its place.",
        "Copy it once more from Twilio's console",
    ),
    (
        "BALANCE_LOW",
        errors.AsyncflowError,
        "Little money left",
        "The Twilio account can soon not pay for calls.",
        "Many calls.",
        "Add money in Twilio's console",
    ),
    (
        "CALLS_LEFT",
        errors.CallError,
        "Calls were left",
        "Runs that are gone left calls that may be live.",
        "A run that was killed in mid-call.",
        "asyncflow calls reap",
    ),
    (
        "DNS_FAILED",
        errors.NetworkError,
        "No such name",
        "DNS does not know the name of the service.",
        "No network, or a name with a typing error.",
        "See which address is asked, and from where: asyncflow config list",
    ),
    (
        "TLS_FAILED",
        errors.NetworkError,
        "No good certificate",
        "The connection to the service is not to be trusted.",
        "A clock that is wrong, or a proxy that opens TLS.",
        "Set the clock, or name the proxy's certificate in SSL_CERT_FILE",
    ),
    (
        "CLOCK_WRONG",
        errors.PrerequisiteError,
        "The clock is wrong",
        "This machine's time is not that of the service, so certificates and signatures may fail.",
        "A machine that slept, or a container without a time service.",
        "Set the clock: sudo timedatectl set-ntp true",
    ),
)
