"""What the sandbox remembers: an SQLite database that several processes may share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from asyncflow_cli.sandbox.database import Database
from asyncflow_cli.sandbox.resources import (
    CallReport,
    CallResource,
    Event,
    Notification,
    RecordingResource,
)

FILE_NAME = "sandbox.sqlite3"

_VERSION = 3

_TABLES = {
    "calls": "number INTEGER PRIMARY KEY, sid TEXT UNIQUE NOT NULL, "
    "resource BLOB NOT NULL, report BLOB NOT NULL, heard BLOB NOT NULL",
    "notifications": "number INTEGER PRIMARY KEY, call_sid TEXT NOT NULL, resource BLOB NOT NULL",
    "events": "number INTEGER PRIMARY KEY, call_sid TEXT NOT NULL, resource BLOB NOT NULL",
    "recordings": "number INTEGER PRIMARY KEY, sid TEXT UNIQUE NOT NULL, call_sid TEXT NOT NULL, "
    "resource BLOB NOT NULL, said BLOB NOT NULL, heard BLOB NOT NULL",
    "speeches": "id INTEGER PRIMARY KEY, created TEXT NOT NULL, operation TEXT NOT NULL, "
    "voice_id TEXT NOT NULL, transcript TEXT NOT NULL, output_format BLOB NOT NULL, "
    "audio BLOB NOT NULL, fingerprint BLOB",
    "voices": "id TEXT PRIMARY KEY, voice BLOB NOT NULL, clip BLOB",
}
"""Columns by table."""

_SPEECH = "id, created, operation, voice_id, transcript, output_format, audio"

CHARACTERS_COMPARED = 6_000
"""About six minutes of speech, in which a recording is found again within a few seconds."""

KEPT = {"speeches": 64_000_000, "recordings": 64_000_000, "calls": 256_000_000}
"""Bytes of sound, of which the oldest is forgotten; the latest is kept however large it is.

Of speeches it is more than is compared: six minutes of WAV at 44.1 kHz are 32 MB. Of recordings it
is an hour of both sides. What callees heard is nine hours, as whoever tests a load looks at its
calls when all are over.
"""


class Speech(msgspec.Struct, frozen=True):
    """Something the sandbox's voice has said."""

    id: int
    created: str
    operation: str
    voice_id: str
    transcript: str
    output_format: dict[str, Any]
    audio: bytes


