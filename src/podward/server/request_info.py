"""What a request is about, read off its method, path and query: what authorizers are asked and what handlers serve.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/request RequestInfoFactory. The path is the decoded one, and
is never normalised: what is served is looked up by the very fields that were authorized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from podward.schema.query_selectors import FieldSelector, parse_fields

Query = Mapping[str, Sequence[str]]
"""The parameters of a request: each name with its values, in their order."""

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SPECIAL = frozenset(("proxy", "watch"))
_NAMESPACE_SUBRESOURCES = frozenset(("status", "finalize"))
_SELECTING = frozenset(("list", "watch", "deletecollection"))


class RequestInfo(Struct, frozen=True):
    """A request to a resource, or to a path that is none (`resource_request` is then false)."""

    path: str
    verb: str
    resource_request: bool = False
    prefix: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    by_prefix: bool = False
    """Whether the verb stood in the path, as in `/api/v1/watch/pods`."""
    selected: bool = False
    """Whether the name came from a field selector."""
    field_selector: str = ""
    label_selector: str = ""


def request_info(method: str, path: str, query: Query) -> RequestInfo:
    """What the request is about. A path that begins like a resource's but ends too early is no resource request."""
    parts = path.strip("/").split("/")
    plain = RequestInfo(path, method.lower())
    if len(parts) < 3 or parts[0] not in {"api", "apis"}:
        return plain
    prefix, rest, group = parts[0], parts[1:], ""
    if prefix == "apis":
        if len(rest) < 3:
            return RequestInfo(path, method.lower(), prefix=prefix)
        group, rest = rest[0], rest[1:]
    version, rest = rest[0], rest[1:]
    verb, by_prefix = _VERBS.get(method, ""), False
    if rest[0] in _SPECIAL:
        if len(rest) < 2:
            return RequestInfo(path, method.lower(), prefix=prefix, group=group, version=version)
        verb, rest, by_prefix = rest[0], rest[1:], True
    namespace, rest = _namespace(rest)
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 and verb not in _SPECIAL else ""
    selected = ""
    if not name and verb == "get":
        verb, selected = _plural(query)
    if not name and verb == "delete":
        verb = "deletecollection"
    selects = not by_prefix and verb in _SELECTING
    return RequestInfo(
        path, verb, True, prefix, group, version, namespace, rest[0], subresource, name or selected, tuple(rest),
        by_prefix, bool(selected), _first(query, "fieldSelector") if selects else "",
        _first(query, "labelSelector") if selects else "",
    )  # fmt: skip


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    """The namespace, and the path from the resource on; a namespace is itself a resource."""
    if rest[0] != "namespaces" or len(rest) < 2:
        return "", rest
    if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
        return rest[1], rest[2:]
    return rest[1], rest


def _plural(query: Query) -> tuple[str, str]:
    """Whether it is a list or a watch, and the one name that a field selector asks for."""
    watches = "watch" in query and _true(_first(query, "watch"))
    selector = parse_fields(_first(query, "fieldSelector"))
    name = selector.exact("metadata.name") if isinstance(selector, FieldSelector) else None
    usable = name is not None and name not in {"", ".", ".."} and "/" not in name and "%" not in name
    return "watch" if watches else "list", name if usable and name is not None else ""


def _true(text: str) -> bool:
    return text.lower() not in {"false", "0"}


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""
