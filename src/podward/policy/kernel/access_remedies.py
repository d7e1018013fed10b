"""What would let a process use a path that it may not use: the smallest changes, each tried on the rule itself.

Specification, in our words: whoever is denied by ids needs other ids or other files. A change is offered only where
`access.decide`, asked about the changed process or file, no longer refuses that component:
- the group that the file's mode or list already lets in: `supplementalGroups`;
- a volume that the kubelet owns (emptyDir): `fsGroup`, which gives it to the group (group rw, directories setgid too);
- a directory of this machine (hostPath), which fsGroup does not touch: an entry for the user in its list, or its group;
- a file of the image: a group and its bits, set where the image is built; or a volume mounted over it;
- the file's owner as `runAsUser`, unless that is root;
- a read-only mount: `readOnly` of the volumeMount, `readOnlyRootFilesystem` of the container, or a volume over it.
No capability is ever offered: it would open every file.
Ids are the container's; on an id-mapped mount these are also the ids on disk.
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
EXAMPLE_GROUP = 2000
"""Offered as fsGroup where the process has no group but root's."""


class AccessRemedy(Struct, frozen=True):
    """One sentence; `field` and `value` where it is a field of the Pod to set (for a list: the item to add)."""

    sentence: str
    field: Path | None = None
    value: int | bool | None = None


