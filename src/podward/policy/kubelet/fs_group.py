"""What `fsGroup` does to a volume's files: their group and mode.

Specification (kubelet, pkg/volume/volume_linux.go, in our words):
- Without `fsGroup` nothing changes. Only volumes that the kubelet manages and that allow it are changed: emptyDir is,
  hostPath is not.
- Every file: the group becomes fsGroup, the owner stays. The mode gains 0660 (0440 on a read-only volume); a directory
  gains 0110 and setgid besides. Nothing is taken away: setuid and setgid bits of files stay.
- A symbolic link changes its own group, never its target, and no mode.
- `fsGroupChangePolicy: OnRootMismatch` skips the whole walk where the root is a directory of that group whose mode
  already has all these bits. `Always`, or nothing, walks; emptyDir, being made anew, is always walked.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import PodSecurityContext
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign
from podward.path import path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} fsGroup")
READ_WRITE, READ_ONLY = 0o660, 0o440
DIRECTORY = 0o2110
"""What a directory gains besides: search for owner and group, and setgid."""
_PERMISSIONS, _SETGID = 0o777, 0o2000


class FileFacts(Struct, frozen=True, gc=False):
    """A file as fstat(2) sees it: `kind` is directory, symlink or other; `mode` the lower twelve bits."""

    kind: str
    gid: int
    mode: int


class Owned(Struct, frozen=True, gc=False):
    """What a file is to have; no `mode`, no chmod."""

    gid: int
    mode: int | None = None


class Walk(Struct, frozen=True, gc=False):
    """The walk that a volume needs: the group that its files get; none, no walk."""

    group: int | None = None


def decide(
    context: PodSecurityContext | None, root: FileFacts, place: Place, *, readonly: bool = False, fresh: bool = False
) -> Decision:
    """Whether the volume with this root is walked, and with which `group`; `fresh` volumes know no policy."""
    group = context.fs_group if context is not None else None
    if context is None or group is None:
        return Decision()
    base = place.pod / "spec" / "securityContext"
    careful = context.fs_group_change_policy == "OnRootMismatch" and not fresh
    if careful and not _mismatch(root, group, readonly=readonly):
        source = Source(Origin.MANIFEST, place.document, base / "fsGroupChangePolicy")
        return assign(path("group"), None, "the volume's root already has the group and its permissions", source)
    return assign(path("group"), group, "fsGroup", Source(Origin.MANIFEST, place.document, base / "fsGroup"))


def owned(file: FileFacts, group: int, *, readonly: bool = False) -> Owned:
    """The group and mode that a file of a walked volume gets."""
    if file.kind == "symlink":
        return Owned(group)
    gained = READ_ONLY if readonly else READ_WRITE
    if file.kind == "directory":
        gained |= DIRECTORY
    return Owned(group, file.mode | gained)


def _mismatch(root: FileFacts, group: int, *, readonly: bool) -> bool:
    if root.gid != group or root.kind != "directory":
        return True
    needed = ((READ_ONLY if readonly else READ_WRITE) | DIRECTORY) & (_PERMISSIONS | _SETGID)
    return root.mode & needed != needed
