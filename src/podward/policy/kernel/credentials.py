"""The credentials of a process between the runtime's last call and its execve(2), and the ids among them.

`Credentials` holds what the rules of ids (here), capabilities (`capabilities`) and no_new_privs (`process_attributes`)
decide together. The rule of execve (`execve`) transforms it.

Specification of the ids (credentials(7), setgroups(2); crun 1.8 and runc 1.1 as observed), in our words: the runtime
sets the real, effective, saved and file-system uid and gid to `process.user`, and the supplementary groups to exactly
`additionalGids`. The primary gid is one of them only if it is listed, and the image's /etc/group is not read. The
kernel keeps the groups sorted by the host's id. crun passes duplicates on, runc removes them. In a user namespace the
runtime can't set an id that is not mapped; it fails with EINVAL.

In the user namespace of a user who has no ranges of ids, /proc/PID/setgroups says `deny`: setgroups(2) is EPERM, so
that nobody drops a group that takes rights away. Then both runtimes leave the groups of the process that starts them.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import RuntimeSpec
from podward.decision import Assignment, Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule
from podward.policy.kernel.user_namespace import UserNamespace

OVERFLOW = 65534
"""The id that the kernel shows for an id without mapping (`/proc/sys/kernel/overflowuid`)."""
MANUAL, SETGROUPS = rule("credentials(7)"), rule("user_namespaces(7)")


class Credentials(Struct, frozen=True, gc=False):
    """The ids and capability sets of a process, with the host's ids.

    `uid` and `gid` stand for all four ids (real, effective, saved, file-system), which runtimes set to the same value.
    `groups` are the supplementary groups. The capability sets are masks (capabilities(7)).
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int
    cap_bounding: int
    cap_ambient: int
    no_new_privs: bool

    def has_group(self, gid: int) -> bool:
        """Whether `gid` is the primary group or a supplementary group."""
        return gid == self.gid or gid in self.groups


def decide_ids(spec: RuntimeSpec, userns: UserNamespace, runtime: str, sources: Sources) -> Decision:
    """`uid`, `gid` and `groups` before execve(2), as host ids; a violation for each id that is not mapped.

    What is unknown in the runtime spec is unknown here too.
    """
    user = spec.process.user
    return merge(
        _primary("uid", user.uid, userns.host_uid(user.uid), userns, sources),
        _primary("gid", user.gid, userns.host_gid(user.gid), userns, sources),
        _groups(user.additional_gids, userns, runtime, sources),
    )


def decide_with_inherited_groups(spec: RuntimeSpec, groups: tuple[int, ...], sources: Sources) -> Decision:
    """The same where no groups can be set: those of the process that starts the runtime stay."""
    user = spec.process.user
    own = UserNamespace()  # what is not mapped was refused before: 0 is all that there is
    reason = "setgroups is denied in our user namespace: those of this process stay"
    return merge(
        _primary("uid", user.uid, user.uid, own, sources),
        _primary("gid", user.gid, user.gid, own, sources),
        assign(path("groups"), groups, reason, SETGROUPS),
    )


def _primary(name: str, inside: int, host: int | None, userns: UserNamespace, sources: Sources) -> Decision:
    field = ("process", "user", name)
    unknown = sources.unknown(*field)
    if unknown is not None:
        return assign(path(name), unknown, f"process.user.{name} is not known", sources.of(*field))
    if host is None:
        return assign(path(name), OVERFLOW, "no mapping", MANUAL) + refuse(
            path(*field), inside, _unmapped(name, inside), MANUAL
        )
    reason = f"process.user.{name}" + (f" {inside} is the host's {host}" if userns.own else "")
    return assign(path(name), host, reason, sources.of(*field))


def _groups(listed: tuple[int, ...], userns: UserNamespace, runtime: str, sources: Sources) -> Decision:
    """`groups`, sorted; each group cites the item of `additionalGids` that it comes from."""
    field = ("process", "user", "additionalGids")
    mapped: list[tuple[int, int]] = []
    refused = Decision()
    for position, inside in enumerate(listed):
        host = userns.host_gid(inside)
        if host is None:
            refused += refuse(path(*field, position), inside, _unmapped("gid", inside), MANUAL)
        else:
            mapped.append((host, position))
    reason = "process.user.additionalGids, sorted by the kernel"
    if runtime == "runc" and len({host for host, _ in mapped}) < len(mapped):
        mapped = list({host: (host, position) for host, position in reversed(mapped)}.values())
        reason += "; runc gives each once"
    if sources.unknown(*field) is not None:
        refused = _unknown_groups(len(mapped), len(listed), sources) + refused
    elif not mapped:
        return assign(path("groups"), (), "process.user.additionalGids is empty", sources.of(*field)) + refused
    rows = (
        Assignment(path("groups", place), host, reason, sources.of(*field, position))
        for place, (host, position) in enumerate(sorted(mapped))
    )
    return Decision(tuple(rows)) + refused


def _unknown_groups(known: int, position: int, sources: Sources) -> Decision:
    """The assignment that says that groups are unknown: all of `groups`, or its last item after the `known` ones."""
    field = ("process", "user", "additionalGids")
    place = path("groups", known) if known else path("groups")
    reason = "process.user.additionalGids is not all known"
    return assign(place, sources.unknown(*field), reason, sources.of(*field, position))


def _unmapped(name: str, inside: int) -> str:
    return (
        f"{name} {inside} has no mapping in the container's user namespace: the runtime can't set it (EINVAL, "
        f"Invalid argument); map it, or choose one that is mapped"
    )
