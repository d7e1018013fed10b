"""What execve(2) makes of a process's ids and capabilities.

Specification (execve(2), capabilities(7) "Transformation of capabilities during execve()", user_namespaces(7); Linux
6.18 `bprm_fill_uid` and `cap_bprm_creds_from_file`), in our words. The file that counts is the last interpreter of the
chain, not the script.

1. Set-user-ID and set-group-ID bits (the latter only with the group's execute bit) change the effective id, unless
   no_new_privs is set, the mount is nosuid, or one of the file's two ids has no mapping in the user namespace.
2. File capabilities count unless the mount is nosuid, and only if they belong to this user namespace or to one above
   it: version 2 belongs to the host's root, version 3 to the root that it names. They give (bounding & file permitted)
   | (inheritable & file inheritable). If the file's effective flag is set and a permitted one could not be given,
   execve fails with EPERM.
3. Root (uid 0 of the user namespace), real or effective, is given bounding | inheritable, and with an effective uid 0
   the effective flag; but a program with file capabilities that is set-user-ID-root, run by another user, gets just
   its file capabilities.
4. Under no_new_privs nothing is gained: if an id changed or permitted grew, permitted keeps only what was permitted
   before.
5. The ambient set is emptied if the file has capabilities or an id changed. Up to Linux 6.15 an id changed if the new
   effective one is not the real one; since 6.16 a new effective group that the process has already does not count.
6. New permitted is that | ambient; new effective is permitted if the flag is set, else ambient. Inheritable and
   bounding stay. Saved and file-system ids become the effective ones.

A tracer, as our observer, changes nothing of this as long as it has CAP_SYS_PTRACE over the user namespace.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.capability import FULL, listed
from podward.api.image import EntryFile, FileCapabilities
from podward.decision import Decision, Source, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.mounts import Mounted
from podward.policy.kernel.sources import Sources, rule
from podward.policy.kernel.user_namespace import UserNamespace

CAPABILITIES, CREDENTIALS = rule("capabilities(7)"), rule("credentials(7)")
SET_UID, SET_GID, GROUP_EXECUTE = 0o4000, 0o2000, 0o010
OWN_GROUP_IS_NO_CHANGE = (6, 16)


class ExecFacts(Struct, frozen=True, gc=False):
    """The file that counts, what it is on, and where it runs. `kernel` is the release as uname(2) prints it."""

    file: EntryFile
    nosuid: bool
    userns: UserNamespace
    kernel: str


class _Step(Struct, frozen=True, gc=False):
    """What the file alone gives, before ambient capabilities: effective ids, permitted set and effective flag."""

    uid: int
    gid: int
    changed: bool
    owned: FileCapabilities | None
    permitted: int
    flag: bool
    reason: str


def facts_of(entry: EntryFile, mounted: Mounted, userns: UserNamespace, kernel: str) -> ExecFacts:
    """The facts about the last file of the chain."""
    while entry.interpreter is not None:
        entry = entry.interpreter
    return ExecFacts(entry, "nosuid" in mounted.flags(entry.path), userns, kernel)


def decide(before: Credentials, facts: ExecFacts, sources: Sources) -> Decision:
    """The ids and capability sets after execve(2); a violation where it fails."""
    step = _step(before, facts)
    cleared = step.changed or step.owned is not None
    ambient = 0 if cleared else before.cap_ambient
    permitted = step.permitted | ambient
    effective = permitted if step.flag else ambient
    ambient_why = "emptied: file capabilities or a changed id" if cleared and before.cap_ambient else "kept"
    return merge(
        _ids("uid", before.uid, step.uid, facts.file, sources.of("process", "user", "uid")),
        _ids("gid", before.gid, step.gid, facts.file, sources.of("process", "user", "gid")),
        assign(path("cap_inheritable"), before.cap_inheritable, "kept by execve", _set(sources, "inheritable")),
        assign(path("cap_permitted"), permitted, step.reason, CAPABILITIES),
        assign(
            path("cap_effective"), effective, "all that is permitted" if step.flag else "the ambient set", CAPABILITIES
        ),
        assign(path("cap_bounding"), before.cap_bounding, "kept by execve", _set(sources, "bounding")),
        assign(path("cap_ambient"), ambient, ambient_why, _set(sources, "ambient")),
        _refusal(before, facts.file, step.owned),
    )


def _step(before: Credentials, facts: ExecFacts) -> _Step:
    uid, gid = _effective_ids(before, facts)
    owned = _owned(facts)
    permitted, flag, reason = _from_file(before, owned)
    root = facts.userns.host_uid(0)
    if root in (uid, before.uid) and not (owned and uid == root and before.uid != root):
        permitted, flag = before.cap_bounding | before.cap_inheritable, flag or uid == root
        reason = "root: all of the bounding set" + (" and the inheritable set" if before.cap_inheritable else "")
    changed = uid != before.uid or _group_changed(before, gid, facts.kernel)
    if before.no_new_privs and (changed or permitted & ~before.cap_permitted):
        permitted &= before.cap_permitted
        reason += "; under no_new_privs only what was permitted before"
    return _Step(uid, gid, changed, owned, permitted, flag, reason)


def _effective_ids(before: Credentials, facts: ExecFacts) -> tuple[int, int]:
    file = facts.file
    mapped = facts.userns.holds_uid(file.uid) and facts.userns.holds_gid(file.gid)
    if before.no_new_privs or facts.nosuid or not mapped:
        return before.uid, before.gid
    uid = file.uid if file.mode & SET_UID else before.uid
    gid = file.gid if file.mode & SET_GID and file.mode & GROUP_EXECUTE else before.gid
    return uid, gid


def _owned(facts: ExecFacts) -> FileCapabilities | None:
    """The file's capabilities, if they count in this user namespace."""
    found = facts.file.capabilities
    if found is None or facts.nosuid:
        return None
    # Namespaces between the host's and the container's are not told apart here: a container's is the host's child.
    if (found.root_uid or 0) not in (0, facts.userns.host_uid(0)):
        return None
    return found


