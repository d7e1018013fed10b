"""The flags of the root and of every mount in the spec, and the paths that are masked or read-only.

Specification (mount(2), mount_namespaces(7); crun 1.8.1 and runc 1.1.5 as observed), in our words:
- Options are read from left to right. In runc a later `rw`, `suid`, `dev`, `exec` clears the flag again; in crun a flag
  that was set stays set. crun treats `rro` as `ro`; runc adds it last, to the other flags.
- A new file system (proc, tmpfs, sysfs, devpts, mqueue, cgroup2) has exactly the flags of its options. There is one
  exception: if the container has its own user namespace and joins a pid or ipc namespace, crun opens proc or mqueue
  before it enters the user namespace, and gives it no flags at all.
- A bind mount starts with the flags of its source's mount. runc keeps these if the options name no flag at all, else it
  replaces them by the options' flags. crun always replaces them, except in a user namespace, where options without `ro`
  change nothing.
- In a user namespace inherited flags are locked. If runc's replacement would drop nosuid, nodev or noexec, the kernel
  answers EPERM and runc fails; runc itself keeps an inherited ro. crun binds from outside the namespace, where flags
  are not locked. The access time flags are locked too; they are not part of the predicted state.
  The same holds for the mounts of the machine where Podward itself is root of a user namespace alone. crun then adds
  the locked flags to those that it is asked for (it tries again with what statfs(2) tells).
- The root is a bind mount too. crun replaces its flags outside a user namespace and keeps them inside one. runc keeps
  them, but for a read-only root outside a user namespace it sets ro as the only flag.
- `/sys/fs/cgroup` of cgroup v1 is a writable tmpfs that holds one mount for each controller; `ro` applies to those.
  crun gives the tmpfs the other options, runc always nosuid, nodev, noexec.
- `/sys/fs/cgroup` of cgroup v2 is a new mount, but for runc in a user namespace, the container's or Podward's own,
  without a cgroup namespace: nobody may make one there, and runc binds the machine's.
- A mount hides every earlier mount at the same place or below it.
- runc mounts nothing below /proc but a few files (checkProcMount), and on /proc itself only what is a proc; crun does.
- Masked and read-only paths (runtime-spec 1.0.2 `linux.maskedPaths` and `readonlyPaths`): the runtime skips a path that
  does not exist in the container. It covers a masked directory by an empty read-only tmpfs, a masked file by /dev/null,
  and a read-only path by a read-only bind mount of itself. These paths are in proc and sysfs, so they exist in the
  container if they exist on the machine and the spec mounts that file system. What the spec mounts at exactly such a
  path is covered too.
- How mounts spread is `podward.policy.kernel.propagation`'s to say.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct, structs

from podward.api.oci import Mount, RuntimeSpec
from podward.api.process import MountState
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel import propagation
from podward.policy.kernel.propagation import Copies, MountSource, Surroundings, within
from podward.policy.kernel.sources import Sources, rule

MANUAL = rule("mount(2)")
SETS = {"ro": "readonly", "rro": "readonly", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec"}
CLEARS = {"rw": "readonly", "suid": "nosuid", "dev": "nodev", "exec": "noexec"}
OTHER_FLAGS = frozenset(
    ("noatime", "nodiratime", "relatime", "strictatime", "sync", "dirsync", "mand", "lazytime", "iversion", "silent")
)
"""Options that are flags of mount(2) as well."""
REPLACING = OTHER_FLAGS | SETS.keys() - {"rro"}
"""Options that make runc replace a bind mount's flags."""
CGROUPS = "/sys/fs/cgroup"
_OPENED_EARLY = {"proc": "pid", "mqueue": "ipc"}
"""File systems that crun opens before it enters the user namespace, if it joins a namespace of this type."""
LOCKED = ("nosuid", "nodev", "noexec")
KERNEL_FILE_SYSTEMS = frozenset(("proc", "sysfs"))
KERNEL_TREES = ("/proc", "/sys")
_RUNC_TAKES_BELOW_PROC = frozenset(
    f"/proc/{name}"
    for name in (
        *("cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"),
        *("net/dev", "sys/kernel/ns_last_pid"),
    )
)


