"""The facts that decide whether a process may use a file: owner, mode, access control list, and the file's mount.

All ids are the host's, *as the mount shows them*: on an id-mapped mount (`hostUsers: false`) an owner of 0 on disk is
the first id of the Pod's range. An id that such a mount does not map is `UNMAPPED`. Kernel terms: vfsuid and vfsgid.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.decision import Unknown

UNMAPPED = -1
"""The id of an owner, a group or an ACL entry that the mount does not map; no process has it."""

TYPE_MASK, DIRECTORY, REGULAR, LINK = 0o170000, 0o040000, 0o100000, 0o120000
_MOST_LINKS = 40
CHARACTER, BLOCK = 0o020000, 0o060000
_DEVICES = (CHARACTER, BLOCK)
_LETTERS = {0o100000: "-", 0o040000: "d", 0o120000: "l", 0o020000: "c", 0o060000: "b", 0o010000: "p", 0o140000: "s"}
_SHORT_TAGS = {"user": "u", "group": "g", "mask": "m", "other": "o"}
BITS: Mapping[str, int] = {"r": 4, "w": 2, "x": 1}


class AclEntry(Struct, frozen=True, gc=False):
    """One entry of a POSIX ACL (acl(5)).

    `tag` is user, group, mask or other. `id` is None for the owner, the owning group, the mask and others.
    `permissions` are the bits 4 (read), 2 (write), 1 (execute, search).
    """

    tag: str
    permissions: int
    id: int | None = None

    def __str__(self) -> str:
        name = "" if self.id is None else "unmapped" if self.id == UNMAPPED else str(self.id)
        if self.tag in ("mask", "other"):
            return f"{self.tag}::{letters(self.permissions)}"
        return f"{self.tag}:{name}:{letters(self.permissions)}"


class MountFlags(Struct, frozen=True, gc=False):
    """The flags of a file's mount; `filesystem_readonly` is the flag of the whole file system."""

    readonly: bool = False
    noexec: bool = False
    nodev: bool = False
    filesystem_readonly: bool = False


class PlannedFile(Struct, frozen=True):
    """A file, directory or link that would be made, with the ids that it has on disk.

    `inside` is a directory's content, `target` a link's. `data` is a file's content, None where nobody knows it yet.
    `partial` directories may have more in them than is known.
    """

    uid: int
    gid: int
    mode: int
    inside: Mapping[str, PlannedFile] = {}
    target: str = ""
    data: bytes | None = None
    partial: bool = False

    def find(self, path: str) -> PlannedFile | None:
        """What is at a relative path below, links followed; None where there is nothing."""
        here, pending, links = self, path.split("/")[::-1], 0
        while pending:
            step = pending.pop()
            if step in ("", "."):
                continue
            found = here.inside.get(step)
            if found is None:
                return None
            if found.target:
                links += 1
                if links > _MOST_LINKS:
                    return None
                pending += found.target.split("/")[::-1]
            else:
                here = found
        return here


class FileAccessFacts(Struct, frozen=True, gc=False):
    """One component of a path: its path in the container, and the facts that decide about access to it.

    `mode` is `st_mode`. `acl` has the entries of `system.posix_acl_access`, empty if the file has none. `origin` is
    where the file comes from, for advice: "image", "runtime", or the kind of the volume (emptyDir, hostPath). `volume`
    is the volume's name. `host` is its path on this machine, empty if there is none yet. `error` is the errno's name if
    the path leads nowhere (ENOENT, ENOTDIR, ELOOP); the other facts then mean nothing. `major` and `minor` are a device
    file's numbers, and `closed` the letters that the container's device list does not let through.
    `unknown` is why nobody can know what is at the path; then no other fact means anything.
    """

    path: str
    uid: int = 0
    gid: int = 0
    mode: int = 0
    acl: tuple[AclEntry, ...] = ()
    mount: MountFlags = MountFlags()
    origin: str = ""
    volume: str = ""
    host: str = ""
    error: str = ""
    major: int = -1
    minor: int = -1
    closed: str = ""
    unknown: Unknown | None = None

    @property
    def directory(self) -> bool:
        """Whether it is a directory."""
        return self.mode & TYPE_MASK == DIRECTORY

    @property
    def device(self) -> bool:
        """Whether it is a device file."""
        return self.mode & TYPE_MASK in _DEVICES

    @property
    def special(self) -> bool:
        """Whether it is a device file, a FIFO or a socket: writing to one changes no file system."""
        return self.mode & TYPE_MASK not in (DIRECTORY, REGULAR, LINK)


class Grant(Struct, frozen=True, gc=False):
    """Why a component of the path may be used.

    `rule` is owner, named user, owning group, named group, other, or a capability's name. `wanted` are the letters of
    the wanted permissions.
    """

    component: str
    wanted: str
    rule: str


class Denial(Struct, frozen=True):
    """Why the path may not be used: the errno's name, the component that refuses, the wanted permissions, and the rule.

    `step` is the component's index in the chain. `rule` is that of `Grant`, or "read-only mount", "noexec mount",
    "nodev mount", "device list", "unmapped ids", "not regular", "path".
    """

    errno: str
    component: str
    wanted: str
    rule: str
    step: int


class Access(Struct, frozen=True):
    """The value of a Decision without violations: why each component of the path may be used."""

    grants: tuple[Grant, ...] = ()


def letters(permissions: int) -> str:
    """Permission bits as three letters: 5 is `r-x`."""
    return "".join(letter if permissions & bit else "-" for letter, bit in BITS.items())


def mask(wanted: str) -> int:
    """Letters as permission bits: `rw` is 6."""
    bits = 0
    for letter in wanted:
        bits |= BITS[letter]
    return bits


def mode_text(facts: FileAccessFacts) -> str:
    """The mode as ls(1) prints it, with `+` if there is an access control list."""
    mode = facts.mode
    text = [*letters(mode >> 6), *letters(mode >> 3), *letters(mode)]
    for at, bit, marks in ((2, 0o4000, "sS"), (5, 0o2000, "sS"), (8, 0o1000, "tT")):
        if mode & bit:
            text[at] = marks[0] if text[at] == "x" else marks[1]
    return _LETTERS.get(mode & TYPE_MASK, "?") + "".join(text) + ("+" if facts.acl else "")


def acl_text(acl: tuple[AclEntry, ...]) -> str:
    """The entries in setfacl(1)'s short form: `u::rwx,u:1000:r-x,g::---,m::r-x,o::---`."""
    return ",".join(f"{_SHORT_TAGS[e.tag]}:{'' if e.id is None else e.id}:{letters(e.permissions)}" for e in acl)


def parse_acl(text: str) -> tuple[AclEntry, ...]:
    """Entries of setfacl(1)'s short or long form with numeric ids. Raises ValueError for anything else."""
    entries = []
    for word in text.split(","):
        if not word:
            continue
        tag, number, permissions = word.split(":")
        full = next((name for name, short in _SHORT_TAGS.items() if tag in (name, short)), "")
        if not full or any(letter not in "rwx-" for letter in permissions):
            raise ValueError(f"not an entry of an access control list: {word!r}")
        entries.append(AclEntry(full, mask(permissions.replace("-", "")), int(number) if number else None))
    return tuple(entries)
