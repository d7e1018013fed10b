"""A webhook's answer as the real server reads it: the review of one of several versions, or what is wrong with it.

Specification: client-go, rest/request.go, and k8s.io/apimachinery, pkg/runtime/serializer/json: what says of itself
that it is no review is refused, what says nothing may be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.api.resource import GroupVersion
from podward.schema.patches.json_patch import go_word
from podward.schema.patches.reading import UnreadableError, read_json
from podward.schema.validation.raw import text

_SCHEME = "k8s.io/apiserver/pkg/util/webhook/client.go:71"
_HEAD = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_NO_HEAD = "couldn't get version/kind; json parse error: "
_PLACE = re.compile(r"got `(\w+)` - at `\$\.([^`]*)`")
_WORDS = {"str": "string", "int": "number", "float": "number", "object": "object", "array": "array", "bool": "bool"}


class ReviewKind(Struct, frozen=True):
    """A kind of reviews: its group, and the versions that are known. `fields` are Go's types of what is in one.

    They are found by the path of a field, and begin with the name of the Go type around it.
    """

    group: str
    kind: str
    fields: Mapping[str, tuple[str, str]]
    versions: tuple[str, ...] = ("v1", "v1beta1")


def unreadable(of: ReviewKind, version: str, body: bytes) -> str:
    """Why this is no review of that version; empty where it may be one."""
    if not body:
        return "0-length response with status code: 200 and content type: application/json"
    try:
        found, _ = read_json(body)
    except UnreadableError as error:
        looks_like_json = body.lstrip()[:1] in {b"{", b"["}
        return _NO_HEAD + (str(error) if looks_like_json else _not_into(""))
    if not isinstance(found, dict):
        return _NO_HEAD + _not_into(found)
    written, kind = text(found, "apiVersion"), text(found, "kind")
    own = str(GroupVersion(of.group, version))
    if (written or own) == own and (kind or of.kind) == of.kind:
        return ""
    named = GroupVersion.parse(written or own)
    if named.group == of.group and named.version in of.versions and (kind or of.kind) == of.kind:
        return f"converting ({named.version}.{of.kind}) to ({version}.{of.kind}): unknown conversion"
    return f"no kind {quote(kind or of.kind)} is registered for version {quote(str(named))} in scheme {quote(_SCHEME)}"


def unfit(of: ReviewKind, error: msgspec.ValidationError) -> str:
    """Go's words about a field of another type."""
    found = _PLACE.search(str(error))
    if found is None:
        return str(error)
    word, path = _WORDS.get(found[1], found[1]), re.sub(r"\[[^]]*\]", "", found[2])
    element = "[]" if "[" in found[2] else ""
    owner, of_type = of.fields.get(path + element, of.fields.get(path, (of.kind, "object")))
    return f"json: cannot unmarshal {word} into Go struct field {owner}.{path} of type {of_type}"


def _not_into(value: Json) -> str:
    return f"json: cannot unmarshal {go_word(value)} into Go value of type {_HEAD}"
