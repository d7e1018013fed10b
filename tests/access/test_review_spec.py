"""The spec of a review, read as a question and written as one: what is written is read as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.access.review_spec import attributes_of, spec_of, user_of
from podward.api.authorization import Attributes, Requirement
from podward.api.caller import User
from podward.api.json_value import JsonObject

WORDS = st.sampled_from(("", "a", "pods", "shop", "x.y"))
USERS = st.builds(
    User, WORDS, st.lists(WORDS, max_size=2).map(tuple), WORDS,
    st.dictionaries(st.sampled_from(("k", "l")), st.lists(WORDS, min_size=1, max_size=2).map(tuple)),
)  # fmt: skip
LABELS = st.sampled_from(
    ((), (Requirement("a", "In", ("b",)),), (Requirement("a", "Exists"), Requirement("c", "NotIn", ("d", "e"))))
)


WANTED = st.builds(
    Attributes, USERS, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, version=st.just("v1"), label_selector=LABELS
)


@given(WANTED)
def test_what_is_written_is_read_as_the_same(wanted: Attributes) -> None:
    spec = spec_of(wanted)
    assert attributes_of(spec, user_of(spec)) == (wanted, ())


def test_a_path_is_asked_about_as_a_path() -> None:
    wanted = Attributes(User("alice"), "get", path="/metrics")
    assert spec_of(wanted) == {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}, "user": "alice"}
    assert attributes_of(spec_of(wanted), User("alice")) == (wanted, ())


def test_an_empty_path_is_no_resource() -> None:
    asked, _ = attributes_of({"nonResourceAttributes": {"verb": "get"}}, User("alice"))
    assert asked.path


@pytest.mark.parametrize(
    ("selector", "found", "fault"),
    [
        ({"rawSelector": "a=b"}, (Requirement("a", "In", ("b",)),), ""),
        ({"rawSelector": "&&&"}, (), "spec.resourceAttributes.fieldSelector ignored due to parse error"),
        ({"requirements": [{"key": "a", "operator": "In", "values": ["b"]}]}, (Requirement("a", "In", ("b",)),), ""),
        (
            {"requirements": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "c", "operator": "Exists"}]},
            (Requirement("a", "In", ("b",)),),
            "spec.resourceAttributes.fieldSelector partially ignored due to parse error",
        ),
        (
            {"requirements": [{"key": "a", "operator": "In", "values": ["b", "c"]}]},
            (),
            "spec.resourceAttributes.fieldSelector ignored due to parse error",
        ),
    ],
)
def test_selectors_are_told_as_far_as_they_are_understood(
    selector: JsonObject, found: tuple[Requirement, ...], fault: str
) -> None:
    wanted, errors = attributes_of({"resourceAttributes": {"verb": "list", "fieldSelector": selector}}, User("alice"))
    assert wanted.field_selector == found
    assert errors == ((fault,) if fault else ())
