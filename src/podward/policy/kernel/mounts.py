"""The flags of the root and of every mount that the spec asks for.

Specification (mount(2), mount_namespaces(7); crun 1.8.1 and runc 1.1.5 as observed), in our words:
- Options are read from left to right. In runc a later `rw`, `suid`, `dev`, `exec` takes back the flag; in crun a flag
  that was set stays set. `rro` is as `ro` in crun; in runc it is added last, and keeps the other flags.
- A new file system (proc, tmpfs, sysfs, devpts, mqueue, cgroup2) has exactly the flags of its options. But where a user
  namespace comes with a pid or ipc namespace that is joined, crun opens proc or mqueue before it enters the user
  namespace, and gives it no flags at all.
- A bind mount first has the flags of the mount that it comes from. runc keeps them if the options name no flag at all,
  else it replaces them by the options' flags. crun always replaces them, except in a user namespace: there options
  without `ro` change nothing.
- In a user namespace inherited flags are locked: where runc's replacement would drop nosuid, nodev or noexec the kernel
  says EPERM and runc fails; ro alone it puts back. (crun binds from outside the namespace and meets no lock.) How
  access times are kept is locked too; that is no part of the state and not looked at.
- The root is bound too. crun replaces its flags outside a user namespace and keeps them inside one; runc keeps them,
  unless it must be read-only and there is no user namespace: then ro is its only flag.
- `/sys/fs/cgroup` of cgroup v1 is a writable tmpfs that holds one mount for each controller; `ro` applies to those.
  crun gives the tmpfs the other options, runc always nosuid, nodev, noexec.
- A mount hides every earlier one at the same place or below.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct

from podward.api.oci import Mount, RuntimeSpec
from podward.api.process import MountState
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

MANUAL = rule("mount(2)")
SETS = {"ro": "readonly", "rro": "readonly", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec"}
CLEARS = {"rw": "readonly", "suid": "nosuid", "dev": "nodev", "exec": "noexec"}
OTHER_FLAGS = frozenset(
    ("noatime", "nodiratime", "relatime", "strictatime", "sync", "dirsync", "mand", "lazytime", "iversion", "silent")
)
"""Options that are flags of mount(2) as well."""
REPLACING = OTHER_FLAGS | SETS.keys() - {"rro"}
"""The options by which runc replaces a bind mount's flags."""
_OPENED_BY = {"proc": "pid", "mqueue": "ipc"}
"""File systems that crun opens early, and the joined namespace that makes it do so."""
LOCKED = ("nosuid", "nodev", "noexec")


class MountFacts(Struct, frozen=True, gc=False):
    """What decides a mount's flags beside its options.

    `sources` are the flags of the mounts that bind mounts come from, by the destination in the spec; "/" is the mount
    that holds the root file system. A destination that is absent comes from a mount without flags. `joined` are the
    types of the namespaces that the spec joins by path.
    """

    runtime: str
    user_namespace: bool
    cgroup_v2: bool
    sources: tuple[MountState, ...] = ()
    joined: frozenset[str] = frozenset()

    def source_flags(self, destination: str) -> frozenset[str]:
        """The flags that a bind mount at `destination` starts with."""
        for state in self.sources:
            if state.destination == destination:
                return _flags(state)
        return frozenset()


class Mounted(Struct, frozen=True, gc=False):
    """The container's mounts and the flags of its root, for rules about files in it."""

    mounts: tuple[MountState, ...]
    root: frozenset[str]

    def flags(self, place: str) -> frozenset[str]:
        """The flags of the mount that a file at `place` is on."""
        best: MountState | None = None
        for state in self.mounts:
            if _within(place, state.destination) and (best is None or len(state.destination) > len(best.destination)):
                best = state
        return self.root if best is None else _flags(best)


def decide(spec: RuntimeSpec, facts: MountFacts, sources: Sources) -> Decision:
    """`root_readonly` and `mounts`, sorted by destination; violations for mounts that the kernel refuses."""
    readonly = "readonly" in root_flags(spec, facts)
    why = "root.readonly" if spec.root.readonly or not readonly else "the mount that holds the root is read-only"
    root = assign(path("root_readonly"), readonly, why, sources.of("root", "readonly"))
    visible = _visible(spec.mounts)
    if not visible:
        return root + assign(path("mounts"), (), "no mounts", sources.of("mounts"))
    decisions = [root]
    for position, (destination, index) in enumerate(sorted(visible.items())):
        flags, reason = _mount_flags(spec.mounts[index], facts)
        state = _state(destination, flags)
        decisions.append(
            assign(path("mounts", position), state, f"mounts[{index}]: {reason}", sources.of("mounts", index))
        )
    decisions += [_refusal(spec.mounts[index], destination, index, facts) for destination, index in visible.items()]
    return merge(*decisions)


