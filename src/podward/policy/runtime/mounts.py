"""What is mounted in the container.

Specification, in our words. The runtime's own mounts come first; one of them gives way to a mount of the message at
the same place, and all below /dev give way to a mount at /dev. Then come the Pod's files and the message's mounts,
those of fewer path components first. A bind mount is recursive; it keeps its mounts to itself (rprivate), receives
the host's (rslave) or shares them both ways (rshared), for which the root must propagate too. recursiveReadOnly needs
readOnly and private propagation.
- containerd (2.2 `withMounts`, `linuxContainerMounts`): /etc/hostname, /etc/hosts and /etc/resolv.conf are read-only
  with a read-only root; /dev/shm is the Pod's, or the host's with hostIPC. Privileged: /sys and the cgroups are
  writable. With a user namespace on the host's network the kernel refuses a new sysfs, so that the host's /sys is
  bound, last.
- CRI-O (1.33 `addOCIBindMounts`, `setupContainerMounts`): the same files with other options; a mount at /sys takes
  those below it with it; a privileged container gets /sys and the cgroups anew, and no mount of CRI-O's stays
  read-only. /run/.containerenv is left out.
- Docker (29 `WithMounts`): the files as its own bind mounts; `private` is its default; read-only is recursive
  (`rro`); privileged: /sys and the cgroups are writable.
Left out: anonymous volumes for the image's `Volumes`, id-mapped mounts, and SELinux relabelling.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct

from podward.api.cri import ContainerConfig
from podward.api.cri import Mount as CRIMount
from podward.api.oci import Mount
from podward.decision import Assignment, Decision, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.defaults.common import CGROUP, SYS
from podward.policy.runtime.namespaces import options, own_userns
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("mounts")
PROPAGATION = {"PROPAGATION_BIDIRECTIONAL": "rshared", "PROPAGATION_HOST_TO_CONTAINER": "rslave"}
SHM = "/dev/shm"  # noqa: S108  # a path in the container
HOST_SYS = Mount("/sys", "bind", "/sys", ("rbind", "rro", "nosuid", "nodev", "noexec"))

_Row = tuple[Mount, str, Source]


class SandboxFiles(Struct, frozen=True, gc=False):
    """The Pod's files on the host: paths, "" where the Pod has none. `shm` is the Pod's /dev/shm."""

    hostname: str = ""
    hosts: str = ""
    resolv_conf: str = ""
    shm: str = ""

    def etc(self) -> tuple[tuple[str, str], ...]:
        """(place in the container, path on the host) of those below /etc that there are."""
        rows = (
            ("/etc/hostname", self.hostname),
            ("/etc/hosts", self.hosts),
            ("/etc/resolv.conf", self.resolv_conf),
        )
        return tuple(row for row in rows if row[1])


def decide(config: ContainerConfig, files: SandboxFiles, runtime: RuntimeProfile) -> Decision:
    """`mounts`, item by item, and `linux.rootfsPropagation`; violations for options that exclude each other."""
    supplied = {normpath(mount.container_path) for mount in config.mounts}
    rows = _RUNTIMES[runtime.name](config, files, supplied, runtime)
    refused = _refusals(config, runtime)
    mounts = tuple(Assignment(PLACE / i, mount, why, source) for i, (mount, why, source) in enumerate(rows))
    return Decision(mounts) + _propagation(config, runtime) + refused


def _as_containerd(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.security_context
    mode = "ro" if context.readonly_rootfs else "rw"
    extra = [
        (Mount(place, "bind", host, ("rbind", "rprivate", mode)), "a file of the Pod", runtime.source)
        for place, host in files.etc()
        if place not in supplied
    ]
    shm = SHM if options(context).ipc == "NODE" else files.shm
    if shm and SHM not in supplied:
        extra.append((Mount(SHM, "bind", shm, ("rbind", "rprivate", "rw")), "the Pod's shared memory", runtime.source))
    taken = supplied | {mount.destination for mount, _, _ in extra}
    rows = [
        (_writable(mount) if context.privileged and mount.type in ("sysfs", "cgroup") else mount, why, source)
        for mount, why, source in _own(runtime, taken, ("/dev",))
    ]
    rows += _by_depth(_of_message(config, "rw", "", runtime) + extra)
    if own_userns(context) is not None and options(context).network == "NODE":
        rows = [row for row in rows if row[0].destination != "/sys"]
        rows.append((HOST_SYS, "a user namespace can't have a new sysfs of the host's network", runtime.source))
    return rows


def _as_crio(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.security_context
    mode = "ro" if context.readonly_rootfs else "rw"
    rows = {row[0].destination: row for row in _own(runtime, supplied, ("/dev", "/sys"))}
    if options(context).network == "NODE" and "/sys" not in supplied:
        _put(rows, (SYS, "the host's network", runtime.source), (CGROUP, "the host's network", runtime.source))
    if context.privileged:
        source = runtime.of("securityContext", "privileged")
        anew = ("nosuid", "noexec", "nodev", "rw")
        _put(
            rows,
            (Mount("/sys", "sysfs", "sysfs", (*anew, "rslave")), "privileged", source),
            (Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*anew, "relatime", "rslave")), "privileged", source),
        )
    if files.shm or options(context).ipc == "NODE":
        shm = SHM if options(context).ipc == "NODE" else files.shm
        _put(rows, (Mount(SHM, "bind", shm, ("rw", "bind")), "the Pod's shared memory", runtime.source))
    for place, host in files.etc():
        flags = ("nodev", "nosuid", "noexec") if place == "/etc/resolv.conf" else ()
        _put(rows, (Mount(place, "bind", host, (mode, "bind", *flags)), "a file of the Pod", runtime.source))
    own = [(_cleared(row[0]), row[1], row[2]) if context.privileged else row for row in rows.values()]
    message = _by_depth(_of_message(config, "rw", "bind", runtime))
    return [row for row in own if row[0].destination not in supplied] + message


def _as_docker(
    config: ContainerConfig,
    files: SandboxFiles,
    supplied: set[str],
    runtime: RuntimeProfile,
) -> list[_Row]:
    context = config.security_context
    read_only = (_dockers_read_only(runtime),) if context.readonly_rootfs else ()
    extra = [
        (Mount(place, "bind", host, ("rbind", *read_only, "rprivate")), "a file of the Pod", runtime.source)
        for place, host in files.etc()
        if place not in supplied
    ]
    shm = SHM if options(context).ipc == "NODE" else files.shm
    if shm and SHM not in supplied:
        extra.append((Mount(SHM, "bind", shm, ("rbind", "rprivate")), "the Pod's shared memory", runtime.source))
    taken = supplied | {mount.destination for mount, _, _ in extra}
    rows = [
        (_without(mount, "ro") if context.privileged and mount.type in ("sysfs", "cgroup") else mount, why, source)
        for mount, why, source in _own(runtime, taken, ("/dev",))
    ]
    message = [
        (Mount(mount.destination, "bind", mount.source, _dockers(asked, runtime)), why, source)
        for asked, (mount, why, source) in zip(config.mounts, _of_message(config, "", "", runtime), strict=True)
    ]
    return rows + _by_depth(message + extra)


_RUNTIMES = {"containerd": _as_containerd, "cri-o": _as_crio, "docker": _as_docker}


def _own(runtime: RuntimeProfile, taken: set[str], trees: tuple[str, ...]) -> list[_Row]:
    """The runtime's own mounts that nothing at the same place, or at a whole tree, replaces."""
    gone = tuple(tree + "/" for tree in trees if tree in taken)
    return [
        (mount, "the runtime's own", runtime.source)
        for mount in runtime.defaults.mounts
        if mount.destination not in taken and not mount.destination.startswith(gone)
    ]


