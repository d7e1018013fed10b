"""managedFields of an object that was written, and the object that server-side apply makes.

Specification: apimachinery, util/managedfields, and structured-merge-diff v6, merge/update.go. Who changes a field owns
it; who applied it keeps it until others change it. An applied object is laid over the live one; fields that its manager
applied before and left out now go, unless somebody else owns them. What others own can be changed only by force.
Fields that the write resets (status in a write of the main resource) are owned by nobody because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from podward.api.json_equality import same
from podward.api.json_value import Json, JsonObject
from podward.schema.apply import last_applied
from podward.schema.apply.checking import faults
from podward.schema.apply.comparing import Comparison, compared
from podward.schema.apply.conflicts import Conflicts, conflicts_of
from podward.schema.apply.field_set import FieldSet, difference, intersection, of_paths, union
from podward.schema.apply.managers import (
    APPLY,
    UPDATE,
    ManagerKey,
    Managers,
    Owned,
    capped,
    decoded_managers,
    encoded_managers,
    without_fields,
)
from podward.schema.apply.merging import merged
from podward.schema.apply.ownership import owned as owned_fields
from podward.schema.apply.pruning import pruned
from podward.schema.apply.reconciling import reconciled
from podward.schema.apply.types import Type
from podward.schema.malformed import BAD_REQUEST, Malformed

_METADATA = "name namespace creationTimestamp selfLink uid clusterName generation managedFields resourceVersion"
_NEVER_OWNED = of_paths(("apiVersion",), ("kind",), ("metadata",), *(("metadata", name) for name in _METADATA.split()))
_BEFORE_FIRST_APPLY = "before-first-apply"

Filter = Callable[[FieldSet], FieldSet]
"""What of a set a write may own: see reset_fields.py."""


class Versions(Struct, frozen=True):
    """The versions of one kind: the type of each, how an object is converted, and what Go has where nothing is set.

    `empty` is the object of this version to which a new one is compared: fields that Go writes although they are
    empty do not count as set by anybody.
    """

    types: Mapping[str, Type]
    convert: Callable[[JsonObject, str], JsonObject]
    empty: JsonObject = {}


class Write(Struct, frozen=True):
    """One write of an object of a kind: by whom, to what, when. `keep` is what of a set this write may own."""

    versions: Versions
    kind: str
    api_version: str
    manager: str
    now: str
    subresource: str = ""
    keep: Filter | None = None

    @property
    def type(self) -> Type:
        """The type of the version that is written."""
        return self.versions.types[self.api_version]

    def key(self, operation: str) -> ManagerKey:
        """The manager that writes."""
        return ManagerKey.of(self.manager or "unknown", operation, self.api_version, self.subresource)


class Applied(Struct, frozen=True):
    """The object that applying makes, with its managedFields; not yet defaulted."""

    object: JsonObject


def after_update(write: Write, live: JsonObject | None, new: JsonObject) -> JsonObject:
    """The new object with the managedFields that it has after a create, an update or a patch.

    `live` is None for a create. The given objects are not changed; what they hold is shared.
    """
    managers = _managers_before(write, live, new)
    if not managers and live is not None and _metadata(live).get("uid"):
        return _with_managers(new, {})
    return _with_managers(new, _updated(write, live, new, managers))


def after_apply(
    write: Write, live: JsonObject | None, patch: JsonObject, *, force: bool
) -> Applied | Conflicts | Malformed:
    """The object that applying `patch` makes of the live one, or of nothing."""
    fault = _unfit(write, patch)
    if fault is not None:
        return fault
    old = live if live is not None else write.versions.empty | {"apiVersion": write.api_version, "kind": write.kind}
    managers = decoded_managers(_metadata(old).get("managedFields"))
    if isinstance(managers, str):
        return Malformed(500, "", f"failed to decode managed fields: {managers}")
    if not managers and live is not None:
        first = structs.replace(write, manager=_BEFORE_FIRST_APPLY)
        managers = _updated(first, None, live, {})
    found = _applied(write, old, patch, managers, force=force)
    if isinstance(found, Conflicts) and write.manager == last_applied.MANAGER:
        allowed = last_applied.owned_by_it(write.type, write.api_version, old)
        found = found.without(allowed) if allowed is not None else found
        if not found.conflicts:
            found = _applied(write, old, patch, managers, force=True)
    if isinstance(found, Applied) and write.manager == last_applied.MANAGER:
        return Applied(last_applied.kept_up(found.object, patch))
    return found


def with_kept_times(old: JsonObject, new: JsonObject) -> JsonObject:
    """The new object, with the old times of its managers if nothing else than times changed.

    So a write that changes nothing is none.
    """
    before, after = _metadata(old).get("managedFields"), _metadata(new).get("managedFields")
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after) or not after:
        return new
    if before == after or not all(map(_same_but_for_time, before, after)):
        return new
    restored = {**new, "metadata": {**_metadata(new), "managedFields": before}}
    return restored if same(restored, old) else new


def _same_but_for_time(one: Json, other: Json) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return {**one, "time": None} == {**other, "time": None}


def _metadata(value: JsonObject) -> JsonObject:
    found = value.get("metadata")
    return found if isinstance(found, dict) else {}


def _managers_before(write: Write, live: JsonObject | None, new: JsonObject) -> Managers:
    """The managers that the write starts from: those that the client sent, else the live ones; `[]` and `[{}]` none."""
    sent = _metadata(new).get("managedFields")
    if not write.subresource and sent is not None:
        if sent in ([], [{}]):
            return {}
        found = decoded_managers(sent)
        if found and isinstance(found, dict):
            return found
    kept = decoded_managers(_metadata(live or {}).get("managedFields"))
    return kept if isinstance(kept, dict) else {}


def _with_managers(value: JsonObject, managers: Managers) -> JsonObject:
    metadata = {name: item for name, item in _metadata(value).items() if name != "managedFields"}
    if managers:
        metadata["managedFields"] = encoded_managers(managers)
    return {**value, "metadata": metadata}


def _updated(write: Write, live: JsonObject | None, new: JsonObject, managers: Managers) -> Managers:
    """The managers after an update."""
    old = live if live is not None else write.versions.empty
    found = _reconciled(write, managers)
    comparison, found, _ = _shifted(write, old, new, found, None)
    mine = difference(union(comparison.modified, comparison.added), _NEVER_OWNED)
    if mine:
        key = write.key(UPDATE)
        before = found.get(key)
        found[key] = Owned(union(mine, before.fields) if before else mine, write.api_version, write.now)
    return capped(found)


def _reconciled(write: Write, managers: Managers) -> Managers:
    """The managers whose versions there still are, with sets that fit what is atomic now."""
    types = write.versions.types
    return {
        key: each.owning(reconciled(types[each.api_version], each.fields))
        for key, each in managers.items()
        if each.api_version in types
    }


_Taken = list[tuple[ManagerKey, FieldSet]]


def _shifted(
    write: Write, old: JsonObject, new: JsonObject, managers: Managers, mine: ManagerKey | None
) -> tuple[Comparison, Managers, _Taken]:
    """What a write changes, what that leaves to the other managers, and what of theirs it changes."""
    comparisons: dict[str, Comparison] = {}
    left: _Taken = []
    taken: _Taken = []
    for version in {write.api_version, *(each.api_version for each in managers.values())}:
        comparisons[version] = _compared(write, version, old, new)
    for key, each in managers.items():
        if key == mine:
            continue
        comparison = comparisons[each.api_version]
        changed = intersection(each.fields, union(comparison.modified, comparison.added))
        if changed:
            taken.append((key, changed))
        if changed or comparison.removed:
            left.append((key, difference(difference(each.fields, changed), comparison.removed)))
    return comparisons[write.api_version], without_fields(managers, left), taken


def _compared(write: Write, version: str, old: JsonObject, new: JsonObject) -> Comparison:
    kind = write.versions.types[version]
    if version != write.api_version:
        old, new = write.versions.convert(old, version), write.versions.convert(new, version)
    found = compared(kind, _plain(old), _plain(new))
    return found if write.keep is None else found.filtered(write.keep)


def _plain(value: JsonObject) -> JsonObject:
    """The object without what nobody owns: its managers, and its kind."""
    left = {name: item for name, item in value.items() if name not in ("apiVersion", "kind")}
    metadata = left.get("metadata")
    if isinstance(metadata, dict):
        left["metadata"] = {name: item for name, item in metadata.items() if name not in _UNOWNED}
    return left


_UNOWNED = frozenset(_METADATA.split())


def _unfit(write: Write, patch: JsonObject) -> Malformed | None:
    if (patch.get("apiVersion"), patch.get("kind")) != (write.api_version, write.kind):
        return Malformed(400, BAD_REQUEST, f"invalid object type: {_kind_of(patch)}")
    metadata = _metadata(patch)
    if metadata.get("managedFields") is not None:
        return Malformed(400, BAD_REQUEST, "metadata.managedFields must be nil")
    wrong = faults(write.type, patch)
    if not wrong:
        return None
    name, namespace = (metadata.get(each) or "" for each in ("name", "namespace"))
    return Malformed(500, "", f"failed to create typed patch object ({namespace}/{name}; {_kind_of(patch)}): {wrong}")


def _kind_of(value: JsonObject) -> str:
    version = value.get("apiVersion")
    version = version if isinstance(version, str) else ""
    return f"{version if '/' in version else f'/{version}'}, Kind={value.get('kind') or ''}"


def _applied(
    write: Write, old: JsonObject, patch: JsonObject, managers: Managers, *, force: bool
) -> Applied | Conflicts:
    mine = write.key(APPLY)
    found = _reconciled(write, managers)
    before = found.get(mine)
    fields = owned_fields(write.type, patch)
    fields = fields if write.keep is None else write.keep(fields)
    found[mine] = Owned(fields, write.api_version, before.time if before else None)
    new = merged(write.type, old, patch)
    if before is not None and before.fields:
        new = pruned(write.versions, new, before, found, write.api_version)
    _, left, taken = _shifted(write, old, new, found, mine)
    if taken and not force:
        return conflicts_of(taken)
    own = difference(fields, _NEVER_OWNED)
    left.pop(mine, None)
    if own:
        changed = not same(_plain(old), _plain(new))
        left[mine] = Owned(own, write.api_version, write.now if changed else found[mine].time)
    return Applied(_with_managers(new, left))
