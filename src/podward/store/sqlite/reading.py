"""What is read of the file. Each function sees one state of it, whatever is being written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from podward.errors import CompactedError, FutureRevisionError
from podward.store.interface import Event, Page, Stored
from podward.store.keys import end_of
from podward.store.sqlite.database import FIRST_REVISION

# CROSS JOIN keeps the order: keys first, then the version of each.
_KEY = """
SELECT current.key, history.value, current.revision, current.created
FROM current CROSS JOIN history ON history.revision = current.revision WHERE current.key = ?
"""
_RANGE = """
SELECT current.key, history.value, current.revision, current.created
FROM current CROSS JOIN history ON history.revision = current.revision
WHERE current.key >= ? AND current.key < ? ORDER BY current.key LIMIT ?
"""
_MOST_BYTES = 256 << 10
"""After so many bytes of changes no more are read at once."""
_CHANGES = """
SELECT version.key, version.value, version.revision, version.created, before.value
FROM history AS version LEFT JOIN history AS before ON before.revision = version.previous
WHERE version.revision > ? AND version.revision <= ? AND version.key >= ? AND version.key < ?
ORDER BY version.revision LIMIT ?
"""


def last_revision(connection: sqlite3.Connection) -> int:
    """The revision of the last write. Compaction leaves the last version, be it a deletion."""
    [revision] = connection.execute("SELECT max(revision) FROM history").fetchone()
    return int(revision) if revision is not None else FIRST_REVISION


def stored(connection: sqlite3.Connection, key: str) -> Stored | None:
    """What is in force under this key."""
    row = connection.execute(_KEY, (key,)).fetchone()
    return None if row is None else Stored(*row)


def stored_at(connection: sqlite3.Connection, key: str, revision: int) -> Stored | None:
    """What was in force under this key at this revision. Raises CompactedError, FutureRevisionError."""
    with _snapshot(connection):
        _check(connection, revision)
        versions = _versions(connection, key, f"{key}\0", revision)
        return _version(connection, key, versions[key]) if key in versions else None


def page(connection: sqlite3.Connection, prefix: str, start: str, limit: int) -> Page:
    """The keys that begin with `prefix`, from `start` on, as they are now."""
    begin, end = max(prefix, start), end_of(prefix)
    with _snapshot(connection):
        rows = connection.execute(_RANGE, (begin, end, limit + 1 if limit else -1)).fetchall()
        revision = last_revision(connection)
        more = 0 < limit < len(rows)
        remaining = _count(connection, rows[limit][0], end) if more else 0
    items = tuple(Stored(*row) for row in (rows[:limit] if more else rows))
    return Page(items, revision, more=more, remaining=remaining)


def page_at(connection: sqlite3.Connection, prefix: str, start: str, limit: int, revision: int) -> Page:
    """The same as of this revision. Raises CompactedError, FutureRevisionError."""
    with _snapshot(connection):
        _check(connection, revision)
        versions = _versions(connection, max(prefix, start), end_of(prefix), revision)
        keys = sorted(versions)
        shown = keys[:limit] if limit else keys
        items = tuple(_version(connection, key, versions[key]) for key in shown)
    remaining = len(keys) - len(shown)
    return Page(items, revision, more=remaining > 0, remaining=remaining)


def changes(
    connection: sqlite3.Connection, prefix: str, after: int, until: int, limit: int
) -> tuple[Sequence[Event], int]:
    """The first changes under `prefix` in (after, until], and up to where they are complete. Raises CompactedError.

    They are no more than `limit`, and fewer where they are large.
    """
    events: list[Event] = []
    size = 0
    asked = (after, until, prefix, end_of(prefix), limit)
    with _snapshot(connection), closing(connection.execute(_CHANGES, asked)) as rows:
        _check_oldest(connection, after)
        for key, value, revision, created, before in rows:
            events.append(change(key, value, revision, created, before))
            size += len(value or b"") + len(before or b"")
            if len(events) == limit or size >= _MOST_BYTES:
                return events, revision
    return events, until


def change(key: str, value: bytes | None, revision: int, created: int, before: bytes | None) -> Event:
    """The change that this version was."""
    if value is None:
        return Event("DELETE", Stored(key, before or b"", revision, created), before)
    return Event("PUT", Stored(key, value, revision, created), before)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _check(connection: sqlite3.Connection, revision: int) -> None:
    current = last_revision(connection)
    if revision > current:
        raise FutureRevisionError(revision, current)
    _check_oldest(connection, revision)


def _check_oldest(connection: sqlite3.Connection, revision: int) -> None:
    [oldest] = connection.execute("SELECT oldest FROM compaction").fetchone()
    if revision < oldest:
        raise CompactedError(revision, oldest)


def _versions(connection: sqlite3.Connection, begin: str, end: str, revision: int) -> dict[str, int]:
    """The version of each key from `begin` to `end` that was in force at this revision.

    It is the one that is in force now, or the one that the first later change replaced: so history needs no index.
    """
    current = "SELECT key, revision FROM current WHERE key >= ? AND key < ?"
    versions: dict[str, int] = dict(connection.execute(current, (begin, end)).fetchall())
    later = "SELECT key, previous FROM history WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision DESC"
    versions.update(connection.execute(later, (revision, begin, end)))
    return {key: version for key, version in versions.items() if version}


def _version(connection: sqlite3.Connection, key: str, revision: int) -> Stored:
    value, created = connection.execute("SELECT value, created FROM history WHERE revision = ?", (revision,)).fetchone()
    return Stored(key, value, revision, created)


def _count(connection: sqlite3.Connection, begin: str, end: str) -> int:
    [number] = connection.execute("SELECT count(*) FROM current WHERE key >= ? AND key < ?", (begin, end)).fetchone()
    return int(number)
