"""The container's mounts: the volumes that it mounts, and the mount that holds a directory such as /tmp.

This is not a rule; the hints about volumes and about temporary files use it.
- A mount of a subPath is left out, because the file at the subPath may not exist yet.
- The mount that holds a directory is the one with the longest destination that is the directory or above it. Of several
  mounts at the same place the last one counts (mount_namespaces(7)). Without any, the root file system holds it.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct

from podward.api.core import VolumeMount
from podward.api.oci import Mount, RuntimeSpec
from podward.policy.hints.facts import FileFacts, HintFacts, VolumeFacts
from podward.policy.hints.identity import as_seen

TMP = "/tmp"  # noqa: S108  # a path in the container
_READ_ONLY = frozenset(("ro", "rro"))


class MountedVolume(Struct, frozen=True):
    """One volumeMount: its index, its volume, and the volume's top directory, None if that is not known.

    The directory has the ids that the container sees.
    """

    index: int
    mount: VolumeMount
    volume: VolumeFacts
    root: FileFacts | None


def mounted_volumes(facts: HintFacts) -> tuple[MountedVolume, ...]:
    """The volumes that the container mounts as a whole, in the order of its volumeMounts."""
    known = {volume.name: volume for volume in facts.volumes}
    return tuple(
        MountedVolume(index, mount, known[mount.name], _seen(facts, known[mount.name].root))
        for index, mount in enumerate(facts.container.volume_mounts or ())
        if mount.name in known and not mount.sub_path and not mount.sub_path_expr
    )


def _seen(facts: HintFacts, root: FileFacts | None) -> FileFacts | None:
    return as_seen(facts, root) if root is not None else None


def tmp_is_writable(facts: HintFacts) -> bool:
    """Whether every user may write to /tmp: on a writable mount, or in the image if the root is writable."""
    if facts.spec is None:
        return False
    mount = mount_holding(facts.spec.value, TMP)
    if mount is not None:
        return not is_read_only(mount)
    return not facts.spec.value.root.readonly and facts.image_has_writable_tmp


def mount_holding(spec: RuntimeSpec, directory: str) -> Mount | None:
    """The mount that holds a directory of the container; None for the root file system."""
    holder, longest = None, 0
    for mount in spec.mounts:
        place = normpath(mount.destination)
        if (directory == place or directory.startswith(f"{place}/")) and len(place) >= longest:
            holder, longest = mount, len(place)
    return holder


def is_read_only(mount: Mount) -> bool:
    """Whether the mount's options make it read-only."""
    return bool(_READ_ONLY.intersection(mount.options))
