"""An SQLite file that several processes and threads may share. Knows nothing of what is in it."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from threading import RLock
from typing import Any

PATIENCE = 10.0
"""Seconds to wait for others."""

UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""A folder that takes no file beside the database's: https://www.sqlite.org/rescode.html"""


class Database:
    """Tables by name, with their columns; in memory if there is no file.

    A database of another version is emptied: it is only a sandbox's. OSError where it cannot be
    written.
    """

    def __init__(self, path: Path | None, tables: Mapping[str, str], *, version: int) -> None:
        self._lock = RLock()
        self._tables = tables
        name = ":memory:" if path is None else str(_private(path))
        self._database = sqlite3.connect(
            name, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._open(version)
        except sqlite3.OperationalError as error:
            self._database.close()
            if error.sqlite_errorcode & 0xFF not in UNWRITABLE:
                raise
            raise OSError(errno.EACCES, str(error), name) from None

    def _open(self, version: int) -> None:
        self._write_ahead()
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            if self._row("PRAGMA user_version") != (version,):
                self._create(version)

    def _write_ahead(self) -> None:
        """Let readers and a writer go on side by side, whoever else opens a new file meanwhile.

        SQLite does not wait in front of a writer here, as it would deadlock with one who turns the
        same way: https://www.sqlite.org/c3ref/busy_handler.html. A transaction waits for it.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
                with self._transaction():
                    pass
            else:
                return

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def sizes(self) -> dict[str, int]:
        """How many rows each table has."""
        counts = {name: self._row(f"SELECT count(*) FROM {name}") for name in self._tables}
        return {name: int(row[0]) for name, row in counts.items() if row}

    def reset(self) -> None:
        """Forget everything, and give the disk's room back, whoever else has the file open."""
        with self._transaction():
            for name in self._tables:
                self._database.execute(f"DELETE FROM {name}")
        with self._lock:
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _create(self, version: int) -> None:
        for name, columns in self._tables.items():
            self._database.execute(f"DROP TABLE IF EXISTS {name}")
            self._database.execute(f"CREATE TABLE {name} ({columns})")
        self._database.execute(f"PRAGMA user_version = {version}")

    def _row(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        rows = self._rows(sql, *values)
        return rows[0] if rows else None

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _beyond(self, kept: int, table: str, key: str, size: str) -> list[Any]:
        """Keys of the oldest rows, without which the others have at most `kept` bytes.

        The latest that has any is never among them. Of a blob SQLite reads no more than the length.
        """
        rows = self._rows(f"SELECT {key}, {size} FROM {table} ORDER BY rowid DESC")
        totals = accumulate(size for _, size in rows)
        return [
            key
            for (key, size), total in zip(rows, totals, strict=True)
            if total > kept and 0 < size < total
        ]

    def _write(self, sql: str, *values: Any) -> int:
        with self._lock:
            return self._database.execute(sql, values).lastrowid or 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _private(path: Path) -> Path:
    """The path, for its owner only. SQLite gives its side files the same mode.

    A folder that was there before keeps the mode its owner gave it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return path
