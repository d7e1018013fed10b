"""What authorizers are told of selectors: what was understood, and nothing made up."""

from __future__ import annotations

import pytest

from podward.access.asked_selectors import of_fields, of_labels, with_selectors
from podward.api.authorization import Attributes, Requirement
from podward.api.caller import User


def test_fields_are_equal_or_not() -> None:
    assert of_fields("spec.nodeName=n1,metadata.name!=x") == (
        Requirement("metadata.name", "NotIn", ("x",)),
        Requirement("spec.nodeName", "In", ("n1",)),
    )


def test_labels_have_four_operators_and_numbers_are_left_out() -> None:
    assert of_labels("a in (c,b),!d,e,f!=g,h>3") == (
        Requirement("a", "In", ("b", "c")),
        Requirement("d", "DoesNotExist"),
        Requirement("e", "Exists"),
        Requirement("f", "NotIn", ("g",)),
    )


@pytest.mark.parametrize("text", ["&&&", "a=b=c", "a in (", "a in b"])
def test_what_cannot_be_read_is_not_told(text: str) -> None:
    assert of_labels(text) is None
    wanted = Attributes(User("alice"), "list", resource="pods")
    assert with_selectors(wanted, "", text) == wanted


def test_nothing_is_changed_without_selectors() -> None:
    wanted = Attributes(User("alice"), "list", resource="pods")
    assert with_selectors(wanted, "", "") is wanted
