"""What reviews of access may not say, in the words of kube-apiserver 1.36."""

from __future__ import annotations

from typing import Any

import pytest

from podward.schema.strategies.access_reviews import LOCAL_REVIEW, OWN_REVIEW, REVIEW
from podward.schema.strategies.strategy import Strategy

POD = {"verb": "get", "resource": "pods", "namespace": "d"}
REQUIREMENTS = "spec.resourceAttributes.labelSelector.requirements"
PARTS = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def faults(strategy: Strategy, obj: dict[str, Any]) -> list[str]:
    return [f"{each.path}: {each.reason}" for each in strategy.validate(obj).violations]


def labels(*requirements: object, **more: str) -> dict[str, Any]:
    return {"resourceAttributes": {**POD, "labelSelector": {"requirements": [*requirements], **more}}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"resourceAttributes": {"fieldSelector": {}}},
            [
                (
                    "spec.resourceAttributes.fieldSelector.requirements: Required value: when"
                    " spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required"
                )
            ],
        ),
        (
            labels(None),
            [
                f'{REQUIREMENTS}[0].key: Invalid value: "": name part must be non-empty',
                f'{REQUIREMENTS}[0].key: Invalid value: "": {PARTS}',
            ],
        ),
        (labels({"key": "Bad_Name!"}), [f'{REQUIREMENTS}[0].key: Invalid value: "Bad_Name!": {PARTS}']),
        (
            labels({"key": "a", "operator": "In"}),
            [f"{REQUIREMENTS}[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
        ),
        (
            labels({"key": "a", "operator": "Exists", "values": ["b"]}),
            [
                (
                    f"{REQUIREMENTS}[0].values: Forbidden: may not be specified when `operator` is 'Exists' or"
                    " 'DoesNotExist'"
                )
            ],
        ),
        (
            labels({"key": "a"}, rawSelector="a=b"),
            [
                (
                    'spec.resourceAttributes.labelSelector.rawSelector: Invalid value: "a=b": may not specified at the'
                    " same time as requirements"
                )
            ],
        ),
        (
            {"resourceAttributes": {"fieldSelector": {"requirements": [{"operator": "Newer"}]}}},
            ["spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified"],
        ),
        (
            {},
            [
                (
                    "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or"
                    " resourceAttributes must be specified"
                )
            ],
        ),
    ],
)
def test_what_may_not_be_asked(spec: dict[str, Any], said: list[str]) -> None:
    assert faults(OWN_REVIEW, {"spec": spec}) == said


def test_somebody_is_asked_about() -> None:
    assert faults(REVIEW, {"spec": {"resourceAttributes": POD}}) == [
        'spec.user: Invalid value: "": at least one of user or group must be specified'
    ]
    assert faults(REVIEW, {"spec": {"resourceAttributes": POD, "groups": ["a"]}}) == []


def test_metadata_are_empty_but_for_who_manages_them_who_is_shown() -> None:
    spec = {"user": "bob", "resourceAttributes": POD}
    managers = [{"manager": "m"}]
    assert faults(REVIEW, {"metadata": {"managedFields": managers}, "spec": spec}) == []
    assert faults(REVIEW, {"metadata": {"name": "x", "managedFields": managers}, "spec": spec}) == [
        'metadata: Invalid value: {"name":"x","managedFields":[{"manager":"m"}]}: must be empty'
    ]
    assert faults(LOCAL_REVIEW, {"metadata": {"namespace": "d"}, "spec": spec}) == []
    assert faults(LOCAL_REVIEW, {"metadata": {"namespace": "e"}, "spec": spec}) == [
        'spec.resourceAttributes.namespace: Invalid value: "d": must match metadata.namespace'
    ]
