"""The smallest changes that give a process access to a path that is denied to it.

Specification, in our words: a process that is denied access because of its ids needs other ids, or the file needs
another owner, group or mode. Each change is applied to a copy of the process or file, and is offered only if
`access.decide` then allows that component:
- `supplementalGroups`: a group that the file's mode or access control list already allows;
- `fsGroup`: for volumes that the kubelet manages; it gives the files to that group (those of emptyDir and local
  volumes group rw, those of Secrets, ConfigMaps and the like group r; directories setgid as well);
- `defaultMode`: for the files of Secrets, ConfigMaps and the like;
- for a hostPath, which fsGroup does not change: an ACL entry for the user, or another group, set on this machine;
- for a file of the image: another group and its permissions, set in the image build; or a volume mounted over it;
- `runAsUser`: the file's owner, unless that is root;
- for a read-only mount: `readOnly` of the volumeMount, `readOnlyRootFilesystem` of the container, or a volume over it.
- for a device that is not in the device list: a device plugin, or `privileged`.
No capability is ever offered, because it would open every file.
The sentences name ids of the container. On an id-mapped mount these are also the ids on disk.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from podward.api.filesystem import AclEntry, Denial, FileAccessFacts, letters, mask
from podward.api.process import ProcessState
from podward.path import Path, path
from podward.policy.kernel import access, acl

POD = path("spec", "securityContext")
_OF_FILES = frozenset(("secret", "configMap", "downwardAPI", "projected"))
"""Kinds of volumes whose files the kubelet makes, with modes that the manifest gives."""
EXAMPLE_GROUP = 2000
"""The fsGroup that is suggested if the process has no group other than root's."""


_DEVICE = (
    "a device plugin of the node can give the container this device (`resources.limits`); of the Pod's own fields only "
    "`privileged: true` opens it, and every other device with it"
)


class AccessRemedy(Struct, frozen=True):
    """One change, as a sentence.

    If the change sets a field of the Pod, `field` is its path and `value` its value (for a list: the item to add).
    """

    sentence: str
    field: Path | None = None
    value: int | bool | None = None


