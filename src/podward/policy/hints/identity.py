"""The ids and capabilities of the process, and whether they give access to a file of a volume.

This is not a rule; several hints use it. All ids are those that the container sees, because a manifest needs these.
Facts about files have the host's ids, as the mount shows them; they are mapped by the Pod's id maps.

The access check follows path_resolution(7): the owner's bits apply to the owner, else the group's to members of the
group, else the others'. CAP_DAC_OVERRIDE in the effective set allows everything, CAP_DAC_READ_SEARCH reading and
searching. For a file whose owner or group is not mapped no capability counts, and nobody can write it. An access
control list may allow what the mode denies, so access to a file with a list is never denied here. Only directories are
searched: a hostPath may be a file, a socket or a device.
"""

from __future__ import annotations

from stat import S_IFDIR, S_IFMT

from msgspec import Struct

from podward.api.capability import BITS, mask
from podward.policy.hints.facts import FileFacts, HintFacts

READ, WRITE, SEARCH = 4, 2, 1
NOBODY = -1
"""The id of an owner or group that is not mapped in the user namespace."""
OVERRIDE, READ_SEARCH = BITS["CAP_DAC_OVERRIDE"], BITS["CAP_DAC_READ_SEARCH"]
_FILE_SYSTEM = 3
"""The index of the file-system id among a process's four ids."""


class Identity(Struct, frozen=True, gc=False):
    """The ids of a process as the container sees them; `capabilities` is the mask of the effective set."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: int

    def __str__(self) -> str:
        groups = dict.fromkeys((self.gid, *self.groups))
        return f"uid {self.uid}, groups {' '.join(map(str, groups))}"


def of(facts: HintFacts) -> Identity:
    """The identity according to the last stage that was reached."""
    if facts.predicted is not None:
        state = facts.predicted.value
        return Identity(
            inside(state.uid_map, state.uid[_FILE_SYSTEM]),
            inside(state.gid_map, state.gid[_FILE_SYSTEM]),
            tuple(inside(state.gid_map, gid) for gid in state.groups),
            state.cap_effective,
        )
    if facts.spec is not None:
        process = facts.spec.value.process
        given = mask(process.capabilities.effective) if process.capabilities and not process.user.uid else 0
        return Identity(process.user.uid, process.user.gid, process.user.additional_gids, given)
    return _requested(facts)


def may_access(who: Identity, file: FileFacts, wanted: int) -> bool:
    """Whether the mode, a capability or an access control list allows all of `wanted` (READ, WRITE, SEARCH)."""
    unmapped = NOBODY in (file.uid, file.gid)
    if unmapped and wanted & WRITE:
        return False
    if file.uid == who.uid:
        granted = file.mode >> 6
    elif file.gid == who.gid or file.gid in who.groups:
        granted = file.mode >> 3
    else:
        granted = file.mode
    useful = OVERRIDE if wanted & WRITE else OVERRIDE | READ_SEARCH
    capable = bool(who.capabilities & useful) and not unmapped
    return not wanted & ~granted or capable or bool(file.acl)


def needed(file: FileFacts, use: int) -> int:
    """What using (READ, WRITE) the file or what is in the directory asks for."""
    return use | SEARCH if S_IFMT(file.mode) == S_IFDIR else use


def mode_text(file: FileFacts) -> str:
    """The file's owner, group and mode: `owner 0:5000, mode 2770`."""
    owner, group = ("nobody" if number == NOBODY else number for number in (file.uid, file.gid))
    return f"owner {owner}:{group}, mode {file.mode & 0o7777:04o}"


def as_seen(facts: HintFacts, file: FileFacts) -> FileFacts:
    """The file, with the ids that the container sees."""
    if facts.predicted is None:
        return file
    state = facts.predicted.value
    return FileFacts(inside(state.uid_map, file.uid), inside(state.gid_map, file.gid), file.mode, file.acl)


def inside(lines: tuple[tuple[int, int, int], ...], host: int) -> int:
    """The container's id for a host id; NOBODY if it is not mapped."""
    for first, outside, length in lines:
        if outside <= host < outside + length:
            return first + host - outside
    return NOBODY


def _requested(facts: HintFacts) -> Identity:
    """The identity that the kubelet requests, for a container that the runtime refused."""
    context = facts.effective.value
    for entry in facts.passwd:
        if entry.uid == context.run_as_user or (context.run_as_user is None and entry.name == context.run_as_username):
            uid, gid = entry.uid, entry.gid
            break
    else:
        uid, gid = context.run_as_user or 0, 0
    gid = gid if context.run_as_group is None else context.run_as_group
    return Identity(uid, gid, context.supplemental_groups, 0 if uid else OVERRIDE)