class MountFacts(Struct, frozen=True, gc=False):
    """The facts that decide a mount's flags together with its options.

    `sources` are the flags of the mounts that bind mounts come from, by the destination in the spec; "/" is the mount
    that holds the root file system. A destination that is not listed comes from a mount without flags. `joined` are
    the types of the namespaces that the spec joins by path. `locked` are the destinations in the spec whose source's
    flags nobody in Podward's own user namespace may clear. `foreign_cgroups` is whether the container's cgroup
    namespace belongs to another user namespace than its own.
    """

    runtime: str
    user_namespace: bool
    cgroup_v2: bool
    sources: tuple[MountSource, ...] = ()
    joined: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
    foreign_cgroups: bool = False

    def as_made(self, mount: Mount) -> Mount:
        """The mount as the runtime makes it in the end."""
        bound = self.runtime == "runc" and self.cgroup_v2 and self.foreign_cgroups
        if mount.type != "cgroup" or not bound:
            return mount
        return structs.replace(mount, type="bind", source=CGROUPS, options=("bind", *mount.options))

    def propagation(self, mount: Mount, spec: RuntimeSpec) -> str:
        """How mounts spread from and to one of the spec's mounts."""
        around = Surroundings(self.runtime, spec.linux.rootfs_propagation, self.user_namespace)
        if normpath(mount.destination) in spec.linux.masked_paths:
            return propagation.covering(around)
        parent = propagation.mounted_in(spec.mounts, mount)
        copies = Copies.NOWHERE
        if parent is not None:
            copies = propagation.copies(parent, self._source(parent), around)
        return propagation.predict(mount, self._source(mount), around, copies)

    def _source(self, mount: Mount) -> MountSource | None:
        """What a bind mount comes from; None for a new file system."""
        if not is_bind(mount):
            return None
        place = mount.destination
        return next((source for source in self.sources if source.destination == place), MountSource(place))

    def source_flags(self, destination: str) -> frozenset[str]:
        """The flags that a bind mount at `destination` takes over from its source."""
        for state in self.sources:
            if state.destination == destination:
                return _flags(state)
        return frozenset()


class ContainerMounts(Struct, frozen=True, gc=False):
    """The container's mounts and the flags of its root: `flags` finds those that apply to a file."""

    mounts: tuple[MountState, ...]
    root: frozenset[str]

    def flags(self, place: str) -> frozenset[str]:
        """The flags of the mount that holds the file at `place`."""
        best: MountState | None = None
        for state in self.mounts:
            if within(place, state.destination) and (best is None or len(state.destination) > len(best.destination)):
                best = state
        return self.root if best is None else _flags(best)


def decide(spec: RuntimeSpec, facts: MountFacts, sources: Sources) -> Decision:
    """`root_readonly` and `mounts`, sorted by destination; violations for mounts that the kernel refuses."""
    spec = structs.replace(spec, mounts=tuple(map(facts.as_made, spec.mounts)))
    readonly = "readonly" in root_flags(spec, facts)
    why = "root.readonly" if spec.root.readonly or not readonly else "the mount that holds the root is read-only"
    root = assign(path("root_readonly"), readonly, why, sources.of("root", "readonly"))
    visible = _visible(spec.mounts)
    if not visible:
        return root + assign(path("mounts"), (), "no mounts", sources.of("mounts"))
    decisions = [root]
    for position, (destination, index) in enumerate(sorted(visible.items())):
        flags, reason = _covered(spec, destination, *mount_flags(spec.mounts[index], facts))
        state = _state(destination, flags, facts.propagation(spec.mounts[index], spec))
        decisions.append(
            assign(path("mounts", position), state, f"mounts[{index}]: {reason}", sources.of("mounts", index))
        )
    decisions += [_refusal(spec.mounts[index], destination, index, facts) for destination, index in visible.items()]
    return merge(*decisions)


