"""Which of a file's permission bits count for a process: owner, access control list, group, others.

Specification (acl(5) "ACCESS CHECK ALGORITHM", path_resolution(7) "Permissions"; Linux 6.18 `acl_permission_check` and
`posix_acl_permission`), in our words. The process counts with its file-system uid and gid and its supplementary groups.
- The owner has the owner's bits, and nothing else is looked at: neither group nor list can add to them.
- Else, with a list:
  - a user that it names has that entry's bits as far as the mask has them;
  - a process in the owning group or a named group has access if one of these entries alone has all that is asked, as
    far as the mask has it. Entries do not add up, and a group that is matched shuts out "other";
  - everybody else has the bits of "other", which the mask does not touch.
- Else, without a list, a process in the file's group has the group's bits even where others have more.
- Where the mode's group bits (with a list: its mask) are all off, the kernel does not look at the list at all. acl(5)
  would deny a named user then; the kernel gives it what others have, unless it is in the owning group.
- What is asked is asked together: read and write through two different entries is no access.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.filesystem import AclEntry, FileAccessFacts, letters
from podward.api.process import ProcessState

OWNER, NAMED_USER, OWNING_GROUP, NAMED_GROUP, OTHER = "owner", "named user", "owning group", "named group", "other"
RULES = (OWNER, NAMED_USER, OWNING_GROUP, NAMED_GROUP, OTHER)
FILE_SYSTEM = 3
"""The place of the file-system id among the four."""


class Verdict(Struct, frozen=True, gc=False):
    """Whether the bits suffice, the rule that says so, and a phrase for people: `gives others r-x`."""

    allowed: bool
    rule: str
    phrase: str


def decide(process: ProcessState, file: FileAccessFacts, asked: int) -> Verdict:
    """By ids, mode and list alone: capabilities and mounts come elsewhere. `asked` are bits of 4, 2 and 1."""
    if file.uid == process.uid[FILE_SYSTEM]:
        return _plain(OWNER, "its owner", file.mode >> 6, asked)
    if file.acl and file.mode & 0o070:
        return _listed(process, file, asked)
    if in_group(process, file.gid):
        return _plain(OWNING_GROUP, "its group", file.mode >> 3, asked)
    return _plain(OTHER, "others", file.mode, asked)


def in_group(process: ProcessState, gid: int) -> bool:
    """Whether the file-system gid or a supplementary group is this one."""
    return gid == process.gid[FILE_SYSTEM] or gid in process.groups


def _plain(rule: str, whom: str, bits: int, asked: int) -> Verdict:
    bits &= 7
    return Verdict(bits & asked == asked, rule, f"gives {whom} {letters(bits)}")


def _listed(process: ProcessState, file: FileAccessFacts, asked: int) -> Verdict:
    limit = next((entry.permissions for entry in file.acl if entry.tag == "mask"), 7)
    for entry in file.acl:
        if entry.tag == "user" and entry.id == process.uid[FILE_SYSTEM]:
            return _masked(NAMED_USER, entry, limit, asked)
    matched = [entry for entry in file.acl if entry.tag == "group" and in_group(process, _group(file, entry))]
    for entry in matched:
        if entry.permissions & asked == asked:
            return _masked(_name(entry), entry, limit, asked)
    if matched:
        best = max(matched, key=lambda entry: (entry.permissions & asked).bit_count())
        return _masked(_name(best), best, limit, asked)
    others = next((entry.permissions for entry in file.acl if entry.tag == "other"), 0)
    return _plain(OTHER, "others", others, asked)


def _masked(rule: str, entry: AclEntry, limit: int, asked: int) -> Verdict:
    granted = entry.permissions & limit
    phrase = f"has the entry {entry}"
    if granted != entry.permissions:
        phrase += f", of which the mask ({letters(limit)}) leaves {letters(granted)}"
    return Verdict(granted & asked == asked, rule, phrase)


def _group(file: FileAccessFacts, entry: AclEntry) -> int:
    return file.gid if entry.id is None else entry.id


def _name(entry: AclEntry) -> str:
    return OWNING_GROUP if entry.id is None else NAMED_GROUP
