"""What discovery documents say is served."""

from __future__ import annotations

from podward.api.resource import GroupVersion
from podward.controllers.discovery import Group, groups_of, resources_of, served


def test_the_preferred_version_comes_first() -> None:
    versions = [{"version": "v1"}, {"version": "v2"}]
    document = {"groups": [{"name": "a", "versions": versions, "preferredVersion": {"version": "v2"}}]}
    assert groups_of(document) == (Group("a", ("v2", "v1")),)  # type: ignore[arg-type]


def test_a_resource_of_several_versions_counts_once_and_is_found_in_each() -> None:
    first, second = GroupVersion("a", "v2"), GroupVersion("a", "v1")
    things = {"resources": [{"name": "things", "kind": "Thing", "namespaced": True, "verbs": ["list"]}]}
    both = {"resources": [*things["resources"], {"name": "things/status", "kind": "Thing"}]}
    found = served([(of, resources_of(both, of)) for of in (first, second)], {"b/v1": "no"})  # type: ignore[arg-type]
    assert [each.api_version for each in found.preferred] == ["a/v2"]
    assert found.by_kind["a/v1", "Thing"].namespaced
    assert found.fault == "unable to retrieve the complete list of server APIs: b/v1: no"
