"""Which of a file's permission bits apply to a process: owner, access control list, group, others.

Specification (acl(5) "ACCESS CHECK ALGORITHM", path_resolution(7) "Permissions"; Linux 6.18 `acl_permission_check` and
`posix_acl_permission`), in our words. The kernel compares the process's file-system uid and gid and its supplementary
groups.
- The owner gets the owner's bits and nothing more: neither the group nor the access control list can add to them.
- Otherwise, if the file has an access control list:
  - a user that it names gets that entry's bits, limited by the mask;
  - a process in the owning group or in a named group has access if a single one of these entries, limited by the mask,
    has all requested bits. Entries do not add up, and a process that matches a group entry never gets "other";
  - every other process gets the bits of "other", which the mask does not limit.
- Otherwise a process in the file's group gets the group's bits, even if others have more.
- If the mode's group bits (with a list: its mask) are all off, the kernel does not read the list at all. acl(5) says
  that a named user is then denied; the kernel gives it the bits of "other", unless it is in the owning group.
- One entry must have all requested bits: read from one entry and write from another one do not make read and write.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.filesystem import AclEntry, FileAccessFacts, letters
from podward.api.process import ProcessState

OWNER, NAMED_USER, OWNING_GROUP, NAMED_GROUP, OTHER = "owner", "named user", "owning group", "named group", "other"
RULES = (OWNER, NAMED_USER, OWNING_GROUP, NAMED_GROUP, OTHER)
FILE_SYSTEM = 3
"""The index of the file-system id among a process's four ids."""


class AclResult(Struct, frozen=True, gc=False):
    """Whether the permission bits suffice, which rule applied, and a phrase for people: `gives others r-x`."""

    allowed: bool
    rule: str
    phrase: str


def decide(process: ProcessState, file: FileAccessFacts, requested: int) -> AclResult:
    """Check ids, mode and access control list; capabilities and mounts are checked in `access`.

    `requested` is a sum of 4 (read), 2 (write) and 1 (execute).
    """
    if file.uid == process.uid[FILE_SYSTEM]:
        return _by_mode(OWNER, "its owner", file.mode >> 6, requested)
    if file.acl and file.mode & 0o070:
        return _by_list(process, file, requested)
    if in_group(process, file.gid):
        return _by_mode(OWNING_GROUP, "its group", file.mode >> 3, requested)
    return _by_mode(OTHER, "others", file.mode, requested)


def in_group(process: ProcessState, gid: int) -> bool:
    """Whether `gid` is the process's file-system gid or one of its supplementary groups."""
    return gid == process.gid[FILE_SYSTEM] or gid in process.groups


def _by_mode(rule: str, whom: str, bits: int, requested: int) -> AclResult:
    bits &= 7
    return AclResult(bits & requested == requested, rule, f"gives {whom} {letters(bits)}")


def _by_list(process: ProcessState, file: FileAccessFacts, requested: int) -> AclResult:
    limit = next((entry.permissions for entry in file.acl if entry.tag == "mask"), 7)
    for entry in file.acl:
        if entry.tag == "user" and entry.id == process.uid[FILE_SYSTEM]:
            return _by_entry(NAMED_USER, entry, limit, requested)
    matched = [entry for entry in file.acl if entry.tag == "group" and in_group(process, _gid(file, entry))]
    for entry in matched:
        if entry.permissions & requested == requested:
            return _by_entry(_group_rule(entry), entry, limit, requested)
    if matched:
        best = max(matched, key=lambda entry: (entry.permissions & requested).bit_count())
        return _by_entry(_group_rule(best), best, limit, requested)
    others = next((entry.permissions for entry in file.acl if entry.tag == "other"), 0)
    return _by_mode(OTHER, "others", others, requested)


def _by_entry(rule: str, entry: AclEntry, limit: int, requested: int) -> AclResult:
    granted = entry.permissions & limit
    phrase = f"has the entry {entry}"
    if granted != entry.permissions:
        phrase += f", of which the mask ({letters(limit)}) leaves {letters(granted)}"
    return AclResult(granted & requested == requested, rule, phrase)


def _gid(file: FileAccessFacts, entry: AclEntry) -> int:
    return file.gid if entry.id is None else entry.id


def _group_rule(entry: AclEntry) -> str:
    return OWNING_GROUP if entry.id is None else NAMED_GROUP
