"""Environment variables: names, and where their values come from.

Specification: Kubernetes with RelaxedEnvironmentVariableValidation and EnvFiles: ValidateEnv, ValidateEnvFrom,
validateFileKeyRefVolumes. A name is of printable ASCII characters without `=`. A value has one source, and none beside
`value`. A file that variables are read from is in an emptyDir.
"""

from __future__ import annotations

from functools import lru_cache

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects, member, objects
from podward.path import Path
from podward.schema.validation import downward
from podward.schema.validation.field import each, invalid, not_found, required
from podward.schema.validation.local_path import no_backsteps
from podward.schema.validation.names import label, subdomain_faults
from podward.schema.validation.raw import text

_NAME_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_KEY_PATTERN = "[-._a-zA-Z0-9]+"
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    f"  or 'key-name', regex used for validation is '{_KEY_PATTERN}')"
)
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
_LONGEST_KEY = 253
_SOURCES = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"


def check(container: JsonObject, at: Path) -> Decision:
    """A container's `env` and `envFrom`."""
    found: list[Decision] = []
    for index, variable in enumerate(objects(container, "env")):
        name = variable.get("name")
        if not name or not isinstance(name, str) or _name_faults(name):
            found.append(_name(text(variable, "name"), at / "env" / index / "name"))
        source = variable.get("valueFrom")
        if source is not None and not _surely_sound(source, variable):
            found.append(_value_from(variable, at / "env" / index / "valueFrom"))
    if container.get("envFrom"):
        for index, source in enumerate(objects(container, "envFrom")):
            found.append(_env_from(source, at / "envFrom", index))
    return merge(*found) if found else Decision()


def _name(name: str, at: Path) -> Decision:
    return each(at, name, _name_faults(name)) if name else required(at)


def _surely_sound(source: Json, variable: JsonObject) -> bool:
    """Whether the variable comes from one key of one object and nothing can be said against it: most are like that."""
    if not isinstance(source, dict) or len(source) != 1 or variable.get("value"):
        return False
    reference = source.get("secretKeyRef") or source.get("configMapKeyRef")
    if not isinstance(reference, dict):
        return False
    name, key = reference.get("name"), reference.get("key")
    return (
        isinstance(name, str) and isinstance(key, str) and not (subdomain_faults(name) or not key or _key_faults(key))
    )


def check_files(pod: JsonObject, at: Path) -> Decision:
    """The volumes of the files that the variables of any container come from."""
    if not _reads_files(pod):
        return Decision()
    volumes = {text(volume, "name"): volume for volume in objects(member(pod, "spec"), "volumes")}
    found: list[Decision] = []
    for container_at, container in container_objects(pod, at):
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


def _reads_files(pod: JsonObject) -> bool:
    """Whether any variable comes from a file: hardly any Pod has one, and the others need no places."""
    spec = member(pod, "spec")
    for name in ("initContainers", "containers", "ephemeralContainers"):
        if not spec.get(name):
            continue
        for container in objects(spec, name):
            for variable in objects(container, "env") if container.get("env") else ():
                source = variable.get("valueFrom")
                if source and isinstance(source, dict) and "fileKeyRef" in source:
                    return True
    return False


def _value_from(variable: JsonObject, at: Path) -> Decision:
    source = member(variable, "valueFrom")
    rules = (
        ("fieldRef", downward.field_of_variable),
        ("resourceFieldRef", downward.resource_of_variable),
        ("configMapKeyRef", _key_of_object),
        ("secretKeyRef", _key_of_object),
        ("fileKeyRef", _key_of_file),
    )
    present = [(name, rule) for name, rule in rules if source.get(name) is not None]
    found = merge(*(rule(member(source, name), at / name) for name, rule in present))
    if not present:
        return found + invalid(at, "", _SOURCES)
    if text(variable, "value"):
        return found + invalid(at, "", "may not be specified when `value` is not empty")
    several = len(present) > 1
    return found + invalid(at, "", "may not have more than one field specified at a time") if several else found


def _env_from(source: JsonObject, at: Path, index: int) -> Decision:
    prefix = text(source, "prefix")
    found = each(at / index / "prefix", prefix, _name_faults(prefix)) if prefix else Decision()
    present = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    for kind in present:
        name, place = text(member(source, kind), "name"), at / index / kind / "name"
        begun = name[:-2] + "a" if len(name) > 1 and name.endswith("-") else name
        found += each(place, name, subdomain_faults(begun)) if name else required(place)
    if not present:
        return found + invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
    several = len(present) > 1
    return found + invalid(at, "", "may not have more than one field specified at a time") if several else found


def _key_of_object(reference: JsonObject, at: Path) -> Decision:
    name, key = text(reference, "name"), text(reference, "key")
    found = each(at / "name", name, subdomain_faults(name))
    return found + (each(at / "key", key, _key_faults(key)) if key else required(at / "key"))


def _key_of_file(reference: JsonObject, at: Path) -> Decision:
    key, volume, path = text(reference, "key"), text(reference, "volumeName"), text(reference, "path")
    found = each(at / "key", key, _name_faults(key)) if key else required(at / "key")
    found += label(volume, at / "volumeName") if volume else required(at / "volumeName")
    return found + (no_backsteps(path, at / "path") if path else required(at / "path"))


@lru_cache(1 << 12)
def _name_faults(name: str) -> tuple[str, ...]:
    return () if name.isascii() and name.isprintable() and "=" not in name else (_NAME_RULE,)


@lru_cache(1 << 10)
def _key_faults(key: str) -> tuple[str, ...]:
    faults = [f"must be no more than {_LONGEST_KEY} characters"] if len(key.encode()) > _LONGEST_KEY else []
    if not _KEY_CHARACTERS.issuperset(key):
        faults.append(_KEY_RULE)
    if key in {".", ".."}:
        faults.append(f"must not be '{key}'")
    elif key.startswith(".."):
        faults.append("must not start with '..'")
    return tuple(faults)