class Store(Database):
    """Calls and what belongs to them, speeches, custom voices; in memory if there is no folder."""

    def __init__(self, folder: Path | None = None, *, kept: Mapping[str, int] = KEPT) -> None:
        self._kept = kept
        path = None if folder is None else folder / FILE_NAME
        super().__init__(path, _TABLES, version=_VERSION)

    # Calls

    def save_call(self, call: CallResource, report: CallReport, heard: bytes) -> None:
        self._write(
            "INSERT INTO calls (sid, resource, report, heard) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (sid) DO UPDATE SET "
            "resource = excluded.resource, report = excluded.report, heard = excluded.heard",
            call.sid,
            msgspec.json.encode(call),
            msgspec.json.encode(report),
            heard,
        )
        for sid in self._beyond(self._kept["calls"], "calls", "sid", "length(heard)"):
            self.delete_call(sid)

    def update_call(self, call: CallResource) -> None:
        """Save the call's resource only; its report and sound come at the end."""
        self._write(
            "UPDATE calls SET resource = ? WHERE sid = ?", msgspec.json.encode(call), call.sid
        )

    def call(self, sid: str) -> CallResource | None:
        row = self._row("SELECT resource FROM calls WHERE sid = ?", sid)
        return None if row is None else msgspec.json.decode(row[0], type=CallResource)

    def calls(self) -> list[CallResource]:
        """All calls, the latest first."""
        rows = self._rows("SELECT resource FROM calls ORDER BY number DESC")
        return [msgspec.json.decode(row[0], type=CallResource) for row in rows]

    def report(self, sid: str) -> CallReport | None:
        row = self._row("SELECT report FROM calls WHERE sid = ?", sid)
        return None if row is None else msgspec.json.decode(row[0], type=CallReport)

    def heard(self, sid: str) -> bytes | None:
        row = self._row("SELECT heard FROM calls WHERE sid = ?", sid)
        return None if row is None else bytes(row[0])

    def count_calls(self) -> int:
        row = self._row("SELECT coalesce(max(number), 0) FROM calls")
        return int(row[0]) if row else 0

    def delete_call(self, sid: str) -> None:
        with self._transaction():
            self._database.execute("DELETE FROM calls WHERE sid = ?", (sid,))
            for name in ("notifications", "events"):
                self._database.execute(f"DELETE FROM {name} WHERE call_sid = ?", (sid,))

    # Notifications

    def add_notification(self, notification: Notification) -> None:
        self._write(
            "INSERT INTO notifications (call_sid, resource) VALUES (?, ?)",
            notification.call_sid,
            msgspec.json.encode(notification),
        )

    def notifications(self, call_sid: str) -> list[Notification]:
        """Those of a call, in the order in which things went wrong."""
        rows = self._rows(
            "SELECT resource FROM notifications WHERE call_sid = ? ORDER BY number", call_sid
        )
        return [msgspec.json.decode(row[0], type=Notification) for row in rows]

    # Events

    def add_event(self, call_sid: str, event: Event) -> None:
        self._write(
            "INSERT INTO events (call_sid, resource) VALUES (?, ?)",
            *(call_sid, msgspec.json.encode(event)),
        )

    def events(self, call_sid: str) -> list[Event]:
        """What was asked of the customer's server for a call, the first one first."""
        rows = self._rows(
            "SELECT resource FROM events WHERE call_sid = ? ORDER BY number", call_sid
        )
        return [msgspec.json.decode(row[0], type=Event) for row in rows]

    # Recordings

    def save_recording(self, recording: RecordingResource, said: bytes, heard: bytes) -> None:
        self._write(
            "INSERT INTO recordings (sid, call_sid, resource, said, heard) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (sid) DO UPDATE SET "
            "resource = excluded.resource, said = excluded.said, heard = excluded.heard",
            *(recording.sid, recording.call_sid, msgspec.json.encode(recording), said, heard),
        )
        for sid in self._beyond(
            self._kept["recordings"], "recordings", "sid", "length(said) + length(heard)"
        ):
            self.delete_recording(sid)

    def recording(self, sid: str) -> RecordingResource | None:
        row = self._row("SELECT resource FROM recordings WHERE sid = ?", sid)
        return None if row is None else msgspec.json.decode(row[0], type=RecordingResource)

    def recordings(self, call_sid: str | None = None) -> list[RecordingResource]:
        """Those of a call, or all of them; the latest first."""
        rows = self._rows(
            "SELECT resource FROM recordings WHERE call_sid = coalesce(?, call_sid) "
            "ORDER BY number DESC",
            call_sid,
        )
        return [msgspec.json.decode(row[0], type=RecordingResource) for row in rows]

    def tape(self, sid: str) -> tuple[bytes, bytes] | None:
        """μ-law: what the callee said, and what they heard."""
        row = self._row("SELECT said, heard FROM recordings WHERE sid = ?", sid)
        return None if row is None else (bytes(row[0]), bytes(row[1]))

    def delete_recording(self, sid: str) -> None:
        self._write("DELETE FROM recordings WHERE sid = ?", sid)

    # Speeches

    def add_speech(
        self,
        *,
        operation: str,
        voice_id: str,
        transcript: str,
        output_format: dict[str, Any],
        audio: bytes,
    ) -> int:
        """Remember what was said. Its id."""
        created = datetime.now(UTC).isoformat(timespec="milliseconds")
        form = msgspec.json.encode(output_format)
        number = self._write(
            "INSERT INTO speeches (created, operation, voice_id, transcript, output_format, audio)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(created, operation, voice_id, transcript, form, audio),
        )
        for old in self._beyond(self._kept["speeches"], "speeches", "id", "length(audio)"):
            self._write("DELETE FROM speeches WHERE id = ?", old)
        return number

    def speeches(self, *, after: int = 0) -> list[Speech]:
        """All that are kept of those after a number, the first one first."""
        rows = self._rows(f"SELECT {_SPEECH} FROM speeches WHERE id > ? ORDER BY id", after)
        return [_speech(*row) for row in rows]

    def count_speeches(self) -> int:
        """How many there have been: the number of the latest."""
        row = self._row("SELECT coalesce(max(id), 0) FROM speeches")
        return int(row[0]) if row else 0

    def speech(self, number: int) -> Speech | None:
        rows = self._rows(f"SELECT {_SPEECH} FROM speeches WHERE id = ?", number)
        return _speech(*rows[0]) if rows else None

    def fingerprints(self) -> dict[int, bytes | None]:
        """Of the latest speeches, the first of them first; None where nobody has taken it yet."""
        rows = self._rows("SELECT id, fingerprint, length(transcript) FROM speeches ORDER BY id")
        latest, left = dict[int, bytes | None](), CHARACTERS_COMPARED
        for number, fingerprint, characters in reversed(rows):
            if characters <= left:
                left -= characters
                latest[number] = fingerprint
        return dict(reversed(latest.items()))

    def set_fingerprint(self, number: int, fingerprint: bytes) -> None:
        self._write("UPDATE speeches SET fingerprint = ? WHERE id = ?", fingerprint, number)

    # Custom voices

    def put_voice(self, voice_id: str, voice: dict[str, Any], clip: bytes | None = None) -> None:
        """Keep a voice, new or changed; a clip that it had stays unless there is another."""
        self._write(
            "INSERT INTO voices (id, voice, clip) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "voice = excluded.voice, clip = coalesce(excluded.clip, clip)",
            *(voice_id, msgspec.json.encode(voice), clip),
        )

    def clip(self, voice_id: str) -> bytes | None:
        """The recording that a voice was cloned from."""
        row = self._row("SELECT clip FROM voices WHERE id = ?", voice_id)
        return None if row is None or row[0] is None else bytes(row[0])

    def voices(self) -> dict[str, dict[str, Any]]:
        rows = self._rows("SELECT id, voice FROM voices ORDER BY rowid")
        return {row[0]: msgspec.json.decode(row[1]) for row in rows}

    def delete_voice(self, voice_id: str) -> None:
        self._write("DELETE FROM voices WHERE id = ?", voice_id)


def _speech(
    number: int, created: str, operation: str, voice: str, text: str, form: bytes, audio: bytes
) -> Speech:
    return Speech(number, created, operation, voice, text, msgspec.json.decode(form), audio)
