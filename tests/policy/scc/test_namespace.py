"""The annotations of a namespace are read as the server reads them, with its words where it can't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.core import Namespace, ObjectMeta
from podward.policy.scc.namespace import (
    MCS,
    SUPPLEMENTAL_GROUPS,
    UID_RANGE,
    Block,
    NamespaceRanges,
    Unusable,
    fault,
    parse_block,
    read,
)

UINT32 = st.integers(0, 2**32 - 1)


def namespace(**annotations: str | None) -> Namespace:
    keys = {"uids": UID_RANGE, "mcs": MCS, "groups": SUPPLEMENTAL_GROUPS}
    return Namespace(ObjectMeta(name="team-a", annotations={keys[name]: text for name, text in annotations.items()}))


def ranges(**annotations: str | None) -> NamespaceRanges:
    found = read(namespace(**annotations))
    assert isinstance(found, NamespaceRanges)
    return found


@given(UINT32, UINT32)
def test_a_start_and_an_end(first: int, last: int) -> None:
    assert parse_block(f"{first}-{last}") == Block(first, last)


@given(UINT32, UINT32)
def test_a_start_and_a_size_wrap_at_32_bits(first: int, size: int) -> None:
    assert parse_block(f"{first}/{size}") == Block(first, (first + size - 1) % 2**32)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1000-2000x", 1000, 2000),
        ("1000/10\n", 1000, 1009),
        (" \t1000/ 10", 1000, 1009),
        ("\u20031000-\u00a02000", 1000, 2000),
        ("0/0", 0, 4294967295),
        ("10-5", 10, 5),
        ("00010-00020", 10, 20),
        ("1000/10-5", 1000, 1009),
    ],
)
def test_what_is_lenient(text: str, first: int, last: int) -> None:
    assert parse_block(text) == Block(first, last)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "EOF"),
        ("  ", "EOF"),
        ("1000-", "EOF"),
        ("1000/ ", "EOF"),
        ("5", "unexpected EOF"),
        ("5 ", "input does not match format"),
        ("1000 / 10", "input does not match format"),
        ("1000:2000", "input does not match format"),
        ("1000-2000/5", "input does not match format"),
        ("+5-6", "expected integer"),
        ("-5-6", "expected integer"),
        ("1000--2000", "expected integer"),
        ("1000/\u0661", "expected integer"),
        ("\n5-6", "unexpected newline"),
        ("5-\r\n6", "unexpected newline"),
        ("4294967296-1", "unsigned integer overflow on token 4294967296"),
        ("1/0004294967296", "unsigned integer overflow on token 0004294967296"),
        ("18446744073709551616-1", 'strconv.ParseUint: parsing "18446744073709551616": value out of range'),
    ],
)
def test_what_is_malformed(text: str, why: str) -> None:
    assert parse_block(text) == Unusable(why)


def test_a_number_that_python_would_not_read_is_out_of_range() -> None:
    digits = "9" * 10_000
    assert parse_block(f"{digits}-1") == Unusable(f'strconv.ParseUint: parsing "{digits}": value out of range')


def test_the_annotations_that_every_namespace_needs() -> None:
    assert read(namespace(mcs="s0")) == f'error fetching namespace "team-a": unable to find annotation {UID_RANGE}'
    assert read(namespace(uids="1/2")) == f'error fetching namespace "team-a": unable to find annotation {MCS}'
    assert read(Namespace()) == f'error fetching namespace "": unable to find annotation {UID_RANGE}'


def test_only_the_first_block_of_uids_counts_and_all_blocks_of_groups() -> None:
    found = ranges(uids="1-2,5-6", mcs="s0")
    assert found.users == Block(1, 2)
    assert found.groups == (Block(1, 2), Block(5, 6))
    assert found.groups_key == UID_RANGE


def test_groups_fall_back_to_the_uids_only_where_they_are_absent() -> None:
    found = ranges(uids="1/2", mcs="s0", groups="")
    assert isinstance(found.groups, Unusable)
    assert found.groups.why == f"unable to find groups using {SUPPLEMENTAL_GROUPS} and {UID_RANGE} annotations"
    assert ranges(uids="1/2", mcs="s0", groups=None).groups == found.groups


def test_a_malformed_annotation_waits_for_an_scc_that_needs_it() -> None:
    found = ranges(uids="x", mcs="", groups="1/2,,")
    assert found.users == Unusable("expected integer")
    assert found.level == Unusable(f"found annotation {MCS} but it was empty")
    assert found.groups == Unusable("EOF")


@pytest.mark.parametrize(
    ("key", "written", "why"),
    [
        (UID_RANGE, "1/2", ""),
        (UID_RANGE, "5", "unexpected EOF"),
        (UID_RANGE, "", f"found annotation {UID_RANGE} but it was empty"),
        (MCS, "anything", ""),
        (MCS, "", f"found annotation {MCS} but it was empty"),
        (SUPPLEMENTAL_GROUPS, "1/2,3-4", ""),
        (SUPPLEMENTAL_GROUPS, "1/2,", "EOF"),
    ],
)
def test_what_is_wrong_with_one_annotation(key: str, written: str, why: str) -> None:
    assert fault(key, written) == why
