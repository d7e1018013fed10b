"""The file of the SQLite store: its tables, how it is opened, what its errors mean.

`history` has every version of every value, a deletion as one without a value: it only grows at its end, until
compaction takes from its beginning. `current` says which version of each key is in force. `previous` leads from a
version to the one that it replaced; 0: there was none.

WAL with synchronous=FULL: a commit returns when its frames are on disk, and is seen by readers only then. One process
may have the file open: it holds the lock beside it, which the kernel drops when the process dies.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3

from podward.errors import StoreError, StoreFullError

FIRST_REVISION = 1
"""Of an empty store: the first object that is written has revision 2, as in etcd."""

_VERSION = 1
_TABLES = """
BEGIN;
CREATE TABLE history (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    value BLOB
);
CREATE TABLE current (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE compaction (oldest INTEGER NOT NULL, erased INTEGER NOT NULL);
INSERT INTO compaction VALUES (0, 0);
PRAGMA user_version = 1;
COMMIT;
"""
_FULL = 13  # SQLITE_FULL
_PATIENCE = 10.0


class Database:
    """The file, locked for this process. Connections are opened by whoever needs one."""

    def __init__(self, directory: str) -> None:
        """Lock and prepare the file in this directory, making both where they are missing. Raises StoreError."""
        self.file = f"{directory}/store.db"
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            self._lock = _locked(f"{directory}/store.lock")
            # SQLite gives the files beside it the mode of the database.
            os.close(_opened_private(self.file))
        except OSError as error:
            raise StoreError(f"cannot open the store: {error.strerror}", where=str(error.filename)) from None
        try:
            self._prepare()
        except BaseException:
            self.unlock()
            raise

    def connect(self) -> sqlite3.Connection:
        """Another connection, in autocommit mode. Raises StoreError."""
        try:
            connection = sqlite3.connect(self.file, _PATIENCE, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise self.failure(error) from None
        return connection

    def failure(self, error: sqlite3.Error) -> StoreError:
        """What this error of SQLite means."""
        code = getattr(error, "sqlite_errorcode", 0)
        if code == _FULL:
            advice = "make room on its disk; writes are accepted again as soon as there is some"
            return StoreFullError("the store's disk is full", where=self.file, advice=advice)
        return StoreError(f"the store failed: {error}", where=self.file)

    def unlock(self) -> None:
        """Let other processes have the file."""
        os.close(self._lock)

    def _prepare(self) -> None:
        connection = self.connect()
        try:
            [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                advice = "give --data-dir a directory on a disk of this machine"
                raise StoreError(
                    "the file system cannot share memory, as SQLite's WAL needs", where=self.file, advice=advice
                )
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(_TABLES)
            elif version != _VERSION:
                advice = "use the Podward that wrote it, or another --data-dir"
                raise StoreError(f"the store is of version {version}, not {_VERSION}", where=self.file, advice=advice)
        except sqlite3.Error as error:
            raise self.failure(error) from None
        finally:
            connection.close()


def _locked(file: str) -> int:
    descriptor = _opened_private(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        advice = "end that process, or give this one another --data-dir; several servers on one state need etcd"
        raise StoreError("another process has this store open", where=file, advice=advice) from None
    return descriptor


def _opened_private(file: str) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
