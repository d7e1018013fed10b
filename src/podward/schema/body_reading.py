"""A body that is looked at closely: what it holds, or what the server says of it.

Specification: see `bodies`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

from podward.api.resource import GroupVersion
from podward.errors import InputError
from podward.schema.canonical import MisfitError, canonical
from podward.schema.depth import DEEPEST_READ, is_too_deep, too_deep
from podward.schema.godecode.decoding import GoDecodeError, decode
from podward.schema.godecode.syntax import syntax_error
from podward.schema.godecode.tree import Members, Number, Tree, plain, read
from podward.schema.kinds import is_registered, type_of
from podward.schema.protobuf import ProtobufError, opened, read_message
from podward.schema.served_types import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json, JsonObject

FieldValidation: TypeAlias = Literal["Strict", "Warn", "Ignore"]
"""What becomes of fields that a type has not, or that stand twice."""
Media: TypeAlias = Literal["json", "yaml", "protobuf"]
"""What a body is written in."""

Pruned: TypeAlias = "Callable[[JsonObject, str], tuple[JsonObject, list[str]]]"
"""What of a custom object its schema of this version knows, and the places of what it does not."""

_SHOWN = 30  # bytes of a body that is not recognized
_LOOKED_AT = 1 << 18  # bytes: of a larger body that is no JSON the server's words are not worth the time
_WITH_OPTIONS = frozenset(("", "meta.k8s.io", *(version.rpartition("/")[0] for version in KINDS)))
"""Groups in which DeleteOptions are known."""
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


class NoMetadataError(ValueError):
    """Something inside of a custom object that stands for metadata is none; the text is what the server says."""


class RefusedError(Exception):
    """The body is refused; `bare` is the reason alone, `warnings` what was found before."""

    def __init__(self, message: str, bare: str, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.bare = bare
        self.warnings = warnings


def headed(made: JsonObject, api_version: str, kind: str) -> JsonObject:
    """The object with this version and kind."""
    return {**made, "kind": kind, "apiVersion": api_version}


class Reading:
    """One body that is looked at closely, and what is expected of it."""

    def __init__(self, body: bytes, api_version: str, kind: str) -> None:
        self._body = body
        self._expected_version, self._expected_kind = api_version, kind
        self._kind = ""
        self._of = GroupVersion("", "")
        self._strict: list[str] = []

    def decoded(self, media: Media, validation: FieldValidation) -> tuple[JsonObject, tuple[str, ...]]:
        """The object, and the warnings about it. Raises RefusedError."""
        made = self._object(media)
        self._convert()
        return self._not_too_deep(made), self._judged(validation)

    def custom(self, media: Media, pruned: Pruned, validation: FieldValidation) -> tuple[JsonObject, tuple[str, ...]]:
        """The custom object, and the warnings about it. Raises RefusedError."""
        if media == "protobuf":
            raise self._unrecognized("custom resources have no messages")
        tree = self._yaml() if media == "yaml" else self._json()
        self._interpret(tree)
        if not isinstance(tree, Members) or not self._named(tree, "kind"):
            self._kind = ""
            text = self._body.decode("utf-8", "replace")
            raise self._unrecognized(f"Object 'Kind' is missing in '{text}'")
        whole = plain(tree, "", self._strict)
        metadata = next((value for name, value in reversed(tree) if name == "metadata"), None)
        made: JsonObject = whole if isinstance(whole, dict) else {}
        unknown: list[str] = []
        if metadata is not None:
            made["metadata"], unknown = self._metadata(metadata)
        try:
            made, beside = pruned(made, self._of.version)
        except NoMetadataError as error:
            raise self._unhandled(str(error)) from None
        self._strict += [f'unknown field "{place}"' for place in sorted([*unknown, *beside])]
        return self._not_too_deep(made), self._judged(validation)

    def _not_too_deep(self, made: JsonObject) -> JsonObject:
        if is_too_deep(made):
            raise self._unhandled("exceeded max depth")
        return made

    def _metadata(self, tree: Tree) -> tuple[JsonObject, list[str]]:
        """The metadata, which is of a type even where the object is not, and its unknown fields."""
        try:
            found = decode(tree, "ObjectMeta")
            made = canonical(found.value, "ObjectMeta")
        except GoDecodeError as error:
            raise self._unhandled(str(error)) from None
        except MisfitError:
            raise self._unhandled("the metadata cannot be written") from None
        start = 'unknown field "'
        unknown = [error.removeprefix(start)[:-1] for error in found.strict_errors if error.startswith(start)]
        return made, [f"metadata.{place}" for place in unknown]

    def _judged(self, validation: FieldValidation) -> tuple[str, ...]:
        """What is warned of. Raises RefusedError for strict errors that refuse, and for another version."""
        strict = [] if validation == "Ignore" else self._strict
        if strict and validation == "Strict":
            raise self._unhandled(f"strict decoding error: {', '.join(strict)}")
        warned = tuple([line for error in strict for line in _lines_of(error)])
        if str(self._of) != self._expected_version:
            message = (
                f"the API version in the data ({self._of}) does not match the expected API version"
                f" ({self._expected_version})"
            )
            raise RefusedError(message, message, warned)
        return warned

    def options(self, media: Media, group: str) -> JsonObject:
        """DeleteOptions. Raises RefusedError."""
        made: Tree | Json
        if media == "protobuf":
            return self._object(media)
        made = self._yaml() if media == "yaml" else self._json()
        self._interpret(made)
        if self._kind != self._expected_kind or self._of.group not in {*_WITH_OPTIONS, group}:
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
        if bracket := too_deep(self._body, DEEPEST_READ):
            why = f"invalid character '{bracket}' exceeded max depth"
            raise self._unrecognized(f"couldn't get version/kind; json parse error: {why}")
        try:
            return read(self._body)
        except InputError as error:
            wrong = syntax_error(self._body) if len(self._body) <= _LOOKED_AT else None
            raise self._unrecognized(f"couldn't get version/kind; json parse error: {wrong or error}") from None

    def _yaml(self) -> Tree:
        from podward.schema.yaml_bodies import YamlBodyError, read_yaml_body

        try:
            value, twice = read_yaml_body(self._body, DEEPEST_READ)
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
        self._kind = kind or self._expected_kind
        self._of = GroupVersion.parse(api_version or self._expected_version)

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
            found = type_of(self._expected_version, self._kind)  # of a version that is no longer served
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
        return headed(made, self._expected_version, self._expected_kind)

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
        return headed(made, self._expected_version, self._expected_kind)

    def _convert(self) -> None:
        """The body's kind must be the expected one, of whatever version."""
        groups = (self._of.group, self._expected_version.rpartition("/")[0])
        own, wanted = (_PACKAGES.get(group, group.partition(".")[0]) for group in groups)
        if self._kind != self._expected_kind or (own != wanted and self._of.group != _MOVED):
            what = f"({self._of.version}.{self._kind}) to ({wanted}.{self._expected_kind})"
            raise self._unhandled(f"converting {what}: unknown conversion")

    def _not_registered(self) -> str:
        scheme = _SCHEMES.get(self._expected_version.rpartition("/")[0], _SCHEME)
        return f'no kind "{self._kind}" is registered for version "{self._of}" in scheme "{scheme}"'

    def _unregistered(self) -> RefusedError:
        return self._unhandled(self._not_registered())

    def _unhandled(self, why: str) -> RefusedError:
        kind, version = self._kind, self._of.version
        return RefusedError(f'{kind} in version "{version}" cannot be handled as a {self._expected_kind}: {why}', why)

    def _unrecognized(self, why: str) -> RefusedError:
        beginning = f"the object provided is unrecognized (must be of type {self._expected_kind})"
        return RefusedError(f"{beginning}: {why} ({_beginning(self._body)})", why)


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
