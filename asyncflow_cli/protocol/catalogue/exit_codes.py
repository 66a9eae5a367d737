"""What the number means with which a command ends."""

from __future__ import annotations

from asyncflow_cli import errors
from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.catalogue.entry import Entry, Owner

_ROWS: tuple[tuple[int, type[AsyncflowError] | None, str, str, str, str], ...] = (
    (0, None, "Done", "Everything asked for was done.", "", "Nothing"),
    (
        1,
        AsyncflowError,
        "Failure of no other class",
        "Something failed for which there is no number of its own; or some of several tasks did.",
        "A full disk, a player that failed, a bug of ours.",
        "Read the message; --debug shows where it came from",
    ),
    (
        2,
        errors.UsageError,
        "Wrong usage",
        "The command line, a file or a text is not as it must be. Nothing was sent, or it was "
        "refused.",
        "A typing error in an option.",
        "See the command's --help",
    ),
    (
        3,
        errors.NotFoundError,
        "Not found, or ambiguous",
        "What was named does not exist, or several things have the name.",
        "A voice id of another account.",
        "Check the name or id",
    ),
    (
        4,
        errors.AuthError,
        "Not authorised",
        "A key or token was refused.",
        "An expired key, or one of another account.",
        "See which key is used, and from where: asyncflow config list",
    ),
    (
        5,
        errors.LimitError,
        "Limit reached",
        "A rate limit or a quota, after every retry.",
        "Many requests in a short time, or the end of the plan's quota.",
        "Wait, raise --retries, or upgrade the plan",
    ),
    (
        6,
        errors.NetworkError,
        "Network",
        "No connection, or no answer in time: DNS, TLS, a proxy, a slow line.",
        "No network, or a wrong --base-url.",
        "Wait until it is there: asyncflow status --wait 60s",
    ),
    (
        7,
        errors.ServiceError,
        "The service failed",
        "The service answered that it cannot, or in a way nobody understands.",
        "A fault on the service's side.",
        "Wait until it is up: asyncflow status --wait 60s",
    ),
    (
        8,
        errors.IncompleteError,
        "Incomplete audio",
        "The audio or its times are not whole, so no file was written.",
        "A connection that broke off.",
        "Run the command again",
    ),
    (
        9,
        errors.GateError,
        "A gate failed",
        "What was measured is outside what an --assert option allows.",
        "A slow network, or a limit that is too tight.",
        "Measure again, or widen the limit",
    ),
    (
        10,
        errors.PrerequisiteError,
        "Something local is missing",
        "A setting, a program or a port that the command needs is not there.",
        "A key that is not set.",
        "See what is set: asyncflow config list",
    ),
    (
        20,
        errors.CalleeBusyError,
        "Call: busy",
        "The callee is on another call.",
        "Bad luck.",
        "Try again later",
    ),
    (
        21,
        errors.NoAnswerError,
        "Call: no answer",
        "Nobody picked up within --ring-timeout.",
        "Nobody is there.",
        "Try again later, or raise --ring-timeout",
    ),
    (
        22,
        errors.CallRejectedError,
        "Call: rejected",
        "The call was rejected, failed, or was never placed.",
        "A wrong number, a country that is not enabled, or a trial account.",
        "Read the message, and explain the code behind it",
    ),
    (
        23,
        errors.MachineAnsweredError,
        "Call: a machine answered",
        "An answering machine took the call, and you asked to stop there.",
        "Nobody is there.",
        "Try again later",
    ),
    (
        24,
        errors.CutShortError,
        "Call: cut short",
        "The call was answered, but it ended before the last word was heard.",
        "The callee hung up, the media socket was lost, or the speech failed.",
        "Read the error's end_reason: asyncflow call --json … tells it in `details`",
    ),
    (
        25,
        errors.MediaNeverConnectedError,
        "Call: media never connected",
        "The call was answered, but Twilio never reached our media socket.",
        "A tunnel or --public-url that does not lead here, or a trial account.",
        "Check the public address, or let ngrok make one",
    ),
    (
        26,
        errors.TimeLimitReachedError,
        "Call: time limit",
        "The call reached --max-duration, and Twilio ended it.",
        "A long text.",
        "Raise --max-duration",
    ),
    (129, None, "Hung up", "The terminal was closed; everything was cleaned up.", "", "Nothing"),
    (
        130,
        errors.InterruptedByUserError,
        "Ctrl-C",
        "You stopped it; everything was cleaned up, and no call is live.",
        "",
        "Nothing",
    ),
    (
        143,
        None,
        "SIGTERM",
        "Another program stopped it; everything was cleaned up, and no call is live.",
        "A time limit of a job runner.",
        "Give it more time",
    ),
)

ENTRIES = tuple(
    Entry(f"EXIT_{number}", raises, title, meaning, cause, next, owner=Owner.EXIT)
    for number, raises, title, meaning, cause, next in _ROWS
)
