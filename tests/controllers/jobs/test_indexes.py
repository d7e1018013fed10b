"""Completion indexes: the tables of the real controller's tests."""

from __future__ import annotations

import pytest

from podward.controllers.jobs.indexes import Intervals, first_missing, parsed


@pytest.mark.parametrize(
    ("written", "completions", "shown"),
    [
        ("", 10, ""),
        ("3,5-6", 10, "3,5,6"),
        ("2,5-5", 10, "2,5"),
        ("0-3,6-9", 8, "0-3,6,7"),
        ("1-2,3,5-7,9", 10, "1-3,5-7,9"),
        ("1-3,b-5,6", 10, "1-3,6"),
        ("5", 3, ""),
    ],
)
def test_what_a_status_says_is_read_and_written_again(written: str, completions: int, shown: str) -> None:
    assert str(parsed(written, completions)) == shown


def test_indexes_are_added_and_counted() -> None:
    found = Intervals().adding([4, 0, 1, 2]).adding([3, 9])
    assert (str(found), len(found), 3 in found, 5 in found) == ("0-4,9", 6, True, False)
    assert found.common(Intervals(((3, 9),))) == 3


@pytest.mark.parametrize(
    ("taken", "count", "expected"),
    [("", 3, [0, 1, 2]), ("0,2-4", 3, [1, 5, 6]), ("0-9", 3, []), ("1-8", 5, [0, 9]), ("", 0, [])],
)
def test_the_first_indexes_that_are_not_taken(taken: str, count: int, expected: list[int]) -> None:
    assert first_missing(parsed(taken, 10), count, 10) == expected
