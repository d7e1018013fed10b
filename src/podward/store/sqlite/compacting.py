"""Forgetting old versions, a piece at a time, so that no write waits for long.

First it is noted which revision is the oldest that can be read; then the versions are erased that no readable revision
has. A process that dies in between leaves some, which the next compaction erases: `erased` says how far one came.
"""

from __future__ import annotations

import sqlite3

_PIECE = 500
"""Revisions that are gone through in one transaction."""


def note_oldest(connection: sqlite3.Connection, oldest: int) -> None:
    """From now on nothing before this revision can be read."""
    connection.execute("UPDATE compaction SET oldest = max(oldest, ?)", (oldest,))


def erase_piece(connection: sqlite3.Connection) -> bool:
    """Erase what was replaced or deleted in the next few revisions; whether there are more.

    The last version stays, even a deletion: the store's revision is read from it.
    """
    oldest, erased = connection.execute("SELECT oldest, erased FROM compaction").fetchone()
    piece = (erased, min(oldest, erased + _PIECE))
    replaced = "SELECT previous FROM history WHERE revision BETWEEN ? AND ? AND previous > 0"
    connection.execute(f"DELETE FROM history WHERE revision IN ({replaced})", piece)  # noqa: S608 - no one's words
    deletions = "value IS NULL AND revision < (SELECT max(revision) FROM history)"
    connection.execute(f"DELETE FROM history WHERE revision BETWEEN ? AND ? AND {deletions}", piece)  # noqa: S608 - as above
    connection.execute("UPDATE compaction SET erased = ?", (piece[1],))
    return bool(piece[1] < oldest)
