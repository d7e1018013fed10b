"""A namespace's annotations are read as the server reads them; malformed ones in a file are an error with a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.core import Namespace, ObjectMeta
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.policy.scc.namespace import (
    MCS,
    SUPPLEMENTAL_GROUPS,
    UID_RANGE,
    IdRange,
    InvalidAnnotation,
    NamespaceRanges,
    malformed,
    parse_range,
    read,
    require_well_formed,
)
from podward.schema.objects import objects_of
from podward.schema.view import typed_view

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
    assert parse_range(f"{first}-{last}") == IdRange(first, last)


@given(UINT32, UINT32)
def test_a_start_and_a_size_wrap_at_32_bits(first: int, size: int) -> None:
    assert parse_range(f"{first}/{size}") == IdRange(first, (first + size - 1) % 2**32)


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
    assert parse_range(text) == IdRange(first, last)


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
    assert parse_range(text) == InvalidAnnotation(why)


def test_a_number_that_python_would_not_read_is_out_of_range() -> None:
    digits = "9" * 10_000
    assert parse_range(f"{digits}-1") == InvalidAnnotation(f'strconv.ParseUint: parsing "{digits}": value out of range')


def test_the_annotations_that_every_namespace_needs() -> None:
    assert read(namespace(mcs="s0")) == f'error fetching namespace "team-a": unable to find annotation {UID_RANGE}'
    assert read(namespace(uids="1/2")) == f'error fetching namespace "team-a": unable to find annotation {MCS}'
    assert read(Namespace()) == f'error fetching namespace "": unable to find annotation {UID_RANGE}'


def test_only_the_first_block_of_uids_counts_and_all_blocks_of_groups() -> None:
    found = ranges(uids="1-2,5-6", mcs="s0")
    assert found.users == IdRange(1, 2)
    assert found.groups == (IdRange(1, 2), IdRange(5, 6))
    assert found.groups_key == UID_RANGE


def test_groups_fall_back_to_the_uids_only_where_they_are_absent() -> None:
    found = ranges(uids="1/2", mcs="s0", groups="")
    assert isinstance(found.groups, InvalidAnnotation)
    assert found.groups.why == f"unable to find groups using {SUPPLEMENTAL_GROUPS} and {UID_RANGE} annotations"
    assert ranges(uids="1/2", mcs="s0", groups=None).groups == found.groups


def test_a_malformed_annotation_waits_for_an_scc_that_needs_it() -> None:
    found = ranges(uids="x", mcs="", groups="1/2,,")
    assert found.users == InvalidAnnotation("expected integer")
    assert found.level == InvalidAnnotation(f"found annotation {MCS} but it was empty")
    assert found.groups == InvalidAnnotation("EOF")


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
    assert malformed(key, written) == why


def read_file(**annotations: str) -> None:
    """Check a namespace with these annotations in a file."""
    lines = "".join(
        f"    openshift.io/sa.scc.{name.replace('_', '-')}: '{value}'\n" for name, value in annotations.items()
    )
    text = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  annotations:\n    other: x\n{lines}"
    (document,) = decode_documents(text.encode(), "ns.yaml")
    (item,) = objects_of(document)
    require_well_formed(item, typed_view(item.raw, Namespace, "Namespace"))


@pytest.mark.parametrize(
    "written", ["1000230000/10000", "1000-2000", "7-7", "7/1", " 1000/10", "1000/ 10", "1000-2000x", "0/0"]
)
def test_what_the_server_reads_and_a_pod_can_satisfy_is_taken(written: str) -> None:
    read_file(uid_range=written, supplemental_groups=written, mcs="s0:c15,c10")


def test_several_ranges_of_groups_are_taken() -> None:
    read_file(supplemental_groups="1000/10,5-6")


@pytest.mark.parametrize(
    "written", ["", "x", "1000", "1000/", "/10", "-1000/10", "1000 /10", "1000-", "4294967296/1", "1000-2000/5"]
)
def test_what_the_server_cannot_read_is_refused(written: str) -> None:
    for name, key in (("uid_range", UID_RANGE), ("supplemental_groups", SUPPLEMENTAL_GROUPS)):
        with pytest.raises(InputError) as caught:
            read_file(**{"mcs": "s0", name: written})
        assert caught.value.where == "ns.yaml:8"
        assert f"metadata.annotations[{key}]" in caught.value.what
        assert "1000230000/10000" in caught.value.advice


@pytest.mark.parametrize("written", ["2000-1000", "1000/0", "4294967295/2"])
def test_a_range_that_ends_below_its_start_is_refused(written: str) -> None:
    with pytest.raises(InputError) as caught:
        read_file(uid_range=written)
    assert "no id is in it" in caught.value.what
    with pytest.raises(InputError) as caught:
        read_file(supplemental_groups=f"1/1,{written}")
    assert caught.value.where == "ns.yaml:7"


def test_only_the_first_range_of_the_uid_range_counts() -> None:
    read_file(uid_range="1000-2000,9-5")


def test_absent_annotations_are_no_mistake() -> None:
    read_file()


def test_an_empty_level_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read_file(mcs="")
    assert (caught.value.where, caught.value.advice) == ("ns.yaml:7", "write a level, such as s0:c15,c10")


def test_the_first_malformed_annotation_is_named() -> None:
    with pytest.raises(InputError) as caught:
        read_file(mcs="s0", supplemental_groups="x", uid_range="y")
    assert (caught.value.where, UID_RANGE in caught.value.what, MCS in caught.value.what) == ("ns.yaml:9", True, False)
