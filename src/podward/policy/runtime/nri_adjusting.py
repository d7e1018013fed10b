"""The runtime spec as NRI plugins adjusted it.

Specification: pkg/runtime-tools/generate of NRI 0.12. What is there is changed in its place, what is new comes last;
mounts are sorted by depth again. A device may be read and written, and a block device's node made anew. A new limit of
memory is one of memory and swap, too, where there is such a limit and the plugin asks for no other. A mount that
propagates makes the root propagate.

Other than there, a source of a mount is not looked at: what does not propagate, the OCI runtime refuses. A limit
replaces the one of the same type. The plugins that are asked one after the other, and what comes of it, is
`nri_collecting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, cast

from msgspec import Struct, convert, structs

from podward.api import nri, oci
from podward.decision import Assignment, Decision, Origin, Source, Value, refuse
from podward.path import Key, Path, path
from podward.policy.runtime.mounts import depth
from podward.policy.runtime.nri_changes import CPU_FIELDS, MEMORY_FIELDS, Change, Field, changes_of
from podward.policy.runtime.nri_collecting import Collection, PluginAdjustment

Made = TypeVar("Made", bound=Struct)

_RESOURCES = path("linux", "resources")
_REASON = "an NRI plugin's adjustment"
_UNLIMITED = -1


class _List(Struct, frozen=True):
    """A list of the spec: where it is, the member that names an item, and a plugin's item as the spec has it."""

    place: Path
    items: Callable[[oci.RuntimeSpec], tuple[Value, ...]]
    named_by: str
    made: Callable[[Change], Value]

    def name(self, item: Value) -> str:
        """The item's name; a variable's is what is in front of its value."""
        return item.partition("=")[0] if isinstance(item, str) else str(getattr(item, self.named_by))


def adjusted(decided: Decision, adjustments: Iterable[PluginAdjustment]) -> Decision:
    """The oci stage's Decision with what plugins asked for; or with what cannot be done of it as a violation."""
    collection = Collection()
    for asked in adjustments:
        changes = changes_of(asked.adjustment)
        refused = f"asks for {changes}, which is not supported" if isinstance(changes, str) else ""
        if not isinstance(changes, str):
            refused = collection.take(asked.plugin, changes)
        if refused:
            return decided + refuse(path(), asked.plugin, refused, _source(asked.plugin))
    if not collection.of():
        return decided
    spec = decided.fold(oci.RuntimeSpec)
    for field, row in _LISTS.items():
        decided = _with_list(decided, spec, row, collection.of(field))
    for field, (place, read) in _MAPS.items():
        decided = _with_map(decided, place, read(spec), collection.of(field))
    decided = _with_values(decided, collection.of(*_VALUES))
    return _with_swap(_with_propagation(_with_device_rules(decided, spec, collection), collection), spec, collection)


def view(spec: oci.RuntimeSpec, container: nri.Container) -> nri.Container:
    """A container as plugins see it: `container` is what is known of it otherwise, the rest is in its spec."""
    process, linux = spec.process, spec.linux
    pids = linux.resources.pids
    resources = structs.replace(linux.resources, pids=pids if pids is not None and pids.limit is not None else None)
    return structs.replace(
        container,
        annotations={**spec.annotations, **container.annotations},
        args=process.args,
        env=process.env,
        mounts=convert(spec.mounts, tuple[nri.Mount, ...], from_attributes=True),
        rlimits=convert(process.rlimits, tuple[nri.Rlimit, ...], from_attributes=True),
        user=convert(process.user, nri.User, from_attributes=True),
        linux=nri.LinuxContainer(
            namespaces=convert(linux.namespaces, tuple[nri.Namespace, ...], from_attributes=True),
            devices=convert(linux.devices, tuple[nri.Device, ...], from_attributes=True),
            resources=convert(resources, nri.Resources, from_attributes=True),
            oom_score_adj=process.oom_score_adj,
            cgroups_path=linux.cgroups_path,
            seccomp_policy=convert(linux.seccomp, nri.Seccomp | None, from_attributes=True),
            sysctl=linux.sysctl,
        ),
    )


