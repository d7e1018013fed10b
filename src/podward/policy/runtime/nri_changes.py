"""What an NRI plugin asks for, as changes of fields and of their items; a container with such changes.

Specification: api.proto of NRI 0.12, whose `Field` numbers these are. A `-` in front of an item's name says that it is
to be removed; arguments that begin with an empty one, that others' are to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import TypeAlias, TypeVar, cast

from msgspec import Struct, structs

from podward.api.nri import (
    Container,
    ContainerAdjustment,
    Cpu,
    Device,
    HugepageLimit,
    LinuxAdjustment,
    LinuxContainer,
    Memory,
    Mount,
    Namespace,
    Pids,
    Resources,
    Rlimit,
    Seccomp,
    removed,
)


class Field(IntEnum):
    """What can be changed, with the numbers of api.proto's `Field` and its names in Python's spelling."""

    ANNOTATIONS = 1
    MOUNTS = 2
    DEVICES = 4
    ENV = 6
    ARGS = 7
    MEM_LIMIT = 8
    MEM_RESERVATION = 9
    MEM_SWAP_LIMIT = 10
    CPU_SHARES = 16
    CPU_QUOTA = 17
    CPU_PERIOD = 18
    CPU_REALTIME_RUNTIME = 19
    CPU_REALTIME_PERIOD = 20
    CPU_SET_CPUS = 21
    CPU_SET_MEMS = 22
    PIDS_LIMIT = 23
    HUGEPAGE_LIMITS = 24
    CGROUPS_UNIFIED = 27
    CGROUPS_PATH = 28
    OOM_SCORE_ADJ = 29
    RLIMITS = 30
    SECCOMP_POLICY = 32
    NAMESPACE = 33
    SYSCTL = 34


MEMORY_FIELDS = {"limit": Field.MEM_LIMIT, "reservation": Field.MEM_RESERVATION, "swap": Field.MEM_SWAP_LIMIT}
CPU_FIELDS = {
    "shares": Field.CPU_SHARES,
    "quota": Field.CPU_QUOTA,
    "period": Field.CPU_PERIOD,
    "realtime_runtime": Field.CPU_REALTIME_RUNTIME,
    "realtime_period": Field.CPU_REALTIME_PERIOD,
    "cpus": Field.CPU_SET_CPUS,
    "mems": Field.CPU_SET_MEMS,
}

NAMED = frozenset(
    {
        Field.ANNOTATIONS,
        Field.MOUNTS,
        Field.DEVICES,
        Field.ENV,
        Field.HUGEPAGE_LIMITS,
        Field.CGROUPS_UNIFIED,
        Field.RLIMITS,
        Field.NAMESPACE,
        Field.SYSCTL,
    }
)
"""Those that are lists or maps: each item has a name."""

Value: TypeAlias = "int | str | tuple[str, ...] | Mount | Device | Namespace | Rlimit | Seccomp | HugepageLimit"

Item = TypeVar("Item")
Linux = TypeVar("Linux", LinuxContainer, LinuxAdjustment)


class Change(Struct, frozen=True):
    """An item of a field, or the field itself where `key` is empty: its new value, None where it is removed."""

    field: Field
    key: str
    value: Value | None
    plugin: str = ""


def changes_of(asked: ContainerAdjustment) -> list[Change] | str:
    """The changes; or the name of one that cannot be made."""
    linux = asked.linux or LinuxAdjustment()
    unsupported = {
        "hooks": asked.hooks,
        "CDI devices": asked.cdi_devices,
        "an I/O priority": linux.io_priority,
        "network devices": linux.net_devices,
        "a scheduler": linux.scheduler,
        "RDT": linux.rdt,
        "a memory policy": linux.memory_policy,
    }
    for name, wanted in unsupported.items():
        if wanted:
            return name
    resources = resource_changes(linux.resources or Resources())
    if isinstance(resources, str):
        return resources
    changes = [*_own_changes(asked), *_linux_changes(linux), *resources]
    nameless = next((change for change in changes if not change.key and change.field in NAMED), None)
    return changes if nameless is None else f"one of {nameless.field.name.lower().replace('_', ' ')} without a name"


def _own_changes(asked: ContainerAdjustment) -> Iterator[Change]:
    for key, value in asked.annotations.items():
        yield _change(Field.ANNOTATIONS, key, value)
    for mount in asked.mounts:
        yield _change(Field.MOUNTS, mount.destination, mount)
    for variable in asked.env:
        yield _change(Field.ENV, variable.key, variable.value)
    for limit in asked.rlimits:
        yield Change(Field.RLIMITS, limit.type, limit)
    if asked.args[:1] == ("",):
        yield Change(Field.ARGS, "", None)
    if arguments := asked.args[asked.args[:1] == ("",) :]:
        yield Change(Field.ARGS, "", arguments)


def _linux_changes(linux: LinuxAdjustment) -> Iterator[Change]:
    for device in linux.devices:
        yield _change(Field.DEVICES, device.path, device)
    for namespace in linux.namespaces:
        yield _change(Field.NAMESPACE, namespace.type, namespace)
    for key, value in linux.sysctl.items():
        yield _change(Field.SYSCTL, key, value)
    if linux.cgroups_path:
        yield Change(Field.CGROUPS_PATH, "", linux.cgroups_path)
    if linux.oom_score_adj is not None:
        yield Change(Field.OOM_SCORE_ADJ, "", linux.oom_score_adj)
    if linux.seccomp_policy is not None:
        yield Change(Field.SECCOMP_POLICY, "", linux.seccomp_policy)


def _change(field: Field, name: str, value: Value) -> Change:
    gone = removed(name)
    return Change(field, name, value) if gone is None else Change(field, gone, None)


def resource_changes(resources: Resources) -> list[Change] | str:
    """As `changes_of`, of the resources alone."""
    unsupported = {
        "a block I/O class": resources.blockio_class,
        "an RDT class": resources.rdt_class,
        "rules of the devices' cgroup": resources.devices or None,
    }
    memory, cpu = resources.memory or Memory(), resources.cpu or Cpu()
    unsupported |= {
        f"memory.{name}": getattr(memory, name) for name in memory.__struct_fields__ if name not in MEMORY_FIELDS
    }
    for name, wanted in unsupported.items():
        if wanted is not None:
            return name
    values = [(field, getattr(memory, name)) for name, field in MEMORY_FIELDS.items()]
    values += [(field, getattr(cpu, name) or None) for name, field in CPU_FIELDS.items()]
    values += [(Field.PIDS_LIMIT, resources.pids.limit)] if resources.pids is not None else []
    return [
        *(Change(field, "", value) for field, value in values if value is not None),
        *(Change(Field.HUGEPAGE_LIMITS, limit.page_size, limit) for limit in resources.hugepage_limits),
        *(Change(Field.CGROUPS_UNIFIED, key, value) for key, value in resources.unified.items()),
    ]


def container_with(container: Container, changes: list[Change]) -> Container:
    """The container as it is with the changes."""
    variables = listed(container.env, lambda variable: variable.partition("=")[0], _variables(changes))
    return structs.replace(
        container,
        annotations=mapped(container.annotations, of(changes, Field.ANNOTATIONS)),
        mounts=listed(container.mounts, lambda mount: mount.destination, of(changes, Field.MOUNTS)),
        env=variables,
        rlimits=listed(container.rlimits, lambda limit: limit.type, of(changes, Field.RLIMITS)),
        args=single(container.args, of(changes, Field.ARGS)),
        linux=linux_with(container.linux or LinuxContainer(), changes),
    )


def linux_with(linux: Linux, changes: list[Change]) -> Linux:
    """The Linux part with the changes: of a container, or of an adjustment."""
    return structs.replace(
        linux,
        devices=listed(linux.devices, lambda device: device.path, of(changes, Field.DEVICES)),
        namespaces=listed(linux.namespaces, lambda namespace: namespace.type, of(changes, Field.NAMESPACE)),
        sysctl=mapped(linux.sysctl, of(changes, Field.SYSCTL)),
        cgroups_path=single(linux.cgroups_path, of(changes, Field.CGROUPS_PATH)),
        oom_score_adj=single(linux.oom_score_adj, of(changes, Field.OOM_SCORE_ADJ)),
        seccomp_policy=single(linux.seccomp_policy, of(changes, Field.SECCOMP_POLICY)),
        resources=resources_with(linux.resources or Resources(), changes),
    )


def resources_with(resources: Resources, changes: list[Change]) -> Resources:
    """The resources with the changes."""
    memory, cpu = resources.memory or Memory(), resources.cpu or Cpu()
    pids = of(changes, Field.PIDS_LIMIT)
    return structs.replace(
        resources,
        memory=structs.replace(
            memory, **{n: single(getattr(memory, n), of(changes, field)) for n, field in MEMORY_FIELDS.items()}
        ),
        cpu=structs.replace(cpu, **{n: single(getattr(cpu, n), of(changes, field)) for n, field in CPU_FIELDS.items()}),
        pids=Pids(single(0, pids)) if pids else resources.pids,
        hugepage_limits=listed(
            resources.hugepage_limits, lambda limit: limit.page_size, of(changes, Field.HUGEPAGE_LIMITS)
        ),
        unified=mapped(resources.unified, of(changes, Field.CGROUPS_UNIFIED)),
    )


def of(changes: Iterable[Change], field: Field) -> list[Change]:
    """The changes of one field."""
    return [change for change in changes if change.field is field]


def _variables(changes: Iterable[Change]) -> list[Change]:
    return [
        change if change.value is None else structs.replace(change, value=f"{change.key}={change.value}")
        for change in of(changes, Field.ENV)
    ]


def mapped(items: dict[str, str], changes: Iterable[Change]) -> dict[str, str]:
    """The map with the changes of its keys."""
    items = dict(items)
    for change in changes:
        if change.value is None:
            items.pop(change.key, None)
        else:
            items[change.key] = str(change.value)
    return items


def listed(items: tuple[Item, ...], key_of: Callable[[Item], str], changes: Iterable[Change]) -> tuple[Item, ...]:
    """The items, those that are changed in their places, and new ones after them."""
    wanted = {change.key: change.value for change in changes}
    kept: list[Item] = []
    for item in items:
        key = key_of(item)
        if key not in wanted:
            kept.append(item)
        elif wanted[key] is not None:
            kept.append(cast("Item", wanted[key]))
            wanted[key] = None
    return (*kept, *(cast("Item", value) for value in wanted.values() if value is not None))


def single(value: Item, changes: Iterable[Change]) -> Item:
    """The value, or the one that it is changed to."""
    for change in changes:
        if change.value is not None:
            value = cast("Item", change.value)
    return value
