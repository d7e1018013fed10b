"""The objects of a document: the document itself, the items of a list, or what a Template makes; each with its place.

Specification: kubectl, and `oc process`. An object with `items` is a list, whatever its kind: a `List` holds objects
of any kind, a `PodList` (and so on) and an object of any other kind those of its own, which may say neither kind nor
apiVersion. An OpenShift Template holds objects with parameters (`schema.parameters`), and a TemplateInstance holds the
Template whose objects its controller makes, whatever kind that says. Lists may hold lists. Objects of a cluster are in
no namespace: what they say about one is dropped, as an API server does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of
from podward.documents.raw_fields import member
from podward.errors import InputError, OtherDocumentError
from podward.path import Path, path
from podward.schema.table import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document

DEFAULT_NAMESPACE = "default"
_NAMESPACED = frozenset(("Role", "RoleBinding", "ServiceAccount"))
"""Kinds of policies that are in a namespace."""
_OF_THE_CLUSTER = {
    "Namespace": "",
    "PersistentVolume": "",
    "ClusterRole": "rbac.authorization.k8s.io",
    "ClusterRoleBinding": "rbac.authorization.k8s.io",
    "SecurityContextConstraints": "security.openshift.io",
    "CSIDriver": "storage.k8s.io",
    "StorageClass": "storage.k8s.io",
}
"""Those kinds of objects without a namespace that anybody here reads, each with its group."""
_TEMPLATE = "Template"
_INSTANCE = "TemplateInstance"
_GROUPS_OF_TEMPLATES = frozenset(("template.openshift.io", ""))
"""OpenShift's group, and where OpenShift 3 had it."""
_OF_TEMPLATES = frozenset((_TEMPLATE, _INSTANCE))
_INSTANCE_GROUP = "template.openshift.io"
_IN_INSTANCE = path("spec", "template")


_HERE = Path()


