"""Facts about this machine that are the same for every Pod that is explained, each looked up once."""

from __future__ import annotations

import os

import msgspec

from podward.api.cri import IDMapping
from podward.api.node import Node
from podward.api.oci import Device, RuntimeSpec
from podward.api.process import MountState
from podward.policy.kernel.mounts import CGROUPS
from podward.policy.kernel.propagation import SHARED, MountSource, Source, among, states, text
from podward.runtime import cgroup_controllers, devices, kept, machine, proc, userns
from podward.runtime.explaining.images import NO_USERS, AssumedUsers, Images, unreadable
from podward.runtime.explaining.volumes import BINDS, POD
from podward.runtime.state import State

_SHM = MountState("", nosuid=True, nodev=True, noexec=True)
"""The Pod's /dev/shm, as `hostfiles.prepare` mounts it."""


class ExplainingMachine:
    """The machine that Pods are explained on, as they would find it.

    `root` is the state directory: its images are read, and its kept Pods; nothing of it has to be there.
    `cgroup_v2` is whether the OCI runtime finds a pure cgroup2 hierarchy; `assumed` is about images that are not here.
    """

    def __init__(self, node: Node, root: str, *, cgroup_v2: bool, assumed: AssumedUsers = NO_USERS) -> None:
        self.node = node
        self.images = Images(root, assumed)
        self.cgroup_v2 = cgroup_v2
        self.has_cgroup2 = proc.cgroup_v2()
        self.inherited = proc.inherited()
        self.architecture = machine.architecture()
        self.hostname = os.uname().nodename
        self.controllers = cgroup_controllers.controllers()
        self._root = root
        self._taken: set[int] | None = None
        self._sources: dict[tuple[tuple[str, str], ...], list[Source]] = {}
        self._devices: tuple[Device, ...] | None = None
        self._shared: tuple[int, ...] | None = None

    def next_range(self) -> IDMapping:
        """The range that the next Pod with a user namespace would be given."""
        if self._taken is None:
            self._taken = userns.taken(state_of(self._root))
        there = userns.slots()
        slot = there.lowest_free(self._taken)
        self._taken.add(slot)
        return there.range_of(slot)

    def devices(self) -> tuple[Device, ...]:
        """The host's device nodes."""
        if self._devices is None:
            self._devices = devices.host_devices()
        return self._devices

    def shared_uids(self) -> tuple[int, ...]:
        """Host uids of the processes of kept Pods."""
        if self._shared is None:
            self._shared = uids_of_others(self._root)
        return self._shared

    def source_flags(self, spec: RuntimeSpec, stand_ins: dict[str, str | MountState]) -> tuple[MountSource, ...]:
        """The flags of the mounts that bind mounts would come from; the container's own root is a new overlay.

        `stand_ins` says of what would only be made which path has its flags now, or these flags themselves.
        """
        known: list[Source] = []
        asked: list[tuple[str, str]] = []
        for mount in spec.mounts:
            if mount.type == "cgroup":
                asked.append((mount.destination, CGROUPS))
            if not os.path.isabs(mount.source):
                continue
            stand_in = stand_ins.get(mount.source, "" if mount.source.startswith(f"{POD}/") else mount.source)
            if mount.source == f"{POD}/shm":
                stand_in = _SHM
            if isinstance(stand_in, MountState):
                made = msgspec.structs.replace(stand_in, destination=mount.destination)
                known.append(Source(made, stand_in.destination))
            else:
                asked.append((mount.destination, stand_in or self._root))
        found = [*known, *self._sources_of(tuple(asked), spec)]
        return (MountSource("/"), *among(spec, _bound_by_us(found, spec)))

    def locked_sources(self, spec: RuntimeSpec, stand_ins: dict[str, str | MountState]) -> frozenset[str]:
        """The destinations of bind mounts whose flags are the machine's, and locked for who is not its root."""
        if not self.node.in_user_namespace:
            return frozenset()
        made = {mount.destination for mount in spec.mounts if isinstance(stand_ins.get(mount.source), MountState)}
        made |= {mount.destination for mount in spec.mounts if mount.source == f"{POD}/shm"}
        return frozenset(mount.destination for mount in spec.mounts if os.path.isabs(mount.source)) - made

    def _sources_of(self, asked: tuple[tuple[str, str], ...], spec: RuntimeSpec) -> list[Source]:
        """What the spec's mounts with these destinations would come from, were these the paths of their sources."""
        if asked not in self._sources:
            paths = dict(asked)
            shadows = tuple(
                msgspec.structs.replace(mount, source=paths[mount.destination])
                for mount in spec.mounts
                if mount.destination in paths
            )
            shadow = msgspec.structs.replace(spec, mounts=shadows)
            self._sources[asked] = [
                msgspec.structs.replace(source, state=_in_our_namespace(source.state))
                for source in proc.sources(shadow, self._root)
                if source.state.destination != "/"
            ]
        return self._sources[asked]


def _bound_by_us(sources: list[Source], spec: RuntimeSpec) -> list[Source]:
    """The sources as they are once the node has bound volumes for the Pod: each is a mount of its own then.

    It is shared where a container wants to mount something there for all others (`volumes.pod`). What else is in the
    Pod's directory comes from one mount where a user namespace is to see it (`mount_namespace.expose`).
    """
    exposed = any(namespace.type == "user" for namespace in spec.linux.namespaces)
    paths = {mount.destination: mount.source for mount in spec.mounts}
    shared = {mount.source for mount in spec.mounts if "rshared" in mount.options}
    found = []
    for source in sources:
        state, path = source.state, paths[source.state.destination]
        if path in shared:
            state = msgspec.structs.replace(state, propagation=text(states(state.propagation) | SHARED))
        own = path if path.startswith(BINDS) else POD if exposed and path.startswith(f"{POD}/") else ""
        found.append(Source(state, own) if own else source)
    return found


def _in_our_namespace(found: MountState) -> MountState:
    """A mount as it is where Pods are run: there nothing spreads to the machine (`mount_namespace.enter`)."""
    return found if not states(found.propagation) else msgspec.structs.replace(found, propagation="slave")


def state_of(root: str) -> State | None:
    """The state directory if Pods have been run in it; None where there is nothing to look at. Makes nothing."""
    try:
        os.listdir(f"{root}/pods")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise unreadable(error) from error
    return State(root) if os.path.isdir(f"{root}/oci") else None


def uids_of_others(root: str) -> tuple[int, ...]:
    """The host uids that the processes of kept Pods run as, each once."""
    state = state_of(root)
    if state is None:
        return ()
    found: set[int] = set()
    for pod in kept.every(state):
        for pid in kept.living(pod.record):
            try:
                found.add(os.stat(f"/proc/{pid}").st_uid)
            except OSError:
                continue  # it ended meanwhile
    return tuple(sorted(found))
