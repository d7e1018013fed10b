"""What a watch keeps in memory for who does not read."""

from __future__ import annotations

from collections.abc import Iterator

from podward.server.verbs.watch import PIECE, joined


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
