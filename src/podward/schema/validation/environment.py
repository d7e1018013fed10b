"""Environment variables: names, and where their values come from.

Specification: Kubernetes with RelaxedEnvironmentVariableValidation and EnvFiles: ValidateEnv, ValidateEnvFrom,
validateFileKeyRefVolumes. A name is of printable ASCII characters without `=`. A value has one source, and none beside
`value`. A file that variables are read from is in an emptyDir.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects, member, objects
from podward.schema.validation.field import NOTHING, Place, each, invalid, not_found, required
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_NAME_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_KEY_PATTERN = "[-._a-zA-Z0-9]+"
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    f"  or 'key-name', regex used for validation is '{_KEY_PATTERN}')"
)
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
_LONGEST_KEY = 253
_SOURCES = {
    "fieldRef": "ObjectFieldSelector",
    "resourceFieldRef": "ResourceFieldSelector",
    "configMapKeyRef": "ConfigMapKeySelector",
    "secretKeyRef": "SecretKeySelector",
    "fileKeyRef": "FileKeySelector",
}
"""The types of the sources, in the server's order."""
_NO_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
_SEVERAL = "may not have more than one field specified at a time"


def value_from(variable: JsonObject, scope: Scope, at: Place) -> Decision:
    """Where a variable's value comes from."""
    place, source = Place(at, "valueFrom"), variable["valueFrom"]
    found: Decision | None = None
    for name, written in source.items() if isinstance(source, dict) else ():
        if name in _SOURCES and isinstance(written, dict):
            if found is not None or variable.get("value"):
                return _too_much(variable, scope, place)
            found = scope.walks[_SOURCES[name]](written, scope, Place(place, name))
    return found if found is not None else invalid(place, "", _NO_SOURCE)


def has_one_source(variable: JsonObject) -> bool:
    """Whether `value_from` surely has nothing to say: there is one source, and nothing beside it."""
    source = variable["valueFrom"]
    return isinstance(source, dict) and len(source) == 1 and None not in source.values() and not variable.get("value")


def _too_much(variable: JsonObject, scope: Scope, at: Place) -> Decision:
    """What is wrong with a value that comes from several sources, or that is written beside one."""
    source = member(variable, "valueFrom")
    present = [name for name in _SOURCES if source.get(name) is not None]
    found = [scope.walks[_SOURCES[name]](member(source, name), scope, at / name) for name in present]
    detail = "may not be specified when `value` is not empty" if variable.get("value") else _SEVERAL
    return merge(*found, invalid(at, "", detail))


def from_objects(container: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A container's `envFrom`, some of it printed without its index."""
    place = at / "envFrom"
    return merge(*(_from_object(source, place, index) for index, source in enumerate(objects(container, "envFrom"))))


def _from_object(source: JsonObject, at: Place, index: int) -> Decision:
    prefix = text(source, "prefix")
    found = each(at / index / "prefix", prefix, name_faults(prefix)) if prefix else NOTHING
    present = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    for kind in present:
        name, place = text(member(source, kind), "name"), at / index / kind / "name"
        begun = name[:-2] + "a" if len(name) > 1 and name.endswith("-") else name
        found += each(place, name, subdomain_faults(begun)) if name else required(place)
    if not present:
        return found + invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
    return found + invalid(at, "", _SEVERAL) if len(present) > 1 else found


def note_file(reference: JsonObject, scope: Scope, at: Place) -> Decision:
    """A variable comes from a file: whose volume that is, is asked at the end."""
    del reference, at
    scope.noted.add("fileKeyRef")
    return NOTHING


def files(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The volumes of the files that the variables of any container come from."""
    if "fileKeyRef" not in scope.noted:
        return NOTHING
    volumes = {text(volume, "name"): volume for volume in objects(spec, "volumes")}
    found: list[Decision] = []
    for container_at, container in container_objects(scope.raw, at.path):
        for index, variable in enumerate(objects(container, "env")):
            source = variable.get("valueFrom")
            reference = source.get("fileKeyRef") if isinstance(source, dict) else None
            if not isinstance(reference, dict):
                continue
            place = container_at / "env" / index / "valueFrom" / "fileKeyRef" / "volumeName"
            name = text(reference, "volumeName")
            if name not in volumes:
                found.append(not_found(place, name))
            elif volumes[name].get("emptyDir") is None:
                found.append(invalid(place, name, "referenced volume must be of type emptyDir"))
    return merge(*found)


_NAME_CHARACTERS = frozenset(map(chr, range(0x20, 0x7F))) - {"="}
is_name = _NAME_CHARACTERS.issuperset
"""Whether a text that is not empty may be a variable's name."""


def name_faults(name: str) -> tuple[str, ...]:
    """What keeps `name` from being a variable's."""
    return () if is_name(name) else (_NAME_RULE,)


def is_key(key: str) -> bool:
    """Whether `key` may be one of a ConfigMap or Secret."""
    return 0 < len(key) <= _LONGEST_KEY and _KEY_CHARACTERS.issuperset(key) and key != "." and not key.startswith("..")


def key_faults(key: str) -> tuple[str, ...]:
    """What keeps `key` from being one of a ConfigMap or Secret."""
    faults = [f"must be no more than {_LONGEST_KEY} characters"] if len(key.encode()) > _LONGEST_KEY else []
    if not key or not _KEY_CHARACTERS.issuperset(key):
        faults.append(_KEY_RULE)
    if key in {".", ".."}:
        faults.append(f"must not be '{key}'")
    elif key.startswith(".."):
        faults.append("must not start with '..'")
    return tuple(faults)
