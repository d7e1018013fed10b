"""Reading what decides about access to one file: owner, mode, access control list, and the flags of its mount.

Files are looked at through O_PATH descriptors: nothing is opened for reading, so that devices and FIFOs have no chance
to act or to block.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from podward.api.filesystem import AclEntry, FileAccessFacts, MountFlags
from podward.errors import ImageError

ATTRIBUTE = "system.posix_acl_access"
_VERSION = 2
_TAGS = {0x01: "user", 0x02: "user", 0x04: "group", 0x08: "group", 0x10: "mask", 0x20: "other"}
_NAMED = (0x02, 0x08)


def parse_attribute(value: bytes, where: str) -> tuple[AclEntry, ...]:
    """The entries of a `system.posix_acl_access` attribute (Linux `struct posix_acl_xattr_header`, version 2).

    Raises ImageError, naming `where`, for another version or a malformed list, which the kernel would not apply either.
    """
    if len(value) % 8 != 4 or struct.unpack_from("<I", value)[0] != _VERSION:
        raise ImageError("its access control list is malformed", where=where, advice=f"setfacl -b {where!r} removes it")
    entries = []
    for tag, permissions, number in struct.iter_unpack("<HHI", value[4:]):
        if tag not in _TAGS or permissions > 7:
            advice = f"setfacl -b {where!r} removes it"
            raise ImageError("its access control list has an unknown entry", where=where, advice=advice)
        entries.append(AclEntry(_TAGS[tag], permissions, number if tag in _NAMED else None))
    return tuple(entries)


def read_facts(descriptor: int, place: str, flags: MountFlags) -> FileAccessFacts:
    """The facts of an open file (O_PATH will do), which the process names `place`."""
    status = os.fstat(descriptor)
    device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
    return FileAccessFacts(
        place,
        status.st_uid,
        status.st_gid,
        status.st_mode,
        _acl(descriptor, status.st_mode, place),
        flags,
        major=os.major(status.st_rdev) if device else -1,
        minor=os.minor(status.st_rdev) if device else -1,
    )


def _acl(descriptor: int, mode: int, place: str) -> tuple[AclEntry, ...]:
    if stat.S_ISLNK(mode):
        return ()
    try:
        value = os.getxattr(f"/proc/self/fd/{descriptor}", ATTRIBUTE)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP):
            return ()
        raise
    return parse_attribute(value, place)


class Mounts:
    """The host's mounts by their ids (proc(5), /proc/PID/mountinfo): flags of the mount and of its file system."""

    def __init__(self) -> None:
        self._flags: dict[int, MountFlags] = {}
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                head, _, tail = line.partition(" - ")
                words, rest = head.split(" "), tail.split()
                options = words[5].split(",")
                self._flags[int(words[0])] = MountFlags(
                    readonly="ro" in options,
                    noexec="noexec" in options,
                    nodev="nodev" in options,
                    filesystem_readonly="ro" in (rest[2].split(",") if len(rest) > 2 else ()),
                )

    def of(self, number: int) -> MountFlags:
        """The flags of the mount of this id."""
        return self._flags.get(number, MountFlags())


def mount_id(descriptor: int) -> int:
    """The id of the mount that an open file is on; -1 where /proc does not tell."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), -1)