def _from_file(before: Credentials, owned: FileCapabilities | None) -> tuple[int, bool, str]:
    if owned is None:
        return 0, False, "not root, and the file has no capabilities: the ambient set"
    given = before.cap_bounding & owned.permitted & FULL | before.cap_inheritable & owned.inheritable
    return given, owned.effective, f"the file's capabilities within the bounding set: {listed(given)}"


def _group_changed(before: Credentials, gid: int, kernel: str) -> bool:
    if release(kernel) >= OWN_GROUP_IS_NO_CHANGE:
        return not before.has_group(gid)
    return gid != before.gid


def _refusal(before: Credentials, file: EntryFile, owned: FileCapabilities | None) -> Decision:
    if owned is None or not owned.effective:
        return Decision()
    given, _, _ = _from_file(before, owned)
    missing = owned.permitted & FULL & ~given
    if not missing:
        return Decision()
    return refuse(
        path("process", "args", 0),
        file.path,
        f'"{file.path}" has the file capabilities {listed(owned.permitted)}, and {listed(missing)} is not in the '
        "bounding set (EPERM, Operation not permitted): add the capability, or remove it from the file",
        CAPABILITIES,
    )


def _ids(name: str, real: int, effective: int, file: EntryFile, source: Source) -> Decision:
    value = (real, effective, effective, effective)
    if real == effective:
        return assign(path(name), value, f"process.user.{name}", source)
    return assign(path(name), value, f"{file.path} is set-{name}: effective {name} {effective}", CREDENTIALS)


def _set(sources: Sources, name: str) -> Source:
    return sources.of("process", "capabilities", name)


def release(kernel: str) -> tuple[int, int]:
    """Major and minor number of a release such as "6.18.44-x"; (0, 0) if it is no release."""
    major, _, rest = kernel.partition(".")
    digits = ""
    for character in rest:
        if not character.isdigit():
            break
        digits += character
    return (int(major), int(digits)) if major.isdigit() and digits else (0, 0)
