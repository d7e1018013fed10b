"""The ids that the runtime gives the process.

Specification (credentials(7), setgroups(2); crun 1.8 and runc 1.1 as observed), in our words: the runtime sets real,
effective, saved and file-system uid and gid to `process.user`, and the supplementary groups to exactly
`additionalGids`: the primary gid is among them only if it is listed, and the image's /etc/group is not read. The
kernel keeps the groups sorted by the host's id. crun hands the list on with its duplicates, runc removes them. In a
user namespace an id that has no mapping can't be set: the runtime fails with EINVAL.
"""

from __future__ import annotations

from podward.api.oci import RuntimeSpec
from podward.decision import Assignment, Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule
from podward.policy.kernel.user_namespace import UserNamespace

OVERFLOW = 65534
"""What the kernel shows for an id that has no mapping (`/proc/sys/kernel/overflowuid`)."""
MANUAL = rule("credentials(7)")


def decide(spec: RuntimeSpec, userns: UserNamespace, runtime: str, sources: Sources) -> Decision:
    """`uid`, `gid` and `groups` of the process before execve(2), in host ids; violations for unmapped ones.

    What the runtime spec does not know is not known here either.
    """
    user = spec.process.user
    return merge(
        _one("uid", user.uid, userns.host_uid(user.uid), userns, sources),
        _one("gid", user.gid, userns.host_gid(user.gid), userns, sources),
        _groups(user.additional_gids, userns, runtime, sources),
    )


def _one(name: str, inside: int, host: int | None, userns: UserNamespace, sources: Sources) -> Decision:
    field = ("process", "user", name)
    hidden = sources.unknown(*field)
    if hidden is not None:
        return assign(path(name), hidden, f"process.user.{name} is not known", sources.of(*field))
    if host is None:
        return assign(path(name), OVERFLOW, "no mapping", MANUAL) + refuse(
            path(*field), inside, _unmapped(name, inside), MANUAL
        )
    reason = f"process.user.{name}" + (f" {inside} is the host's {host}" if userns.own else "")
    return assign(path(name), host, reason, sources.of(*field))


def _groups(listed: tuple[int, ...], userns: UserNamespace, runtime: str, sources: Sources) -> Decision:
    """`groups`, sorted; each keeps the source of the item that it comes from."""
    field = ("process", "user", "additionalGids")
    found: list[tuple[int, int]] = []
    refused = Decision()
    for position, inside in enumerate(listed):
        host = userns.host_gid(inside)
        if host is None:
            refused += refuse(path(*field, position), inside, _unmapped("gid", inside), MANUAL)
        else:
            found.append((host, position))
    reason = "process.user.additionalGids, sorted by the kernel"
    if runtime == "runc" and len({host for host, _ in found}) < len(found):
        found = list({host: (host, position) for host, position in reversed(found)}.values())
        reason += "; runc gives each once"
    if sources.unknown(*field) is not None:
        refused = _not_known(len(found), len(listed), sources) + refused
    elif not found:
        return assign(path("groups"), (), "process.user.additionalGids is empty", sources.of(*field)) + refused
    rows = (
        Assignment(path("groups", place), host, reason, sources.of(*field, position))
        for place, (host, position) in enumerate(sorted(found))
    )
    return Decision(tuple(rows)) + refused


def _not_known(known: int, position: int, sources: Sources) -> Decision:
    """What stands for the groups that nobody knows: all of `groups`, or its last item after the `known` ones."""
    field = ("process", "user", "additionalGids")
    place = path("groups", known) if known else path("groups")
    reason = "process.user.additionalGids is not all known"
    return assign(place, sources.unknown(*field), reason, sources.of(*field, position))


def _unmapped(name: str, inside: int) -> str:
    return (
        f"{name} {inside} has no mapping in the container's user namespace: the runtime can't set it (EINVAL, "
        f"Invalid argument); map it, or choose one that is mapped"
    )
