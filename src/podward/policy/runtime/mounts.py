"""The mounts in the spec, and the root's propagation.

Specification, in our words. The runtime's own mounts come first. A mount of the message replaces the runtime's mount at
the same place, and a mount at /dev replaces all of the runtime's below /dev. Then come the Pod's files and the
message's mounts, those with fewer path components first. Bind mounts are recursive. Their propagation is private
(rprivate), from the host (rslave) or both ways (rshared); for the latter two the root must propagate too.
- containerd (2.2 `withMounts`, `linuxContainerMounts`): /etc/hostname, /etc/hosts and /etc/resolv.conf are read-only if
  the root is. /dev/shm is the Pod's, or the host's with hostIPC. In a privileged container /sys and the cgroups are
  writable. With a user namespace on the host's network the kernel refuses a new sysfs; containerd then binds the host's
  /sys, as the last mount.
- CRI-O (1.33 `addOCIBindMounts`, `setupContainerMounts`): the same files with other options. A mount at /sys also
  replaces CRI-O's mounts below it. A privileged container gets new mounts of /sys and the cgroups, and none of CRI-O's
  own mounts is read-only. /run/.containerenv is left out.
- Docker (29 `WithMounts`): the files are bind mounts with Docker's options; the default propagation is private;
  read-only is recursive (`rro`). In a privileged container /sys and the cgroups are writable.
The volumes for the image's `Volumes` (`podward.policy.runtime.image_volumes`) are sorted in with the message's mounts.
The source of an image mount, of a part of an image, or of an id-mapped mount is made before by who asks: the spec has
a bind mount of it and no maps.
Left out: SELinux relabelling, which kernels without it do not have.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct, structs

from podward.api.cri import ContainerConfig
from podward.api.cri import Mount as CRIMount
from podward.api.oci import Mount
from podward.decision import Assignment, Decision, assign, refuse
from podward.path import path
from podward.policy.runtime import mount_refusals, without_root
from podward.policy.runtime.defaults.table import CGROUP, SYS
from podward.policy.runtime.image_volumes import ImageVolumes
from podward.policy.runtime.mount_refusals import MountSource
from podward.policy.runtime.namespaces import options, own_userns
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.without_root import HOST_SYS

PLACE = path("mounts")
PROPAGATION = {"PROPAGATION_BIDIRECTIONAL": "rshared", "PROPAGATION_HOST_TO_CONTAINER": "rslave"}
SHM = "/dev/shm"  # noqa: S108  # a path in the container

_Row = without_root.Row


class SandboxFiles(Struct, frozen=True, gc=False):
    """The paths of the Pod's files on the host, "" for a file that the Pod does not have. `shm` is its /dev/shm."""

    hostname: str = ""
    hosts: str = ""
    resolv_conf: str = ""
    shm: str = ""

    def etc(self) -> tuple[tuple[str, str], ...]:
        """The files below /etc that the Pod has, as (path in the container, path on the host)."""
        rows = (
            ("/etc/hostname", self.hostname),
            ("/etc/hosts", self.hosts),
            ("/etc/resolv.conf", self.resolv_conf),
        )
        return tuple(row for row in rows if row[1])


class Volumes(Struct, frozen=True):
    """The image's volumes, and the directory on the host that holds them."""

    found: ImageVolumes = ImageVolumes()
    directory: str = ""


NO_VOLUMES = Volumes()


def decide(
    config: ContainerConfig,
    files: SandboxFiles,
    runtime: RuntimeProfile,
    volumes: Volumes = NO_VOLUMES,
    sources: tuple[MountSource, ...] = (),
) -> Decision:
    """`mounts`, one assignment for each item, and `linux.rootfsPropagation`; violations for contradicting options.

    `sources` are those of the message's mounts, in order; where there are none, each is its host path.
    """
    refused = mount_refusals.decide(config.mounts, sources, runtime)
    config = _with_sources(config, sources)
    supplied = {normpath(mount.container_path) for mount in config.mounts}
    of_image = volumes.found.mounts(runtime.name, volumes.directory)
    rows = _RUNTIMES[runtime.name](config, files, supplied, of_image, runtime)
    if runtime.node.in_user_namespace:
        rows = without_root.mounts(rows, options(config.linux.security_context), runtime.node, runtime.source)
    refused += _hidden_root(of_image)
    mounts = tuple(Assignment(PLACE / i, mount, why, source) for i, (mount, why, source) in enumerate(rows))
    return Decision(mounts) + _propagation(config, runtime) + refused


