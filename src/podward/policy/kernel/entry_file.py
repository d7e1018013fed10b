"""Whether the kernel lets the process execute its entry file.

Specification (execve(2) ERRORS, path_resolution(7), capabilities(7) CAP_DAC_OVERRIDE; Linux 6.18 `do_open_execat`,
`generic_permission`), in our words: every file of the chain (the entry file, then each interpreter that a `#!` line
names) must be a regular file on a mount without noexec. The process must be allowed to execute it with the credentials
that it has *before* execve: by the owner's bits if it is the owner, else by the group's if it has the group, else by
the others'. CAP_DAC_OVERRIDE in the effective set suffices if any execute bit is set and the file's owner and group are
mapped in the process's user namespace. The runtime gives the spec's effective set to a uid other than 0 as well, so
user 1000 may be able to execute a file of mode 0700. Access control lists and the search permission of directories are
not considered.
"""

from __future__ import annotations

from podward.api.capability import CAP_DAC_OVERRIDE
from podward.api.image import EntryFile
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, refuse
from podward.path import path
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.mounts import ContainerMounts
from podward.policy.kernel.sources import rule
from podward.policy.kernel.user_namespace import UserNamespace

MANUAL = rule("execve(2)")
PLACE = path("process", "args", 0)
TYPE_MASK, REGULAR = 0o170000, 0o100000
ANY_EXECUTE = 0o111
SENTENCES = {
    "ENOENT": "names an interpreter that is not in the container (ENOENT, No such file or directory)",
    "ENOEXEC": "is neither a program of this machine nor a script with a #! line (ENOEXEC, Exec format error)",
    "ELOOP": "is a script whose interpreters are scripts in turn, too many (ELOOP)",
}


def decide(
    spec: RuntimeSpec,
    entry: EntryFile | None,
    before: Credentials,
    userns: UserNamespace,
    mounts: ContainerMounts,
) -> Decision:
    """A violation if the entry file can't be executed; `entry` is None if it was not found."""
    name = spec.process.args[0]
    if entry is None:
        return refuse(
            PLACE,
            name,
            f'"{name}" is not in the container, nor in its $PATH (ENOENT, No such file or directory)',
            MANUAL,
        )
    shown, file = name if "/" in name else entry.path, entry
    while True:
        reason = _denied(file, before, userns, mounts)
        if reason:
            return refuse(PLACE, name, f'"{shown}" {reason}', MANUAL)
        if file.interpreter is None:
            break
        file = file.interpreter
        shown = file.path
    return Decision()


def _denied(
    file: EntryFile,
    before: Credentials,
    userns: UserNamespace,
    mounts: ContainerMounts,
) -> str:
    """Why this file of the chain can't be executed; empty if it can."""
    mode = f"mode {file.mode & 0o7777:04o}, owner {file.uid}:{file.gid}"
    if file.mode & TYPE_MASK != REGULAR:
        return "is not a regular file (EACCES, Permission denied)"
    if "noexec" in mounts.flags(file.path):
        return "is on a mount with noexec (EACCES, Permission denied)"
    if not _permitted(file, before, userns):
        cure = f": {file.cure}" if file.cure else ""
        return f"may not be executed by user {before.uid} ({mode}) (EACCES, Permission denied){cure}"
    return SENTENCES.get(file.error, f"is refused by the kernel ({file.error})") if file.error else ""


def _permitted(file: EntryFile, before: Credentials, userns: UserNamespace) -> bool:
    if file.uid == before.uid:
        bits = file.mode >> 6
    elif before.has_group(file.gid):
        bits = file.mode >> 3
    else:
        bits = file.mode
    if bits & 1:
        return True
    mapped = userns.maps_uid(file.uid) and userns.maps_gid(file.gid)
    return bool(file.mode & ANY_EXECUTE and mapped and before.cap_effective & CAP_DAC_OVERRIDE)
