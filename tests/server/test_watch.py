"""What a watch keeps in memory for who does not read."""

from __future__ import annotations

from collections.abc import Iterator

from podward.server.encoding import served_bytes, served_parts
from podward.server.verbs.watch import PIECE, joined
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
