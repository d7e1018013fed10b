"""What holds for every Pod, whatever is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from proofs import examples

from podward.api.json_value import Json, JsonObject, copied_object
from podward.path import Key, Path
from podward.policy.pss.check import facts_of
from podward.policy.pss.standard import LATEST, Level, Version
from podward.policy.pss.standards import CHECKS, NEWEST, checks_of, effective_minor, evaluate, evaluate_facts
from podward.schema.view import pod_view

Pods = Callable[[int, int], list[JsonObject]]
BOUNDARIES = sorted({revision.since for check in CHECKS for revision in check.revisions})
NOT_THE_FIELD = {"hostPathVolumes", "restrictedVolumes"}
"""Checks whose violations name a part of the object at their place, not all of it."""


def at(raw: JsonObject, place: Path) -> tuple[bool, Json]:
    """Whether anything is written at a place, and what."""
    node: Any = raw
    for segment in place.segments:
        step = segment.name if isinstance(segment, Key) else segment
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return False, None
    return node is not None, node


def allows(level: Level, minor: int, raw: JsonObject) -> bool:
    return not evaluate(level, Version(minor), pod_view(raw))


def test_every_violation_is_at_a_field_that_is_there_or_that_is_missing(random_pods: Pods) -> None:
    seen: set[str] = set()
    for raw in random_pods(1, 600):
        for minor in BOUNDARIES:
            facts = facts_of(pod_view(raw))
            every = [evaluate_facts(level, Version(minor), facts) for level in (Level.BASELINE, Level.RESTRICTED)]
            for result in (*every[0], *every[1]):
                seen.add(result.check)
                assert result.decision.violations
                assert not result.decision.assignments
                for violation in result.decision.violations:
                    there, value = at(raw, violation.path)
                    if violation.value is None:
                        assert not there or violation.path.segments[:2] == ("spec", "volumes"), violation
                    elif result.check not in NOT_THE_FIELD:
                        assert (value if there else "") == (
                            list(violation.value) if isinstance(violation.value, tuple) else violation.value
                        ), violation
                    else:
                        assert there, violation
                    assert violation.reason.endswith(".")
                    assert violation.reason[0].isupper()
                    assert result.check in violation.source.name
    assert seen == {check.id for check in CHECKS}


def test_no_place_is_named_twice_by_a_check(random_pods: Pods) -> None:
    for raw in random_pods(2, 400):
        for result in evaluate(Level.RESTRICTED, LATEST, pod_view(raw)):
            places = [violation.path for violation in result.decision.violations]
            assert len(places) == len(set(places)), result


@pytest.mark.proof
def test_what_restricted_allows_baseline_allows_but_for_windows(random_pods: Pods) -> None:
    allowed = 0
    pods = tamed(random_pods(3, examples(1000, 4000)))
    for raw in pods:
        for minor in BOUNDARIES:
            if allows(Level.RESTRICTED, minor, raw):
                allowed += 1
                assert allows(Level.BASELINE, minor, raw) or raw["spec"]["os"]["name"] == "windows"  # type: ignore[index,call-overload]
                assert allows(Level.PRIVILEGED, minor, raw)
    assert allowed > len(pods) * 3 / 40


def tamed(pods: list[JsonObject]) -> list[JsonObject]:
    """Pods with what restricted asks for, so that some of them pass; other fields stay as they are."""
    for raw in pods:
        spec: Any = raw["spec"]
        for field in ("containers", "initContainers", "ephemeralContainers"):
            for container in spec.get(field, ()):
                container["securityContext"] = {
                    **container.get("securityContext", {}),
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                }
                container.pop("ports", None)
    return pods


def test_a_version_above_the_newest_is_the_newest(random_pods: Pods) -> None:
    assert NEWEST == 37
    for raw in random_pods(4, 200):
        pod = pod_view(raw)
        for level in Level:
            newest = evaluate(level, Version(37), pod)
            for version in (LATEST, Version(38), Version(99), Version(1 << 62)):
                assert evaluate(level, version, pod) == newest


def test_between_two_revisions_nothing_changes(random_pods: Pods) -> None:
    for raw in random_pods(5, 60):
        facts = facts_of(pod_view(raw))
        for level in (Level.BASELINE, Level.RESTRICTED):
            for minor in range(1, NEWEST + 1):
                if minor not in BOUNDARIES:
                    before = evaluate_facts(level, Version(minor - 1), facts)
                    assert evaluate_facts(level, Version(minor), facts) == before


def test_results_come_in_the_order_of_the_checks_and_only_from_those_of_the_level(random_pods: Pods) -> None:
    for raw in random_pods(6, 300):
        for level in Level:
            for minor in BOUNDARIES:
                asked = [check.id for check in checks_of(level, Version(minor))]
                given = [result.check for result in evaluate(level, Version(minor), pod_view(raw))]
                assert given == [name for name in asked if name in given]


def test_each_check_answers_for_itself(random_pods: Pods) -> None:
    for raw in random_pods(7, 300):
        facts = facts_of(pod_view(raw))
        for minor in BOUNDARIES:
            one_by_one = []
            for check in checks_of(Level.RESTRICTED, Version(minor)):
                revision = check.revision(minor)
                assert revision is not None
                result = revision.rule(facts)
                one_by_one += [result] if result is not None else []
            assert evaluate_facts(Level.RESTRICTED, Version(minor), facts) == tuple(one_by_one)


def test_a_container_more_never_makes_a_pod_better(random_pods: Pods) -> None:
    for raw in random_pods(8, 400):
        fewer = copied_object(raw)
        for field in ("initContainers", "ephemeralContainers"):
            fewer["spec"].pop(field, None)  # type: ignore[union-attr,call-arg,arg-type]
        for minor in BOUNDARIES:
            names = {result.check for result in evaluate(Level.RESTRICTED, Version(minor), pod_view(raw))}
            kept = {result.check for result in evaluate(Level.RESTRICTED, Version(minor), pod_view(fewer))}
            gone = kept - names
            assert gone <= {"seccompProfile_baseline"}, gone


def test_fields_that_no_check_reads_change_nothing(random_pods: Pods) -> None:
    for raw in random_pods(9, 200):
        more = copied_object(raw)
        more["spec"] |= {"nodeName": "n", "tolerations": [], "mystery": {"privileged": True}}  # type: ignore[operator]
        more["status"] = {"phase": "Running"}
        assert evaluate(Level.RESTRICTED, LATEST, pod_view(more)) == evaluate(Level.RESTRICTED, LATEST, pod_view(raw))


@pytest.mark.parametrize("minor", range(NEWEST + 1))
def test_versions_differ_only_as_the_table_says(minor: int) -> None:
    names = [check.id for check in checks_of(Level.RESTRICTED, Version(minor))]
    assert ("allowPrivilegeEscalation" in names) == (minor >= 8)
    assert ("seccompProfile_restricted" in names) == (minor >= 19)
    assert ("seccompProfile_baseline" in names) == (minor < 19)
    assert ("capabilities_restricted" in names) == (minor >= 22)
    assert ("capabilities_baseline" in names) == (minor < 22)
    assert ("runAsUser" in names) == (minor >= 23)
    assert ("hostProbesAndHostLifecycle" in names) == (minor >= 34)
    assert ("procMount_restricted" in names) == (minor >= 35)
    assert ("procMount" in names) == (minor < 35)
    assert "hostPathVolumes" not in names
    assert {"restrictedVolumes", "runAsNonRoot", "hostPorts"} <= set(names)
    assert effective_minor(Version(minor)) == minor


def test_baseline_has_twelve_checks_and_privileged_none() -> None:
    assert [check.id for check in checks_of(Level.BASELINE, LATEST)] == [
        "appArmorProfile",
        "capabilities_baseline",
        "hostNamespaces",
        "hostPathVolumes",
        "hostPorts",
        "hostProbesAndHostLifecycle",
        "privileged",
        "procMount",
        "seLinuxOptions",
        "seccompProfile_baseline",
        "sysctls",
        "windowsHostProcess",
    ]
    assert checks_of(Level.PRIVILEGED, LATEST) == ()


def test_the_table_is_sorted_by_level_and_id_and_revisions_by_version() -> None:
    keys = [(check.level is Level.RESTRICTED, check.id.encode()) for check in CHECKS]
    assert keys == sorted(keys)
    assert len({check.id for check in CHECKS}) == len(CHECKS) == 19
    baseline = {check.id for check in CHECKS if check.level is Level.BASELINE}
    for check in CHECKS:
        since = [revision.since for revision in check.revisions]
        assert since == sorted(set(since))
        overridden = {name for revision in check.revisions for name in revision.overrides}
        assert overridden <= (baseline if check.level is Level.RESTRICTED else set())
