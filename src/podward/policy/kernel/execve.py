"""How execve(2) changes a process's ids and capabilities.

Specification (execve(2), capabilities(7) "Transformation of capabilities during execve()", user_namespaces(7); Linux
6.18 `bprm_fill_uid` and `cap_bprm_creds_from_file`), in our words. The kernel uses the mode, owner and capabilities of
the last interpreter in the chain, not those of the script.

1. The set-user-ID and set-group-ID bits (the latter only together with the group's execute bit) change the effective
   id, unless no_new_privs is set, the mount is nosuid, or one of the file's ids is not mapped in the user namespace.
2. File capabilities apply unless the mount is nosuid, and only if they belong to this user namespace or to one above
   it: version 2 belongs to the host's root, version 3 to the root that it names. They give (bounding & file permitted)
   | (inheritable & file inheritable). If the file's effective flag is set and one of its permitted capabilities could
   not be given, execve fails with EPERM.
3. A process whose real or effective uid is root (uid 0 of the user namespace) gets bounding | inheritable, and the
   effective flag if its effective uid is root. There is one exception: a set-user-ID-root program with file
   capabilities, run by another user, gets only its file capabilities.
4. Under no_new_privs nothing is gained: if an id changed or permitted grew, permitted keeps only the capabilities that
   were permitted before.
5. The ambient set becomes empty if the file has capabilities or an id changed. Up to Linux 6.15 an id changed if the
   new effective id differs from the real id; since 6.16 a new effective group that the process already has does not
   count as a change.
6. The new permitted set is the result so far | ambient. The new effective set is permitted if the effective flag is
   set, else ambient. Inheritable and bounding stay. The saved and file-system ids become the effective ids.

A tracer, such as our observer, does not change this as long as it has CAP_SYS_PTRACE over the user namespace.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.capability import FULL, listed
from podward.api.image import EntryFile, FileCapabilities
from podward.decision import Decision, Source, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.mounts import ContainerMounts
from podward.policy.kernel.sources import Sources, rule
from podward.policy.kernel.user_namespace import UserNamespace

CAPABILITIES, CREDENTIALS = rule("capabilities(7)"), rule("credentials(7)")
SET_UID, SET_GID, GROUP_EXECUTE = 0o4000, 0o2000, 0o010
OWN_GROUP_IS_NO_CHANGE = (6, 16)


class ExecveFacts(Struct, frozen=True, gc=False):
    """The last file of the interpreter chain, whether its mount is nosuid, and the user namespace of the process.

    `kernel` is the release that uname(2) reports.
    """

    file: EntryFile
    nosuid: bool
    userns: UserNamespace
    kernel: str


class _FileEffect(Struct, frozen=True, gc=False):
    """The result of points 1 to 4 of the specification, before the ambient set is added.

    `uid` and `gid` are the effective ids, `changed` is whether one of them counts as changed, `effective_flag` is
    whether the whole permitted set becomes effective.
    """

    uid: int
    gid: int
    changed: bool
    file_capabilities: FileCapabilities | None
    permitted: int
    effective_flag: bool
    reason: str


def facts_of(entry: EntryFile, mounts: ContainerMounts, userns: UserNamespace, kernel: str) -> ExecveFacts:
    """The facts about the last file of the entry's interpreter chain."""
    while entry.interpreter is not None:
        entry = entry.interpreter
    return ExecveFacts(entry, "nosuid" in mounts.flags(entry.path), userns, kernel)


def decide(before: Credentials, facts: ExecveFacts, sources: Sources) -> Decision:
    """The ids and capability sets after execve(2); a violation if execve fails."""
    effect = _file_effect(before, facts)
    cleared = effect.changed or effect.file_capabilities is not None
    ambient = 0 if cleared else before.cap_ambient
    permitted = effect.permitted | ambient
    effective = permitted if effect.effective_flag else ambient
    effective_why = "all that is permitted" if effect.effective_flag else "the ambient set"
    ambient_why = "emptied: file capabilities or a changed id" if cleared and before.cap_ambient else "kept"
    return merge(
        _ids("uid", before.uid, effect.uid, facts.file, sources.of("process", "user", "uid")),
        _ids("gid", before.gid, effect.gid, facts.file, sources.of("process", "user", "gid")),
        assign(path("cap_inheritable"), before.cap_inheritable, "kept by execve", _set(sources, "inheritable")),
        assign(path("cap_permitted"), permitted, effect.reason, CAPABILITIES),
        assign(path("cap_effective"), effective, effective_why, CAPABILITIES),
        assign(path("cap_bounding"), before.cap_bounding, "kept by execve", _set(sources, "bounding")),
        assign(path("cap_ambient"), ambient, ambient_why, _set(sources, "ambient")),
        _refusal(before, facts.file, effect.file_capabilities),
    )


