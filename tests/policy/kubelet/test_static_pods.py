"""What becomes of a file's Pod on its way into a node, and of a node's Pod on its way into the API."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.policy.kubelet import static_pods

WRITTEN: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
OTHER: JsonObject = {**WRITTEN, "spec": {"containers": []}}
NOW = "2026-01-01T00:00:00Z"


def test_a_static_pod_has_the_name_and_the_toleration_of_its_node() -> None:
    made = static_pods.prepared(WRITTEN, "N1", "web.yaml", NOW)
    assert (member(made, "metadata")["name"], member(made, "metadata")["namespace"]) == ("web-n1", "default")
    assert member(made, "spec")["nodeName"] == "N1"
    assert member(made, "spec")["tolerations"] == [{"operator": "Exists", "effect": "NoExecute"}]


def test_another_content_or_another_file_is_another_pod() -> None:
    uids = {
        str(member(static_pods.prepared(written, node, file, now), "metadata")["uid"])
        for written in (WRITTEN, OTHER)
        for node in ("n1", "n2")
        for file in ("a", "b")
        for now in (NOW, "2027-01-01T00:00:00Z")
    }
    assert len(uids) == 8


def test_a_mirror_says_whom_it_shows_and_belongs_to_the_node() -> None:
    made = static_pods.prepared(WRITTEN, "n1", "web.yaml", NOW)
    shown = static_pods.mirror(made, "node-uid")
    assert static_pods.shown_by(shown) == member(made, "metadata")["uid"]
    assert "uid" not in member(shown, "metadata")
    owner: JsonObject = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid", "controller": True}
    assert member(shown, "metadata")["ownerReferences"] == [owner]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"kind": "Deployment"}, "it is no Pod of v1"),
        ({"metadata": {}}, "invalid pod: name is needed for the pod"),
        ({"spec": {"serviceAccountName": "admin"}}, "static pods may not reference serviceaccounts"),
        (
            {"spec": {"volumes": [{"name": "s", "secret": {"secretName": "s"}}]}},
            "static pods may not reference secrets",
        ),
        ({}, ""),
    ],
)
def test_what_no_static_pod_can_be_is_told(change: JsonObject, fault: str) -> None:
    assert static_pods.fault({**WRITTEN, **change}).startswith(fault)
    assert bool(static_pods.fault({**WRITTEN, **change})) is bool(fault)
