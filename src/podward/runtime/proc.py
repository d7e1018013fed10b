"""The state of a process as the kernel reports it in /proc, and the same facts about this process and this machine.

Everything is read from the host's side: ids are the host's. What a container may have arranged (names, links, mounts)
is looked at through descriptors that can't leave its root, and nothing is opened for more than its path.
"""

from __future__ import annotations

import os
import stat
from posixpath import normpath

from msgspec import Struct

from podward.api.node import IDENTITY, IdMap
from podward.api.oci import RuntimeSpec
from podward.api.process import MountState, ProcessState
from podward.errors import NodeError
from podward.policy.kernel.mounts import CGROUPS, is_bind
from podward.policy.kernel.propagation import MountSource, Source, among
from podward.policy.kernel.user_namespace import seen_from_inside
from podward.runtime import machine, syscalls
from podward.stages.kernel import Inherited

NAMESPACES = {
    "cgroup": "cgroup",
    "ipc": "ipc",
    "mount": "mnt",
    "network": "net",
    "pid": "pid",
    "user": "user",
    "uts": "uts",
}
"""The runtime specification's names of namespaces, and those below /proc/PID/ns."""
NULL_DEVICE = (1, 3)


class Mount(Struct, frozen=True, gc=False):
    """A line of /proc/PID/mountinfo: where, what, and the options of this mount, not of its file system."""

    point: str
    kind: str
    options: frozenset[str]
    propagation: str = "private"

    def state(self, destination: str) -> MountState:
        """Its flags, named as the mount at `destination`."""
        return MountState(
            destination,
            readonly="ro" in self.options,
            nosuid="nosuid" in self.options,
            nodev="nodev" in self.options,
            noexec="noexec" in self.options,
            propagation=self.propagation,
        )


def read_state(pid: int, spec: RuntimeSpec, devices: tuple[str, ...] = ()) -> ProcessState:
    """The state of process `pid`, with those mounts and paths that `spec` speaks of, and the `devices` found for it.

    Of a runc or crun container; a gVisor sandbox's process is not the container's. Raises NodeError if the process is
    gone or /proc does not tell.
    """
    try:
        return _read_state(pid, spec, devices)
    except (OSError, ValueError, KeyError) as error:
        raise NodeError(
            f"cannot read the state of process {pid}: {error}",
            where=f"/proc/{pid}",
            advice="the process may have ended; reading it takes CAP_SYS_PTRACE and a /proc of this pid namespace",
        ) from error


def _read_state(pid: int, spec: RuntimeSpec, devices: tuple[str, ...]) -> ProcessState:
    status = parse_status(_text(f"/proc/{pid}/status"))
    mounts = parse_mountinfo(_text(f"/proc/{pid}/mountinfo"))
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        view = _View(root, mounts, status["NSpid"].split()[-1])
        return ProcessState(
            uid=four_ids(status["Uid"]),
            gid=four_ids(status["Gid"]),
            groups=tuple(int(word) for word in status["Groups"].split()),
            cap_inheritable=int(status["CapInh"], 16),
            cap_permitted=int(status["CapPrm"], 16),
            cap_effective=int(status["CapEff"], 16),
            cap_bounding=int(status["CapBnd"], 16),
            cap_ambient=int(status["CapAmb"], 16),
            no_new_privs=status["NoNewPrivs"] == "1",
            seccomp=int(status["Seccomp"]),
            uid_map=id_map(pid, "uid_map"),
            gid_map=id_map(pid, "gid_map"),
            root_readonly=view.readonly("/"),
            mounts=view.mounts(spec),
            masked=tuple(sorted(path for path in set(spec.linux.masked_paths) if view.masked(path))),
            readonly_paths=tuple(sorted(path for path in set(spec.linux.readonly_paths) if view.readonly(path))),
            host_namespaces=host_namespaces(pid),
            oom_score_adj=int(_text(f"/proc/{pid}/oom_score_adj")),
            label=read_label(pid),
            devices=devices,
        )
    finally:
        os.close(root)


