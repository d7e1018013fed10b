"""The addresses of a resource in an OpenAPI document, with what can be asked of each.

Specification: k8s.io/apiserver endpoints/installer.go: a collection in all namespaces and in one, an object, its
subresources, and the old addresses for watching. `x-kubernetes-action` and `x-kubernetes-group-version-kind` say what
a request does to which kind: kubectl finds a resource's kind, and whether it takes `dryRun`, by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.resource import Resource, Subresource
from podward.schema.openapi.parameters import DELETES, FORCE, LISTS, WRITES, Parameter

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.schema.openapi.dialects import Dialect
    from podward.schema.openapi.names import Names

_STRATEGIC = "application/strategic-merge-patch+json"
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    _STRATEGIC,
    "application/apply-patch+yaml",
)
_STATUS, _DELETE_OPTIONS, _PATCH, _EVENT = (
    f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}" for name in ("Status", "DeleteOptions", "Patch", "WatchEvent")
)
_METHODS = {
    "get": ("get", "read", "get"),
    "update": ("put", "replace", "put"),
    "patch": ("patch", "patch", "patch"),
    "delete": ("delete", "delete", "delete"),
    "create": ("post", "create", "post"),
}
"""By verb: the method, how an operation is called, and what it does."""
_CONNECTED = frozenset(("attach", "exec", "portforward", "proxy"))


class _Act(Struct, frozen=True):
    """A request: how its operation is called, what it does, on what part, with which parameters."""

    called: str
    action: str
    parameters: tuple[Parameter, ...] = ()
    suffix: str = ""
    part: Subresource | None = None


class Paths:
    """Writes the addresses of resources in one dialect."""

    def __init__(self, dialect: Dialect, names: Names, unstrategic: frozenset[Resource] = frozenset()) -> None:
        """`unstrategic` are the resources that take no strategic merge patches."""
        self._dialect = dialect
        self._names = names
        self._unstrategic = unstrategic

    def of(self, resource: Resource) -> Iterator[tuple[str, JsonObject]]:
        """All addresses of a resource."""
        base = root(resource.group, resource.version)
        here = f"{base}namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else base + resource.plural
        if "list" in resource.verbs and resource.namespaced:
            yield base + resource.plural, self._item("", self._collection(resource, "ForAllNamespaces", ("list",)))
        verbs = [verb for verb in ("list", "create", "deletecollection") if verb in resource.verbs]
        yield here, self._item(here, self._collection(resource, "", verbs))
        if "get" in resource.verbs:
            yield f"{here}/{{name}}", self._item(f"{here}/{{name}}", self._object(resource))
        for part in resource.subresources:
            place = f"{here}/{{name}}/{part.name}"
            yield place, self._item(place, self._part(resource, part))
            if part.name == "proxy":
                place += "/{path}"
                yield place, self._item(place, self._part(resource, part))
        if "watch" in resource.verbs:
            yield from self._watches(resource, base)

    def _watches(self, resource: Resource, base: str) -> Iterator[tuple[str, JsonObject]]:
        places = [resource.plural, f"{resource.plural}/{{name}}"]
        if resource.namespaced:
            inside = f"namespaces/{{namespace}}/{resource.plural}"
            places = [resource.plural, inside, f"{inside}/{{name}}"]
        for place in places:
            one = place.endswith("{name}")
            action, suffix = ("watch", "") if one else ("watchlist", "List")
            everywhere = "ForAllNamespaces" if resource.namespaced and "namespace}" not in place else ""
            told = self._told(resource, _Act(f"watch{suffix}", action, LISTS, everywhere))
            made: JsonObject = {"get": self._dialect.operation(told, "", (), _EVENT, "200")}
            yield f"{base}watch/{place}", self._item(place, made)

    def _item(self, place: str, operations: JsonObject) -> JsonObject:
        """What can be asked at an address, with the parameters in it."""
        parameters: list[Json] = [
            self._dialect.parameter(name, "path", "string", says)
            for name, says in (
                ("name", "name of the object"),
                ("namespace", "object name and auth scope, such as for teams and projects"),
                ("path", "path to the resource"),
            )
            if f"{{{name}}}" in place
        ]
        return {**operations, "parameters": parameters} if parameters else operations

    def _collection(self, resource: Resource, suffix: str, verbs: Sequence[str]) -> JsonObject:
        own = self._names.of(resource.api_version, resource.kind)
        made: JsonObject = {}
        for verb in verbs:
            if verb == "list":
                listed = self._names.of(resource.api_version, resource.list_kind)
                told = self._told(resource, _Act("list", "list", LISTS, suffix))
                made["get"] = self._dialect.operation(told, "", (), listed, "200")
            elif verb == "create":
                told = self._told(resource, _Act("create", "post", WRITES))
                made["post"] = self._dialect.operation(told, own, (), own, "200")
            else:
                told = self._told(resource, _Act("deleteCollection", "deletecollection", (*LISTS, *DELETES)))
                made["delete"] = self._dialect.operation(told, _DELETE_OPTIONS, (), _STATUS, "200")
        return made

    def _object(self, resource: Resource) -> JsonObject:
        made: JsonObject = {}
        own = self._names.of(resource.api_version, resource.kind)
        for verb in ("get", "update", "patch", "delete"):
            if verb in resource.verbs:
                method, operation = self._operation(resource, verb, own)
                made[method] = operation
        return made

    def _operation(
        self, resource: Resource, verb: str, own: str, part: Subresource | None = None
    ) -> tuple[str, JsonObject]:
        method, called, action = _METHODS[verb]
        parameters: tuple[Parameter, ...] = () if verb == "get" else DELETES if verb == "delete" else WRITES
        if verb == "patch":
            parameters = (*parameters, FORCE)
        told = self._told(resource, _Act(called, action, parameters, part=part))
        body = {"get": "", "delete": _DELETE_OPTIONS, "patch": _PATCH}.get(verb, own)
        answer = _STATUS if verb == "delete" else own
        patches = [each for each in _PATCHES if each != _STRATEGIC or resource not in self._unstrategic]
        return method, self._dialect.operation(told, body, patches if verb == "patch" else (), answer, "200")

    def _part(self, resource: Resource, part: Subresource) -> JsonObject:
        made: JsonObject = {}
        own = self._names.of(part.api_version, part.kind)
        for verb in part.verbs:
            if part.name in _CONNECTED or part.name == "log":
                method, _, _ = _METHODS[verb]
                action = "connect" if part.name in _CONNECTED else "get"
                called = f"connect{method.capitalize()}" if part.name in _CONNECTED else "read"
                told = self._told(resource, _Act(called, action, part=part))
                made[method] = self._dialect.operation(told, "", (), "", "200")
            else:
                method, operation = self._operation(resource, verb, own, part)
                made[method] = operation
        return made

    def _told(self, resource: Resource, act: _Act) -> JsonObject:
        """What is said of every operation."""
        of = resource if act.part is None else act.part
        where = "Namespaced" if resource.namespaced and not act.suffix else ""
        group_name = "".join(word.capitalize() for word in _group_words(resource.group))
        called = act.called
        if called == "deleteCollection":
            called, where = "delete", f"Collection{where}"
        of_part = "" if act.part is None else act.part.name.capitalize()
        whole = f"{called}{group_name}{resource.version.capitalize()}{where}{resource.kind}{of_part}{act.suffix}"
        own: JsonObject = {"group": of.group, "kind": of.kind, "version": of.version}
        listed: list[Json] = [self._dialect.parameter(*parameter) for parameter in act.parameters]
        return {
            "description": f"{called} {resource.kind}{f' {act.part.name}' if act.part else ''}",
            "operationId": whole,
            "tags": [f"{group_name[0].lower()}{group_name[1:]}_{resource.version}"],
            "parameters": listed,
            "x-kubernetes-action": act.action,
            "x-kubernetes-group-version-kind": own,
        }


def _group_words(group: str) -> list[str]:
    return (group or "core").removesuffix(".k8s.io").split(".")


def root(group: str, version: str) -> str:
    """Where a version's resources are."""
    return f"/apis/{group}/{version}/" if group else f"/api/{version}/"
