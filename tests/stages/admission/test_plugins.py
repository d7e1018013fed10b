"""What plugins make of requests other than the creation of a Pod, and in which words they refuse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from podward.access.policies import rbac_of
from podward.api.admission import NAMESPACES, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta, Pod
from podward.policy.scc.documents import sccs_in_force
from podward.schema.view import pod_view
from podward.stages.admission.cluster import NOBODY, AdmissionFacts, InMemoryCluster
from podward.stages.admission.order import PLUGINS, Admitted, decide

Json = dict[str, Any]
ADMIN = User("root", ("system:masters", "system:authenticated"))
ALICE = User("alice", ("system:authenticated",))
RANGES: dict[str, str | None] = {
    "openshift.io/sa.scc.uid-range": "1000230000/10000",
    "openshift.io/sa.scc.mcs": "s0:c15,c10",
}
SCCS = tuple(source.view for source in sccs_in_force(()))
RBAC = rbac_of(())
LABEL = "pod-security.kubernetes.io/"


class Busy(InMemoryCluster):
    """A cluster whose namespaces all have these Pods."""

    def pods(self, namespace: str) -> Iterable[Pod]:
        return (pod_view(pod(hostNetwork=True)), pod_view(pod())) if namespace == "shop" else ()


def pod(**spec: Any) -> Json:  # noqa: ANN401  # JSON
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def cluster(sccs: bool = False, **labels: str) -> InMemoryCluster:  # noqa: FBT001, FBT002  # a fact about the cluster
    metadata = ObjectMeta(name="shop", labels={LABEL + name: text for name, text in labels.items()}, annotations=RANGES)
    return Busy(SCCS if sccs else None, RBAC if sccs else NOBODY, {"shop": Namespace(metadata)})


def asked(request: AdmissionRequest, of: InMemoryCluster) -> Admitted:
    return decide(AdmissionFacts(request, of), PLUGINS)


# --- updates of Pods ----------------------------------------------------------------------------------------------


def update(new: Json, old: Json, subresource: str = "", user: User = ALICE) -> AdmissionRequest:
    return AdmissionRequest(Operation.UPDATE, new, user, "shop", "p", old, subresource=subresource)


def test_an_update_is_held_to_the_standard_only_where_it_matters() -> None:
    held = cluster(enforce="baseline")
    labelled = {**pod(hostNetwork=True), "metadata": {"name": "p", "labels": {"a": "b"}}}
    assert not asked(update(labelled, pod(hostNetwork=True)), held).refused
    other: Json = pod(hostNetwork=True, containers=[{"name": "c", "image": "j"}])
    assert asked(update(other, pod(hostNetwork=True)), held).refused
    assert not asked(update(other, pod(hostNetwork=True), "status"), held).refused


def test_an_update_must_fit_an_scc_that_sets_nothing() -> None:
    held = cluster(sccs=True)
    created = asked(AdmissionRequest(Operation.CREATE, pod(), ALICE, "shop"), held)
    assert not created.refused
    stored: Json = created.stored
    assert not asked(update(stored, stored), held).refused
    unsettled = {**pod(), "metadata": {"name": "p", "labels": {"a": "b"}}}
    assert asked(update(unsettled, pod()), held).refused
    changed = {**stored, "spec": {**stored["spec"], "hostNetwork": True}}
    assert asked(update(changed, stored), held).refused
    assert not asked(update(changed, stored, user=ADMIN), held).refused


def test_a_debug_container_gets_what_the_scc_gives_it() -> None:
    held = cluster(sccs=True)
    stored: Json = asked(AdmissionRequest(Operation.CREATE, pod(), ALICE, "shop"), held).stored
    debugged = {**stored, "spec": {**stored["spec"], "ephemeralContainers": [{"name": "d", "image": "i"}]}}
    found = asked(update(debugged, stored, "ephemeralcontainers"), held)
    assert not found.refused
    (container,) = found.pod.spec.ephemeral_containers or ()
    assert container.security_context is not None
    assert container.security_context.run_as_user == 1000230000


@pytest.mark.parametrize("subresource", ["binding", "eviction"])
def test_what_is_no_pod_is_not_taken_for_one(subresource: str) -> None:
    request = AdmissionRequest(
        Operation.CREATE, {"target": 1, "spec": "x"}, ALICE, "shop", "p", subresource=subresource
    )
    assert asked(request, cluster(sccs=True, enforce="restricted")).outcomes == ()


def test_deleting_and_connecting_are_none_of_their_business() -> None:
    held = cluster(sccs=True, enforce="restricted")
    assert not asked(AdmissionRequest(Operation.DELETE, None, ALICE, "shop", "p", pod()), held).refused
    connect = AdmissionRequest(Operation.CONNECT, {"command": ["sh"]}, ALICE, "shop", "p", subresource="exec")
    assert not asked(connect, held).refused


def test_a_dry_run_is_decided_like_any_other() -> None:
    held = cluster(sccs=True)
    real, dry = (AdmissionRequest(Operation.CREATE, pod(), ALICE, "shop", dry_run=run) for run in (False, True))
    assert asked(dry, held).stored == asked(real, held).stored


# --- workloads and namespaces -------------------------------------------------------------------------------------

TEMPLATE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": pod(hostNetwork=True)["spec"]}
WORKLOADS = [
    ("", "podtemplates", {"template": TEMPLATE}),
    ("", "replicationcontrollers", {"spec": {"template": TEMPLATE}}),
    ("apps", "daemonsets", {"spec": {"template": TEMPLATE}}),
    ("apps", "deployments", {"spec": {"template": TEMPLATE}}),
    ("apps", "replicasets", {"spec": {"template": TEMPLATE}}),
    ("apps", "statefulsets", {"spec": {"template": TEMPLATE}}),
    ("batch", "cronjobs", {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}}),
    ("batch", "jobs", {"spec": {"template": TEMPLATE}}),
]


@pytest.mark.parametrize(("group", "resource", "raw"), WORKLOADS)
def test_a_workload_is_warned_about_and_never_refused(group: str, resource: str, raw: Json) -> None:
    request = AdmissionRequest(Operation.CREATE, raw, ALICE, "shop", resource=GroupResource(group, resource))
    found = asked(request, cluster(enforce="restricted"))
    assert not found.refused
    assert [warning.split(":")[0] for warning in found.warnings] == ['would violate PodSecurity "restricted']
    assert asked(request, cluster(sccs=True)).selection is None


def test_a_workload_of_a_namespace_that_is_not_there_is_let_through_and_its_pod_is_not() -> None:
    resource = GroupResource("apps", "deployments")
    workload = AdmissionRequest(Operation.CREATE, {"spec": {"template": TEMPLATE}}, ALICE, "none", resource=resource)
    assert not asked(workload, cluster()).refused
    named = AdmissionRequest(Operation.CREATE, {**pod(), "metadata": {"generateName": "p-"}}, ALICE, "none")
    (violation,) = asked(named, cluster()).decision.violations
    assert violation.reason == 'pods "p-" is forbidden: failed to lookup namespace "none"'


def namespace(**labels: str) -> Json:
    return {"metadata": {"name": "shop", "labels": {LABEL + name: text for name, text in labels.items()}}}


def test_a_namespace_with_labels_that_do_not_parse_is_refused() -> None:
    request = AdmissionRequest(Operation.CREATE, namespace(enforce="typo"), ALICE, "shop", resource=NAMESPACES)
    (violation,) = asked(request, cluster()).decision.violations
    assert violation.reason.startswith('Namespace "shop" is invalid: metadata.labels')


def test_a_namespace_that_becomes_stricter_warns_about_the_pods_that_are_there() -> None:
    new, old = namespace(enforce="baseline"), namespace()
    request = AdmissionRequest(Operation.UPDATE, new, ALICE, "shop", "shop", old, resource=NAMESPACES)
    found = asked(request, cluster())
    assert not found.refused
    assert found.warnings[0].startswith('existing pods in namespace "shop" violate the new PodSecurity enforce level')
    assert len(found.warnings) == 2


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "name", "said"),
    [
        ({"name": "web"}, "", "web"),
        ({"generateName": "web-"}, "", "web-"),
        ({"generateName": "web-"}, "web-x", "web-x"),
        ({}, "", "Unknown"),
    ],
)
def test_who_has_no_service_account_is_refused_by_name(metadata: Json, name: str, said: str) -> None:
    """Recorded of kube-apiserver 1.36.2 for a Pod that has a name."""
    held = cluster()
    held.service_accounts = frozenset()
    raw = {**pod(serviceAccountName="ghost"), "metadata": metadata}
    (violation,) = asked(AdmissionRequest(Operation.CREATE, raw, ALICE, "shop", name), held).decision.violations
    missing = 'error looking up service account shop/ghost: serviceaccount "ghost" not found'
    assert violation.reason == f'pods "{said}" is forbidden: {missing}'
