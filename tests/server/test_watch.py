"""What a watch keeps in memory for who does not read, and what it says of what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from podward.errors import CompactedError
from podward.server.encoding import served_bytes, served_parts
from podward.server.verbs.watch import PIECE, joined, too_old
from podward.store.interface import Stored


def test_events_are_made_when_it_is_their_turn() -> None:
    made: list[int] = []

    def events() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield b"x" * (PIECE // 4)

    pieces = joined(events())
    assert len(next(pieces)) == PIECE
    assert len(made) == 4
    assert len(list(pieces)) == 24


def test_small_events_are_written_together() -> None:
    assert list(joined([b"a", b"b", b"c"])) == [b"abc"]
    assert list(joined([])) == []


def test_a_large_object_is_cut_into_parts() -> None:
    stored = Stored("/a", b'{"resourceVersion":"\0","data":"' + b"x" * 300_000 + b'"}', 57, 1)
    parts = list(served_parts(stored, PIECE))
    assert b"".join(parts) == served_bytes(stored)
    assert max(map(len, parts)) == PIECE


def test_a_forgotten_revision_is_told_as_the_real_server_tells_it() -> None:
    assert too_old(CompactedError(1, 49)).message == "too old resource version: 1 (48)"
    assert (too_old(CompactedError(7, 0)).http_code, too_old(CompactedError(7, 0)).reason) == (410, "Expired")
