"""A namespace gets its ranges once, and keeps those that it has."""

from __future__ import annotations

import pytest

from podward.api.core import Namespace, ObjectMeta
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE, NamespaceRanges, read
from podward.policy.scc.new_namespace import FIRST_RANGES, missing, with_ranges


def test_a_namespace_that_is_not_there_is_made_with_the_first_ranges() -> None:
    made = with_ranges("shop", None)
    assert made.metadata.name == "shop"
    assert made.metadata.annotations == FIRST_RANGES
    assert isinstance(read(made), NamespaceRanges)


def test_labels_and_other_annotations_stay() -> None:
    made = with_ranges("shop", Namespace(ObjectMeta(name="shop", labels={"a": "b"}, annotations={"c": "d"})))
    assert made.metadata.labels == {"a": "b"}
    assert made.metadata.annotations == {**FIRST_RANGES, "c": "d"}


@pytest.mark.parametrize("annotation", FIRST_RANGES)
def test_one_that_has_any_of_them_is_left_as_it_is(annotation: str) -> None:
    written = Namespace(ObjectMeta(name="shop", annotations={annotation: ""}))
    assert with_ranges("shop", written) is written


def test_admission_demands_two_of_them() -> None:
    assert missing({}) == (UID_RANGE, MCS)
    assert missing({SUPPLEMENTAL_GROUPS: "", MCS: ""}) == (UID_RANGE,)
    assert missing(FIRST_RANGES) == ()
