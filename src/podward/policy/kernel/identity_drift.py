"""What has become of a container's first process since it began: its ids, groups and capabilities.

Specification: credentials(7), capabilities(7), prctl(2): a process changes them by setuid, setgid, setgroups, capset,
prctl and execve; nobody else changes them. A container's status tells who its process was when it began
(`user.linux`, KEP-3619), and says nothing of what came later: that is what is found here. Where no prediction is there
to compare with, ids and groups are compared with what the status says.
"""

from __future__ import annotations

from podward.api import capability
from podward.api.cri_status import LinuxContainerUser
from podward.api.identity import Identity
from podward.api.node import IdMap
from podward.api.process import ProcessState

_NOBODY = 65534
"""What an id without a mapping looks like from inside (/proc/sys/kernel/overflowuid)."""


def of_state(state: ProcessState) -> Identity:
    """The identity in a process's state, as its own user namespace sees it."""
    return Identity(
        uid=four(state.uid, state.uid_map),
        gid=four(state.gid, state.gid_map),
        groups=tuple(sorted(inside(group, state.gid_map) for group in state.groups)),
        cap_inheritable=state.cap_inheritable,
        cap_permitted=state.cap_permitted,
        cap_effective=state.cap_effective,
        cap_bounding=state.cap_bounding,
        cap_ambient=state.cap_ambient,
        no_new_privs=state.no_new_privs,
        seccomp=state.seccomp,
    )


def inside(number: int, id_map: IdMap) -> int:
    """A host's id as the namespace with this map has it."""
    for first, outside, length in id_map:
        if outside <= number < outside + length:
            return first + number - outside
    return _NOBODY


def four(ids: tuple[int, int, int, int], id_map: IdMap) -> tuple[int, int, int, int]:
    """The four ids of a process, each as the namespace with this map has it."""
    real, effective, saved, of_files = (inside(number, id_map) for number in ids)
    return real, effective, saved, of_files


def drift(decided: LinuxContainerUser | None, predicted: Identity | None, observed: Identity) -> tuple[str, ...]:
    """A sentence for each part of the identity that is not as it was at the beginning."""
    if predicted is None:
        return () if decided is None else _of_ids(_began(decided, observed), observed)
    return (*_of_ids(predicted, observed), *_of_capabilities(predicted, observed), *_of_limits(predicted, observed))


def gains(decided: LinuxContainerUser | None, predicted: Identity | None, observed: Identity) -> bool:
    """Whether the process has more power than when it began: root's uid, a capability, or a limit that is gone."""
    before = predicted or (_began(decided, observed) if decided is not None else None)
    if before is None:
        return False
    became_root = 0 in observed.uid and 0 not in before.uid
    more = observed.cap_permitted & ~before.cap_permitted
    return bool(became_root or more or (before.seccomp and not observed.seccomp))


def _began(decided: LinuxContainerUser, observed: Identity) -> Identity:
    """The beginning as the status tells it; what it does not tell is as it is now."""
    return Identity(
        uid=(decided.uid,) * 4,
        gid=(decided.gid,) * 4,
        groups=tuple(sorted(decided.supplemental_groups)),
        cap_inheritable=observed.cap_inheritable,
        cap_permitted=observed.cap_permitted,
        cap_effective=observed.cap_effective,
        cap_bounding=observed.cap_bounding,
        cap_ambient=observed.cap_ambient,
        no_new_privs=observed.no_new_privs,
        seccomp=observed.seccomp,
    )


def _of_ids(before: Identity, now: Identity) -> tuple[str, ...]:
    rows = (
        ("uid", ids_text(before.uid), ids_text(now.uid)),
        ("gid", ids_text(before.gid), ids_text(now.gid)),
        ("groups", groups_text(before.groups), groups_text(now.groups)),
    )
    return tuple(f"{name} {old} -> {new}" for name, old, new in rows if old != new)


def _of_capabilities(before: Identity, now: Identity) -> tuple[str, ...]:
    rows = (
        ("permitted", before.cap_permitted, now.cap_permitted),
        ("effective", before.cap_effective, now.cap_effective),
        ("inheritable", before.cap_inheritable, now.cap_inheritable),
        ("bounding", before.cap_bounding, now.cap_bounding),
        ("ambient", before.cap_ambient, now.cap_ambient),
    )
    said: dict[tuple[int, int], list[str]] = {}
    for name, old, new in rows:
        if old != new:
            said.setdefault((old & ~new, new & ~old), []).append(name)
    return tuple(
        f"{_listed(names)} capabilities: {'; '.join(_changes(lost, gained))}" for (lost, gained), names in said.items()
    )


def _changes(lost: int, gained: int) -> list[str]:
    parts = [f"dropped {capability.listed(lost)}"] if lost else []
    return [*parts, f"gained {capability.listed(gained)}"] if gained else parts


def _of_limits(before: Identity, now: Identity) -> tuple[str, ...]:
    said = []
    if before.no_new_privs != now.no_new_privs:
        said.append("no_new_privs was set" if now.no_new_privs else "no_new_privs is not set any more")
    if before.seccomp != now.seccomp:
        said.append("a seccomp filter was added" if now.seccomp else "there is no seccomp filter")
    return tuple(said)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def ids_text(ids: tuple[int, int, int, int]) -> str:
    """Ids in short: one number where all four are the same."""
    if len(set(ids)) == 1:
        return str(ids[0])
    return "real {} effective {} saved {} fs {}".format(*ids)


def groups_text(groups: tuple[int, ...]) -> str:
    """Groups in short."""
    return ",".join(map(str, groups)) or "none"
