"""Which objects of a document are policies, and which of them are in force."""

from __future__ import annotations

import pytest

from podward.access.policies import describes_openshift, each_once, in_force, policies_of, rbac_of, require_sound
from podward.api.authorization import Opinion
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.documents.document import Document
from podward.errors import InputError
from podward.policy.scc.access import use_of
from podward.policy.scc.default_set import NAMES
from podward.schema.objects import Item

RBAC = "rbac.authorization.k8s.io/v1"
EVERYBODY = User("alice", ("system:authenticated",))


def items(*objects: JsonObject) -> tuple[Item, ...]:
    return policies_of(Document("f.yaml", {"apiVersion": "v1", "kind": "List", "items": [*objects]}))


def named(kind: str, version: str = "v1", name: str = "x", **fields: object) -> JsonObject:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("kind", "version", "is_policy"),
    [
        ("Namespace", "v1", True),
        ("ServiceAccount", "v1", True),
        ("ClusterRole", RBAC, True),
        ("SecurityContextConstraints", "security.openshift.io/v1", True),
        ("ConfigMap", "v1", False),
        ("ServiceAccount", "vendor.example/v1", False),
    ],
)
def test_what_is_a_policy(kind: str, version: str, *, is_policy: bool) -> None:
    assert len(items(named(kind, version))) == is_policy


def test_a_version_that_the_kind_never_had_is_refused() -> None:
    with pytest.raises(InputError, match="no matches for kind"):
        items(named("ClusterRole", "rbac.authorization.k8s.io/v7"))


def test_without_documents_openshifts_own_policies_are_in_force() -> None:
    found = in_force(())
    assert tuple(source.name for source in found.sccs) == NAMES
    assert (found.own, found.namespaces, found.service_accounts) == (frozenset(), {}, frozenset())
    assert found.rbac.authorize(use_of("restricted-v2", EVERYBODY, "shop")).opinion is Opinion.ALLOW


def test_a_written_role_takes_the_place_of_the_default_one() -> None:
    role = named("ClusterRole", RBAC, "system:openshift:scc:restricted-v2", rules=[])
    assert rbac_of(items(role)).authorize(use_of("restricted-v2", EVERYBODY, "shop")).opinion is Opinion.NO_OPINION


def test_an_object_may_be_given_twice_and_two_of_one_name_may_not() -> None:
    same = items(named("Namespace"), named("Namespace"))
    assert each_once(same) == [same[0]]
    with pytest.raises(InputError, match='a second Namespace "x"'):
        each_once(items(named("Namespace"), named("Namespace", status={})))


def test_what_a_cluster_would_not_store_is_no_policy() -> None:
    require_sound(items(named("ClusterRole", RBAC, rules=[]))[0])
    require_sound(items(named("ServiceAccount"))[0])
    with pytest.raises(InputError, match="at least one value"):
        require_sound(
            items(named("ClusterRole", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": []}]))[0]
        )


PSS, ANY = "pod-security.kubernetes.io", {"type": "RunAsAny"}
DESCRIBED = {
    "scc": (named("SecurityContextConstraints", "security.openshift.io/v1", runAsUser=ANY, seLinuxContext=ANY), True),
    "deployment config": (named("DeploymentConfig", "apps.openshift.io/v1"), True),
    "route": (named("Route", "route.openshift.io/v1"), True),
    "annotation": (named("Namespace", metadata={"name": "x", "annotations": {"openshift.io/requester": "me"}}), True),
    "label": (named("Namespace", metadata={"name": "x", "labels": {"security.openshift.io/scc.x": "true"}}), True),
    "pod security": (named("Namespace", metadata={"name": "x", "labels": {f"{PSS}/enforce": "baseline"}}), False),
    "value": (named("Namespace", metadata={"name": "x", "labels": {"team": "openshift.io/x"}}), False),
    "other domain": (named("Namespace", metadata={"name": "x", "labels": {"notopenshift.io/x": ""}}), False),
    "pod": (named("Pod", metadata={"name": "x", "annotations": {"openshift.io/scc": "restricted-v2"}}), False),
    "nothing": (named("ServiceAccount"), False),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_which_cluster_is_described(name: str) -> None:
    raw, openshift = DESCRIBED[name]
    found = items(raw)
    policies = [item for item in found if item.kind in {"SecurityContextConstraints", "Namespace", "ServiceAccount"}]
    document = Document("a.yaml", raw, 1)
    assert describes_openshift(in_force(tuple(policies)), (document,)) is openshift