def _file_effect(before: Credentials, facts: ExecveFacts) -> _FileEffect:
    uid, gid = _effective_ids(before, facts)
    file_capabilities = _file_capabilities(facts)
    permitted, effective_flag, reason = _from_file(before, file_capabilities)
    root = facts.userns.host_uid(0)
    if root in (uid, before.uid) and not (file_capabilities and uid == root and before.uid != root):
        permitted, effective_flag = before.cap_bounding | before.cap_inheritable, effective_flag or uid == root
        reason = "root: all of the bounding set" + (" and the inheritable set" if before.cap_inheritable else "")
    changed = uid != before.uid or _group_changed(before, gid, facts.kernel)
    if before.no_new_privs and (changed or permitted & ~before.cap_permitted):
        permitted &= before.cap_permitted
        reason += "; under no_new_privs only what was permitted before"
    return _FileEffect(uid, gid, changed, file_capabilities, permitted, effective_flag, reason)


def _effective_ids(before: Credentials, facts: ExecveFacts) -> tuple[int, int]:
    file = facts.file
    mapped = facts.userns.maps_uid(file.uid) and facts.userns.maps_gid(file.gid)
    if before.no_new_privs or facts.nosuid or not mapped:
        return before.uid, before.gid
    uid = file.uid if file.mode & SET_UID else before.uid
    gid = file.gid if file.mode & SET_GID and file.mode & GROUP_EXECUTE else before.gid
    return uid, gid


def _file_capabilities(facts: ExecveFacts) -> FileCapabilities | None:
    """The file's capabilities; None if it has none or they do not apply in this user namespace."""
    capabilities = facts.file.capabilities
    if capabilities is None or facts.nosuid:
        return None
    # The container's user namespace is a child of the host's, so there are no namespaces between the two.
    if (capabilities.root_uid or 0) not in (0, facts.userns.host_uid(0)):
        return None
    return capabilities


def _from_file(before: Credentials, capabilities: FileCapabilities | None) -> tuple[int, bool, str]:
    """The permitted set that the file's capabilities give, its effective flag, and the reason."""
    if capabilities is None:
        return 0, False, "not root, and the file has no capabilities: the ambient set"
    given = before.cap_bounding & capabilities.permitted & FULL | before.cap_inheritable & capabilities.inheritable
    return given, capabilities.effective, f"the file's capabilities within the bounding set: {listed(given)}"


def _group_changed(before: Credentials, gid: int, kernel: str) -> bool:
    if release(kernel) >= OWN_GROUP_IS_NO_CHANGE:
        return not before.has_group(gid)
    return gid != before.gid


def _refusal(before: Credentials, file: EntryFile, capabilities: FileCapabilities | None) -> Decision:
    if capabilities is None or not capabilities.effective:
        return Decision()
    given, _, _ = _from_file(before, capabilities)
    missing = capabilities.permitted & FULL & ~given
    if not missing:
        return Decision()
    return refuse(
        path("process", "args", 0),
        file.path,
        f'"{file.path}" has the file capabilities {listed(capabilities.permitted)}, and {listed(missing)} is not in '
        "the bounding set (EPERM, Operation not permitted): add the capability, or remove it from the file",
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
    """Major and minor number of a kernel release such as "6.18.44-x"; (0, 0) if the text is not a release."""
    major, _, rest = kernel.partition(".")
    digits = ""
    for character in rest:
        if not character.isdigit():
            break
        digits += character
    return (int(major), int(digits)) if major.isdigit() and digits else (0, 0)