def _with_sources(config: ContainerConfig, sources: tuple[MountSource, ...]) -> ContainerConfig:
    """The message with the paths that were made for its mounts."""
    if not any(source.path for source in sources):
        return config
    mounts = tuple(
        structs.replace(mount, host_path=source.path or mount.host_path)
        for mount, source in zip(config.mounts, sources, strict=True)
    )
    return structs.replace(config, mounts=mounts)


def _as_containerd(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    of_image: list[_Row],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.linux.security_context
    mode = "ro" if context.readonly_rootfs else "rw"
    extra = [
        (Mount(place, "bind", host, ("rbind", "rprivate", mode)), "a file of the Pod", runtime.source)
        for place, host in files.etc()
        if place not in supplied
    ]
    shm = SHM if options(context).ipc == "NODE" else files.shm
    if shm and SHM not in supplied:
        extra.append((Mount(SHM, "bind", shm, ("rbind", "rprivate", "rw")), "the Pod's shared memory", runtime.source))
    extra += of_image
    taken = supplied | {mount.destination for mount, _, _ in extra}
    rows = [
        (_writable(mount) if context.privileged and mount.type in ("sysfs", "cgroup") else mount, why, source)
        for mount, why, source in _runtime_mounts(runtime, taken, ("/dev",))
    ]
    rows += _by_depth(_message_mounts(config, "rw", "", runtime) + extra)
    if own_userns(context) is not None and options(context).network == "NODE":
        rows = [row for row in rows if row[0].destination != "/sys"]
        rows.append((HOST_SYS, "a user namespace can't have a new sysfs of the host's network", runtime.source))
    return rows


def _as_crio(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    of_image: list[_Row],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.linux.security_context
    mode = "ro" if context.readonly_rootfs else "rw"
    rows = {row[0].destination: row for row in _runtime_mounts(runtime, supplied, ("/dev", "/sys"))}
    if options(context).network == "NODE" and "/sys" not in supplied:
        _put(rows, (SYS, "the host's network", runtime.source), (CGROUP, "the host's network", runtime.source))
    if context.privileged:
        source = runtime.source_of("linux", "securityContext", "privileged")
        flags = ("nosuid", "noexec", "nodev", "rw")
        _put(
            rows,
            (Mount("/sys", "sysfs", "sysfs", (*flags, "rslave")), "privileged", source),
            (Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*flags, "relatime", "rslave")), "privileged", source),
        )
    if files.shm or options(context).ipc == "NODE":
        shm = SHM if options(context).ipc == "NODE" else files.shm
        _put(rows, (Mount(SHM, "bind", shm, ("rw", "bind")), "the Pod's shared memory", runtime.source))
    for place, host in files.etc():
        more = ("nodev", "nosuid", "noexec") if place == "/etc/resolv.conf" else ()
        _put(rows, (Mount(place, "bind", host, (mode, "bind", *more)), "a file of the Pod", runtime.source))
    own = [(_read_only_cleared(row[0]), row[1], row[2]) if context.privileged else row for row in rows.values()]
    message = _by_depth(_message_mounts(config, "rw", "bind", runtime) + of_image)
    return [row for row in own if row[0].destination not in supplied] + message


def _as_docker(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    of_image: list[_Row],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.linux.security_context
    read_only = (_docker_read_only(runtime),) if context.readonly_rootfs else ()
    extra = [
        (Mount(place, "bind", host, ("rbind", *read_only, "rprivate")), "a file of the Pod", runtime.source)
        for place, host in files.etc()
        if place not in supplied
    ]
    shm = SHM if options(context).ipc == "NODE" else files.shm
    if shm and SHM not in supplied:
        extra.append((Mount(SHM, "bind", shm, ("rbind", "rprivate")), "the Pod's shared memory", runtime.source))
    extra += of_image
    taken = supplied | {mount.destination for mount, _, _ in extra}
    rows = [
        (_without(mount, "ro") if context.privileged and mount.type in ("sysfs", "cgroup") else mount, why, source)
        for mount, why, source in _runtime_mounts(runtime, taken, ("/dev",))
    ]
    message = [
        (Mount(mount.destination, "bind", mount.source, _docker_options(requested, runtime)), why, source)
        for requested, (mount, why, source) in zip(config.mounts, _message_mounts(config, "", "", runtime), strict=True)
    ]
    return rows + _by_depth(message + extra)


_RUNTIMES = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_docker}


