"""What definitions have the server serve, and how discovery tells it, as recorded from a real server."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.documents.raw_fields import member
from podward.schema import discovery
from podward.schema.custom_resources import served_by, version_rank
from podward.schema.resources import RESOURCES

NAMES: JsonObject = {
    "plural": "cakes", "singular": "cake", "shortNames": ["ca"], "kind": "Cake", "listKind": "CakeList",
    "categories": ["all"],
}  # fmt: skip
GROUP = "baking.example.com"
VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
CHANGED = ["get", "patch", "update"]
CAKES: JsonObject = {
    "name": "cakes", "singularName": "cake", "namespaced": True, "kind": "Cake", "verbs": [*VERBS],
    "shortNames": ["ca"], "categories": ["all"],
}  # fmt: skip
STATUS: JsonObject = {
    "name": "cakes/status", "singularName": "", "namespaced": True, "kind": "Cake", "verbs": [*CHANGED],
}  # fmt: skip
SCALE: JsonObject = {
    "name": "cakes/scale", "singularName": "", "namespaced": True, "group": "autoscaling", "version": "v1",
    "kind": "Scale", "verbs": [*CHANGED],
}  # fmt: skip


def definition(*conditions: str) -> JsonObject:
    old: JsonObject = {
        "name": "v1beta1", "served": True, "storage": False, "deprecated": True, "deprecationWarning": "it is old",
        "subresources": {"status": {}},
    }  # fmt: skip
    new: JsonObject = {
        "name": "v1", "served": True, "storage": True, "subresources": {"status": {}, "scale": {}},
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }  # fmt: skip
    gone: JsonObject = {"name": "v1alpha1", "served": False}
    return {
        "spec": {"group": GROUP, "scope": "Namespaced", "names": {**NAMES}, "versions": [old, gone, new]},
        "status": {
            "acceptedNames": {**NAMES},
            "conditions": [{"type": kind, "status": "True"} for kind in conditions],
        },
    }


def served(*conditions: str) -> list[Resource]:
    return [found.resource for found in served_by(definition(*conditions))]


def test_nothing_is_served_before_it_is_established() -> None:
    assert served() == []
    assert [found.version for found in served("Established")] == ["v1", "v1beta1"]


def test_discovery_tells_it_like_a_real_server() -> None:
    resources = [*RESOURCES, *reversed(served("Established"))]
    assert discovery.group(GROUP, resources) == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": GROUP,
        "versions": [{"groupVersion": f"{GROUP}/{name}", "version": name} for name in ("v1", "v1beta1")],
        "preferredVersion": {"groupVersion": f"{GROUP}/v1", "version": "v1"},
    }
    listed = discovery.resource_list(GroupVersion(GROUP, "v1"), resources)
    assert listed == {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{GROUP}/v1",
        "resources": [CAKES, STATUS, SCALE],
    }
    listed = discovery.resource_list(GroupVersion(GROUP, "v1beta1"), resources)
    assert listed is not None
    assert listed["resources"] == [CAKES, STATUS]


def test_all_at_once_a_custom_kind_has_its_group() -> None:
    items = discovery.aggregated([*RESOURCES, *served("Established")], core=False)["items"]
    assert isinstance(items, list)
    assert isinstance(items[-1], dict)
    versions = items[-1]["versions"]
    assert isinstance(versions, list)
    assert isinstance(versions[0], dict)
    resources = versions[0]["resources"]
    assert isinstance(resources, list)
    assert isinstance(resources[0], dict)
    assert member(resources[0], "responseKind") == {"group": GROUP, "version": "v1", "kind": "Cake"}


def test_who_uses_an_old_version_is_warned() -> None:
    assert [found.deprecation for found in served("Established")] == ["", "it is old"]
    plain = definition("Established")
    versions = member(plain, "spec")["versions"]
    assert isinstance(versions, list)
    assert isinstance(versions[0], dict)
    del versions[0]["deprecationWarning"]
    assert served_by(plain)[1].resource.deprecation == f"{GROUP}/v1beta1 Cake is deprecated"


def test_what_is_going_takes_nothing_new() -> None:
    assert served("Established", "Terminating")[0].verbs == ("delete", "deletecollection", "get", "list", "watch")


def test_all_versions_are_stored_as_one() -> None:
    assert {str(found.stored) for found in served("Established")} == {f"{GROUP}/v1"}
    assert served_by(definition("Established"))[0].schema == {"type": "object"}


@pytest.mark.parametrize(
    "order", [["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "foo1", "foo10"]]
)
def test_versions_are_ordered_as_people_mean_them(order: list[str]) -> None:
    assert sorted([*order[1::2], *order[::2]], key=version_rank) == order
