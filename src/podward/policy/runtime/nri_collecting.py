"""What NRI plugins ask for, one after the other: taken together, or refused where two want the same.

Specification: pkg/adaptation/result.go and pkg/api/owners.go of NRI 0.12. A change belongs to a field and, where the
field is a list or a map, to an item: a mount's destination, a variable's name. The first plugin that sets it owns it;
another that sets it too is refused, unless it says in the same answer that what is there is to be removed. Each plugin
sees the container as those before it changed it.

Other than there, what is not done here is refused and not passed over, a removed variable is removed, and a limit
replaces the one of the same type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, structs

from podward.api.nri import (
    CompoundOwners,
    Container,
    ContainerAdjustment,
    ContainerUpdate,
    Device,
    FieldOwners,
    KeyValue,
    LinuxAdjustment,
    LinuxUpdate,
    Mount,
    Namespace,
    OwningPlugins,
    Resources,
    marked,
)
from podward.policy.runtime.nri_changes import (
    Change,
    Field,
    Value,
    changes_of,
    container_with,
    linux_with,
    listed,
    mapped,
    of,
    resource_changes,
    resources_with,
    single,
)


class PluginAdjustment(Struct, frozen=True):
    """What one plugin, `INDEX-NAME`, asks for a new container."""

    plugin: str
    adjustment: ContainerAdjustment


class Collection:
    """What plugins asked for so far of one container, by the plugins that asked for it last."""

    def __init__(self) -> None:
        self._changes: dict[tuple[Field, str], Change] = {}
        self._owners: dict[tuple[Field, str], str] = {}

    def of(self, *fields: Field) -> tuple[Change, ...]:
        """The changes of these fields; of all where none is named."""
        return tuple(change for change in self._changes.values() if not fields or change.field in fields)

    def take(self, plugin: str, asked: Iterable[Change]) -> str:
        """Add a plugin's changes. Answers why they are refused, or "".

        A removal comes first, whatever the order, so that a plugin may remove what others set, and set it anew.
        """
        owners, changes = dict(self._owners), dict(self._changes)
        for change in sorted(asked, key=lambda change: change.value is not None):
            at = change.field, change.key
            owner = owners.get(at)
            if change.value is None:
                if owner is not None:
                    owners[at] = marked(plugin)
            elif owner is not None and owner != marked(plugin):
                other = owner.removeprefix("-")
                return f'plugins "{plugin}" and "{other}" both tried to set {_shown(change)}'
            else:
                owners[at] = plugin
            changes.pop(at, None)
            changes[at] = structs.replace(change, plugin=plugin)
        self._owners, self._changes = owners, changes
        return ""

    @property
    def owners(self) -> FieldOwners:
        """Who set what, as validating plugins are told."""
        simple = {int(field): plugin for (field, key), plugin in self._owners.items() if not key}
        compound: dict[int, dict[str, str]] = {}
        for (field, key), plugin in self._owners.items():
            if key:
                compound.setdefault(field, {})[key] = plugin
        return FieldOwners(simple, {field: CompoundOwners(owned) for field, owned in compound.items()})


class Creation:
    """What plugins ask for while a container is created: changes of it, and of others that are there."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.adjustments: tuple[PluginAdjustment, ...] = ()
        self.updates = Updates(being_created=container.id)
        self._collection = Collection()

    def take(self, plugin: str, asked: ContainerAdjustment | None, updates: tuple[ContainerUpdate, ...]) -> str:
        """Add what a plugin asks for; `container` is then what the next one sees. Answers why it is refused, or ""."""
        if asked is not None:
            changes = changes_of(asked)
            if isinstance(changes, str):
                return _unsupported(plugin, changes)
            if refused := self._collection.take(plugin, changes):
                return refused
            self.adjustments += (PluginAdjustment(plugin, asked),)
            self.container = container_with(self.container, changes)
        return self.updates.take(plugin, updates)

    @property
    def adjustment(self) -> ContainerAdjustment:
        """All of it as one, with a mark on what is removed."""
        changes = [
            change
            if change.value is not None
            else Change(change.field, marked(change.key), _REMOVED[change.field](marked(change.key)))
            for change in self._collection.of()
        ]
        return ContainerAdjustment(
            annotations=mapped({}, of(changes, Field.ANNOTATIONS)),
            mounts=listed((), lambda mount: mount.destination, of(changes, Field.MOUNTS)),
            env=tuple(KeyValue(change.key, str(change.value)) for change in of(changes, Field.ENV)),
            linux=linux_with(LinuxAdjustment(), changes),
            rlimits=listed((), lambda limit: limit.type, of(changes, Field.RLIMITS)),
            args=single((), of(changes, Field.ARGS)),
        )

    @property
    def owners(self) -> OwningPlugins:
        """Who set what, as validating plugins are told."""
        return OwningPlugins({self.container.id: self._collection.owners})


class Updates:
    """What plugins ask for of containers that are there, one update for each.

    Where `container` is updated, `resources` are what it is asked for, which plugins may change; `being_created` is a
    container that is not there yet.
    """

    def __init__(self, container: str = "", resources: Resources | None = None, being_created: str = "") -> None:
        self._being_created = being_created
        self._collections: dict[str, Collection] = {}
        self._resources: dict[str, Resources] = {container: resources or Resources()} if container else {}
        self._ignored: dict[str, bool] = {container: False} if container else {}

    @property
    def result(self) -> tuple[ContainerUpdate, ...]:
        """The updates, in the order in which they were asked for first; that of the updated container is the first."""
        return tuple(
            ContainerUpdate(container, LinuxUpdate(resources), self._ignored[container])
            for container, resources in self._resources.items()
        )

    def resources(self, container: str) -> Resources:
        """What is asked for of this container so far."""
        return self._resources.get(container, Resources())

    def take(self, plugin: str, asked: tuple[ContainerUpdate, ...]) -> str:
        """Add a plugin's updates. Answers why they are refused, or ""."""
        for update in asked:
            container = update.container_id
            if container == self._being_created:
                return f'plugin "{plugin}" asked update of "{container}" during creation'
            resources = update.linux.resources if update.linux is not None else None
            refused = self._take(plugin, container, resources or Resources())
            if refused and not update.ignore_failure:
                return refused
            self._ignored[container] = self._ignored.get(container, True) and update.ignore_failure
        return ""

    def _take(self, plugin: str, container: str, resources: Resources) -> str:
        changes = resource_changes(resources)
        if isinstance(changes, str):
            return _unsupported(plugin, changes)
        refused = self._collections.setdefault(container, Collection()).take(plugin, changes)
        if not refused:
            self._resources[container] = resources_with(self.resources(container), changes)
        return refused


def _unsupported(plugin: str, name: str) -> str:
    return f'plugin "{plugin}" asks for {name}, which is not supported'


_REMOVED: dict[Field, Callable[[str], Value]] = {
    Field.ANNOTATIONS: lambda _: "",
    Field.SYSCTL: lambda _: "",
    Field.ENV: lambda _: "",
    Field.ARGS: lambda _: (),
    Field.MOUNTS: lambda destination: Mount(destination=destination),
    Field.DEVICES: lambda path: Device(path=path),
    Field.NAMESPACE: lambda kind: Namespace(type=kind),
}


def _shown(change: Change) -> str:
    name = change.field.name.lower().replace("_", " ")
    return f"{name} {change.key}" if change.key else name
