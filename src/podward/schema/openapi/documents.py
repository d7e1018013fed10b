"""OpenAPI documents: which there are, and what stands in each.

Specification: Kubernetes' `/openapi/v2`, `/openapi/v3` and `/openapi/v3/PATH`. Version 3 has a document for each group,
one for each version of a group, and some for what is no API of objects; the list of them says where each is, with a
hash that changes with it. What is in none is none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from podward.api.version import KUBERNETES
from podward.schema.openapi import custom
from podward.schema.openapi.custom import CustomResource
from podward.schema.openapi.dialects import Dialect, Version2, Version3
from podward.schema.openapi.names import META, Names, built_in, custom_name
from podward.schema.openapi.paths import Paths, root
from podward.schema.resources import BY_PLURAL

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.api.resource import Resource

_INFO: JsonObject = {"title": "Kubernetes", "version": f"v{KUBERNETES}.0"}
_SECURITY: JsonObject = {
    "BearerToken": {
        "type": "apiKey",
        "in": "header",
        "name": "authorization",
        "description": "Bearer Token authentication",
    }
}
_OTHERS = (".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version")
"""Documents of what is no group."""


def names_of_documents(resources: Iterable[Resource]) -> tuple[str, ...]:
    """What documents of version 3 there are: `apis/apps/v1`."""
    found = set(_OTHERS)
    for resource in resources:
        found.add(root(resource.group, resource.version).strip("/"))
        if resource.group:
            found.add(f"apis/{resource.group}")
    return tuple(sorted(found))


def list_of_documents(resources: Iterable[Resource], state: str) -> JsonObject:
    """`/openapi/v3`; `state` is a text that changes whenever a document does."""
    paths: JsonObject = {
        name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={state}"} for name in names_of_documents(resources)
    }
    return {"paths": paths}


def document(name: str, resources: Sequence[Resource], customs: Sequence[CustomResource] = ()) -> JsonObject | None:
    """`/openapi/v3/NAME`; None where there is none. `resources` are all that is served, the custom ones too."""
    if name not in names_of_documents(resources):
        return None
    dialect = Version3()
    served = [found for found in resources if root(found.group, found.version).strip("/") == name]
    told = _customs(served, customs)
    names = _names(told, 3)
    paths = _paths(dialect, names, served, told)
    if not served:
        paths[f"/{name}/"] = _listing(dialect, _answer_of(name))
    used = names.needed(_used(names, served) or [f"{META}.{_answer_of(name)}"])
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": paths,
        "components": {
            "schemas": {called: dialect.schema(called, definition) for called, definition in used.items()},
            "securitySchemes": _SECURITY,
        },
    }


def whole_document(resources: Sequence[Resource], customs: Sequence[CustomResource] = ()) -> JsonObject:
    """`/openapi/v2`."""
    dialect = Version2()
    told = _customs(resources, customs)
    names = _names(told, 2)
    paths: JsonObject = {"/api/": _listing(dialect, "APIVersions"), "/apis/": _listing(dialect, "APIGroupList")}
    for group in sorted({resource.group for resource in resources if resource.group}):
        paths[f"/apis/{group}/"] = _listing(dialect, "APIGroup")
    paths.update(_paths(dialect, names, resources, told))
    used = names.needed([*_used(names, resources), *(f"{META}.{kind}" for kind in ("APIVersions", "APIGroupList"))])
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": dict(sorted(paths.items())),
        "definitions": {**used},
        "securityDefinitions": _SECURITY,
        "security": [{"BearerToken": []}],
    }


def state_of(resources: Iterable[Resource], customs: Iterable[CustomResource] = ()) -> str:
    """A text that is another one when any document is."""
    told = repr((KUBERNETES, tuple(resources), tuple(customs)))
    return hashlib.sha256(told.encode()).hexdigest().upper()


def _customs(served: Iterable[Resource], customs: Sequence[CustomResource]) -> list[CustomResource]:
    """The custom resources among those that are served; of one that nobody describes, nothing is known."""
    described = {found.resource: found for found in customs}
    return [
        described.get(resource, CustomResource(resource))
        for resource in served
        if (resource.group, resource.version, resource.plural) not in BY_PLURAL
    ]


def _names(customs: Iterable[CustomResource], version: int) -> Names:
    definitions = built_in()
    called: dict[tuple[str, str], str] = {}
    for found in customs:
        definitions |= custom.definitions(found, version)
        resource = found.resource
        for kind in (resource.kind, resource.list_kind):
            called[resource.api_version, kind] = custom_name(resource.group, resource.version, kind)
    return Names(definitions, called)


def _paths(dialect: Dialect, names: Names, served: Iterable[Resource], customs: Iterable[CustomResource]) -> JsonObject:
    made: JsonObject = {}
    writer = Paths(dialect, names, frozenset(found.resource for found in customs if not found.strategic))
    for resource in served:
        base = root(resource.group, resource.version)
        made.setdefault(base, _listing(dialect, "APIResourceList"))
        made.update(writer.of(resource))
    return dict(sorted(made.items()))


def _used(names: Names, served: Iterable[Resource]) -> list[str]:
    """The names of all definitions that the addresses of these resources name."""
    used: list[str] = []
    for resource in served:
        kinds = [(resource.api_version, kind) for kind in (resource.kind, resource.list_kind)]
        kinds += [(part.api_version, part.kind) for part in resource.subresources]
        used += [names.of(api_version, kind) for api_version, kind in kinds]
    if used:
        used += [f"{META}.{kind}" for kind in ("APIResourceList", "DeleteOptions", "Patch", "Status", "WatchEvent")]
    return used


def _listing(dialect: Dialect, answer: str) -> JsonObject:
    """An address that is only read."""
    base: JsonObject = {"description": "get available resources", "operationId": f"get{answer}", "parameters": []}
    made: Json = dialect.operation(base, "", (), f"{META}.{answer}", "200")
    return {"get": made}


def _answer_of(name: str) -> str:
    return {"api": "APIVersions", "apis": "APIGroupList"}.get(
        name, "APIGroup" if name.startswith("apis/") else "Status"
    )
