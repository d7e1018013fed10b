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
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from podward.api.resource import GroupVersion
from podward.errors import InputError
from podward.schema.canonical import MisfitError, canonical
from podward.schema.godecode.decoding import GoDecodeError, decode
from podward.schema.godecode.syntax import syntax_error
from podward.schema.godecode.tree import Members, Number, Tree, read
from podward.schema.kinds import is_registered, type_of
from podward.schema.protobuf import ProtobufError, opened, read_message

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

FieldValidation: TypeAlias = Literal["Strict", "Warn", "Ignore"]
"""What becomes of fields that a type has not, or that stand twice."""
Media: TypeAlias = Literal["json", "yaml", "protobuf"]
"""What a body is written in."""

_MEDIA: dict[str, Media] = {
    "": "json",
    "application/json": "json",
    "application/yaml": "yaml",
    "application/vnd.kubernetes.protobuf": "protobuf",
}
UNSUPPORTED_MEDIA = (
    "the body of the request was in an unknown format - accepted media types include:"
    " application/json, application/yaml, application/vnd.kubernetes.protobuf"
)
"""What the server says of any other content type."""

_SHOWN = 30  # bytes of a body that is not recognized
_LOOKED_AT = 1 << 18  # bytes: of a larger body that is no JSON the server's words are not worth the time
_META = 'type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
_SCHEMES = {
    "apiextensions.k8s.io": "k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go:55",
    "apiregistration.k8s.io": "k8s.io/kube-aggregator/pkg/apiserver/scheme/scheme.go:28",
    "meta.k8s.io": "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27",
}
_SCHEME = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
_PACKAGES = {"": "core", "events.k8s.io": "core"}
"""Where the server's own types of a group are; elsewhere the package is called as the group begins."""
_MOVED = "extensions"
"""A group whose kinds are now in others."""


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
    """A body that is refused as a bad request, and why; `bare` is the reason without what was being read."""

    message: str
    bare: str = ""


def media_of(content_type: str) -> Media | None:
    """What a content type says a body is written in; None for one that no server takes."""
    return _MEDIA.get(content_type.partition(";")[0].strip().lower())


def decode_body(
    body: bytes, media: Media, expected: Expected, validation: FieldValidation = "Warn"
) -> Body | Undecodable:
    """The object of the expected kind that a body holds, or the refusal."""
    if media == "json":
        quick = _quickly(body, expected)
        if quick is not None:
            return Body(quick)
    reading = _Reading(body, expected)
    try:
        return reading.decoded(media, validation)
    except _RefusedError as refused:
        return Undecodable(str(refused), refused.bare)


def decode_delete_options(body: bytes, media: Media, group: str) -> Body | Undecodable:
    """The DeleteOptions that a body holds, of `v1`, meta.k8s.io or the resource's group; unknown fields are ignored."""
    expected = Expected("meta.k8s.io/v1", "DeleteOptions")
    reading = _Reading(body, expected)
    try:
        found = reading.options(media, group)
    except _RefusedError as refused:
        return Undecodable(refused.bare)
    return Body(found)


class _RefusedError(Exception):
    """The body is refused; `bare` is the reason alone."""

    def __init__(self, message: str, bare: str) -> None:
        super().__init__(message)
        self.bare = bare


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
        return None if of is None else _headed(canonical(value, of), expected)
    except (ValueError, TypeError, RecursionError, MisfitError, _TwiceError):
        return None


def _headed(made: JsonObject, expected: Expected) -> JsonObject:
    return {**made, "kind": expected.kind, "apiVersion": expected.api_version}


def _once(members: list[tuple[str, Json]]) -> JsonObject:
    made = dict(members)
    if len(made) != len(members):
        raise _TwiceError
    return made


def _no_constant(name: str) -> Json:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