class _View:
    """The mounts of a process as its paths meet them.

    `root` is a descriptor of its root directory, `own` its pid as it sees itself.
    """

    def __init__(self, root: int, mounts: dict[int, Mount], own: str) -> None:
        self._root = root
        self._mounts = mounts
        self._own = {
            "/proc/self": f"/proc/{own}",
            "/proc/thread-self": f"/proc/{own}/task/{own}",
            "/proc/net": f"/proc/{own}/net",
            "/proc/mounts": f"/proc/{own}/mounts",
        }

    def mounts(self, spec: RuntimeSpec) -> tuple[MountState, ...]:
        """The flags of the spec's mounts that can be seen, sorted."""
        found = []
        for destination in {normpath("/" + mount.destination.lstrip("/")) for mount in spec.mounts}:
            mount = self._mounted_at(destination)
            if mount is not None:
                found.append(mount.state(destination))
        return tuple(sorted(found))

    def readonly(self, path: str) -> bool:
        """Whether a read-only mount stands at exactly `path`."""
        mount = self._mounted_at(path)
        if mount is not None and "ro" in mount.options:
            return True
        # Under runc a mask may lie on top of the read-only mount: what is below is as read-only.
        return path != "/" and any(other.point == path and "ro" in other.options for other in self._mounts.values())

    def masked(self, path: str) -> bool:
        """Whether `path` is covered by /dev/null or by an empty read-only tmpfs."""
        mount = self._mounted_at(path)
        descriptor = self._open(path) if mount is not None else -1
        if mount is None or descriptor < 0:
            return False
        try:
            facts = os.fstat(descriptor)
            if stat.S_ISCHR(facts.st_mode):
                return (os.major(facts.st_rdev), os.minor(facts.st_rdev)) == NULL_DEVICE
            return mount.kind == "tmpfs" and "ro" in mount.options and stat.S_ISDIR(facts.st_mode)
        finally:
            os.close(descriptor)

    def _open(self, path: str) -> int:
        try:
            return syscalls.openat2(
                self._root, path, os.O_PATH, syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
            )
        except OSError:
            return -1

    def _mounted_at(self, path: str) -> Mount | None:
        """The mount whose root `path` leads to; None if `path` leads inside of one, or nowhere."""
        found = self._mounted_exactly_at(path)
        if found is None:
            # proc's own links lead everybody to his own process: us elsewhere than the one that we look at.
            for link, target in self._own.items():
                if path == link or path.startswith(f"{link}/"):
                    return self._mounted_exactly_at(target + path[len(link) :])
        return found

    def _mounted_exactly_at(self, path: str) -> Mount | None:
        descriptor = self._open(path)
        if descriptor < 0:
            return None
        try:
            mount = self._mounts.get(_mount_id(descriptor))
            # The kernel names a descriptor's file as the root of its mount namespace sees it, as mountinfo does.
            return mount if mount is not None and os.readlink(f"/proc/self/fd/{descriptor}") == mount.point else None
        finally:
            os.close(descriptor)


def host_namespaces(pid: int) -> tuple[str, ...]:
    """The kinds of namespaces that process `pid` shares with this one, sorted."""
    return tuple(
        kind
        for kind, name in NAMESPACES.items()
        if os.readlink(f"/proc/{pid}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}")
    )


def read_label(pid: int) -> str | None:
    """The security label of process `pid`, without AppArmor's mode; None where no module labels processes."""
    try:
        return label_in(_text(f"/proc/{pid}/attr/current"))
    except OSError:
        return None  # EINVAL: no module answers


def label_in(text: str) -> str | None:
    """The label that this file of a process tells.

    A profile in the mode `unconfined` confines nothing: distributions have some to tell programs apart, such as crun's,
    which its containers without a profile keep, and the kernel does not tell which programs these are attached to.
    """
    label = text.rstrip("\n\0")
    name, _, mode = label.partition(" (")
    if mode == "unconfined)":
        return "unconfined"
    return (name if mode.endswith(")") else label) or None


def inherited() -> Inherited:
    """What a container inherits from this process where its spec is silent."""
    adjustment, label = int(_text("/proc/self/oom_score_adj")), read_label(os.getpid())
    return Inherited(adjustment, label, machine.stack_limit(), _lasting_groups())


def _lasting_groups() -> tuple[int, ...] | None:
    """Our supplementary groups where setgroups(2) is denied (user_namespaces(7)); None where it is not."""
    try:
        denied = _text("/proc/self/setgroups").strip() == "deny"
    except FileNotFoundError:  # a kernel without user namespaces
        return None
    return tuple(os.getgroups()) if denied else None


def machine_capabilities() -> int:
    """The mask of what root has here: what this process is permitted and may pass on."""
    status = parse_status(_text("/proc/self/status"))
    return int(status["CapPrm"], 16) & int(status["CapBnd"], 16)


def cgroup_v2() -> bool:
    """Whether /sys/fs/cgroup is cgroup2 in this process's mount namespace."""
    kinds = [
        mount.kind
        for mount in parse_mountinfo(_text("/proc/self/mountinfo")).values()
        if mount.point == "/sys/fs/cgroup"
    ]
    return bool(kinds) and kinds[-1] == "cgroup2"


def source_flags(spec: RuntimeSpec, rootfs: str) -> tuple[MountSource, ...]:
    """The flags of the mounts that the spec's bind mounts come from, and, as "/", of the one that holds `rootfs`."""
    return among(spec, sources(spec, rootfs))