def decide_masks(spec: RuntimeSpec, existing: frozenset[str], sources: Sources) -> Decision:
    """`masked` and `readonly_paths`, sorted; `existing` are the special paths that exist on this machine."""
    decisions = []
    for name, field, listed in (
        ("masked", "maskedPaths", spec.linux.masked_paths),
        ("readonly_paths", "readonlyPaths", spec.linux.readonly_paths),
    ):
        mounted = _visible(spec.mounts)
        found = tuple(sorted({p for p in listed if p in mounted or (p in existing and _in_kernel_tree(spec, p))}))
        reason = f"those of linux.{field} that exist here ({len(found)} of {len(listed)})"
        decisions.append(assign(path(name), found, reason, sources.of("linux", field)))
    return merge(*decisions)


def _covered(spec: RuntimeSpec, place: str, flags: frozenset[str], reason: str) -> tuple[frozenset[str], str]:
    """The flags of what is seen at a mount's place, where the path is masked or made read-only afterwards."""
    if place in spec.linux.masked_paths:
        return frozenset(("readonly",)), "masked: an empty read-only tmpfs covers it"
    if place in spec.linux.readonly_paths:
        return flags | {"readonly"}, f"{reason}; it is a read-only path"
    return flags, reason


def _in_kernel_tree(spec: RuntimeSpec, place: str) -> bool:
    """Whether the spec mounts proc or sysfs at `place`, as a new file system or from the host."""
    mount = _holder(spec, place)
    if mount is None:
        return False
    if is_bind(mount):
        return mount.source.startswith(KERNEL_TREES)
    return mount.type in KERNEL_FILE_SYSTEMS


def root_flags(spec: RuntimeSpec, facts: MountFacts) -> frozenset[str]:
    """The flags of the container's root."""
    wanted = frozenset(("readonly",)) if spec.root.readonly else frozenset[str]()
    inherited = facts.source_flags("/")
    if facts.user_namespace:
        return inherited | wanted
    return wanted if facts.runtime == "crun" or wanted else inherited


def is_bind(mount: Mount) -> bool:
    """Whether this is a bind mount of a file or directory of the host, not a new file system."""
    return mount.type == "bind" or "bind" in mount.options or "rbind" in mount.options


def _holder(spec: RuntimeSpec, place: str) -> Mount | None:
    """The spec's mount that holds `place`; None for the root."""
    best = ""
    visible = _visible(spec.mounts)
    for destination in visible:
        if within(place, destination) and len(destination) > len(best):
            best = destination
    return spec.mounts[visible[best]] if best else None


def _visible(mounts: tuple[Mount, ...]) -> dict[str, int]:
    """The destinations that no later mount hides, each with the index of its mount."""
    visible: dict[str, int] = {}
    for index, mount in enumerate(mounts):
        destination = normpath("/" + mount.destination.lstrip("/"))
        visible = {earlier: at for earlier, at in visible.items() if not within(earlier, destination)}
        visible[destination] = index
    return visible


def mount_flags(mount: Mount, facts: MountFacts) -> tuple[frozenset[str], str]:
    """The flags of one mount, and the reason."""
    from_options = flags_of_options(mount.options, facts.runtime)
    if mount.type == "cgroup" and not facts.cgroup_v2:
        kept = frozenset(LOCKED) if facts.runtime == "runc" else from_options - {"readonly"}
        return kept, "cgroup v1 is a writable tmpfs with a mount for each controller"
    if not is_bind(mount):
        if facts.runtime == "crun" and facts.user_namespace and _OPENED_EARLY.get(mount.type, "") in facts.joined:
            return frozenset(), "crun opens it before it enters the user namespace, without flags"
        return from_options, "as its options say"
    inherited = facts.source_flags(mount.destination)
    if facts.runtime == "crun":
        return _crun_bind(mount, inherited, from_options, facts)
    return _runc_bind(mount, inherited, facts)


