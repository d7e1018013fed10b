"""A cluster is looked up anew for every request: what was changed in it counts at once."""

from __future__ import annotations

import msgspec
import pytest

from podward.access.chain import Chain
from podward.access.policies import rbac_of
from podward.api.admission import AdmissionRequest, Operation
from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.api.json_value import JsonObject
from podward.check.policy_set import PolicySet
from podward.documents.raw_fields import member
from podward.policy.pss.labels import Configuration, Exemptions, Policy
from podward.policy.pss.standard import Level, Standard
from podward.policy.scc.documents import sccs_in_force
from podward.stages.admission.cluster import NOBODY, AdmissionFacts, Cluster, InMemoryCluster
from podward.stages.admission.order import Admitted, decide

LABEL = "pod-security.kubernetes.io/enforce"
ALICE = User("alice", ("system:authenticated",))
SCCS = tuple(source.view for source in sccs_in_force(()))
RBAC = rbac_of(())
POD: JsonObject = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def namespace(enforce: str = "", first: int = 1000230000) -> Namespace:
    annotations = {"openshift.io/sa.scc.uid-range": f"{first}/10000", "openshift.io/sa.scc.mcs": "s0:c15,c10"}
    labels: dict[str, str | None] = {LABEL: enforce} if enforce else {}
    return Namespace(ObjectMeta(name="shop", labels=labels, annotations={**annotations}))


def create(cluster: Cluster) -> Admitted:
    return decide(AdmissionFacts(AdmissionRequest(Operation.CREATE, POD, ALICE, "shop"), cluster))


def uid(found: Admitted) -> object:
    containers = member(found.stored, "spec")["containers"]
    assert isinstance(containers, list)
    assert isinstance(containers[0], dict)
    return member(containers[0], "securityContext")["runAsUser"]


def test_another_label_of_the_namespace_counts_for_the_next_request() -> None:
    namespaces = {"shop": namespace()}
    cluster = InMemoryCluster(None, NOBODY, namespaces)
    assert not create(cluster).refused
    namespaces["shop"] = namespace("restricted")
    assert "violates PodSecurity" in create(cluster).decision.violations[0].reason
    namespaces["shop"] = namespace()
    assert not create(cluster).refused


def test_labels_that_are_changed_in_place_count_too() -> None:
    there = namespace()
    cluster = InMemoryCluster(None, NOBODY, {"shop": there})
    assert not create(cluster).refused
    assert isinstance(there.metadata.labels, dict)
    there.metadata.labels[LABEL] = "restricted"
    assert create(cluster).refused


def test_another_range_of_the_namespace_counts_for_the_next_request() -> None:
    namespaces = {"shop": namespace()}
    cluster = InMemoryCluster(SCCS, RBAC, namespaces)
    assert uid(create(cluster)) == 1000230000
    namespaces["shop"] = namespace(first=1000650000)
    assert uid(create(cluster)) == 1000650000
    del namespaces["shop"]
    assert 'namespace "shop" not found' in create(cluster).decision.violations[0].reason


def test_another_scc_counts_for_the_next_request() -> None:
    cluster = InMemoryCluster(SCCS, RBAC, {"shop": namespace()})
    assert uid(create(cluster)) == 1000230000
    place = next(index for index, scc in enumerate(SCCS) if scc.metadata.name == "restricted-v2")
    user = msgspec.structs.replace(SCCS[place].run_as_user, type="MustRunAs", uid=7)
    changed = msgspec.structs.replace(SCCS[place], run_as_user=user)
    cluster.sccs = (*SCCS[:place], changed, *SCCS[place + 1 :])
    assert uid(create(cluster)) == 7
    cluster.sccs = SCCS[1:]
    assert "cache is missing" in create(cluster).decision.violations[0].reason
    cluster.sccs = None
    assert create(cluster).selection is None


def test_rights_that_are_withdrawn_count_for_the_next_request() -> None:
    cluster = InMemoryCluster(SCCS, RBAC, {"shop": namespace()})
    assert not create(cluster).refused
    cluster.authorizer = Chain()
    assert create(cluster).refused


def test_a_service_account_must_be_one_of_those_that_are_there() -> None:
    cluster = InMemoryCluster(None, NOBODY, {"shop": namespace()}, service_accounts=frozenset((("shop", "builder"),)))
    said = create(cluster).decision.violations[0].reason
    missing = 'error looking up service account shop/default: serviceaccount "default" not found'
    assert said == f'pods "p" is forbidden: {missing}'
    cluster.service_accounts = frozenset((("shop", "default"),))
    assert not create(cluster).refused


def test_the_configuration_holds_where_no_label_says_anything() -> None:
    restricted = Policy(enforce=Standard(Level.RESTRICTED))
    held = InMemoryCluster(None, NOBODY, {"shop": namespace()}, Configuration(restricted))
    assert create(held).refused
    exempt = Configuration(restricted, Exemptions(usernames=frozenset(("alice",))))
    assert not create(InMemoryCluster(None, NOBODY, {"shop": namespace()}, exempt)).refused


@pytest.mark.parametrize("enforce", ["", "restricted"])
def test_a_check_looks_at_its_namespaces_anew_too(enforce: str) -> None:
    namespaces = {"shop": namespace()}
    held = PolicySet(namespaces, Standard(Level.PRIVILEGED))
    assert not create(held).refused
    namespaces["shop"] = namespace(enforce, 1000650000)
    assert create(held).refused == bool(enforce)
    assert (held.namespace("shop").metadata.annotations or {})["openshift.io/sa.scc.uid-range"] == "1000650000/10000"