def root_flags(spec: RuntimeSpec, facts: MountFacts) -> frozenset[str]:
    """The flags of the container's root."""
    asked = frozenset(("readonly",)) if spec.root.readonly else frozenset[str]()
    inherited = facts.source_flags("/")
    if facts.user_namespace:
        return inherited | asked
    return asked if facts.runtime == "crun" or asked else inherited


def is_bind(mount: Mount) -> bool:
    """Whether it shows a part of the host's tree, rather than a new file system."""
    return mount.type == "bind" or "bind" in mount.options or "rbind" in mount.options


def covering(spec: RuntimeSpec, place: str) -> Mount | None:
    """The spec's mount that `place` is on; None for the root."""
    best = ""
    visible = _visible(spec.mounts)
    for destination in visible:
        if _within(place, destination) and len(destination) > len(best):
            best = destination
    return spec.mounts[visible[best]] if best else None


def _visible(mounts: tuple[Mount, ...]) -> dict[str, int]:
    visible: dict[str, int] = {}
    for index, mount in enumerate(mounts):
        destination = normpath("/" + mount.destination.lstrip("/"))
        visible = {earlier: at for earlier, at in visible.items() if not _within(earlier, destination)}
        visible[destination] = index
    return visible


def _mount_flags(mount: Mount, facts: MountFacts) -> tuple[frozenset[str], str]:
    asked = _asked(mount.options, facts.runtime)
    if mount.type == "cgroup" and not facts.cgroup_v2:
        kept = frozenset(LOCKED) if facts.runtime == "runc" else asked - {"readonly"}
        return kept, "cgroup v1 is a writable tmpfs with a mount for each controller"
    if not is_bind(mount):
        if facts.runtime == "crun" and facts.user_namespace and _OPENED_BY.get(mount.type, "") in facts.joined:
            return frozenset(), "crun opens it before it enters the user namespace, without flags"
        return asked, "as its options say"
    inherited = facts.source_flags(mount.destination)
    if facts.runtime == "crun":
        if facts.user_namespace and "readonly" not in asked:
            return inherited, "crun leaves the source's flags in a user namespace"
        return asked, "crun gives a bind mount exactly the flags of its options"
    return _runc_bind(mount, inherited, facts)


def _runc_bind(mount: Mount, inherited: frozenset[str], facts: MountFacts) -> tuple[frozenset[str], str]:
    heard = frozenset(_effective(mount.options))
    recursive = frozenset(("readonly",)) if "rro" in mount.options else frozenset[str]()
    if not heard & REPLACING:
        return inherited | recursive, "the source's flags: the options name none"
    locked = inherited & {"readonly"} if facts.user_namespace else frozenset[str]()
    return _asked(tuple(heard - {"rro"}), "runc") | locked | recursive, "the options' flags replace the source's"


def _refusal(mount: Mount, destination: str, index: int, facts: MountFacts) -> Decision:
    """Where the mount itself fails."""
    if not is_bind(mount):
        return Decision()
    place = path("mounts", index, "options")
    if "bind" not in mount.options and "rbind" not in mount.options:
        return refuse(
            place, mount.options, f"{destination}: a bind mount needs the option bind or rbind (ENODEV)", MANUAL
        )
    if facts.runtime != "runc" or not facts.user_namespace:
        return Decision()
    flags, _ = _mount_flags(mount, facts)
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


def _effective(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options that no later one takes back, as runc reads them."""
    kept: list[str] = []
    for option in options:
        if option in CLEARS:
            kept = [earlier for earlier in kept if SETS.get(earlier) != CLEARS[option] or earlier == "rro"]
        else:
            kept.append(option)
    return tuple(kept)


def _asked(options: tuple[str, ...], runtime: str) -> frozenset[str]:
    heard = _effective(options) if runtime == "runc" else options
    return frozenset(SETS[option] for option in heard if option in SETS)


def _within(place: str, directory: str) -> bool:
    return directory in ("/", place) or place.startswith(directory + "/")


def _flags(state: MountState) -> frozenset[str]:
    return frozenset(name for name in ("readonly", *LOCKED) if getattr(state, name))


def _state(destination: str, flags: frozenset[str]) -> MountState:
    return MountState(
        destination,
        readonly="readonly" in flags,
        nosuid="nosuid" in flags,
        nodev="nodev" in flags,
        noexec="noexec" in flags,
    )