def _runtime_mounts(runtime: RuntimeProfile, taken: set[str], trees: tuple[str, ...]) -> list[_Row]:
    """The runtime's own mounts without those that another mount replaces.

    A mount is replaced if its destination is `taken`, or if it is below one of the `trees` that is taken.
    """
    replaced_trees = tuple(tree + "/" for tree in trees if tree in taken)
    return [
        (mount, "the runtime's own", runtime.source)
        for mount in runtime.defaults.mounts
        if mount.destination not in taken and not mount.destination.startswith(replaced_trees)
    ]


def _message_mounts(
    config: ContainerConfig, writable_option: str, last_option: str, runtime: RuntimeProfile
) -> list[_Row]:
    """The mounts of the CRI message; the two options may be empty."""
    rows: list[_Row] = []
    for index, requested in enumerate(config.mounts):
        access = writable_option
        if requested.readonly:
            access = "rro" if requested.recursive_read_only else "ro"
        words = ("rbind", PROPAGATION.get(requested.propagation, "rprivate"), access, last_option)
        mount = Mount(requested.container_path, "bind", requested.host_path, tuple(word for word in words if word))
        rows.append((mount, "volumeMounts", runtime.source_of("mounts", index)))
    return rows


def _docker_options(requested: CRIMount, runtime: RuntimeProfile) -> tuple[str, ...]:
    access = (_docker_read_only(runtime),) if requested.readonly else ()
    return ("rbind", *access, PROPAGATION.get(requested.propagation, "rprivate"))


def _docker_read_only(runtime: RuntimeProfile) -> str:
    """Docker's option for a read-only mount: recursive if the OCI runtime's `features` say that it can do this."""
    return "rro" if runtime.recursive_read_only else "ro"


def _put(rows: dict[str, _Row], *more: _Row) -> None:
    """Add mounts at the end, and remove those at the same places: CRI-O's `SpecAddMount`."""
    for row in more:
        rows.pop(row[0].destination, None)
        rows[row[0].destination] = row


def _by_depth(rows: list[_Row]) -> list[_Row]:
    return sorted(rows, key=lambda row: depth(row[0].destination))


def depth(destination: str) -> int:
    """How deep a mount lies: mounts are made in this order, or one would hide another."""
    return normpath(destination).count("/")


def _with(mount: Mount, words: tuple[str, ...]) -> Mount:
    return Mount(mount.destination, mount.type, mount.source, words)


def _writable(mount: Mount) -> Mount:
    return _with(mount, tuple("rw" if option == "ro" else option for option in mount.options))


def _without(mount: Mount, word: str) -> Mount:
    return _with(mount, tuple(option for option in mount.options if option != word))


def _read_only_cleared(mount: Mount) -> Mount:
    """The mount after CRI-O's `clearReadOnly`."""
    if "rw" in mount.options:
        return mount
    return _with(mount, (*(option for option in mount.options if option != "ro"), "rw"))


def _propagation(config: ContainerConfig, runtime: RuntimeProfile) -> Decision:
    """`linux.rootfsPropagation`: the strongest propagation that a mount needs."""
    for propagation, word in PROPAGATION.items():
        for index, mount in enumerate(config.mounts):
            if mount.propagation == propagation:
                source = runtime.source_of("mounts", index)
                shared = "shared" if runtime.name == "docker" and word == "rshared" else word
                return assign(path("linux", "rootfsPropagation"), shared, "mountPropagation of a volume mount", source)
    return Decision()


def _hidden_root(of_image: list[_Row]) -> Decision:
    """The refusal of a VOLUME that would be mounted over the container's whole root."""
    refused = Decision()
    for mount, _, source in of_image:
        if mount.destination == "/":
            refused += refuse(PLACE, "/", "the image's VOLUME / would hide the container's root", source)
    return refused
