"""Giving a volume's files to fsGroup: the walk. What each file gets is `podward.policy.kubelet.fs_group`'s to say.

Every file is opened with O_PATH and O_NOFOLLOW and changed through that descriptor, so a name that becomes a link
meanwhile leads nowhere. Mounts inside the volume are not entered.
"""

from __future__ import annotations

import errno
import os
import stat

from podward.api.core import Pod
from podward.api.effective import Place
from podward.decision import Decision
from podward.errors import NodeError
from podward.policy.kubelet import fs_group
from podward.runtime import syscalls

DEEPEST = 256
"""Directories below one another: far beyond any real volume, and within the usual limit on open files."""
_NEVER_FOLLOW = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_STAYS = syscalls.RESOLVE_NO_XDEV | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_BENEATH


def facts(status: os.stat_result) -> fs_group.FileFacts:
    """A file's facts for the rule."""
    mode = status.st_mode
    kind = "directory" if stat.S_ISDIR(mode) else "symlink" if stat.S_ISLNK(mode) else "other"
    return fs_group.FileFacts(kind, status.st_gid, stat.S_IMODE(mode))


def apply(root: str, pod: Pod, place: Place, *, fresh: bool = True) -> Decision:
    """Give a volume, one that was just made if `fresh`, to the Pod's fsGroup; returns who decided that."""
    walk = fs_group.decide(pod.spec.security_context, facts(os.lstat(root)), place, fresh=fresh)
    group = walk.fold(fs_group.OwnershipChange).group
    if group is not None:
        give_to_group(root, group)
    return walk


def give_to_group(root: str, group: int, *, readonly: bool = False) -> int:
    """Apply the rule to `root` and all below it, children first as the kubelet does; returns how many files there were.

    Raises NodeError for a tree deeper than DEEPEST, and where the kernel refuses a change.
    """
    descriptor = os.open(root, _NEVER_FOLLOW)
    try:
        return _visit(descriptor, root, group, readonly=readonly, depth=0)
    except OSError as error:
        raise NodeError(
            f"cannot give the volume to group {group}: {error.strerror}",
            where=root,
            advice="the volume's file system must allow chown and chmod",
        ) from error
    finally:
        os.close(descriptor)


def _visit(descriptor: int, name: str, group: int, *, readonly: bool, depth: int) -> int:
    """Change the open file or directory, after what is below it."""
    found = facts(os.fstat(descriptor))
    count = 1
    if found.kind == "directory":
        if depth > DEEPEST:
            raise NodeError(f"the volume is deeper than {DEEPEST} directories", where=name)
        count += _visit_children(descriptor, group, readonly=readonly, depth=depth)
    given = fs_group.ownership(found, group, readonly=readonly)
    own = f"/proc/self/fd/{descriptor}"
    os.chown(own, -1, given.gid)
    if given.mode is not None:  # after the chown, which takes setuid and setgid bits away
        os.chmod(own, given.mode)
    return count


def _visit_children(directory: int, group: int, *, readonly: bool, depth: int) -> int:
    count = 0
    readable = os.open(f"/proc/self/fd/{directory}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(readable):
            child = _open_child(readable, name)
            if child < 0:
                continue
            try:
                if stat.S_ISLNK(os.fstat(child).st_mode):  # /proc/self/fd would be followed twice
                    os.chown(name, -1, group, dir_fd=readable, follow_symlinks=False)
                    count += 1
                else:
                    count += _visit(child, name, group, readonly=readonly, depth=depth + 1)
            finally:
                os.close(child)
    finally:
        os.close(readable)
    return count


def _open_child(directory: int, name: str) -> int:
    """The child without following it; -1 where something is mounted on it, or it went away."""
    try:
        return syscalls.openat2(directory, name, _NEVER_FOLLOW, _STAYS)
    except OSError as error:
        if error.errno in {errno.EXDEV, errno.ENOENT}:
            return -1
        raise
