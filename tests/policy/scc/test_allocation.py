"""Which block a namespace gets: each its own, with a level that no other has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from podward.errors import UsageError
from podward.policy.scc.allocation import DEFAULT, first_free, ranges_of
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE

LAST = 99_999


def test_blocks_are_those_of_a_cluster() -> None:
    assert dict(DEFAULT.annotations(0)) == {
        UID_RANGE: "1000000000/10000",
        SUPPLEMENTAL_GROUPS: "1000000000/10000",
        MCS: "s0:c1,c0",
    }
    assert DEFAULT.annotations(23)[UID_RANGE] == "1000230000/10000"
    assert DEFAULT.annotations(23)[MCS] == "s0:c15,c10"
    assert DEFAULT.annotations(LAST)[UID_RANGE] == "1999990000/10000"
    assert DEFAULT.count == LAST + 1


@given(some.integers(0, LAST), some.integers(0, LAST))
def test_no_two_blocks_have_anything_in_common(one: int, other: int) -> None:
    assert (DEFAULT.level(one) == DEFAULT.level(other)) == (one == other)
    assert list(DEFAULT.touched(DEFAULT.annotations(one))) == [one]


@given(some.integers(0, 2**64))
def test_the_first_free_block_is_free_and_none_before_it(taken: int) -> None:
    block = first_free(taken, 1000)
    assert block is not None
    assert not taken >> block & 1
    assert taken & (1 << block) - 1 == (1 << block) - 1


def test_where_all_blocks_are_taken_there_is_none() -> None:
    assert first_free(0b1111, 4) is None
    assert first_free(0b0111, 4) == 3


@pytest.mark.parametrize(
    ("written", "blocks"),
    [
        ("1000005000/10000", [0, 1]),
        ("1000000000-1000000000", [0]),
        ("999999000-1000010000", [0, 1]),
        ("5-6", []),
        ("2000000000/10", []),
        ("nonsense", []),
        ("1999999999/10000", [LAST]),
    ],
)
def test_a_range_given_by_hand_takes_what_it_touches(written: str, blocks: list[int]) -> None:
    assert list(DEFAULT.touched({UID_RANGE: written})) == blocks


def test_flags_name_ranges() -> None:
    assert ranges_of("1000000000-1999999999/10000", "s0:/2") == DEFAULT
    small = ranges_of("100-199/10", "s0:/3,16")
    assert small.count == 10
    assert small.level(9) == "s0:c7,c5,c0"


@pytest.mark.parametrize(
    ("uids", "levels"),
    [
        ("1-2", "s0:/2"), ("10-1/2", "s0:/2"), ("1-9/0", "s0:/2"), ("1-9/10", "s0:/2"), ("0-4294967296/1", "s0:/2"),
        ("1-9/3", "s0"), ("1-9/3", "s0:/6"), ("1-9/3", "s0:/2,1025"), ("0-1999/1", "s0:/1"),
    ],
)  # fmt: skip
def test_flags_that_name_none_are_refused(uids: str, levels: str) -> None:
    with pytest.raises(UsageError) as refused:
        ranges_of(uids, levels)
    assert refused.value.advice
