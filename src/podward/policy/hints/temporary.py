"""Whether a process will find a place for temporary files.

Not a rule: what two hints ask. The mount that holds a directory is the one with the longest destination that is the
directory or above it; the last one of several at the same place counts (mount_namespaces(7)). Without any, the root
file system holds it.
"""

from __future__ import annotations

from posixpath import normpath

from podward.api.oci import Mount, RuntimeSpec
from podward.policy.hints.facts import HintFacts

TMP = "/tmp"  # noqa: S108  # a path in the container
_READ_ONLY = frozenset(("ro", "rro"))


def is_writable(facts: HintFacts) -> bool:
    """Whether everybody may write to /tmp: on a writable mount, or in the image where the root is writable."""
    if facts.spec is None:
        return False
    mount = mounted(facts.spec.value, TMP)
    if mount is not None:
        return not read_only(mount)
    return not facts.spec.value.root.readonly and facts.image_has_writable_tmp


def mounted(spec: RuntimeSpec, directory: str) -> Mount | None:
    """The mount that holds a directory of the container; None for the root file system."""
    holder, longest = None, 0
    for mount in spec.mounts:
        place = normpath(mount.destination)
        if (directory == place or directory.startswith(f"{place}/")) and len(place) >= longest:
            holder, longest = mount, len(place)
    return holder


def read_only(mount: Mount) -> bool:
    """Whether the mount's options make it read-only."""
    return bool(_READ_ONLY.intersection(mount.options))