def sources(spec: RuntimeSpec, rootfs: str) -> list[Source]:
    """The mounts that the spec's bind mounts come from, and, as "/", the one that holds `rootfs`.

    The machine's cgroups are looked at as well: a runtime may have to bind them. A source that does not exist is left
    out: the runtime will complain about it.
    """
    mounts = parse_mountinfo(_text("/proc/self/mountinfo"))
    bound = ((mount.destination, mount.source) for mount in spec.mounts if is_bind(mount))
    cgroups = ((mount.destination, CGROUPS) for mount in spec.mounts if mount.type == "cgroup")
    found: list[Source] = []
    for destination, place in [("/", rootfs), *bound, *cgroups]:
        try:
            descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            number = _mount_id(descriptor)
        finally:
            os.close(descriptor)
        if (mount := mounts.get(number)) is not None:
            found.append(Source(mount.state(destination), number, mount.point == "/"))
    return found


def locked_sources(spec: RuntimeSpec) -> frozenset[str]:
    """The destinations of bind mounts whose source's flags nobody in our user namespace may clear.

    Mounts of the machine are locked for who is root of a user namespace alone; those that we have made are not.
    """
    if machine.id_map("uid_map") == IDENTITY:
        return frozenset()
    flagged = {state.destination: state for state in source_flags(spec, "/")}
    return frozenset(
        mount.destination
        for mount in spec.mounts
        if mount.destination in flagged and is_bind(mount) and _is_locked(mount.source, flagged[mount.destination])
    )


_ATTRIBUTES = (
    ("readonly", syscalls.MOUNT_ATTR_RDONLY),
    ("nosuid", syscalls.MOUNT_ATTR_NOSUID),
    ("nodev", syscalls.MOUNT_ATTR_NODEV),
    ("noexec", syscalls.MOUNT_ATTR_NOEXEC),
)


def _is_locked(source: str, flags: MountState) -> bool:
    """Whether the kernel refuses to clear the flags of a copy of this mount, which nobody sees."""
    wanted = sum(attribute for name, attribute in _ATTRIBUTES if getattr(flags, name))
    if not wanted:
        return False
    try:
        tree = syscalls.open_tree(syscalls.AT_FDCWD, source, syscalls.OPEN_TREE_CLONE)
    except OSError:  # in the machine's own mount namespace, where nothing is ours to copy
        return True
    try:
        syscalls.mount_setattr(tree, 0, recursive=False, clear_flags=wanted)
    except PermissionError:
        return True
    finally:
        os.close(tree)
    return False


def parse_status(text: str) -> dict[str, str]:
    """The lines of /proc/PID/status by name; of a name that comes twice, the first."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name, value.strip())
    return fields


def parse_mountinfo(text: str) -> dict[int, Mount]:
    """The lines of /proc/PID/mountinfo by mount id, in order; lines of another shape are left out (proc(5))."""
    mounts: dict[int, Mount] = {}
    for line in text.split("\n"):
        head, dash, tail = line.partition(" - ")
        words, kind = head.split(" "), tail.split(" ")[0]
        if dash and len(words) >= 6 and words[0].isdigit():
            spreads = _propagation(words[6:])
            mounts[int(words[0])] = Mount(_unescaped(words[4]), kind, frozenset(words[5].split(",")), spreads)
    return mounts


def _propagation(tags: list[str]) -> str:
    """What the optional fields of a line tell of how mounts spread."""
    kinds = sorted(_SPREADS[tag.partition(":")[0]] for tag in tags if tag.partition(":")[0] in _SPREADS)
    return " ".join(kinds) or "private"


_SPREADS = {"shared": "shared", "master": "slave"}


def _unescaped(word: str) -> str:
    """A path of mountinfo, where blanks, tabs, newlines and backslashes are written in octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        word = word.replace(code, character)
    return word


def _mount_id(descriptor: int) -> int:
    for line in _text(f"/proc/self/fdinfo/{descriptor}").split("\n"):
        name, _, value = line.partition(":")
        if name == "mnt_id":
            return int(value)
    return -1


def four_ids(words: str) -> tuple[int, int, int, int]:
    """The real, effective, saved and file system id of a line of /proc/PID/status."""
    real, effective, saved, file_system = (int(word) for word in words.split())
    return real, effective, saved, file_system


def id_map(pid: int, name: str) -> IdMap:
    """The map of a process as seen from our user namespace.

    Where the process is in ours, the kernel tells the ids of the namespace above it (user_namespaces(7)): of these we
    know nothing else, and all other ids that we read are ours.
    """
    lines = []
    for line in _text(f"/proc/{pid}/{name}").splitlines():
        inside, outside, length = (int(word) for word in line.split())
        lines.append((inside, outside, length))
    found = tuple(lines)
    if found == machine.id_map(name) and os.stat(f"/proc/{pid}/ns/user").st_ino == os.stat("/proc/self/ns/user").st_ino:
        return seen_from_inside(found)
    return found


def _text(file: str) -> str:
    with open(file, encoding="utf-8", errors="surrogateescape") as opened:
        return opened.read()