# --- lists, maps and values -------------------------------------------------------------------------------------------


def _with_list(decided: Decision, spec: oci.RuntimeSpec, row: _List, changes: tuple[Change, ...]) -> Decision:
    if not changes:
        return decided
    wanted = {change.key: change for change in changes}
    new = {change.key: change for change in changes if change.value is not None}
    rows: list[tuple[Value, Assignment | None, Change | None]] = []
    for i, item in enumerate(row.items(spec)):
        key = row.name(item)
        if key not in wanted:
            rows.append((item, decided.assignment(row.place / i), None))
        elif change := new.pop(key, None):
            rows.append((row.made(change), None, change))
    rows += [(row.made(change), None, change) for change in new.values()]
    if row.place == path("mounts"):
        rows.sort(key=lambda found: depth(row.name(found[0])))
    return _replaced(decided, row.place, [(row.place / i, *found) for i, found in enumerate(rows)], changes)


def _with_map(decided: Decision, place: Path, items: Mapping[str, str], changes: tuple[Change, ...]) -> Decision:
    if not changes:
        return decided
    wanted = {change.key: change for change in changes}
    rows: list[tuple[Path, Value, Assignment | None, Change | None]] = [
        (place / Key(key), value, decided.assignment(place / Key(key)), None)
        for key, value in items.items()
        if key not in wanted
    ]
    rows += [(place / Key(c.key), str(c.value), None, c) for c in changes if c.value is not None]
    return _replaced(decided, place, rows, changes)


def _replaced(
    decided: Decision,
    place: Path,
    rows: Iterable[tuple[Path, Value, Assignment | None, Change | None]],
    changes: tuple[Change, ...],
) -> Decision:
    """The Decision with these rows for all that was assigned at `place`; each has the reason that it had, or ours."""
    kept = tuple(a for a in decided.assignments if not a.path.startswith(place))
    made: list[Assignment] = []
    for at, value, before, change in rows:
        if before is not None and change is None:
            made.append(Assignment(at, value, before.reason, before.source))
        else:
            made.append(Assignment(at, value, _REASON, _source((change or changes[-1]).plugin)))
    if not made:
        empty: Value = {} if place in _MAP_PLACES else ()
        made.append(Assignment(place, empty, "an NRI plugin removed all of them", _source(changes[-1].plugin)))
    return Decision(kept + tuple(made), decided.violations)


def _with_values(decided: Decision, changes: Iterable[Change]) -> Decision:
    made = tuple(
        Assignment(place, value_of(change), _REASON, _source(change.plugin))
        for change in changes
        if change.value is not None and not (change.field is Field.PIDS_LIMIT and change.value == _UNLIMITED)
        for place, value_of in (_VALUES[change.field],)
    )
    return decided + Decision(made)


def _with_device_rules(decided: Decision, spec: oci.RuntimeSpec, collection: Collection) -> Decision:
    """The devices' cgroup lets through what plugins add."""
    added = [(change, change.value) for change in collection.of(Field.DEVICES) if isinstance(change.value, nri.Device)]
    if not added:
        return decided
    place = _RESOURCES / "devices"
    rules = spec.linux.resources.devices
    rows: list[tuple[Path, Value, Assignment | None, Change | None]] = [
        (place / i, rule, decided.assignment(place / i), None) for i, rule in enumerate(rules)
    ]
    for i, (change, device) in enumerate(added, len(rules)):
        access = "rwm" if device.type == "b" else "rw"
        rule = oci.DeviceRule(True, device.type, device.major, device.minor, access)
        rows.append((place / i, rule, None, change))
    return _replaced(decided, place, rows, tuple(change for change, _ in added))


