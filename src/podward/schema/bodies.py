"""The object that a request's body holds: decoded, in Go's form, with its strict errors; or what the server says of it.

Specification: k8s.io/apiserver endpoints/handlers create.go and update.go, with rest.go's transformDecodeError; the
serializers of k8s.io/apimachinery:
- A body is JSON, YAML or Protobuf. YAML becomes JSON first. The kind and version that a body names say how it is read,
  the expected ones where it names none; `null` is an empty object.
- A text that can't be read, or whose kind can't be found, is "unrecognized", with its beginning: as text where that is
  `{`, else in hexadecimal. What is found wrong later names the kind that the body has.
- A kind that is not registered can't be read; a registered one of another sort can't be converted into the expected
  one; the same kind of another version is refused last.
- Unknown and doubled fields are strict errors: with `Strict` they refuse, with `Warn` they warn, with `Ignore` nobody
  looks. Of YAML's doubled keys the line is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.schema.body_reading import FieldValidation, Media, Pruned, Reading, RefusedError, headed
from podward.schema.canonical import MisfitError, canonical
from podward.schema.depth import too_deep
from podward.schema.kinds import type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json, JsonObject

_MEDIA: dict[str, Media] = {
    "": "json",
    "application/json": "json",
    "application/yaml": "yaml",
    "application/vnd.kubernetes.protobuf": "protobuf",
}


class Expected(Struct, frozen=True):
    """What a resource takes: its kind in its version."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """The group of the version."""
        return self.api_version.rpartition("/")[0]


class Body(Struct, frozen=True):
    """What a body holds: the object in Go's form, with the expected kind and version; and the warnings about it."""

    object: JsonObject
    warnings: tuple[str, ...] = ()


class Undecodable(Struct, frozen=True):
    """A body that is refused as a bad request, and why; `bare` is the reason without what was being read.

    What is wrong besides may have been warned of before.
    """

    message: str
    bare: str = ""
    warnings: tuple[str, ...] = ()


def media_of(content_type: str) -> Media | None:
    """What a content type says a body is written in; None for one that no server takes."""
    return _MEDIA.get(content_type.partition(";")[0].strip().lower())


def decode_body(
    body: bytes, media: Media, expected: Expected, validation: FieldValidation = "Warn"
) -> Body | Undecodable:
    """The object of the expected kind that a body holds, or the refusal."""
    if media == "json" and not too_deep(body):
        quick = _quickly(body, expected)
        if quick is not None:
            return Body(quick)
    reading = Reading(body, expected.api_version, expected.kind)
    return _read(lambda: reading.decoded(media, validation))


def decode_custom_body(
    body: bytes, media: Media, expected: Expected, pruned: Pruned, validation: FieldValidation = "Warn"
) -> Body | Undecodable:
    """The custom object that a body holds, or the refusal.

    It is JSON as it was sent, but for its metadata, which has a type, and for what `pruned` says of the rest: the
    object without the fields that its schema does not know, and their places.
    """
    reading = Reading(body, expected.api_version, expected.kind)
    return _read(lambda: reading.custom(media, pruned, validation))


def _read(reading: Callable[[], tuple[JsonObject, tuple[str, ...]]]) -> Body | Undecodable:
    try:
        return Body(*reading())
    except RefusedError as refused:
        return Undecodable(str(refused), refused.bare, refused.warnings)
    except RecursionError:  # of what nests deep only a part is kept, and the walk to it may be too long
        return Undecodable(_DEEP, _DEEP)


def decode_delete_options(body: bytes, media: Media, group: str) -> Body | Undecodable:
    """The DeleteOptions that a body holds, of `v1`, meta.k8s.io or the resource's group; unknown fields are ignored."""
    reading = Reading(body, "meta.k8s.io/v1", "DeleteOptions")
    try:
        found = reading.options(media, group)
    except RefusedError as refused:
        return Undecodable(refused.bare)
    return Body(found)


_DEEP = "the object provided nests too deeply: exceeded max depth"


class _TwiceError(Exception):
    """A name stands twice in an object."""


def _quickly(body: bytes, expected: Expected) -> JsonObject | None:
    """The object where a body is a sound one of the expected kind; None where somebody should look more closely."""
    try:
        text = body.decode()
        if "\\u" in text and "\\ud" in text.lower():
            return None  # perhaps half of a surrogate pair
        value: Json = _DECODER.decode(text)
        if type(value) is not dict:
            return None
        if value.get("kind", expected.kind) != expected.kind:
            return None
        if value.get("apiVersion", expected.api_version) != expected.api_version:
            return None
        of = type_of(expected.api_version, expected.kind)
        return None if of is None else headed(canonical(value, of), expected.api_version, expected.kind)
    except (ValueError, TypeError, RecursionError, MisfitError, _TwiceError):
        return None


def _once(members: list[tuple[str, Json]]) -> JsonObject:
    made = dict(members)
    if len(made) != len(members):
        raise _TwiceError
    return made


def _no_constant(name: str) -> Json:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
