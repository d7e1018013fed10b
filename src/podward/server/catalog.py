"""Which resources are served at the moment: the server's own, and those that are defined by objects."""

from __future__ import annotations

from collections.abc import Container, Iterable

from podward.api.resource import GroupVersion, Resource
from podward.schema.custom_objects.kind import CustomKind
from podward.schema.openapi.custom import CustomResource
from podward.server.request_info import RequestInfo


class Catalog:
    """Resources by group, version and plural. `put` and `remove` are for those that come and go."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_plural = {(found.group, found.version, found.plural): found for found in resources}
        self._customs: dict[tuple[str, str, str], CustomKind] = {}
        self.described: tuple[CustomResource, ...] = ()
        """What OpenAPI is told of resources that are neither Kubernetes' own nor custom ones."""
        self._foreign: dict[GroupVersion, tuple[Resource, ...]] = {}
        self.generation = 0
        """Counts the changes: what is made of the whole catalog is made anew for another one."""

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of this path."""
        return self._by_plural.get((group, version, plural))

    def all(self) -> tuple[Resource, ...]:
        """All of them, the server's own first."""
        return tuple(self._by_plural.values())

    def listed(self) -> tuple[Resource, ...]:
        """What discovery tells of: also what servers behind this one serve."""
        foreign = (resource for resources in self._foreign.values() for resource in resources)
        return (*self._by_plural.values(), *foreign)

    def put_foreign(self, of: GroupVersion, resources: tuple[Resource, ...]) -> None:
        """A server behind this one serves these of a version of a group; none where it is not available."""
        self._foreign[of] = resources

    def keep_foreign(self, versions: Container[GroupVersion]) -> None:
        """Nothing else is served by servers behind this one."""
        self._foreign = {of: resources for of, resources in self._foreign.items() if of in versions}

    def serves(self, of: GroupVersion) -> bool:
        """Whether anything is served of this group and version."""
        return any(found.group_version == of for found in self._by_plural.values())

    def custom(self, resource: Resource) -> CustomKind | None:
        """What is known of a custom resource; None of the server's own."""
        return self._customs.get((resource.group, resource.version, resource.plural))

    def customs(self) -> tuple[CustomKind, ...]:
        """All custom resources."""
        return tuple(self._customs.values())

    def has_own_group(self, group: str) -> bool:
        """Whether anything of the server's own is served of this group."""
        return any(found.group == group and key not in self._customs for key, found in self._by_plural.items())

    def has_group(self, group: str) -> bool:
        """Whether anything is served of this group."""
        return any(found.group == group for found in self._by_plural.values())

    def put(self, resource: Resource, custom: CustomKind) -> None:
        """Serve this one, too."""
        key = (resource.group, resource.version, resource.plural)
        self._by_plural[key], self._customs[key] = resource, custom
        self.generation += 1

    def remove(self, resource: Resource) -> None:
        """Serve this one no more."""
        key = (resource.group, resource.version, resource.plural)
        if self._by_plural.get(key) is resource:
            del self._by_plural[key], self._customs[key]
        self.generation += 1


def prefix_of(resource: Resource, namespace: str = "") -> str:
    """The beginning of the keys of a resource's objects, or of those in one namespace.

    No group is called as a resource of the core group is: those of custom resources have a dot.
    """
    group = f"{resource.group}/" if resource.group else ""
    root = f"/registry/{group}{resource.plural}/"
    return f"{root}{namespace}/" if namespace else root


_IN_ETCD = {
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("", "endpoints"): "services/endpoints",
    ("networking.k8s.io", "ingresses"): "ingress",
    ("apiextensions.k8s.io", "customresourcedefinitions"): "apiextensions.k8s.io/customresourcedefinitions",
    ("apiregistration.k8s.io", "apiservices"): "apiregistration.k8s.io/apiservices",
}
_OWN_GROUPS = ".k8s.io"


def key_in_etcd(resource: Resource, namespace: str, name: str) -> str:
    """The key that the object has in the real server's store, which some messages tell."""
    own = not resource.group or resource.group.endswith(_OWN_GROUPS) or "." not in resource.group
    place = _IN_ETCD.get(
        (resource.group, resource.plural), resource.plural if own else f"{resource.group}/{resource.plural}"
    )
    return f"/registry/{place}/{namespace}/{name}" if resource.namespaced else f"/registry/{place}/{name}"


def key_of(resource: Resource, namespace: str, name: str) -> str:
    """The key of an object."""
    return prefix_of(resource, namespace if resource.namespaced else "") + name


_ETCD_PLACES = {
    "replicationcontrollers": "controllers",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "services": "services/specs",
    "ingresses.networking.k8s.io": "ingress",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions.k8s.io/customresourcedefinitions",
    "apiservices.apiregistration.k8s.io": "apiregistration.k8s.io/apiservices",
}
"""Where the real server keeps resources, if not by their plural: pkg/kubeapiserver, default_storage_factory.go."""


def etcd_key(resource: Resource, info: RequestInfo) -> str:
    """The key that the real server's messages name for the object of a request."""
    place = _ETCD_PLACES.get(resource.qualified, resource.plural)
    return "/".join(["/registry", place, *([info.namespace] if resource.namespaced else []), info.name])