def _with_propagation(decided: Decision, collection: Collection) -> Decision:
    """`linux.rootfsPropagation`: the strongest that a mount needs."""
    place = path("linux", "rootfsPropagation")
    for word in ("rshared", "rslave"):
        before = decided.assignment(place)
        if before is not None and before.value in ("shared", "rshared"):
            return decided
        for change in collection.of(Field.MOUNTS):
            if isinstance(change.value, nri.Mount) and word in change.value.options:
                return decided + Decision((Assignment(place, word, _REASON, _source(change.plugin)),))
    return decided


def _with_swap(decided: Decision, spec: oci.RuntimeSpec, collection: Collection) -> Decision:
    memory = spec.linux.resources.memory
    if memory is None or memory.swap is None or collection.of(Field.MEM_SWAP_LIMIT):
        return decided
    limits = collection.of(Field.MEM_LIMIT)
    place = _RESOURCES / "memory" / "swap"
    reason = "the limit that an NRI plugin set"
    return decided + Decision(
        tuple(Assignment(place, cast("int", change.value), reason, _source(change.plugin)) for change in limits)
    )


def _source(plugin: str) -> Source:
    return Source(Origin.NODE, f"NRI plugin {plugin}")


# --- a plugin's values as the spec has them, and where these are ------------------------------------------------------


def _as(kind: type[Made]) -> Callable[[Change], Made]:
    """What makes a plugin's value one of the spec's: the members have the same names."""
    return lambda change: convert(change.value, kind, from_attributes=True)


def _variable(change: Change) -> str:
    return f"{change.key}={change.value}"


def _plain(change: Change) -> Value:
    return cast("int | str | tuple[str, ...]", change.value)


_LISTS: dict[Field, _List] = {
    Field.ENV: _List(path("process", "env"), lambda spec: spec.process.env, "", _variable),
    Field.MOUNTS: _List(path("mounts"), lambda spec: spec.mounts, "destination", _as(oci.Mount)),
    Field.RLIMITS: _List(path("process", "rlimits"), lambda spec: spec.process.rlimits, "type", _as(oci.Rlimit)),
    Field.DEVICES: _List(path("linux", "devices"), lambda spec: spec.linux.devices, "path", _as(oci.Device)),
    Field.NAMESPACE: _List(path("linux", "namespaces"), lambda spec: spec.linux.namespaces, "type", _as(oci.Namespace)),
    Field.HUGEPAGE_LIMITS: _List(
        _RESOURCES / "hugepageLimits",
        lambda spec: spec.linux.resources.hugepage_limits,
        "page_size",
        _as(oci.HugepageLimit),
    ),
}
_MAPS: dict[Field, tuple[Path, Callable[[oci.RuntimeSpec], dict[str, str]]]] = {
    Field.ANNOTATIONS: (path("annotations"), lambda spec: spec.annotations),
    Field.SYSCTL: (path("linux", "sysctl"), lambda spec: spec.linux.sysctl),
    Field.CGROUPS_UNIFIED: (_RESOURCES / "unified", lambda spec: spec.linux.resources.unified),
}
_MAP_PLACES = frozenset(place for place, _ in _MAPS.values())
_CAMEL = {"realtime_runtime": "realtimeRuntime", "realtime_period": "realtimePeriod"}
_VALUES: dict[Field, tuple[Path, Callable[[Change], Value]]] = {
    Field.ARGS: (path("process", "args"), _plain),
    Field.OOM_SCORE_ADJ: (path("process", "oomScoreAdj"), _plain),
    Field.CGROUPS_PATH: (path("linux", "cgroupsPath"), _plain),
    Field.SECCOMP_POLICY: (path("linux", "seccomp"), _as(oci.Seccomp)),
    Field.PIDS_LIMIT: (_RESOURCES / "pids" / "limit", _plain),
    **{field: (_RESOURCES / "memory" / name, _plain) for name, field in MEMORY_FIELDS.items()},
    **{field: (_RESOURCES / "cpu" / _CAMEL.get(name, name), _plain) for name, field in CPU_FIELDS.items()},
}
