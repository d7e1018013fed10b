"""fsGroup and supplementalGroups: what a Pod gets and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

FS_GROUP, GROUPS = "spec.securityContext.fsGroup", "spec.securityContext.supplementalGroups"
NAMESPACE: JsonObject = {"type": "MustRunAs"}
OWN: JsonObject = {"type": "MustRunAs", "ranges": [{"min": 5, "max": 6}, {"min": 9, "max": 9}]}


@pytest.mark.parametrize(
    ("scc", "given"),
    [
        ({"fsGroup": NAMESPACE}, {FS_GROUP: 70}),
        ({"fsGroup": OWN}, {FS_GROUP: 5}),
        ({"supplementalGroups": NAMESPACE}, {GROUPS: (70,)}),
        ({"supplementalGroups": OWN}, {GROUPS: (5,)}),
        ({"fsGroup": {"type": "MustRunAs", "ranges": [{"max": 5}]}}, {FS_GROUP: 0}),
        ({"fsGroup": {"type": "RunAsAny"}}, {}),
    ],
)
def test_the_first_group_is_given(decide: Callable[..., Decision], scc: JsonObject, given: JsonObject) -> None:
    made = decide(scc, {"containers": []}, groups="70/3,80-80")
    assert not made.violations
    assert {str(one.path): one.value for one in made.assignments} == given


@pytest.mark.parametrize(
    ("scc", "context", "found"),
    [
        ({"fsGroup": OWN}, {"fsGroup": 9}, []),
        ({"fsGroup": OWN}, {"fsGroup": 7}, [(FS_GROUP, "fsGroup: Invalid value: [7]: 7 is not an allowed group")]),
        ({"fsGroup": NAMESPACE}, {"fsGroup": 70}, []),
        (
            {"fsGroup": NAMESPACE},
            {"fsGroup": 71},
            [(FS_GROUP, "fsGroup: Invalid value: [71]: 71 is not an allowed group")],
        ),
        ({"supplementalGroups": NAMESPACE}, {"supplementalGroups": [72, 80]}, []),
        (
            {"supplementalGroups": NAMESPACE},
            {"supplementalGroups": [73, 70, 79]},
            [
                (f"{GROUPS}[0]", "supplementalGroups: Invalid value: [73,70,79]: 73 is not an allowed group"),
                (f"{GROUPS}[2]", "supplementalGroups: Invalid value: [73,70,79]: 79 is not an allowed group"),
            ],
        ),
        (
            {"supplementalGroups": OWN},
            {"supplementalGroups": []},
            [
                (
                    GROUPS,
                    "supplementalGroups: Invalid value: []: unable to validate empty groups against required ranges",
                )
            ],
        ),
        ({}, {"fsGroup": 0, "supplementalGroups": []}, []),
    ],
)
def test_what_is_asked_for(
    decide: Callable[..., Decision], scc: JsonObject, context: JsonObject, found: list[tuple[str, str]]
) -> None:
    made = decide(scc, {"securityContext": context, "containers": []}, groups="70/3,80-80")
    assert not made.assignments
    assert [(str(one.path), one.printed) for one in made.violations if isinstance(one, SccViolation)] == [
        (place, f"provider mine: .spec.securityContext.{text}") for place, text in found
    ]


def test_a_range_that_does_not_hold_its_first_group_refuses_what_it_gives(decide: Callable[..., Decision]) -> None:
    made = decide({"supplementalGroups": NAMESPACE}, {"containers": []}, groups="10-5")
    assert made.assignments[0].value == (10,)
    assert made.violations[0].reason == "Invalid value: [10]: 10 is not an allowed group"


def test_the_source_of_a_group_is_the_annotation_it_was_read_from(decide: Callable[..., Decision]) -> None:
    sources = [
        str(decide({"fsGroup": NAMESPACE}, {"containers": []}, **annotations).assignments[0].source)
        for annotations in ({}, {"groups": "5/2"})
    ]
    assert sources == [
        "namespace team-a metadata.annotations[openshift.io/sa.scc.uid-range]",
        "namespace team-a metadata.annotations[openshift.io/sa.scc.supplemental-groups]",
    ]
