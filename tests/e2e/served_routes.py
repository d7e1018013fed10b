"""The requests that a resource's verbs and subresources are served by."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.resource import Resource

_METHODS = {
    "get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "patch": "PATCH",
    "delete": "DELETE", "deletecollection": "DELETE",
}  # fmt: skip
_ON_COLLECTIONS = frozenset(("list", "watch", "create", "deletecollection"))


def requests_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """The method and the path of each."""
    root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    collection = f"{root}/namespaces/n/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    for verb in resource.verbs:
        yield _METHODS[verb], collection if verb in _ON_COLLECTIONS else f"{collection}/x"
    yield "GET", f"{root}/watch/{resource.plural}"
    for part in resource.subresources:
        for verb in part.verbs:
            yield _METHODS[verb], f"{collection}/x/{part.name}"