def _crun_bind(
    mount: Mount, inherited: frozenset[str], asked: frozenset[str], facts: MountFacts
) -> tuple[frozenset[str], str]:
    """The flags of a bind mount that crun makes, whose options name these flags, and the reason."""
    if facts.user_namespace and "readonly" not in asked:
        return inherited, "crun leaves the source's flags in a user namespace"
    if mount.destination in facts.locked:
        return asked | inherited, "the options' flags, and the source's, which are locked for a user"
    return asked, "crun gives a bind mount exactly the flags of its options"


def _runc_bind(mount: Mount, inherited: frozenset[str], facts: MountFacts) -> tuple[frozenset[str], str]:
    """The flags of a bind mount that runc makes, and the reason."""
    options = frozenset(_uncleared(mount.options))
    recursive = frozenset(("readonly",)) if "rro" in mount.options else frozenset[str]()
    if not options & REPLACING:
        return inherited | recursive, "the source's flags: the options name none"
    kept = facts.user_namespace or mount.destination in facts.locked
    locked = inherited & {"readonly"} if kept else frozenset[str]()
    replaced = flags_of_options(tuple(options - {"rro"}), "runc")
    return replaced | locked | recursive, "the options' flags replace the source's"


def _refusal(mount: Mount, destination: str, index: int, facts: MountFacts) -> Decision:
    """A violation if the mount call fails."""
    if facts.runtime == "runc" and within(destination, "/proc") and not _runc_takes(mount, destination):
        reason = f"{destination}: runc mounts nothing there (EPERM); crun would: mount it elsewhere"
        return refuse(path("mounts", index, "destination"), mount.destination, reason, rule("runc 1.1"))
    if not is_bind(mount):
        return Decision()
    place = path("mounts", index, "options")
    if "bind" not in mount.options and "rbind" not in mount.options:
        return refuse(
            place, mount.options, f"{destination}: a bind mount needs the option bind or rbind (ENODEV)", MANUAL
        )
    if facts.runtime != "runc" or not (facts.user_namespace or mount.destination in facts.locked):
        return Decision()
    flags, _ = mount_flags(mount, facts)
    dropped = [flag for flag in LOCKED if flag in facts.source_flags(mount.destination) and flag not in flags]
    if not dropped:
        return Decision()
    return refuse(
        place,
        mount.options,
        f"{destination}: its source is mounted {', '.join(dropped)}, which is locked in a user namespace; the runtime "
        f"can't mount it without (EPERM): add {', '.join(dropped)} to the options",
        MANUAL,
    )


def _runc_takes(mount: Mount, destination: str) -> bool:
    """Whether runc mounts this on /proc, or below it."""
    if destination == "/proc":
        return mount.source.startswith("/proc") if is_bind(mount) else mount.type == "proc"
    return destination in _RUNC_TAKES_BELOW_PROC


def _uncleared(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options that no later option clears, as runc reads them."""
    kept: list[str] = []
    for option in options:
        if option in CLEARS:
            kept = [earlier for earlier in kept if SETS.get(earlier) != CLEARS[option] or earlier == "rro"]
        else:
            kept.append(option)
    return tuple(kept)


def flags_of_options(options: tuple[str, ...], runtime: str) -> frozenset[str]:
    """The flags that a mount's options name, as the runtime reads them."""
    kept = _uncleared(options) if runtime == "runc" else options
    return frozenset(SETS[option] for option in kept if option in SETS)


def _flags(state: MountState) -> frozenset[str]:
    return frozenset(name for name in ("readonly", *LOCKED) if getattr(state, name))


def _state(destination: str, flags: frozenset[str], spreads: str) -> MountState:
    return MountState(
        destination,
        readonly="readonly" in flags,
        nosuid="nosuid" in flags,
        nodev="nodev" in flags,
        noexec="noexec" in flags,
        propagation=spreads,
    )
