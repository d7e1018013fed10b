"""Which ids a user may use in his user namespace: his own, and the ranges of /etc/subuid and /etc/subgid.

Specification (subuid(5), newuidmap(1), user_namespaces(7)), in our words: a line `OWNER:FIRST:COUNT` gives the user
that it names, by login name or by uid, COUNT ids of the host from FIRST on. Both newuidmap and newgidmap look for the
user, never for a group. Inside, 0 is the user himself, and his ranges follow from 1 on, in the order of the lines. Who
has no ranges has 0 alone: the kernel lets anybody map his own id, and takes setgroups(2) away for it.
"""

from __future__ import annotations

import os

from msgspec import Struct

IdLines = tuple[tuple[int, int, int], ...]
"""Lines of a map: (inside, outside, length)."""

SUBUID, SUBGID = "/etc/subuid", "/etc/subgid"
_MOST_LINES = 340
"""The kernel takes no more lines in one map."""


class IdMaps(Struct, frozen=True):
    """The maps of the user's namespace. `delegated`: it has ranges beside the user's own ids."""

    uids: IdLines
    gids: IdLines

    @property
    def delegated(self) -> bool:
        """Whether newuidmap and newgidmap have ranges to map; both need some, or neither is of use."""
        return len(self.uids) > 1 and len(self.gids) > 1


def maps_of(uid: int, gid: int) -> IdMaps:
    """The maps of this user; with his own ids alone where he has no ranges for users, or none for groups."""
    owners = _names_of(uid)
    users, groups = _ranges(SUBUID, owners), _ranges(SUBGID, owners)
    if not users or not groups:
        return IdMaps(((0, uid, 1),), ((0, gid, 1),))
    return IdMaps(lines_of(uid, users), lines_of(gid, groups))


def _names_of(uid: int) -> frozenset[str]:
    """What the first field of a line may say of him."""
    import pwd

    try:
        return frozenset((str(uid), pwd.getpwuid(uid).pw_name))
    except KeyError:
        return frozenset((str(uid),))


def _ranges(file: str, owners: frozenset[str]) -> list[tuple[int, int]]:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            lines = opened.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        fields = line.split(":")
        if len(fields) == 3 and fields[0] in owners and fields[1].isdigit() and fields[2].isdigit() and int(fields[2]):
            found.append((int(fields[1]), int(fields[2])))
    return found


def lines_of(own: int, ranges: list[tuple[int, int]]) -> IdLines:
    """The map with this id of the user as 0, and his ranges after it."""
    lines, inside = [(0, own, 1)], 1
    for first, count in ranges[: _MOST_LINES - 1]:
        lines.append((inside, first, count))
        inside += count
    return tuple(lines)


def words(lines: IdLines) -> tuple[str, ...]:
    """The lines as newuidmap and newgidmap take them."""
    return tuple(str(number) for line in lines for number in line)


def written(lines: IdLines) -> bytes:
    """The lines as /proc/PID/uid_map takes them."""
    return "".join(f"{inside} {outside} {length}\n" for inside, outside, length in lines).encode()


def as_it_is(pid: int | str, name: str) -> IdLines:
    """The map of a process (`uid_map` or `gid_map`), as this process sees it."""
    with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
        rows = [tuple(map(int, line.split())) for line in file]
    return tuple((row[0], row[1], row[2]) for row in rows if len(row) == 3)


def own_maps() -> IdMaps:
    """The maps of the user who started this process, by his real ids."""
    return maps_of(os.getuid(), os.getgid())
