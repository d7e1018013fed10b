"""Ephemeral containers are asked about one by one, as updates of a Pod that is there."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.admission import AdmissionRequest, Operation
from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.cli.policies import gather
from podward.errors import LimitError
from podward.path import path
from podward.stages.admission.cluster import AdmissionFacts, InMemoryCluster
from podward.stages.admission.debugging import MOST, Debugged, debugged
from podward.stages.admission.order import decide

Json = dict[str, Any]
ALICE = User("alice", ("system:authenticated",))
RANGES: dict[str, str | None] = {
    "openshift.io/sa.scc.uid-range": "1000230000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000230000/10000",
    "openshift.io/sa.scc.mcs": "s0:c15,c10",
}
SHIPPED = gather()
SCCS = tuple(source.view for source in SHIPPED.sccs)
PRIVILEGED = {"securityContext": {"privileged": True}}
EPHEMERAL = path("spec", "ephemeralContainers")


def cluster(*, openshift: bool, labels: dict[str, str | None] | None = None) -> InMemoryCluster:
    there = Namespace(ObjectMeta(name="shop", labels=labels or {}, annotations=RANGES if openshift else {}))
    return InMemoryCluster(SCCS if openshift else None, SHIPPED.rbac, {"shop": there})


def asked(where: InMemoryCluster, *containers: Json, user: User = ALICE) -> Debugged:
    raw: Json = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    facts = AdmissionFacts(AdmissionRequest(Operation.CREATE, raw, user, "shop"), where)
    created = decide(facts)
    assert not created.refused
    named = [{"name": f"d{number}", "image": "i", **each} for number, each in enumerate(containers)]
    return debugged(facts, created.stored, named)


def there(found: Debugged) -> list[Json]:
    spec: Any = found.stored["spec"]
    return spec.get("ephemeralContainers", [])  # type: ignore[no-any-return]  # JSON


def test_pod_security_refuses_the_one_that_violates_the_namespaces_standard() -> None:
    enforced = cluster(openshift=False, labels={"pod-security.kubernetes.io/enforce": "baseline"})
    found = asked(enforced, {}, PRIVILEGED, {})
    assert [each["name"] for each in there(found)] == ["d0", "d2"]
    (refused,) = found.refused
    assert (refused.index, refused.name) == (1, "d1")
    (violation,) = refused.decision.violations
    assert violation.path == EPHEMERAL / 1
    assert violation.reason == (
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": '
        'privileged (container "d1" must not set securityContext.privileged=true)'
    )


def test_a_namespace_that_only_warns_lets_it_in_and_warns() -> None:
    warned = cluster(openshift=False, labels={"pod-security.kubernetes.io/warn": "baseline"})
    found = asked(warned, PRIVILEGED)
    assert [each["name"] for each in there(found)] == ["d0"]
    assert [len(answer.warnings) for answer in found.answers] == [1]


def test_an_scc_sets_what_is_inside_of_them_and_nothing_else() -> None:
    found = asked(cluster(openshift=True), PRIVILEGED, {})
    (let_in,) = there(found)
    assert let_in["securityContext"]["runAsUser"] == 1000230000
    assert {a.path.segments[:3] for a in found.decision.assignments} == {("spec", "ephemeralContainers", 1)}
    annotations: Any = found.stored["metadata"]["annotations"]  # type: ignore[index,call-overload]
    assert annotations["openshift.io/scc"] == "restricted-v2"
    (refused,) = found.refused
    assert "Privileged containers are not allowed" in refused.decision.violations[0].reason


def test_the_annotations_of_the_pod_stay_whatever_scc_lets_the_container_in() -> None:
    root = User("root", ("system:masters", "system:authenticated"))
    found = asked(cluster(openshift=True), PRIVILEGED, user=root)
    assert [each["name"] for each in there(found)] == ["d0"]
    before: Any = asked(cluster(openshift=True), user=root).stored["metadata"]
    assert found.stored["metadata"] == before


def test_what_is_no_valid_ephemeral_container_is_told_by_its_field() -> None:
    found = asked(cluster(openshift=False), {"ports": [{"containerPort": 80}]})
    (refused,) = found.refused
    assert refused.invalid
    assert [violation.path for violation in refused.decision.violations] == [EPHEMERAL / 0 / "ports"]


def test_so_many_that_nobody_adds_them_are_not_asked_about() -> None:
    with pytest.raises(LimitError):
        asked(cluster(openshift=False), *[{}] * (MOST + 1))
