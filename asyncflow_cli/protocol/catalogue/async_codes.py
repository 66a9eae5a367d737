"""Codes of the Async Voice API, and HTTP statuses that come without one.

https://docs.async.com (error components of every operation)
"""

from __future__ import annotations

from asyncflow_cli.errors import (
    AuthError,
    LimitError,
    NetworkError,
    NotFoundError,
    ServiceError,
    UsageError,
)
from asyncflow_cli.protocol.catalogue.entry import Entry, Owner, Row

LINK = "https://docs.async.com"

_CODES: tuple[Row, ...] = (
    (
        "INVALID_LANGUAGE",
        UsageError,
        "Unknown language",
        "The service does not speak the language it was asked for.",
        "A language name or a locale (english, en-US) where a code of two letters is due.",
        "Leave --language out, or use a documented code such as en",
    ),
    (
        "FORMAT_NOT_RECOGNIZED",
        UsageError,
        "Unknown audio format",
        "The service cannot read the clip, or does not make the format asked for.",
        "A video, a protected file, or a file whose ending is not what it holds.",
        "Use wav, mp3, flac or aiff",
    ),
    (
        "SHORT_SPEECH_DURATION",
        UsageError,
        "Too little speech",
        "The clip to clone holds less than three seconds of speech.",
        "Long silences: only speech counts.",
        "Record at least three seconds of speech",
    ),
    (
        "BAD_SPEECH_QUALITY",
        UsageError,
        "The clip is not clear enough",
        "The service cannot make out the voice well enough to clone it.",
        "Noise, music, an echo, or several people at once.",
        "Record closer to the microphone, without music or noise",
    ),
    (
        "VOICE_FIELD_UPDATE_NOT_ALLOWED",
        UsageError,
        "That field cannot be changed",
        "The service refused to change a field of the voice; `details` names it.",
        "A voice of the library, which is not yours, or a field that is made by the service.",
        "Change only fields of voices you cloned; see them with: asyncflow voices list",
    ),
    (
        "INVALID_API_KEY",
        AuthError,
        "The key was refused",
        "The API key is missing, wrong, expired or revoked.",
        "A key of another account, or one with a blank or a quote too many.",
        "Check ASYNC_API_KEY: is it current, and may it synthesise?",
    ),
    (
        "TOKEN_NOT_FOUND",
        AuthError,
        "The key does not exist",
        "The service knows no token with this id.",
        "The key was deleted.",
        "Make a new key and set ASYNC_API_KEY",
    ),
    (
        "VOICE_NOT_FOUND",
        NotFoundError,
        "There is no such voice",
        "No voice of the library, and none of yours, has this id.",
        "A typing error, a deleted voice, one of another account; or the library's, to be deleted.",
        "Check the voice id given with --voice or ASYNC_VOICE_ID",
    ),
    (
        "VOICE_PREVIEW_NOT_FOUND",
        NotFoundError,
        "The voice has no preview",
        "The voice exists, but there is no clip of it to listen to.",
        "A voice that was cloned a moment ago.",
        'Hear it speak instead: asyncflow tts "Hello" --voice ID --play',
    ),
    (
        "VERSION_NOT_FOUND",
        NotFoundError,
        "Unknown API version",
        "The service no longer, or not yet, speaks the version it was asked for.",
        "An old asyncflow, or a --base-url that leads elsewhere.",
        "Update asyncflow: it speaks version v1 of the API",
    ),
    (
        "FILE_TOO_LARGE",
        UsageError,
        "The file is too large",
        "The upload is larger than the service accepts.",
        "A long uncompressed recording.",
        "The limit is 10 MB; an mp3 is a tenth of a wav",
    ),
    (
        "TOO_MANY_CONCURRENT_REQUESTS",
        LimitError,
        "Too many requests at once",
        "More requests of this key are running than the plan allows; `details` has the limit.",
        "Several commands, or several jobs of one, in parallel.",
        "Run fewer commands at once, or raise --retries",
    ),
    (
        "RATE_LIMIT_EXCEEDED",
        LimitError,
        "Too many requests in a minute",
        "The requests of the last minute are more than the plan allows.",
        "A loop without a pause. The service names the wait, and every retry keeps to it.",
        "Wait as long as the service says, or raise --retries",
    ),
    (
        "USAGE_LIMIT_EXCEEDED",
        LimitError,
        "The quota is used up",
        "The plan's quota for this period is spent; another try would fail the same way.",
        "The end of a trial, or a busy month.",
        "The plan's quota is used up: upgrade it, or wait for it",
    ),
    (
        "VOICE_CLONE_LIMIT_EXCEEDED",
        LimitError,
        "No more clones",
        "The plan allows no further cloned voice.",
        "Clones of earlier tries that are still there.",
        "Delete a cloned voice first, or upgrade the plan",
    ),
    (
        "QUOTA_EXCEEDED",
        LimitError,
        "The quota ended in mid-stream",
        "The marker --ERROR:QUOTA_EXCEEDED-- stood in the audio: it is not complete.",
        "The quota was enough to begin, but not to end.",
        "The plan's quota ran out: upgrade it, or wait for the next",
    ),
    (
        "TIMEOUT",
        NetworkError,
        "The speech socket was idle",
        "The service heard nothing on the WebSocket for sixty seconds, and closed it.",
        "A slow writer, or a machine that slept.",
        "Send the text sooner, or in one piece",
    ),
)

