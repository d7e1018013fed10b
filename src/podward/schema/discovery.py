"""The documents that tell a client what is served: groups, versions, resources.

Specification: k8s.io/apiserver endpoints/discovery and its package aggregated: `/api` lists versions of the core group,
`/apis` the groups, `/apis/GROUP` one of them, `/apis/GROUP/VERSION` its resources with their subresources between them.
Who accepts `g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList` gets all at once. Of the core group's first documents
the kinds have no version, as in the real ones. A kind's group and version stand beside it where they are not those of
the list that it stands in. Groups of custom resources follow the others, in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion, Resource, Subresource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""The content type of an aggregated document."""


def api_versions(address: str) -> JsonObject:
    """`/api`; `address` is the server's own, with its port."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list(resources: Iterable[Resource]) -> JsonObject:
    """`/apis`: every group but the core one."""
    groups: list[Json] = [_group(name, versions) for name, versions in _versions(resources).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str, resources: Iterable[Resource]) -> JsonObject | None:
    """`/apis/NAME`; None where there is no such group."""
    versions = _versions(resources).get(name)
    return None if versions is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resource_list(of: GroupVersion, resources: Iterable[Resource]) -> JsonObject | None:
    """`/api/v1` or `/apis/GROUP/VERSION`; None where nothing is served of it."""
    served = [found for found in resources if found.group_version == of]
    if not served:
        return None
    listed: list[Json] = []
    for resource in sorted(served, key=lambda found: found.plural):
        listed.append(_listed(resource))
        listed += [_listed_part(resource, part) for part in resource.subresources]
    version: JsonObject = {"apiVersion": "v1"} if of.group else {}
    return {"kind": "APIResourceList", **version, "groupVersion": str(of), "resources": listed}


def aggregated(resources: Sequence[Resource], *, core: bool) -> JsonObject:
    """`/api` (`core`) or `/apis` for who asks for all at once."""
    items: list[Json] = []
    for name, versions in _versions(resources).items():
        if core == (not name):
            metadata: JsonObject = {"name": name} if name else {}
            served: list[Json] = [_aggregated_version(of, resources) for of in versions]
            items.append({"metadata": metadata, "versions": served})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _versions(resources: Iterable[Resource]) -> dict[str, list[GroupVersion]]:
    """The versions of each group, in their order."""
    found: dict[str, list[GroupVersion]] = {}
    for resource in resources:
        versions = found.setdefault(resource.group, [])
        if resource.group_version not in versions:
            versions.append(resource.group_version)
    return found


def _group(name: str, versions: Sequence[GroupVersion]) -> JsonObject:
    named: list[JsonObject] = [{"groupVersion": str(of), "version": of.version} for of in versions]
    return {"name": name, "versions": [*named], "preferredVersion": named[0]}


def _listed(resource: Resource) -> JsonObject:
    return {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": [*resource.verbs],
        **_names(resource),
    }


def _listed_part(resource: Resource, part: Subresource) -> JsonObject:
    return {
        "name": f"{resource.plural}/{part.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        **_elsewhere(resource, part),
        "kind": part.kind,
        "verbs": [*part.verbs],
    }


def _elsewhere(resource: Resource, part: Subresource) -> JsonObject:
    if (part.group, part.version) == (resource.group, resource.version):
        return {}
    return {"group": part.group, "version": part.version}


def _names(resource: Resource) -> JsonObject:
    names: JsonObject = {}
    if resource.short_names:
        names["shortNames"] = [*resource.short_names]
    if resource.categories:
        names["categories"] = [*resource.categories]
    return names


def _aggregated_version(of: GroupVersion, resources: Iterable[Resource]) -> JsonObject:
    served = sorted([found for found in resources if found.group_version == of], key=lambda found: found.plural)
    return {"version": of.version, "resources": [_aggregated(resource) for resource in served], "freshness": "Current"}


def _aggregated(resource: Resource) -> JsonObject:
    parts: list[Json] = [
        {
            "subresource": part.name,
            "responseKind": {"group": "", "version": "", "kind": part.kind, **_elsewhere(resource, part)},
            "verbs": [*part.verbs],
        }
        for part in resource.subresources
    ]
    return {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": [*resource.verbs],
        **_names(resource),
        **({"subresources": parts} if parts else {}),
    }
