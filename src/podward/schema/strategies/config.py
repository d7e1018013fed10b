"""ConfigMaps and Secrets: their keys, their size, what a type of Secret must have, and that they may be frozen.

Specification: Kubernetes, ValidateConfigMap, ValidateSecret, their updates and strategies. Values of Secrets are never
told. All of it together is at most 1 MiB, and the values of `data` count as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key
from podward.schema.godecode.syntax import syntax_error
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.base64_bytes import decoded, length
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import changes, in_order
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.environment import key_faults
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
)
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_MOST = 1 << 20
_DATA, _BINARY = Place(ROOT, "data"), Place(ROOT, "binaryData")
_FROZEN = "field is immutable when `immutable` is set"
_PEM = re.compile(rb"(?m)^-----BEGIN [^\n]*-----[ \t\r]*\n(?s:.*?)^-----END ")
_SORTS = {b"[": "array", b'"': "string", b"t": "bool", b"f": "bool"}
_REDACTED = "<secret contents redacted>"


def _config_map(obj: JsonObject) -> Decision:
    data, binary = member(obj, "data"), member(obj, "binaryData")
    size, found = 0, _keys(data, _DATA)
    for key, value in data.items():
        size += len(value.encode()) if isinstance(value, str) else 0
        if key in binary:
            found.append(invalid(_DATA / Key(key), key, "duplicate of key present in binaryData"))
    found += _keys(binary, _BINARY)
    size += sum(length(value) for value in binary.values())
    if size > _MOST:
        found.append(too_long(ROOT / Key(""), "", _MOST))
    return merge(*found) if found else NOTHING


def _keys(values: JsonObject, at: Place) -> list[Decision]:
    return [each(at / Key(key), key, faults) for key in sorted(values) if (faults := key_faults(key))]


def _frozen(*fields: str) -> Callable[[JsonObject, JsonObject], Decision]:
    def validate(obj: JsonObject, old: JsonObject) -> Decision:
        if old.get("immutable") is not True:
            return NOTHING
        found = [] if obj.get("immutable") is True else [forbidden(ROOT / "immutable", _FROZEN)]
        found += [forbidden(ROOT / name, _FROZEN) for name in fields if not same(obj.get(name), old.get(name))]
        return merge(*found)

    return validate


def _secret(obj: JsonObject) -> Decision:
    data = member(obj, "data")
    found = _keys(data, _DATA)
    if sum(length(value) for value in data.values()) > _MOST:
        found.append(too_long(_DATA, "", _MOST))
    rule = _TYPES.get(text(obj, "type"))
    if rule is not None:
        found.append(rule(obj, data))
    return merge(*found) if found else NOTHING


def _token(obj: JsonObject, _data: JsonObject) -> Decision:
    key = "kubernetes.io/service-account.name"
    annotations = member(member(obj, "metadata"), "annotations")
    return NOTHING if text(annotations, key) else required(ROOT / "metadata" / "annotations" / Key(key))


def _object_fault(value: bytes) -> str:
    """Why Go cannot read these bytes as a JSON object, or as none; empty if it can."""
    wrong = syntax_error(value)
    if wrong is not None:
        return wrong
    first = value.lstrip()[:1]
    if first in {b"{", b"n"}:
        return ""
    return f"json: cannot unmarshal {_SORTS.get(first, 'number')} into Go value of type map[string]interface {{}}"


def _json_under(key: str) -> Callable[[JsonObject, JsonObject], Decision]:
    def rule(_obj: JsonObject, data: JsonObject) -> Decision:
        if key not in data:
            return required(_DATA / Key(key))
        fault = _object_fault(decoded(text(data, key)))
        return invalid(_DATA / Key(key), _REDACTED, fault) if fault else NOTHING

    return rule


def _basic_auth(_obj: JsonObject, data: JsonObject) -> Decision:
    if "username" in data or "password" in data:
        return NOTHING
    return required(_DATA / Key("username")) + required(_DATA / Key("password"))


def _ssh(_obj: JsonObject, data: JsonObject) -> Decision:
    return NOTHING if text(data, "ssh-privatekey") else required(_DATA / Key("ssh-privatekey"))


def _tls(_obj: JsonObject, data: JsonObject) -> Decision:
    return merge(*[required(_DATA / Key(key)) for key in ("tls.crt", "tls.key") if key not in data])


_TYPES: Mapping[str, Callable[[JsonObject, JsonObject], Decision]] = {
    "kubernetes.io/service-account-token": _token,
    "kubernetes.io/dockercfg": _json_under(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _json_under(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/ssh-auth": _ssh,
    "kubernetes.io/tls": _tls,
}


def _type(obj: JsonObject, old: JsonObject) -> Decision:
    if text(obj, "type") == text(old, "type"):
        return NOTHING
    return invalid_value(ROOT / "type", text(obj, "type"), "field is immutable")


def _typed(obj: JsonObject, old: JsonObject) -> JsonObject:
    """A Secret keeps the type that a replacement does not say."""
    return obj if text(obj, "type") or not text(old, "type") else {**obj, "type": old["type"]}


_NEW_MAP = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _config_map)
_NEW_SECRET = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _secret)
CONFIG_MAP = Strategy(
    validate=_NEW_MAP,
    validate_update=changes(object_meta.changed, _frozen("data", "binaryData"), lambda obj, _old: _NEW_MAP(obj)),
)


def _secret_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    """A certificate and a key that hold no PEM block at all."""
    if text(obj, "type") != "kubernetes.io/tls":
        return ()
    for key, what in (("tls.crt", "certificate"), ("tls.key", "key")):
        if not _PEM.search(decoded(text(member(obj, "data"), key))):
            return (f"tls: failed to find any PEM data in {what} input",)
    return ()


SECRET = Strategy(
    validate=_NEW_SECRET,
    validate_update=changes(object_meta.changed, _type, _frozen("data"), lambda obj, _old: _NEW_SECRET(obj)),
    prepare_for_update=_typed,
    warnings=_secret_warnings,
)
