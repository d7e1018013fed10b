"""seLinuxContext: which label is given, and what is refused of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

FROM_NAMESPACE: JsonObject = {"seLinuxContext": {"type": "MustRunAs"}}


def run(decide: Callable[..., Decision], scc: JsonObject, pod: JsonObject | None, container: JsonObject) -> Decision:
    spec = {"securityContext": {"seLinuxOptions": pod}, "containers": [{"name": "c", "securityContext": container}]}
    return decide(scc, spec)


def with_label(**parts: str) -> JsonObject:
    return {"seLinuxContext": {"type": "MustRunAs", "seLinuxOptions": dict(parts)}}


@pytest.mark.parametrize(
    ("scc", "given"),
    [
        (FROM_NAMESPACE, {"level": "s0:c1,c0"}),
        (with_label(type="t", user=""), {"level": "s0:c1,c0", "type": "t"}),
        (with_label(level="s9", role="r", user="u"), {"level": "s9", "role": "r", "user": "u"}),
    ],
)
def test_the_pod_is_given_the_label_and_its_containers_none(
    decide: Callable[..., Decision], scc: JsonObject, given: JsonObject
) -> None:
    made = run(decide, scc, None, {})
    assert [(str(one.path), one.value) for one in made.assignments] == [("spec.securityContext.seLinuxOptions", given)]
    assert not made.violations


@pytest.mark.parametrize("level", ["s0:c1,c0", "s0:c0,c1"])
def test_categories_have_no_order(decide: Callable[..., Decision], level: str) -> None:
    assert run(decide, FROM_NAMESPACE, {"level": level}, {"seLinuxOptions": {"level": level}}) == Decision()


def test_categories_have_no_order_on_either_side(decide: Callable[..., Decision]) -> None:
    assert run(decide, with_label(level="s0:c5,c1,c3"), {"level": "s0:c3,c5,c1"}, {}) == Decision()


@pytest.mark.parametrize("level", ["", "s0", "s1:c1,c0", "s0:c1,c0,c0", "s0:c0.c1", "s0:c1, c0", "s0:c1,c0:x"])
def test_other_levels_are_refused(decide: Callable[..., Decision], level: str) -> None:
    (violation, again) = run(decide, FROM_NAMESPACE, {"level": level}, {}).violations
    assert isinstance(violation, SccViolation)
    assert isinstance(again, SccViolation)
    text = f'Invalid value: "{level}": must be s0:c1,c0'
    assert violation.printed == f"provider mine: .spec.securityContext.seLinuxOptions.level: {text}"
    assert again.printed == f"provider mine: .containers[0].seLinuxOptions.level: {text}"
    assert str(again.path) == "spec.securityContext.seLinuxOptions.level"


def test_every_part_is_compared_level_role_type_user(decide: Callable[..., Decision]) -> None:
    own: JsonObject = {"seLinuxOptions": {"level": "x", "role": "x", "type": "x", "user": "x"}}
    made = run(decide, with_label(level="s0", type="t"), None, own)
    assert [(str(one.path), one.reason) for one in made.violations] == [
        ("spec.containers[0].securityContext.seLinuxOptions.level", 'Invalid value: "x": must be s0'),
        ("spec.containers[0].securityContext.seLinuxOptions.role", 'Invalid value: "x": must be '),
        ("spec.containers[0].securityContext.seLinuxOptions.type", 'Invalid value: "x": must be t'),
        ("spec.containers[0].securityContext.seLinuxOptions.user", 'Invalid value: "x": must be '),
    ]


def test_any_label_will_do(decide: Callable[..., Decision]) -> None:
    assert run(decide, {}, {"level": "x"}, {"seLinuxOptions": {"type": "spc_t"}}) == Decision()
