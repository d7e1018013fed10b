"""A tree with the ids of a nested user namespace, in place of an id-mapped mount, which the machine's root makes.

Specification (mount_setattr(2), in our words): a mount is id-mapped by whoever is privileged where its file system was
mounted, which for a disk is the machine's own user namespace. So an image's files are copied for each container of a
Pod with a user namespace of its own, by cp(1), which shares blocks where the file system can. Every file then gets its
owner and group in the Pod's range, in its entries of access control lists too. What is made for a Pod is given to its
range in the same way.

chown(2) takes set-user-ID bits and capabilities away from a file: they are put back. The trees are an image's, or what
we have made, and nobody else writes there meanwhile; all the same no link is followed.
"""

from __future__ import annotations

import os
import stat
import struct

from podward.api.cri import IDMapping
from podward.errors import NodeError
from podward.runtime import processes

_CAPABILITY = "security.capability"
_LISTS = ("system.posix_acl_access", "system.posix_acl_default")
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_NAMED = (0x02, 0x08)
"""The tags of an access control list's entries for a user and for a group with an id (acl(5))."""
_LARGEST_COMPLAINT = 1000


def copy(source: str, target: str, mapping: IDMapping) -> None:
    """Copy what is below the directory `source` into the empty directory `target`, with the mapping's ids.

    Raises NodeError where that fails.
    """
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        pid = processes.spawn(_cp(), ("-a", "--reflink=auto", "--", f"{source}/.", target), stderr=write)
        os.close(write)
        write = -1
        said = _all_of(read)
        code = processes.exit_code(processes.wait(pid))
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)
    if code:
        advice = "without root an image's files are copied for a Pod with hostUsers: false: it takes room on the disk"
        raise NodeError(f"cannot copy the image's files: {said.strip()}", where=source, advice=advice)
    give(target, mapping)


def _cp() -> str:
    program = next((place for place in ("/usr/bin/cp", "/bin/cp") if os.access(place, os.X_OK)), "")
    if not program:
        raise NodeError("cp is not here", advice="`apt install coreutils`")
    return program


def _all_of(read: int) -> str:
    """What is said until the end, no more than a few lines of it kept: the writer must not wait for us."""
    said = b""
    while part := os.read(read, 65536):
        said = (said + part)[:_LARGEST_COMPLAINT]
    return said.decode(errors="replace")


def give(root: str, mapping: IDMapping) -> None:
    """Give a tree whose files have the ids of our namespace to the mapping's range. Raises NodeError."""
    seen: set[tuple[int, int]] = set()
    try:
        _shift(root, None, mapping, seen)
        if stat.S_ISDIR(os.lstat(root).st_mode):
            for _, directories, files, parent in os.fwalk(root, follow_symlinks=False):
                for name in (*directories, *files):
                    _shift(name, parent, mapping, seen)
    except OSError as error:
        raise NodeError(f"cannot give files to the Pod's user namespace: {error.strerror}", where=root) from error


def _shift(name: str, parent: int | None, mapping: IDMapping, seen: set[tuple[int, int]]) -> None:
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        facts = os.fstat(descriptor)
        if facts.st_nlink > 1 and not stat.S_ISDIR(facts.st_mode):
            if (facts.st_dev, facts.st_ino) in seen:
                return  # another name of a file that has its owner already
            seen.add((facts.st_dev, facts.st_ino))
        uid, gid = mapping.host_id + facts.st_uid, mapping.host_id + facts.st_gid
        if stat.S_ISLNK(facts.st_mode):  # /proc/self/fd would be followed twice
            os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)
        else:
            _own(f"/proc/self/fd/{descriptor}", (uid, gid), stat.S_IMODE(facts.st_mode), mapping)
    finally:
        os.close(descriptor)


def _own(path: str, owner: tuple[int, int], mode: int, mapping: IDMapping) -> None:
    kept = {name: os.getxattr(path, name) for name in os.listxattr(path) if name in (_CAPABILITY, *_LISTS)}
    os.chown(path, *owner)
    if mode & (stat.S_ISUID | stat.S_ISGID):
        os.chmod(path, mode)
    for name, value in kept.items():
        os.setxattr(path, name, value if name == _CAPABILITY else _shifted(value, mapping))


def _shifted(entries: bytes, mapping: IDMapping) -> bytes:
    """An access control list with the mapping's ids."""
    shifted = bytearray(entries)
    for at in range(_HEAD.size, len(entries), _ENTRY.size):
        tag, permissions, number = _ENTRY.unpack_from(entries, at)
        if tag in _NAMED:
            _ENTRY.pack_into(shifted, at, tag, permissions, mapping.host_id + number)
    return bytes(shifted)
