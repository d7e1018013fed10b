"""What becomes of a spec where Podward is root of an ordinary user's namespace, and not of the machine.

Specification (user_namespaces(7), mount(2), proc(5); podman 4 and 5 as rootless, whose choices these are where
containerd has none), in our words:
- Only the ids of the namespace can be set, and given to files. Those are the user's own, as 0, and the ranges that
  /etc/subuid and /etc/subgid give him, from 1 on. Any other is refused: the kernel would answer EINVAL.
- A new sysfs belongs to a network namespace, a new proc to a pid namespace and a new mqueue to an ipc namespace, and
  the kernel makes one only for who is root of that namespace (EPERM). With the host's network, /sys is the host's
  instead, read-only, with all that is mounted below it, as containerd does it for a Pod with a user namespace; with the
  host's pids, /proc is the host's; with the host's ipc, there is no /dev/mqueue.
- The terminals of a new devpts belong to group 5. Where that has no mapping, they belong to the container's root.
"""

from __future__ import annotations

from podward.api.cri import NamespaceOption
from podward.api.effective import Place
from podward.api.node import IdMap, Node
from podward.api.oci import Mount
from podward.decision import Decision, Origin, Source, refuse
from podward.path import Path
from podward.policy.runtime.defaults.table import DEVPTS_GROUP, MQUEUE, PROC, PTS, SYS

Row = tuple[Mount, str, Source]
HOST_SYS = Mount("/sys", "bind", "/sys", ("rbind", "rro", "nosuid", "nodev", "noexec"))
HOST_PROC = Mount("/proc", "bind", "/proc", ("rbind", "nosuid", "noexec", "nodev"))


def decide_ids(user: Decision, node: Node) -> Decision:
    """A violation for each id of `process.user`, as `user` decides it, that the namespace lacks."""
    refused = Decision()
    for row in user.assignments:
        kind = "uid" if row.path.segments[-1] == "uid" else "gid"
        if isinstance(row.value, int):
            refused += decide_id(row.path, kind, row.value, node, row.source)
    return refused


def decide_id(place: Path, kind: str, number: int, node: Node, source: Source) -> Decision:
    """A violation if this `uid` or `gid` is not among the ids that Podward has."""
    held = node.uid_map if kind == "uid" else node.gid_map
    if _has(held, number):
        return Decision()
    last = max(inside + length for inside, _, length in held) - 1
    file, option = ("/etc/subuid", "subuids") if kind == "uid" else ("/etc/subgid", "subgids")
    there = f"are 0 to {last} here, by {file}" if last else f"is 0 alone here: {file} gives this user none"
    sentence = (
        f"{kind} {number} is none of this user's: without root there {there}; ask for one that is, have root add more "
        f"(`usermod --add-{option} FIRST-LAST`), or run it as root"
    )
    return refuse(place, number, sentence, source)


def decide_volume(where: Path, found: str, own: str, place: Place) -> Decision:
    """A violation for a volume of a Pod with a user namespace of its own that is not the Pod's own, at `own`.

    The ids of its files would have to be mapped at its mount, which only the machine's root can.
    """
    if found == own:
        return Decision()
    sentence = (
        "without root no files of the machine can be mapped into the Pod's user namespace: leave the volume or "
        "hostUsers out, or run it as root"
    )
    return refuse(where, found, sentence, Source(Origin.MANIFEST, place.document, where))


def mounts(rows: list[Row], options: NamespaceOption, node: Node, source: Source) -> list[Row]:
    """The mounts, with those replaced or left out that only the machine's root can make."""
    kept = []
    for mount, why, cited in rows:
        if mount.type == PROC.type and options.pid == "NODE":
            kept.append((HOST_PROC, "only root can make a proc of the host's pids", source))
        elif mount.type == MQUEUE.type and options.ipc == "NODE":
            continue
        elif mount.type == PTS.type and not _has(node.gid_map, DEVPTS_GROUP):
            words = tuple(option for option in mount.options if option != f"gid={DEVPTS_GROUP}")
            kept.append((Mount(mount.destination, mount.type, mount.source, words), why, cited))
        elif mount.type in (SYS.type, "cgroup") and options.network == "NODE":
            continue
        else:
            kept.append((mount, why, cited))
    if options.network == "NODE" and not any(mount.destination == "/sys" for mount, _, _ in kept):
        kept.append((HOST_SYS, "only root can make a sysfs of the host's network", source))
    return kept


def _has(held: IdMap, number: int) -> bool:
    return any(inside <= number < inside + length for inside, _, length in held)
