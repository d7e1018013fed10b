"""Objects that Pods refer to, read from documents: Secrets and ConfigMaps; storage is read by `storage_objects`.

Specification (Kubernetes, core/v1 and its validation, in our words):
- A Secret's `data` is base64; `stringData` is text and takes the place of keys of the same name in `data`.
- A ConfigMap's `data` is text, its `binaryData` base64; no key is in both.
- A key has letters, digits, `-`, `_` and `.`; at most 253 of them; it is not `.` and does not begin with `..`.
- All values of an object together are at most 1 MiB.

What breaks these rules an API server refuses, so that there is no such object. An object that comes later takes the
place of one of the same name, as `kubectl apply` would make it.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Mapping

from podward.api.content import ContentKind, ContentObject
from podward.api.json_value import JsonObject
from podward.api.referenced_objects import Missing, ReferencedObjects
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.schema import storage_objects
from podward.schema.objects import Item, objects_of
from podward.schema.workload import DEFAULT_NAMESPACE

LARGEST = 1 << 20
_LONGEST_KEY = 253
_KEY = frozenset("-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def collect(documents: Iterable[Document]) -> ReferencedObjects:
    """The objects of these documents that Pods may refer to; objects of other kinds are passed over.

    The fields of the documents are known to fit (`strict.require`). Raises InputError for one without kind.
    """
    contents: dict[tuple[ContentKind, str, str], ContentObject | Missing] = {}
    items = tuple(_items(documents))
    for item in items:
        read = _CONTENTS.get((item.api_version, item.kind))
        if read is not None:
            found = read(item)
            contents[found.kind, found.namespace, found.name] = _fault(found, item) or found
    return ReferencedObjects(contents, storage=storage_objects.collect(items))


def holds_any(document: Document) -> bool:
    """Whether a document has an object that Pods of other documents may refer to."""
    kinds = ((item.api_version, item.kind) for item in objects_of(document))
    return any(kind in _CONTENTS or kind in storage_objects.KINDS for kind in kinds)


def _items(documents: Iterable[Document]) -> Iterator[Item]:
    for document in documents:
        yield from objects_of(document)


def _secret(item: Item) -> ContentObject:
    data = {**_decoded(item.raw, "data"), **_encoded(item.raw, "stringData")}
    return ContentObject("Secret", item.namespace or DEFAULT_NAMESPACE, item.name, data)


def _config_map(item: Item) -> ContentObject:
    text = _encoded(item.raw, "data")
    data = {**_decoded(item.raw, "binaryData"), **text}
    return ContentObject("ConfigMap", item.namespace or DEFAULT_NAMESPACE, item.name, data, frozenset(text))


_CONTENTS: Mapping[tuple[str, str], Callable[[Item], ContentObject]] = {
    ("v1", "Secret"): _secret,
    ("v1", "ConfigMap"): _config_map,
}


def _decoded(raw: JsonObject, name: str) -> dict[str, bytes]:
    """The values of a field of base64, which was checked; null is an empty value."""
    texts = {key: str(value or "") for key, value in member(raw, name).items()}
    return {key: a2b_base64(text.replace("\r", "").replace("\n", "").encode()) for key, text in texts.items()}


def _encoded(raw: JsonObject, name: str) -> dict[str, bytes]:
    return {key: str(value or "").encode("utf-8", "surrogatepass") for key, value in member(raw, name).items()}


def _fault(content: ContentObject, item: Item) -> Missing | None:
    """What an API server refuses in the object, never with a value of it."""
    for at, what in _faults(content, item):
        advice = f"{item.where(at)}: the {content.kind} {content.name} is invalid: {at}: {what}"
        return Missing(advice)
    return None


def _faults(content: ContentObject, item: Item) -> Iterator[tuple[Path, str]]:
    field = path("data")
    for key in content.data:
        if len(key) > _LONGEST_KEY:
            yield field, f"a key must be no more than {_LONGEST_KEY} characters"
        elif key == "." or key.startswith("..") or not key or not _KEY.issuperset(key):
            yield field / key, "a valid key has letters, digits, '-', '_' and '.', and does not begin with '..'"
    if content.kind == "ConfigMap":
        for key in member(item.raw, "binaryData").keys() & content.text:
            yield field / key, "duplicate of key present in binaryData"
    if sum(map(len, content.data.values())) > LARGEST:
        yield field, f"Too long: may not be more than {LARGEST} bytes"
