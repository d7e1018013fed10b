"""The objects of a document: the document itself, or the items of a list, each with its kind and its place.

Specification: kubectl. A `List` holds objects of any kind, a `PodList` (and so on) of its own, which may leave out
what they are. Lists may hold lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of
from podward.errors import InputError
from podward.path import Path, path
from podward.schema.table import KINDS
from podward.schema.workload import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import JsonObject
    from podward.documents.document import Document


_NAMESPACED = frozenset(("Role", "RoleBinding", "ServiceAccount"))
"""Kinds of policies that are in a namespace."""


class Item(Struct, frozen=True):
    """An object of a document; `at` is its place there, the root unless it is in a list."""

    document: Document
    at: Path
    raw: JsonObject
    kind: str
    api_version: str

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
    """Every object of the document, lists taken apart.

    Raises InputError for an object without kind or apiVersion, and for a list's item that is no object.
    """
    return tuple(_objects(document, document.raw, Path(), "", ""))


def require_version(item: Item, groups: frozenset[str]) -> None:
    """Raise InputError where the kind is one of ours, in one of these groups, and the version is not one it has.

    Kinds of the same name in somebody else's group are none of ours.
    """
    versions = KINDS.get(item.kind, {})
    if item.api_version in versions or not versions or item.api_version.rpartition("/")[0] not in groups:
        return
    raise InputError(
        f'no matches for kind "{item.kind}" in version "{item.api_version}"',
        where=item.where(path("apiVersion")),
        advice=f"write apiVersion: {' or '.join(versions)}",
    )


def _objects(document: Document, raw: JsonObject, at: Path, kind: str, api_version: str) -> Iterator[Item]:
    """The objects in `raw`; `kind` and `api_version` are what it is if it does not say."""
    kind = _word(document, raw, at, "kind") or kind
    api_version = _word(document, raw, at, "apiVersion") or api_version
    if not kind or not api_version:
        words = (("apiVersion", api_version), ("kind", kind))
        missing = ", ".join(f"{name} not set" for name, word in words if not word)
        advice = "every object needs both, such as `apiVersion: v1` and `kind: Namespace`"
        raise InputError(missing, where=document.where(at), advice=advice)
    items = raw.get("items")
    if not kind.endswith("List") or api_version not in KINDS.get(kind, {}):
        yield Item(document, at, raw, kind, api_version)
    elif isinstance(items, list):
        inner = ("", "") if kind == "List" else (kind.removesuffix("List"), api_version)
        for index, item in enumerate(items):
            place = at / "items" / index
            if not isinstance(item, dict):
                raise InputError(f"{place}: expected an object, found {kind_of(item)}", where=document.where(place))
            yield from _objects(document, item, place, *inner)


def _word(document: Document, raw: JsonObject, at: Path, name: str) -> str:
    word = raw.get(name)
    if word is None:
        return ""
    if not isinstance(word, str):
        where = document.where(at + path(name))
        raise InputError(f"{name}: expected a string, found {kind_of(word)}", where=where)
    return word