_BUSY = "See whether the service is up: asyncflow status --wait 60s"

_STATUSES: tuple[Row, ...] = (
    (
        "HTTP_400",
        UsageError,
        "Bad request",
        "The service could not read the request, and named no code.",
        "A value that is out of range.",
        "Read the service's words above; a newer asyncflow may know better",
    ),
    (
        "HTTP_401",
        AuthError,
        "Not signed in",
        "The key was refused, without a code.",
        "A missing or wrong key.",
        "Check ASYNC_API_KEY",
    ),
    (
        "HTTP_403",
        AuthError,
        "Not allowed",
        "The key is known, but may not do this; or something on the way refused.",
        "A plan without this operation, or a firewall in front of the service.",
        "Check what the key may do, and whether a proxy is in the way",
    ),
    (
        "HTTP_404",
        NotFoundError,
        "Nothing there",
        "The address does not exist at the service.",
        "A --base-url that leads elsewhere.",
        "Check ASYNC_BASE_URL: asyncflow config list",
    ),
    (
        "HTTP_408",
        NetworkError,
        "The request was too slow",
        "The service gave up waiting for the request.",
        "A slow line.",
        "Try again on a better line",
    ),
    (
        "HTTP_413",
        UsageError,
        "Too large",
        "The request is larger than the service, or a proxy, accepts.",
        "A large upload or a very long text.",
        "Send less at once",
    ),
    (
        "HTTP_415",
        UsageError,
        "Unknown content type",
        "The service does not take this kind of body.",
        "A file of a kind it does not know.",
        "Use wav, mp3, flac or aiff",
    ),
    (
        "HTTP_422",
        UsageError,
        "The request does not validate",
        "A field is missing, unknown or out of range; the message names it.",
        "A model or a format the service does not have.",
        "Correct what the message names; --model and the format are the usual ones",
    ),
    (
        "HTTP_429",
        LimitError,
        "Too many requests",
        "A limit was reached, without a code that says which.",
        "Many requests in a short time.",
        "Wait a little, or raise --retries",
    ),
    (
        "HTTP_500",
        ServiceError,
        "The service failed",
        "An unhandled failure inside the service. It is not tried again by itself.",
        "A fault on their side.",
        "Try again; if it stays, report the request id to the service",
    ),
    (
        "HTTP_501",
        ServiceError,
        "Not implemented",
        "The service does not do this.",
        "In the sandbox: an operation it does not imitate, or speech it did not make itself and "
        "no recogniser to listen to it.",
        "See docs/sandbox.md; for recognition: pip install 'asyncflow-cli[stt]'",
    ),
    (
        "HTTP_502",
        ServiceError,
        "Bad gateway",
        "The service's front door could not reach the service.",
        "A deployment or an outage; it usually passes.",
        _BUSY,
    ),
    (
        "HTTP_503",
        ServiceError,
        "Not available",
        "The service takes no requests now.",
        "Maintenance or overload; it usually passes. In the sandbox: no voice is installed.",
        _BUSY,
    ),
    (
        "HTTP_504",
        ServiceError,
        "The service took too long",
        "The service's front door gave up waiting for the service.",
        "A very long text, or an outage.",
        _BUSY,
    ),
)

CODES = tuple(Entry(*row, owner=Owner.ASYNC, link=LINK) for row in _CODES)
STATUSES = tuple(Entry(*row, owner=Owner.ASYNC, link=LINK) for row in _STATUSES)
ENTRIES = (*CODES, *STATUSES)
