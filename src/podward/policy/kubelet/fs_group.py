"""How `fsGroup` changes the group and mode of a volume's files.

Specification (kubelet, pkg/volume/volume_linux.go, in our words):
- Without `fsGroup` nothing changes. The kubelet changes only volumes that it manages and that allow it: emptyDir but
  not hostPath.
- For every file the kubelet sets the group to fsGroup and keeps the owner. It adds 0660 to the mode (0440 on a
  read-only volume), and for a directory also 0110 and setgid. It removes nothing: setuid and setgid bits of files stay.
- For a symbolic link the kubelet changes the group of the link, not of its target, and no mode.
- With `fsGroupChangePolicy: OnRootMismatch` the kubelet changes nothing if the volume's root is a directory of that
  group whose mode already has all these bits. With `Always` or no policy it changes all files. A new emptyDir is
  always changed.
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
"""Additional bits for a directory: search permission for owner and group, and setgid."""
_PERMISSIONS, _SETGID = 0o777, 0o2000


class FileFacts(Struct, frozen=True, gc=False):
    """A file's facts from fstat(2): `kind` is directory, symlink or other; `mode` is the lower twelve bits."""

    kind: str
    gid: int
    mode: int


class Ownership(Struct, frozen=True, gc=False):
    """The group and mode that a file gets. Without a mode the file keeps its own."""

    gid: int
    mode: int | None = None


class OwnershipChange(Struct, frozen=True, gc=False):
    """The group that all files of a volume get; None if the kubelet changes nothing."""

    group: int | None = None


def decide(
    context: PodSecurityContext | None, root: FileFacts, place: Place, *, readonly: bool = False, fresh: bool = False
) -> Decision:
    """The `group` that the files of a volume get, nothing without fsGroup.

    `root` is the volume's top directory. A `fresh` volume was just made, so fsGroupChangePolicy does not apply to it.
    """
    group = context.fs_group if context is not None else None
    if context is None or group is None:
        return Decision()
    base = place.pod / "spec" / "securityContext"
    only_on_mismatch = context.fs_group_change_policy == "OnRootMismatch" and not fresh
    if only_on_mismatch and not _mismatch(root, group, readonly=readonly):
        source = Source(Origin.MANIFEST, place.document, base / "fsGroupChangePolicy")
        return assign(path("group"), None, "the volume's root already has the group and its permissions", source)
    return assign(path("group"), group, "fsGroup", Source(Origin.MANIFEST, place.document, base / "fsGroup"))


def ownership(file: FileFacts, group: int, *, readonly: bool = False) -> Ownership:
    """The group and mode that a file of the volume gets."""
    if file.kind == "symlink":
        return Ownership(group)
    added = READ_ONLY if readonly else READ_WRITE
    if file.kind == "directory":
        added |= DIRECTORY
    return Ownership(group, file.mode | added)


def _mismatch(root: FileFacts, group: int, *, readonly: bool) -> bool:
    if root.gid != group or root.kind != "directory":
        return True
    needed = ((READ_ONLY if readonly else READ_WRITE) | DIRECTORY) & (_PERMISSIONS | _SETGID)
    return root.mode & needed != needed
