"""A remedy's changes take the violation away; all together leave nothing but what a machine can't decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from podward.api.explanation import Change
from podward.api.json_value import JsonObject, copied_object
from podward.decision import Decision, Origin, Source, Violation
from podward.documents.patching import json_of, put
from podward.path import Key, Path
from podward.policy.scc import remedies
from podward.policy.scc.provider import Provider
from podward.policy.scc.violation import SccViolation, rule_of
from podward.schema.view import pod_view

Cases: TypeAlias = Callable[[int, int], Iterator[tuple[Provider, JsonObject]]]
Decide: TypeAlias = Callable[..., Decision]

NOT_MECHANICAL = {"volumes", "flexVolumes"}
BY_PLACE = {"hostPorts"}
BY_VALUE = {"capabilities", "sysctls", "supplementalGroups"}


def changed(raw: JsonObject, changes: tuple[Change, ...]) -> JsonObject:
    """A copy of the Pod with these changes; taking away what is not there is nothing."""
    copy = copied_object(raw)
    for change in changes:
        if change.value is None:
            take_away(copy, change.path)
        else:
            put(copy, change.path, json_of(change.value))
    return copy


def take_away(raw: JsonObject, place: Path) -> None:
    node: Any = raw
    steps = [segment.name if isinstance(segment, Key) else segment for segment in place.segments]
    for step in steps[:-1]:
        if isinstance(node, dict) and node.get(step) is None:
            return
        node = node[step]
    node.pop(steps[-1], None)


def about(violation: Violation) -> tuple[str, object]:
    """What stays the same of a violation when other items of its list go."""
    assert isinstance(violation, SccViolation)
    printed_path = violation.printed.removesuffix(violation.reason)
    if violation.rule in BY_PLACE:
        return violation.rule, str(violation.path)
    return violation.rule, (printed_path, violation.value if violation.rule in BY_VALUE else None)


def own_faults(provider: Provider) -> set[str]:
    """The rules by which the SCC refuses even a Pod that says nothing, but that it has users of its own."""
    silent = {"metadata": {"name": "p"}, "spec": {"hostUsers": False, "containers": [{"name": "c"}]}}
    return {rule_of(violation) for violation in provider.decide(pod_view(silent)).violations}  # type: ignore[arg-type]  # a Pod is JSON


def test_every_remedy_takes_its_violation_away(random_cases: Cases) -> None:
    cured: set[str] = set()
    for provider, raw in random_cases(5, 500):
        pod = pod_view(raw)
        decision = provider.decide(pod)
        broken = own_faults(provider)
        for violation in decision.violations:
            made = remedies.remedy(pod, violation, decision)
            assert made.sentence.endswith(".")
            if rule_of(violation) in NOT_MECHANICAL:
                assert not made.changes
            elif rule_of(violation) not in broken:
                assert made.changes, violation
                after = provider.decide(pod_view(changed(raw, made.changes))).violations
                assert about(violation) not in {about(other) for other in after}, (violation, made)
                assert len({change.path for change in made.changes}) == len(made.changes)
                cured.add(rule_of(violation))
    assert cured == remedies.RULES - NOT_MECHANICAL


def test_all_remedies_together_leave_only_volumes(random_cases: Cases) -> None:
    tried = 0
    for provider, raw in random_cases(6, 500):
        pod = pod_view(raw)
        decision = provider.decide(pod)
        made = [remedies.remedy(pod, violation, decision).changes for violation in decision.violations]
        changes = dict.fromkeys(change for each in made for change in each if not isinstance(change.value, tuple))
        lists = {change.path: change for each in made for change in each if isinstance(change.value, tuple)}
        after = provider.decide(pod_view(changed(raw, (*changes, *lists.values()))))
        left = {rule_of(violation) for violation in after.violations}
        assert left <= NOT_MECHANICAL | own_faults(provider)
        tried += bool(decision.violations)
    assert tried > 400


def changes_of(
    decide: Decide, scc: JsonObject, spec: JsonObject, notes: dict[str, str] | None = None
) -> dict[str, Any]:
    decision = decide(scc, spec, notes)
    pod = pod_view({"metadata": {"name": "p", "annotations": dict(notes or {})}, "spec": spec})
    first = remedies.remedy(pod, decision.violations[0], decision)
    return {str(change.path): change.value for change in first.changes}


def containers(*contexts: JsonObject) -> list[Any]:
    return [{"name": f"c{index}", "securityContext": context} for index, context in enumerate(contexts)]


RANGE: JsonObject = {"runAsUser": {"type": "MustRunAsRange"}}
POD_UID = "spec.securityContext.runAsUser"
ESCALATION = "allowPrivilegeEscalation"
C0 = "spec.containers[0].securityContext"


@pytest.mark.parametrize(
    ("scc", "pod", "contexts", "expected"),
    [
        (RANGE, {}, [{"runAsUser": 5}], {f"{C0}.runAsUser": None}),
        # Nobody inherits the Pod's uid so far, and nobody knows whether it would do.
        (RANGE, {"runAsUser": 7}, [{"runAsUser": 5}], {f"{C0}.runAsUser": None, POD_UID: None}),
        # The second container shows that it does.
        (RANGE, {"runAsUser": 1001}, [{"runAsUser": 5}, {}], {f"{C0}.runAsUser": None}),
        (RANGE, {"runAsUser": 7}, [{}], {POD_UID: None}),
        (
            {"runAsUser": {"type": "MustRunAsNonRoot"}},
            {},
            [{"runAsUser": 0, "runAsNonRoot": False}],
            {f"{C0}.runAsNonRoot": True, f"{C0}.runAsUser": None},
        ),
        (
            {"allowedCapabilities": ["A"]},
            {},
            [{"capabilities": {"add": ["B", "A", "C"]}}],
            {f"{C0}.capabilities.add": ("A",)},
        ),
        ({"allowedCapabilities": []}, {}, [{"capabilities": {"add": ["B"]}}], {f"{C0}.capabilities.add": None}),
        (
            {"supplementalGroups": {"type": "MustRunAs"}},
            {"supplementalGroups": [1, 1000, 2]},
            [],
            {"spec.securityContext.supplementalGroups": (1000,)},
        ),
        (
            {"supplementalGroups": {"type": "MustRunAs"}},
            {"supplementalGroups": []},
            [],
            {"spec.securityContext.supplementalGroups": None},
        ),
        ({ESCALATION: False}, {}, [{ESCALATION: True}], {f"{C0}.{ESCALATION}": False}),
        ({"allowPrivilegedContainer": False}, {}, [{"privileged": True}], {f"{C0}.privileged": None}),
        ({"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 9, "uidRangeMax": 3}}, {}, [{}], {}),
    ],
)  # fmt: skip
def test_the_smallest_change(
    decide: Decide, scc: JsonObject, pod: JsonObject, contexts: list[JsonObject], expected: dict[str, Any]
) -> None:
    assert changes_of(decide, scc, {"securityContext": pod, "containers": containers(*contexts)}) == expected


def test_a_profile_goes_wherever_it_is_written(decide: Decide) -> None:
    key, pod_key = "container.seccomp.security.alpha.kubernetes.io/c0", "seccomp.security.alpha.kubernetes.io/pod"
    spec: JsonObject = {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers({"seccompProfile": {"type": "Unconfined"}}),
    }
    scc: JsonObject = {"seccompProfiles": ["runtime/default"]}
    assert changes_of(decide, scc, spec, {key: "unconfined"}) == {
        f"metadata.annotations[{key}]": None,
        f"{C0}.seccompProfile": None,
    }
    assert changes_of(decide, scc, spec, {pod_key: "unconfined"}) == {
        f"metadata.annotations[{pod_key}]": None,
        "spec.securityContext.seccompProfile": None,
    }


def test_the_network_of_the_node_goes_with_its_ports(decide: Decide) -> None:
    spec: JsonObject = {"hostNetwork": True, "containers": [{"name": "c", "ports": [{"hostPort": 80}]}]}
    assert changes_of(decide, {"allowHostPorts": False}, spec) == {
        "spec.hostNetwork": None,
        "spec.containers[0].ports[0].hostPort": None,
    }


def test_where_no_rule_refused_it_is_a_matter_of_access() -> None:
    violation = SccViolation(Path(), None, "not usable", Source(Origin.POLICY, "scc x"), printed="provider x")
    made = remedies.remedy(pod_view({}), violation, Decision(violations=(violation,)))
    assert made == remedies.SccRemedy("Let the Pod's service account use an SCC that the Pod fits.")
