"""The entries of managedFields: which manager, by which kind of operation, owns which fields of which version.

Specification: apimachinery, util/managedfields/internal: managedfields.go and capmanagers.go. A manager that applies is
known by its name and subresource, one that updates by its API version too. Entries stand ordered: those that applied
first, then by time in seconds, by name, version and subresource. More than ten that update are too many: the oldest of
a version become one, `ancient-changes`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.field_set import FieldSet, as_json, decoded, union

APPLY, UPDATE = "Apply", "Update"
_MOST_UPDATERS = 10
_ANCIENT = "ancient-changes"


class ManagerKey(Struct, frozen=True, order=True):
    """What tells managers apart; `api_version` is empty for one that applies."""

    name: str
    operation: str
    api_version: str
    subresource: str

    @classmethod
    def of(cls, name: str, operation: str, api_version: str, subresource: str) -> ManagerKey:
        """The manager of this name."""
        return cls(name, operation, "" if operation == APPLY else api_version, subresource)


class Owned(Struct, frozen=True):
    """What a manager owns, in which version, and when it last changed that; `written` is the entry that said so."""

    fields: FieldSet
    api_version: str
    time: str | None = None
    written: JsonObject | None = None

    def owning(self, fields: FieldSet) -> Owned:
        """The same manager, owning other fields."""
        return self if fields is self.fields else structs.replace(self, fields=fields, written=None)


Managers = dict[ManagerKey, Owned]
"""The managers of an object."""


def decoded_managers(written: Json) -> Managers | str:
    """The managers that an object's metadata names, or why they cannot be read."""
    found: Managers = {}
    for index, entry in enumerate(written if isinstance(written, list) else ()):
        if not isinstance(entry, dict):
            return "operation must be `Apply` or `Update`"
        key, fault = _key(entry, index)
        if fault:
            return fault
        fields = decoded(entry.get("fieldsV1") or {})
        if fields is None:
            return f"error decoding versioned set from {entry.get('manager', '')}: it is no set of fields"
        time = entry.get("time")
        found[key] = Owned(fields, _text(entry, "apiVersion"), time if isinstance(time, str) else None, entry)
    return found


def _key(entry: JsonObject, index: int) -> tuple[ManagerKey, str]:
    operation, version, fields_type = (_text(entry, name) for name in ("operation", "apiVersion", "fieldsType"))
    key = ManagerKey.of(_text(entry, "manager"), operation, version, _text(entry, "subresource"))
    if operation not in (APPLY, UPDATE):
        return key, "operation must be `Apply` or `Update`"
    if not version:
        return key, "apiVersion must not be empty"
    if fields_type == "FieldsV1":
        return key, ""
    if not fields_type:
        return key, f"missing fieldsType in managed fields entry {index}"
    return key, f'invalid fieldsType "{fields_type}" in managed fields entry {index}'


def _text(entry: JsonObject, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def encoded_managers(managers: Managers) -> list[Json]:
    """The entries of these managers, in order; what did not change is as it was written."""
    ordered = sorted(managers.items(), key=_place)
    return [owned.written or _entry(key, owned) for key, owned in ordered]


def _place(entry: tuple[ManagerKey, Owned]) -> tuple[str, str, str, str, str]:
    key, owned = entry
    return key.operation, owned.time or "", key.name, owned.api_version, key.subresource


def _entry(key: ManagerKey, owned: Owned) -> JsonObject:
    entry: JsonObject = {"manager": key.name, "operation": key.operation, "apiVersion": owned.api_version}
    if owned.time is not None:
        entry["time"] = owned.time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = as_json(owned.fields)
    if key.subresource:
        entry["subresource"] = key.subresource
    return entry


def capped(managers: Managers) -> Managers:
    """The managers, with the oldest of too many updaters as one for each version."""
    updaters = sorted((key for key in managers if key.operation == UPDATE), key=lambda key: (_time(managers, key), key))
    surplus = len(updaters) - _MOST_UPDATERS
    if surplus <= 0:
        return managers
    found = dict(managers)
    first: dict[str, ManagerKey] = {}
    for key in updaters:
        if surplus <= 0:
            break
        owned = found[key]
        bucket = ManagerKey.of(_ANCIENT, UPDATE, owned.api_version, "")
        if owned.api_version not in first:
            first[owned.api_version] = key
            continue
        if bucket not in found:
            found[bucket] = found.pop(first[owned.api_version])
        both = union(owned.fields, found[bucket].fields)
        found[bucket] = Owned(both, owned.api_version, owned.time)
        if key != bucket:
            del found[key]
        surplus -= 1
    return found


def _time(managers: Managers, key: ManagerKey) -> str:
    return managers[key].time or ""


def without_fields(managers: Managers, taken: Iterable[tuple[ManagerKey, FieldSet]]) -> Managers:
    """The managers that are left with these sets; one that owns nothing any more is gone."""
    left = dict(managers)
    for key, fields in taken:
        left[key] = left[key].owning(fields)
    return {key: owned for key, owned in left.items() if owned.fields}