def suggest(process: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> tuple[AccessRemedy, ...]:
    """The changes that cure the first refusal of `access.decide`, the most fitting first; empty where none is needed.

    A refusal further down the path may remain: ask again.
    """
    violations = access.decide(process, chain, wanted).violations
    denial = violations[0].value if violations else None
    if not isinstance(denial, Denial) or denial.rule in ("path", "not regular"):
        return ()
    case = _Case(process, chain, wanted, denial)
    if denial.rule.endswith(" mount"):
        return _mounts(case)
    found = (*_volume_group(case), *_groups(case), *_disk(case), *_owner(case))
    return found or (AccessRemedy(f"mount a volume at {case.directory} that the process may use"),)


class _Case(Struct, frozen=True):
    """A refusal, and the trying out of changes."""

    process: ProcessState
    chain: tuple[FileAccessFacts, ...]
    wanted: str
    denial: Denial

    @property
    def file(self) -> FileAccessFacts:
        return self.chain[self.denial.step]

    @property
    def directory(self) -> str:
        """The directory that a volume would have to replace."""
        return self.file.path if self.file.directory else self.file.path.rpartition("/")[0] or "/"

    def cures(self, process: ProcessState, file: FileAccessFacts | None = None) -> bool:
        """Whether the component no longer refuses."""
        step = self.denial.step
        chain = (*self.chain[:step], file or self.file, *self.chain[step + 1 :])
        left = [v.value for v in access.decide(process, chain, self.wanted).violations]
        return all(isinstance(denial, Denial) and denial.step > step for denial in left)


def _mounts(case: _Case) -> tuple[AccessRemedy, ...]:
    file, rule = case.file, case.denial.rule
    if rule != "read-only mount":
        return (
            AccessRemedy(f"{rule.split()[0]} is the mount's: use a file system on the host that is mounted without it"),
        )
    if file.mount.filesystem_readonly:
        return (AccessRemedy("the host's file system is mounted read-only: use another, or remount it read-write"),)
    if file.volume:
        return (AccessRemedy(f"leave `readOnly: true` out of the volumeMount of {file.volume}"),)
    return (
        AccessRemedy(f"mount an emptyDir at {case.directory}"),
        AccessRemedy("set `readOnlyRootFilesystem: false` in the container's securityContext"),
    )


def _volume_group(case: _Case) -> Iterator[AccessRemedy]:
    file = case.file
    if file.origin != "emptyDir":
        return
    own = case.process.gid[acl.FILE_SYSTEM]
    number = access.inside(case.process.gid_map, own)
    gid, group = (own, int(number)) if number.isdigit() and number != "0" else _outside(case.process, EXAMPLE_GROUP)
    gained = 0o2770 if file.directory else 0o660
    given = msgspec.structs.replace(file, gid=gid, mode=file.mode | gained)
    if case.cures(_with_group(case.process, gid), given):
        sentence = f"set `fsGroup: {group}` in the Pod's securityContext: the volume is then that group's"
        yield AccessRemedy(sentence, POD / "fsGroup", group)


def _groups(case: _Case) -> Iterator[AccessRemedy]:
    gids = [case.file.gid, *(e.id for e in case.file.acl if e.tag == "group" and e.id is not None)]
    for gid in dict.fromkeys(gids):
        number = access.inside(case.process.gid_map, gid)
        if number.isdigit() and not acl.in_group(case.process, gid) and case.cures(_with_group(case.process, gid)):
            sentence = f"add {number} to `supplementalGroups` in the Pod's securityContext: {case.file.path} lets it in"
            yield AccessRemedy(sentence, POD / "supplementalGroups", int(number))


def _owner(case: _Case) -> Iterator[AccessRemedy]:
    uid = case.file.uid
    number = access.inside(case.process.uid_map, uid)
    if not number.isdigit() or number == "0":
        return
    owner = msgspec.structs.replace(case.process, uid=(uid,) * 4, cap_effective=0)
    if case.cures(owner):
        yield AccessRemedy(f"set `runAsUser: {number}`, the owner of {case.file.path}", POD / "runAsUser", int(number))


def _disk(case: _Case) -> Iterator[AccessRemedy]:
    """Other bits for the file itself."""
    file, process = case.file, case.process
    uid, gid = process.uid[acl.FILE_SYSTEM], process.gid[acl.FILE_SYSTEM]
    user, group = access.inside(process.uid_map, uid), access.inside(process.gid_map, gid)
    last = case.denial.step == len(case.chain) - 1
    needed = (mask(case.wanted) if last else 0) | (1 if file.directory else 0)
    words = letters(needed).replace("-", "")
    host, inside = _quoted(file.host), _quoted(file.path)
    if file.origin == "hostPath" and file.host:
        here = "on this machine, since fsGroup leaves a hostPath alone"
        if file.uid != uid and case.cures(process, _with_entry(file, uid, needed)):
            yield AccessRemedy(f"{here}: `setfacl -m u:{user}:{words} {host}`")
        if file.uid == uid:
            if case.cures(process, msgspec.structs.replace(file, mode=file.mode | needed << 6)):
                yield AccessRemedy(f"{here}: `chmod u+{words} {host}`")
        elif not file.acl and case.cures(process, _given(file, gid, needed)):
            yield AccessRemedy(f"{here}: `chgrp {group} {host} && chmod g+{words} {host}`")
    elif file.origin == "image":
        if case.cures(process, _given(file, gid, needed)):
            yield AccessRemedy(f"where the image is built: `RUN chgrp {group} {inside} && chmod g+{words} {inside}`")
        if file.directory and last:
            yield AccessRemedy(f"mount an emptyDir at {file.path}")


def _given(file: FileAccessFacts, gid: int, bits: int) -> FileAccessFacts:
    return msgspec.structs.replace(file, gid=gid, mode=file.mode | bits << 3)


def _with_entry(file: FileAccessFacts, uid: int, bits: int) -> FileAccessFacts:
    """As `setfacl -m u:UID:BITS` leaves it: the mask is recalculated, so that it takes nothing away."""
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


def _outside(process: ProcessState, number: int) -> tuple[int, int]:
    """The host's id of a group of the container, and that group."""
    for first, host, length in process.gid_map:
        if first <= number < first + length:
            return host + number - first, number
    return number, number


def _quoted(name: str) -> str:
    """A path as a word of a shell command."""
    plain = all(letter.isalnum() or letter in "/._-+@%" for letter in name)
    return name if plain else "'" + name.replace("'", "'\\''") + "'"