class Item(Struct, frozen=True):
    """An object of a document; `at` is its place there, the root unless it is in a list or a Template.

    `document` is the one that was read; of a Template, with its parameters filled in.
    """

    document: Document
    at: Path
    raw: JsonObject
    kind: str
    api_version: str

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name in its metadata; empty if it has none."""
        return self._metadata("name")

    @property
    def namespace(self) -> str:
        """The namespace in its metadata; empty if it has none."""
        return self._metadata("namespace")

    @property
    def identity(self) -> tuple[str, str, str]:
        """Kind, namespace and name of a policy: what makes two of them the same object to a cluster."""
        local = self.kind in _NAMESPACED
        return self.kind, (self.namespace or DEFAULT_NAMESPACE) if local else "", self.name

    def where(self, place: Path) -> str:
        """`file:line` of a field of the object or, if it is absent, of the closest thing around it."""
        return self.document.where(self.at + place)

    def _metadata(self, field: str) -> str:
        metadata = self.raw.get("metadata")
        value = metadata.get(field) if isinstance(metadata, dict) else None
        return value if isinstance(value, str) else ""


def objects_of(document: Document) -> tuple[Item, ...]:
    """Every object of the document, lists and Templates taken apart.

    Raises InputError for an object without kind or apiVersion, for a list's item that is no object, and for a Template
    whose parameters are wrong.
    """
    return tuple(item for item, holds in everything_in(document) if not holds)


def everything_in(document: Document) -> Iterable[tuple[Item, bool]]:
    """Every object of the document with whether it is a list or a Template, whose objects come behind it."""
    raw = document.raw
    kind, api_version = raw.get("kind"), raw.get("apiVersion")
    if isinstance(kind, str) and isinstance(api_version, str) and kind and api_version and raw.get("items") is None:
        simple = kind not in _OF_THE_CLUSTER and kind not in _OF_TEMPLATES and not kind.endswith("List")
        if simple:  # most are
            return ((Item(document, _HERE, raw, kind, api_version), False),)
    return _walk(document, raw, _HERE, "", "")


def is_template(kind: str, group: str) -> bool:
    """Whether an object of this kind is an OpenShift Template."""
    return kind == _TEMPLATE and group in _GROUPS_OF_TEMPLATES


def require_version(item: Item, groups: frozenset[str]) -> None:
    """Raise InputError where the kind is one of ours, in one of these groups, and the version is not one it has.

    Kinds of the same name in somebody else's group are none of ours.
    """
    versions = KINDS.get(item.kind, {})
    if item.api_version in versions or not versions or item.group not in groups:
        return
    raise InputError(
        f'no matches for kind "{item.kind}" in version "{item.api_version}"',
        where=item.where(path("apiVersion")),
        advice=f"write apiVersion: {' or '.join(versions)}",
    )


def _walk(document: Document, raw: JsonObject, at: Path, kind: str, api_version: str) -> Iterator[tuple[Item, bool]]:
    """The objects in `raw`; `kind` and `api_version` are what it is if it does not say."""
    own = _word(document, raw, at, "kind"), _word(document, raw, at, "apiVersion")
    kind, api_version = own if any(own) else (kind, api_version)
    if not kind or not api_version:
        raise _nameless(document, raw, at, kind, api_version)
    if kind in _OF_THE_CLUSTER and _OF_THE_CLUSTER[kind] == api_version.rpartition("/")[0]:
        raw = _without_namespace(raw)
    item = Item(document, at, raw, kind, api_version)
    listed = _listed(raw, kind, api_version)
    if kind == _TEMPLATE and is_template(kind, item.group):
        yield item, True
        yield from _of_template(document, at)
    elif kind.endswith("List"):
        yield item, listed is not None
    elif listed is None or kind in KINDS:
        yield item, False
    else:  # what is in the list comes by itself
        rest = {name: value for name, value in raw.items() if name != "items"}
        yield Item(document, at, rest, kind, api_version), False
    if kind == _INSTANCE and item.group == _INSTANCE_GROUP:
        inside = member(member(raw, "spec"), "template")
        yield from _of_template(document, at + _IN_INSTANCE) if inside else ()
    for index, each in enumerate(listed or ()):
        place = at / "items" / index
        if isinstance(each, dict):
            yield from _walk(document, each, place, *implied(kind, api_version))
        else:
            raise InputError(f"{place}: expected an object, found {kind_of(each)}", where=document.where(place))


def implied(kind: str, api_version: str) -> tuple[str, str]:
    """The kind and the apiVersion of an item of such a list that says neither; empty in a `List`."""
    return (kind.removesuffix("List"), api_version) if kind != "List" else ("", "")


def _listed(raw: JsonObject, kind: str, api_version: str) -> list[Json] | None:
    """What an object lists; None if it is no list. A `List` of Kubernetes' own is one without items, too."""
    items = raw.get("items")
    own_list = kind.endswith("List") and api_version in KINDS.get(kind, {})
    if isinstance(items, list) and (own_list or any(map(_is_object, items))):
        return items
    return [] if own_list else None


def _of_template(document: Document, at: Path) -> Iterator[tuple[Item, bool]]:
    """The objects that the Template at this place makes."""
    from podward.schema import parameters  # few files have a Template, and a check starts often

    filled = parameters.filled(document, at)
    for place, inside in parameters.objects_in(filled, at):
        yield from _walk(filled, inside, place, "", "")


def _is_object(value: Json) -> bool:
    """Whether an item of a list is an object; nothing can be created without metadata."""
    if not isinstance(value, dict):
        return False
    return bool(value.get("kind") and value.get("apiVersion")) or isinstance(value.get("metadata"), dict)


def _nameless(document: Document, raw: JsonObject, at: Path, kind: str, api_version: str) -> InputError:
    missing = ", ".join(f"{name} not set" for name, word in (("apiVersion", api_version), ("kind", kind)) if not word)
    advice = "every object needs both, such as `apiVersion: v1` and `kind: Pod`"
    other = not at.segments and "kind" not in raw and "metadata" not in raw
    return (OtherDocumentError if other else InputError)(missing, where=document.where(at), advice=advice)


def _word(document: Document, raw: JsonObject, at: Path, name: str) -> str:
    word = raw.get(name)
    if word is None:
        return ""
    if not isinstance(word, str):
        where = document.where(at + path(name))
        raise InputError(f"{name}: expected a string, found {kind_of(word)}", where=where)
    return word


def _without_namespace(raw: JsonObject) -> JsonObject:
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or "namespace" not in metadata:
        return raw
    return {**raw, "metadata": {name: value for name, value in metadata.items() if name != "namespace"}}
