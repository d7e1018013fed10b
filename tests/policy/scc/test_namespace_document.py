"""Malformed SCC annotations of a Namespace in a file are an error with the annotation and its line."""

from __future__ import annotations

import pytest

from podward.api.core import Namespace
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE
from podward.policy.scc.namespace_document import require_well_formed
from podward.schema.objects import objects_of
from podward.schema.view import typed_view


def read(**annotations: str) -> None:
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
    read(uid_range=written, supplemental_groups=written, mcs="s0:c15,c10")


def test_several_blocks_of_groups_are_taken() -> None:
    read(supplemental_groups="1000/10,5-6")


@pytest.mark.parametrize(
    "written", ["", "x", "1000", "1000/", "/10", "-1000/10", "1000 /10", "1000-", "4294967296/1", "1000-2000/5"]
)
def test_what_the_server_cannot_read_is_refused(written: str) -> None:
    for name, key in (("uid_range", UID_RANGE), ("supplemental_groups", SUPPLEMENTAL_GROUPS)):
        with pytest.raises(InputError) as caught:
            read(**{"mcs": "s0", name: written})
        assert caught.value.where == "ns.yaml:8"
        assert f"metadata.annotations[{key}]" in caught.value.what
        assert "1000230000/10000" in caught.value.advice


@pytest.mark.parametrize("written", ["2000-1000", "1000/0", "4294967295/2"])
def test_a_range_that_ends_below_its_start_is_refused(written: str) -> None:
    with pytest.raises(InputError) as caught:
        read(uid_range=written)
    assert "no id is in it" in caught.value.what
    with pytest.raises(InputError) as caught:
        read(supplemental_groups=f"1/1,{written}")
    assert caught.value.where == "ns.yaml:7"


def test_only_the_first_block_of_the_uid_range_counts() -> None:
    read(uid_range="1000-2000,9-5")


def test_absent_annotations_are_no_mistake() -> None:
    read()


def test_an_empty_level_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read(mcs="")
    assert (caught.value.where, caught.value.advice) == ("ns.yaml:7", "write a level, such as s0:c15,c10")


def test_the_first_malformed_annotation_is_named() -> None:
    with pytest.raises(InputError) as caught:
        read(mcs="s0", supplemental_groups="x", uid_range="y")
    assert (caught.value.where, UID_RANGE in caught.value.what, MCS in caught.value.what) == ("ns.yaml:9", True, False)