class _Reading:
    """One body that is looked at closely."""

    def __init__(self, body: bytes, expected: Expected) -> None:
        self._body = body
        self._expected = expected
        self._kind = ""
        self._of = GroupVersion("", "")
        self._strict: list[str] = []

    def decoded(self, media: Media, validation: FieldValidation) -> Body:
        """The object. Raises _RefusedError."""
        made = self._object(media)
        self._convert()
        strict = [] if validation == "Ignore" else self._strict
        if strict and validation == "Strict":
            raise self._unhandled(f"strict decoding error: {', '.join(strict)}")
        if str(self._of) != self._expected.api_version:
            message = (
                f"the API version in the data ({self._of}) does not match the expected API version"
                f" ({self._expected.api_version})"
            )
            raise _RefusedError(message, message)
        return Body(made, tuple([line for error in strict for line in _lines_of(error)]))

    def options(self, media: Media, group: str) -> JsonObject:
        """DeleteOptions. Raises _RefusedError."""
        made: Tree | Json
        if media == "protobuf":
            return self._object(media)
        made = self._yaml() if media == "yaml" else self._json()
        self._interpret(made)
        if self._kind != self._expected.kind or self._of.group not in {"", "meta.k8s.io", group}:
            raise self._unregistered()
        self._of = GroupVersion("", "v1")
        return self._typed(made, "DeleteOptions")

    def _object(self, media: Media) -> JsonObject:
        if media == "protobuf":
            return self._protobuf()
        tree = self._yaml() if media == "yaml" else self._json()
        self._interpret(tree)
        return self._typed(tree, self._type())

    def _json(self) -> Tree:
        try:
            return read(self._body)
        except InputError as error:
            wrong = syntax_error(self._body) if len(self._body) <= _LOOKED_AT else None
            raise self._unrecognized(f"couldn't get version/kind; json parse error: {wrong or error}") from None

    def _yaml(self) -> Tree:
        from podward.schema.yaml_bodies import YamlBodyError, read_yaml_body

        try:
            value, twice = read_yaml_body(self._body)
        except YamlBodyError as error:
            raise self._unrecognized(str(error)) from None
        if twice:
            lines = [f'\n  line {line}: key "{name}" already set in map' for name, line in twice]
            self._strict.append("yaml: unmarshal errors:" + "".join(lines))
        return read(json.dumps(value).encode())

    def _interpret(self, tree: Tree) -> None:
        """Find the kind and version that the body names, or take the expected ones."""
        api_version = kind = ""
        if isinstance(tree, Members):
            api_version, kind = (self._named(tree, name) for name in ("apiVersion", "kind"))
        elif tree is not None:
            word = f"cannot unmarshal {_word(tree)} into Go value of {_META}"
            raise self._unrecognized(f"couldn't get version/kind; json parse error: json: {word}")
        self._set(api_version, kind)

    def _set(self, api_version: str, kind: str) -> None:
        if api_version.count("/") > 1:
            raise self._unrecognized(f"unexpected GroupVersion string: {api_version}")
        self._kind = kind or self._expected.kind
        self._of = GroupVersion.parse(api_version or self._expected.api_version)

    def _named(self, members: Members, name: str) -> str:
        found = ""
        for key, value in members:
            if key == name and value is not None:
                if not isinstance(value, str) or isinstance(value, Number):
                    wrong = f"json: cannot unmarshal {_word(value)} into Go struct field .{name} of type string"
                    raise self._unrecognized(f"couldn't get version/kind; json parse error: {wrong}")
                found = value
        return found

    def _type(self) -> str:
        """The type that the body's kind has."""
        found = type_of(str(self._of), self._kind)
        if found is None and is_registered(str(self._of), self._kind):
            found = type_of(self._expected.api_version, self._kind)  # of a version that is no longer served
        if found is None:
            raise self._unhandled(self._not_registered())
        return found

    def _typed(self, tree: Tree, of: str) -> JsonObject:
        try:
            read_ = decode(Members() if tree is None else tree, of)
            made = canonical(read_.value, of)
        except GoDecodeError as error:
            raise self._unhandled(str(error)) from None
        except MisfitError:
            raise self._unhandled("the object cannot be written") from None
        self._strict += read_.strict_errors
        return _headed(made, self._expected)

    def _protobuf(self) -> JsonObject:
        try:
            found = opened(self._body)
            self._set(found.api_version, found.kind)
        except ProtobufError as error:
            raise self._unrecognized(str(error)) from None
        of = self._type()
        try:
            made = canonical(read_message(found.message, of), of)
        except ProtobufError as error:
            raise self._unhandled(str(error)) from None
        except MisfitError:
            raise self._unhandled("the message is of another type") from None
        return _headed(made, self._expected)

    def _convert(self) -> None:
        """The body's kind must be the expected one, of whatever version."""
        expected = self._expected
        own, wanted = (_PACKAGES.get(group, group.partition(".")[0]) for group in (self._of.group, expected.group))
        if self._kind != expected.kind or (own != wanted and self._of.group != _MOVED):
            what = f"({self._of.version}.{self._kind}) to ({wanted}.{expected.kind})"
            raise self._unhandled(f"converting {what}: unknown conversion")

    def _not_registered(self) -> str:
        scheme = _SCHEMES.get(self._expected.group, _SCHEME)
        return f'no kind "{self._kind}" is registered for version "{self._of}" in scheme "{scheme}"'

    def _unregistered(self) -> _RefusedError:
        return self._unhandled(self._not_registered())

    def _unhandled(self, why: str) -> _RefusedError:
        kind, version = self._kind, self._of.version
        return _RefusedError(f'{kind} in version "{version}" cannot be handled as a {self._expected.kind}: {why}', why)

    def _unrecognized(self, why: str) -> _RefusedError:
        beginning = f"the object provided is unrecognized (must be of type {self._expected.kind})"
        return _RefusedError(f"{beginning}: {why} ({_beginning(self._body)})", why)


def _beginning(body: bytes) -> str:
    if not body:
        return "<empty>"
    more = " ..." if len(body) > _SHOWN else ""
    shown = body[:_SHOWN]
    return (shown.decode("utf-8", "replace") if body.startswith(b"{") else shown.hex()) + more


def _word(tree: Tree) -> str:
    if isinstance(tree, Number):
        return "number"
    if isinstance(tree, str):
        return "string"
    if isinstance(tree, bool):
        return "bool"
    return "object" if isinstance(tree, Members) else "array"


def _lines_of(error: str) -> list[str]:
    """A strict error as warnings: one for each line of YAML's."""
    rest = error.removeprefix("yaml: unmarshal errors:\n")
    return [line.strip() for line in rest.split("\n")] if rest != error else [error]