def _of_message(config: ContainerConfig, writable: str, last: str, runtime: RuntimeProfile) -> list[_Row]:
    rows: list[_Row] = []
    for index, asked in enumerate(config.mounts):
        access = writable
        if asked.readonly:
            access = "rro" if asked.recursive_read_only else "ro"
        words = ("rbind", PROPAGATION.get(asked.propagation, "rprivate"), access, last)
        mount = Mount(asked.container_path, "bind", asked.host_path, tuple(word for word in words if word))
        rows.append((mount, "volumeMounts", runtime.of("mounts", index)))
    return rows


def _dockers(asked: CRIMount, runtime: RuntimeProfile) -> tuple[str, ...]:
    access = (_dockers_read_only(runtime),) if asked.readonly else ()
    return ("rbind", *access, PROPAGATION.get(asked.propagation, "rprivate"))


def _dockers_read_only(runtime: RuntimeProfile) -> str:
    """Docker makes read-only mounts recursively so where the OCI runtime's `features` say that it can."""
    return "rro" if runtime.recursive_read_only else "ro"


def _put(rows: dict[str, _Row], *more: _Row) -> None:
    """Add, and take away what was at the same place before: CRI-O's `SpecAddMount`."""
    for row in more:
        rows.pop(row[0].destination, None)
        rows[row[0].destination] = row


def _by_depth(rows: list[_Row]) -> list[_Row]:
    return sorted(rows, key=lambda row: normpath(row[0].destination).count("/"))


def _with(mount: Mount, words: tuple[str, ...]) -> Mount:
    return Mount(mount.destination, mount.type, mount.source, words)


def _writable(mount: Mount) -> Mount:
    return _with(mount, tuple("rw" if option == "ro" else option for option in mount.options))


def _without(mount: Mount, word: str) -> Mount:
    return _with(mount, tuple(option for option in mount.options if option != word))


def _cleared(mount: Mount) -> Mount:
    """CRI-O's `clearReadOnly`."""
    if "rw" in mount.options:
        return mount
    return _with(mount, (*(option for option in mount.options if option != "ro"), "rw"))


def _propagation(config: ContainerConfig, runtime: RuntimeProfile) -> Decision:
    """`linux.rootfsPropagation`: the strongest that a mount needs."""
    for wanted, word in PROPAGATION.items():
        for index, mount in enumerate(config.mounts):
            if mount.propagation == wanted:
                source = runtime.of("mounts", index)
                shared = "shared" if runtime.name == "docker" and word == "rshared" else word
                return assign(path("linux", "rootfsPropagation"), shared, "mountPropagation of a volume mount", source)
    return Decision()


def _refusals(config: ContainerConfig, runtime: RuntimeProfile) -> Decision:
    refused = Decision()
    for index, mount in enumerate(config.mounts):
        if not mount.recursive_read_only:
            continue
        source = runtime.of("mounts", index)
        sentence = ""
        if not mount.readonly:
            sentence = "recursive read-only mount conflicts with RW mount"
        elif mount.propagation != "PROPAGATION_PRIVATE":
            sentence = f"recursive read-only mount needs private propagation, got {mount.propagation}"
        if sentence:
            refused += refuse(PLACE / index, mount.container_path, f"{sentence} (hostPath={mount.host_path})", source)
    return refused