def suggest(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> tuple[AccessRemedy, ...]:
    """The changes that remove the first refusal of `access.decide`, the best one first; empty if nothing is refused.

    A file further down the path may still be refused after the change: call `suggest` again for it.
    """
    violations = access.decide(process, chain, wanted).violations
    denial = violations[0].value if violations else None
    if not isinstance(denial, Denial) or denial.rule in ("path", "not regular"):
        return ()
    denied = _DeniedAccess(process, chain, wanted, denial)
    if denial.rule == "device list":
        return (AccessRemedy(_DEVICE),)
    if denial.rule.endswith(" mount"):
        return _for_mount_flags(denied)
    found = (
        *_fs_group(denied),
        *_supplemental_groups(denied),
        *_default_mode(denied),
        *_other_mode_or_owner(denied),
        *_run_as_owner(denied),
    )
    return found or (AccessRemedy(f"mount a volume at {denied.directory} that the process may use"),)


class _DeniedAccess(Struct, frozen=True):
    """A denied access. `cures` tells whether a changed process or file would be allowed."""

    process: ProcessState
    chain: tuple[FileAccessFacts, ...]
    wanted: str
    denial: Denial

    @property
    def file(self) -> FileAccessFacts:
        return self.chain[self.denial.step]

    @property
    def directory(self) -> str:
        """The directory at which a volume would have to be mounted to replace the file."""
        return self.file.path if self.file.directory else self.file.path.rpartition("/")[0] or "/"

    def cures(self, process: ProcessState, file: FileAccessFacts | None = None) -> bool:
        """Whether this process is no longer denied at this component; `file` replaces the component if it is given."""
        step = self.denial.step
        chain = (*self.chain[:step], file or self.file, *self.chain[step + 1 :])
        remaining = [v.value for v in access.decide(process, chain, self.wanted).violations]
        return all(isinstance(denial, Denial) and denial.step > step for denial in remaining)


def _for_mount_flags(denied: _DeniedAccess) -> tuple[AccessRemedy, ...]:
    """Remedies for a mount that is read-only, noexec or nodev."""
    file, rule = denied.file, denied.denial.rule
    if rule != "read-only mount":
        return (
            AccessRemedy(f"{rule.split()[0]} is the mount's: use a file system on the host that is mounted without it"),
        )
    if file.mount.filesystem_readonly:
        return (AccessRemedy("the host's file system is mounted read-only: use another, or remount it read-write"),)
    if file.origin in _OF_FILES:
        return (AccessRemedy(f"nobody may write to a {file.origin} volume: copy the file into an emptyDir"),)
    if file.volume:
        return (AccessRemedy(f"leave `readOnly: true` out of the volumeMount of {file.volume}"),)
    return (
        AccessRemedy(f"mount an emptyDir at {denied.directory}"),
        AccessRemedy("set `readOnlyRootFilesystem: false` in the container's securityContext"),
    )


def _fs_group(denied: _DeniedAccess) -> Iterator[AccessRemedy]:
    file = denied.file
    if file.origin not in _OF_FILES | {"emptyDir", "local"}:
        return
    own = denied.process.gid[acl.FILE_SYSTEM]
    number = access.inside(denied.process.gid_map, own)
    gid, group = (own, int(number)) if number.isdigit() and number != "0" else _host_gid(denied.process, EXAMPLE_GROUP)
    gained = 0o2770 if file.directory else 0o660
    if file.origin in _OF_FILES:
        gained &= ~0o220
    changed = msgspec.structs.replace(file, gid=gid, mode=file.mode | gained)
    if denied.cures(_with_group(denied.process, gid), changed):
        sentence = f"set `fsGroup: {group}` in the Pod's securityContext: the volume is then that group's"
        yield AccessRemedy(sentence, POD / "fsGroup", group)


def _supplemental_groups(denied: _DeniedAccess) -> Iterator[AccessRemedy]:
    file, process = denied.file, denied.process
    gids = [file.gid, *(e.id for e in file.acl if e.tag == "group" and e.id is not None)]
    for gid in dict.fromkeys(gids):
        number = access.inside(process.gid_map, gid)
        if number.isdigit() and not acl.in_group(process, gid) and denied.cures(_with_group(process, gid)):
            sentence = f"add {number} to `supplementalGroups` in the Pod's securityContext: {file.path} lets it in"
            yield AccessRemedy(sentence, POD / "supplementalGroups", int(number))


def _run_as_owner(denied: _DeniedAccess) -> Iterator[AccessRemedy]:
    uid = denied.file.uid
    number = access.inside(denied.process.uid_map, uid)
    if not number.isdigit() or number == "0":
        return
    owner = msgspec.structs.replace(denied.process, uid=(uid,) * 4, cap_effective=0)
    if denied.cures(owner):
        sentence = f"set `runAsUser: {number}`, the owner of {denied.file.path}"
        yield AccessRemedy(sentence, POD / "runAsUser", int(number))


def _other_mode_or_owner(denied: _DeniedAccess) -> Iterator[AccessRemedy]:
    """Commands that change the mode, the group or the access control list of the file itself."""
    file, process = denied.file, denied.process
    uid, gid = process.uid[acl.FILE_SYSTEM], process.gid[acl.FILE_SYSTEM]
    user, group = access.inside(process.uid_map, uid), access.inside(process.gid_map, gid)
    last = denied.denial.step == len(denied.chain) - 1
    needed = (mask(denied.wanted) if last else 0) | (1 if file.directory else 0)
    words = letters(needed).replace("-", "")
    host, inside = _quoted(file.host), _quoted(file.path)
    if file.origin == "hostPath" and file.host:
        here = "on this machine, since fsGroup leaves a hostPath alone"
        if file.uid != uid and denied.cures(process, _with_acl_entry(file, uid, needed)):
            yield AccessRemedy(f"{here}: `setfacl -m u:{user}:{words} {host}`")
        if file.uid == uid:
            if denied.cures(process, msgspec.structs.replace(file, mode=file.mode | needed << 6)):
                yield AccessRemedy(f"{here}: `chmod u+{words} {host}`")
        elif not file.acl and denied.cures(process, _with_group_bits(file, gid, needed)):
            yield AccessRemedy(f"{here}: `chgrp {group} {host} && chmod g+{words} {host}`")
    elif file.origin == "image":
        if denied.cures(process, _with_group_bits(file, gid, needed)):
            yield AccessRemedy(f"where the image is built: `RUN chgrp {group} {inside} && chmod g+{words} {inside}`")
        if file.directory and last:
            yield AccessRemedy(f"mount an emptyDir at {file.path}")


def _default_mode(denied: _DeniedAccess) -> Iterator[AccessRemedy]:
    """A mode for everybody, in the manifest."""
    file = denied.file
    if file.origin not in _OF_FILES or file.directory:
        return
    needed = mask(denied.wanted)
    wanted = file.mode & 0o777 | needed << 6 | needed << 3 | needed
    if denied.cures(denied.process, msgspec.structs.replace(file, mode=file.mode | wanted)):
        yield AccessRemedy(f"set `defaultMode: {wanted:04o}` on the {file.origin} volume {file.volume}")


def _with_group_bits(file: FileAccessFacts, gid: int, bits: int) -> FileAccessFacts:
    return msgspec.structs.replace(file, gid=gid, mode=file.mode | bits << 3)


def _with_acl_entry(file: FileAccessFacts, uid: int, bits: int) -> FileAccessFacts:
    """The file after `setfacl -m u:UID:BITS`: setfacl recalculates the mask, so that it takes nothing away."""
    kept = tuple(e for e in file.acl if e.tag != "mask" and not (e.tag == "user" and e.id == uid))
    if not kept:
        plain = (("user", file.mode >> 6), ("group", file.mode >> 3), ("other", file.mode))
        kept = tuple(AclEntry(tag, permissions & 7) for tag, permissions in plain)
    limit = bits
    for entry in kept:
        if entry.tag == "group" or (entry.tag == "user" and entry.id is not None):
            limit |= entry.permissions
    acl_entries = (*kept, AclEntry("user", bits, uid), AclEntry("mask", limit))
    return msgspec.structs.replace(file, acl=acl_entries, mode=file.mode & ~0o070 | limit << 3)


def _with_group(process: ProcessState, gid: int) -> ProcessState:
    return msgspec.structs.replace(process, groups=tuple(sorted({*process.groups, gid})))


def _host_gid(process: ProcessState, number: int) -> tuple[int, int]:
    """The host's id of a group of the container, and the container's id."""
    for first, host, length in process.gid_map:
        if first <= number < first + length:
            return host + number - first, number
    return number, number


def _quoted(name: str) -> str:
    """The path quoted for a shell command."""
    plain = all(letter.isalnum() or letter in "/._-+@%" for letter in name)
    return name if plain else "'" + name.replace("'", "'\\''") + "'"
