"""Which SCCs are in force beside OpenShift's own, and which objects are about SCCs at all."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.documents.document import Document
from podward.policy.scc.default_set import NAMES
from podward.policy.scc.documents import is_about_sccs, sccs_in_force
from podward.schema.objects import Item, objects_of
from podward.schema.scc.reading import SccSource, scc_source

RULE: JsonObject = {"verbs": ["use"], "resources": ["securitycontextconstraints"], "apiGroups": ["*"]}


def item(kind: str, **fields: object) -> Item:
    (found,) = objects_of(Document("f.yaml", {"apiVersion": "v1", "kind": kind, **fields}))  # type: ignore[dict-item]
    return found


def scc(name: str, priority: int) -> SccSource:
    strategies = {field: {"type": "RunAsAny"} for field in ("runAsUser", "seLinuxContext")}
    return scc_source(
        item("SecurityContextConstraints", metadata={"name": name}, priority=priority, volumes=[], **strategies)
    )


def test_without_others_the_default_ones_are_in_force() -> None:
    assert tuple(source.name for source in sccs_in_force(())) == NAMES


def test_a_written_one_takes_the_place_of_its_name_and_others_come_behind() -> None:
    found = sccs_in_force((scc("zoo", 1), scc(NAMES[2], 77), scc("app", 2)))
    assert tuple(source.name for source in found) == (*NAMES, "zoo", "app")
    assert found[2].view.priority == 77


@pytest.mark.parametrize(
    ("one", "about"),
    [
        (item("SecurityContextConstraints"), True),
        (item("Namespace", metadata={"annotations": {"openshift.io/sa.scc.mcs": "s0"}}), True),
        (item("Namespace", metadata={"annotations": {"openshift.io/display-name": "x"}}), False),
        (item("Namespace", metadata={"annotations": None}), False),
        (item("Namespace"), False),
        (item("Role", rules=[RULE]), True),
        (item("ClusterRole", rules=[RULE]), True),
        (item("ClusterRole", rules=[{"resources": ["pods"]}]), False),
        (item("ClusterRole"), False),
        (item("RoleBinding", roleRef={"name": "system:openshift:scc:anyuid"}), True),
        (item("ClusterRoleBinding", roleRef={"name": "system:openshift:scc:anyuid"}), True),
        (item("RoleBinding", roleRef={"name": "edit"}), False),
        (item("RoleBinding", roleRef="system:openshift:scc:anyuid"), False),
        (item("ServiceAccount", metadata={"name": "securitycontextconstraints"}), False),
    ],
)
def test_what_is_about_sccs(one: Item, *, about: bool) -> None:
    assert is_about_sccs(one) is about
