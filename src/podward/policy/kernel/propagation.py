"""How mounts spread from and to a mount of a container (mount_namespaces(7); crun 1.8 and runc 1.1 as observed).

Specification, in our words. A mount is shared (what is mounted below it appears at its peers), a slave (what is mounted
below its master appears here), both, or private.
- The container's mount namespace begins as a copy; `linux.rootfsPropagation` then changes all that is in it, for crun
  to private where nothing is said, for runc to slave. A namespace of another user has slaves of shared mounts: runc
  makes its mounts there, crun outside of it.
- A bind mount begins as its source is there; a new file system is private. The mount's own option comes next: private,
  slave (of what is neither shared nor a slave nothing comes), or shared, which a slave becomes as well. What was
  private at its source is shared with nobody, whatever the root is, and a slave of nobody is private.
- Without a user namespace the mount is made when the source is as the root is already. What was private at its source
  has a master then, for as long as the source has another peer, since the source itself goes with the old root: another
  mount of the container, or a copy outside of it. So it is, too, where the machine's root mount was private and Docker
  makes it alone shared.
- What is mounted at a place of a mount that has peers appears at these, too: it begins as shared with its copies there.
  Where all of the peers are inside of the container (as runc has it in a user namespace, and where the root was made
  shared for the container alone) the copies go with the old root.
- crun then changes all mounts of the container to `rootfsPropagation` once more: so nothing is shared or a slave
  without it, and with `rshared` everything is shared. runc changes the root alone, and leaves it private.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from enum import Enum
from posixpath import normpath

from msgspec import Struct, structs

from podward.api.oci import Mount, RuntimeSpec
from podward.api.process import MountState

SHARED, SLAVE = frozenset(("shared",)), frozenset(("slave",))
PRIVATE = frozenset[str]()
_OPTIONS = {
    "private": PRIVATE,
    "rprivate": PRIVATE,
    "slave": SLAVE,
    "rslave": SLAVE,
    "shared": SHARED,
    "rshared": SHARED,
}
_RECURSIVE = ("rprivate", "rslave", "rshared")


class MountSource(MountState, frozen=True, gc=False):
    """What a mount of a container comes from, when that is made, with the destination of the container's mount.

    `is_inside` says that it was private: whatever its peers are, they are the container's. `is_alone` says besides that
    no other mount of the container is a peer of it, before a change.
    """

    is_inside: bool = False
    is_alone: bool = False


class Source(Struct, frozen=True, gc=False):
    """What a mount of a container comes from, before the runtime changes anything.

    `state` has the mount's destination. `mount` is equal for what comes from one mount; `is_root`: that of the machine.
    """

    state: MountState
    mount: Hashable
    is_root: bool = False


class Surroundings(Struct, frozen=True, gc=False):
    """What decides for all mounts of a container: the OCI runtime, `linux.rootfsPropagation`, its user namespace."""

    runtime: str
    root: str
    user_namespace: bool

    @property
    def of_root(self) -> str:
        """What the runtime changes all mounts to; empty where it changes the root alone."""
        whole = self.root or ("rprivate" if self.runtime == "crun" else "rslave")
        return whole if whole in _RECURSIVE else ""


class Copies(Enum):
    """Where what is mounted at a place appears, too."""

    NOWHERE = "nowhere"
    INSIDE = "inside"
    OUTSIDE = "outside"


def predict(mount: Mount, source: MountSource | None, around: Surroundings, copies: Copies = Copies.NOWHERE) -> str:
    """What a mount is in the end: private, slave, shared, or "shared slave".

    `source` is what a bind mount comes from, as `among` says; None is a new file system. `copies`: those of what is
    mounted in the mount that its place is in.
    """
    state, alone = PRIVATE, False
    if source is not None:
        before = states(source.propagation)
        state, alone = _copied(before, around), source.is_alone or (not before and around.user_namespace)
    if copies is not Copies.NOWHERE:
        state, alone = state | SHARED, alone and copies is Copies.INSIDE
    for option in mount.options:
        if option in _OPTIONS:
            state = _changed(PRIVATE if alone else state, _OPTIONS[option])
    return text(_in_the_end(state, around))


def copies(mount: Mount, source: MountSource | None, around: Surroundings) -> Copies:
    """Where what is mounted below the mount appears as well: at what its source is shared with."""
    if source is None or not states(source.propagation) >= SHARED:
        return Copies.NOWHERE
    state = _copied(states(source.propagation), around)
    for option in mount.options:
        if option in _OPTIONS:
            state = _changed(state, _OPTIONS[option]) if state >= SHARED else PRIVATE
    if not state >= SHARED:
        return Copies.NOWHERE
    is_inside = source.is_inside or (around.user_namespace and around.runtime == "runc")
    return Copies.INSIDE if is_inside else Copies.OUTSIDE


def among(spec: RuntimeSpec, sources: list[Source]) -> tuple[MountSource, ...]:
    """The sources of a container's bind mounts as they are when it is made, and what they are to each other."""
    named = {source.state.destination: source for source in sources}
    bound = {mount.destination for mount in spec.mounts}
    peers = {m.destination for m in spec.mounts if _stays_shared(m)}
    counted = Counter(source.mount for source in sources if source.state.destination in peers)
    copied: set[Hashable] = set()
    if any(states(source.state.propagation) >= SHARED for source in sources):  # else nothing is mounted anywhere else
        copied = {
            named[m.destination].mount for m in spec.mounts if m.destination in named and _is_copied(m, spec, named)
        }
    found = []
    for source in sources:
        place, before = source.state.destination, source.state.propagation
        now = on_root(before, spec.linux.rootfs_propagation) if source.is_root else before
        is_private = before == "private"
        is_bound = place in bound and counted[source.mount] == (place in peers) and source.mount not in copied
        state = structs.replace(source.state, propagation=text(states(now)))
        found.append(
            MountSource(
                **structs.asdict(state),
                is_inside=is_private and bool(states(now)),
                is_alone=is_private and is_bound,
            )
        )
    return tuple(found)


