"""The process that holds the pid namespace of a Pod whose containers share it (shareProcessNamespace).

A pid namespace lives as long as its first process. It is `catatonit -P`, made to be one: it waits, and reaps what is
orphaned in the namespace. It runs as the images of pause containers do: as uid and gid 65535, without capabilities,
on a read-only root that holds nothing else.
"""

from __future__ import annotations

import os

from msgspec import Struct

from podward.api.cri import IDMapping
from podward.api.oci import CapabilitySets, Linux, LinuxIDMapping, Mount, Namespace, Process, Root, RuntimeSpec, User
from podward.errors import NodeError
from podward.runtime import cgroups, mount_namespace, processes, syscalls
from podward.runtime.oci import OciRuntime, Streams

PROGRAM = "/usr/bin/catatonit"
NAME = "POD"
_ID = 65535


class Place(Struct, frozen=True):
    """The sandbox's directory, that of the pause process below it, its id for the OCI runtime, and its cgroup.

    Without a cgroup it has the one of its id.
    """

    work: str
    directory: str
    id: str
    cgroup: str = ""


class Pause:
    """A running pause process."""

    def __init__(self, runtime: OciRuntime, container: str, bundle: str) -> None:
        self._runtime = runtime
        self._container = container
        self._bundle = bundle
        self.pid = 0

    def start(self, spec: RuntimeSpec) -> None:
        """Create and start it."""
        self.pid = self._runtime.create(self._container, self._bundle, spec, Streams())
        self._runtime.start(self._container, self._bundle)

    def end(self) -> None:
        """End it, and with it everything in its pid namespace."""
        if self.pid:
            processes.end(self.pid)
        try:
            self._runtime.delete(self._container, self._bundle)
        finally:
            syscalls.unmount_if_mounted(f"{self._bundle}/rootfs")


def start(runtime: OciRuntime, place: Place, namespaces: dict[str, str], mapping: IDMapping | None) -> Pause:
    """The Pod's pause process, running in these pinned namespaces. Raises NodeError where the program is missing."""
    if not os.path.exists(PROGRAM):
        raise NodeError("shared process namespaces need catatonit", where=PROGRAM, advice="apt-get install catatonit")
    bundle = f"{place.directory}/0"
    root = f"{bundle}/rootfs"
    os.makedirs(root, mode=0o755)
    # A file system of its own: the runtime makes mount points in it, and a user namespace's root may do so too.
    syscalls.mount("pause", root, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, _options(mapping))
    if mapping is not None:
        mount_namespace.open_way(place.work, f"{root}/pause")
    pause = Pause(runtime, place.id, bundle)
    pause.start(_spec(root, _cgroup(place), namespaces, mapping))
    return pause


def _options(mapping: IDMapping | None) -> str:
    owner = mapping.host_id if mapping is not None else 0
    return f"mode=755,size=1m,uid={owner},gid={owner}"


def _cgroup(place: Place) -> str:
    """The path of its cgroup; none where no cgroups can be made."""
    return (place.cgroup or cgroups.name(place.id)) if cgroups.usable() else ""


def _spec(root: str, cgroup: str, namespaces: dict[str, str], mapping: IDMapping | None) -> RuntimeSpec:
    maps = (LinuxIDMapping(0, mapping.host_id, mapping.length),) if mapping is not None else ()
    joined = tuple(Namespace({"net": "network"}.get(kind, kind), where) for kind, where in namespaces.items())
    return RuntimeSpec(
        oci_version="1.0.2",
        process=Process(
            ("/pause", "-P"), "/", user=User(_ID, _ID, (_ID,)), capabilities=CapabilitySets(), no_new_privileges=True
        ),
        root=Root(root, readonly=True),
        mounts=(
            Mount("/proc", "proc", "proc", ("nosuid", "noexec", "nodev")),
            Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "mode=755", "size=64k")),
            Mount("/pause", "bind", PROGRAM, ("bind", "ro")),
        ),
        linux=Linux(
            uid_mappings=maps,
            gid_mappings=maps,
            namespaces=(*joined, Namespace("pid"), Namespace("mount")),
            cgroups_path=cgroup,
        ),
    )