def _is_copied(mount: Mount, spec: RuntimeSpec, sources: dict[str, Source]) -> bool:
    """Whether what is mounted there appears outside of the container, too, and stays a peer of its source."""
    holder = mounted_in(spec.mounts, mount)
    source = None if holder is None else sources.get(holder.destination)
    if holder is None or source is None or any(joined.type == "user" for joined in spec.linux.namespaces):
        return False
    return states(source.state.propagation) >= SHARED and _stays_shared(holder)


def _stays_shared(mount: Mount) -> bool:
    return all(_OPTIONS.get(option, SHARED) == SHARED for option in mount.options)


def mounted_in(mounts: tuple[Mount, ...], mount: Mount) -> Mount | None:
    """The mount before this one that holds its place; None for the root."""
    earlier = mounts[: next(i for i, each in enumerate(mounts) if each is mount)]
    place, best = normpath(mount.destination), None
    for each in earlier:
        if within(place, normpath(each.destination)) and (
            best is None or len(normpath(each.destination)) >= len(normpath(best.destination))
        ):
            best = each
    return best


def within(place: str, directory: str) -> bool:
    """Whether a normal path is that directory or below it."""
    return directory in ("/", place) or place.startswith(directory + "/")


def on_root(state: str, root: str) -> str:
    """What the machine's root mount is when bind mounts are made from it, which was in `state` before.

    A `linux.rootfsPropagation` that is not recursive, as Docker writes it, changes this mount alone, and first.
    """
    return state if root not in _OPTIONS or root in _RECURSIVE else text(_changed(states(state), _OPTIONS[root]))


def covering(around: Surroundings) -> str:
    """What a new mount is that the runtime makes over another."""
    return text(_in_the_end(PRIVATE, around))


def states(written: str) -> frozenset[str]:
    """The two that the word stands for."""
    return frozenset(written.split()) & (SHARED | SLAVE)


def text(state: frozenset[str]) -> str:
    """The word for it."""
    return " ".join(sorted(state)) or "private"


def _copied(state: frozenset[str], around: Surroundings) -> frozenset[str]:
    """The source in the container's mount namespace."""
    if around.user_namespace and around.runtime != "crun" and state:
        state = SLAVE
    wanted = around.of_root
    return _changed(state, _OPTIONS[wanted]) if wanted else state


def _changed(state: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
    if wanted == SHARED:
        return state | SHARED
    return SLAVE if wanted == SLAVE and state else PRIVATE


def _in_the_end(state: frozenset[str], around: Surroundings) -> frozenset[str]:
    wanted = around.of_root
    if around.runtime != "crun" or not wanted:
        return state
    return state | SHARED if wanted == "rshared" else state & _OPTIONS[wanted]
