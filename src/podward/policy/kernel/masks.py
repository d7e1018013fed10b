"""The paths that are hidden from the process, and those that it can't write to.

Specification (runtime-spec 1.0.2 `linux.maskedPaths` and `readonlyPaths`; crun 1.8 and runc 1.1 as observed), in our
words: a path that does not exist in the container is passed over. A masked directory is covered by an empty read-only
tmpfs, a masked file by /dev/null; a read-only path by a read-only bind mount of itself. The paths lie in the kernel's
own file systems, so they exist in the container where they exist on the machine and the spec mounts that file system.
"""

from __future__ import annotations

from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign, merge
from podward.path import path
from podward.policy.kernel.mounts import covering, is_bind
from podward.policy.kernel.sources import Sources

KERNEL_FILE_SYSTEMS = frozenset(("proc", "sysfs"))
KERNEL_TREES = ("/proc", "/sys")


def decide(spec: RuntimeSpec, existing: frozenset[str], sources: Sources) -> Decision:
    """`masked` and `readonly_paths`, sorted; `existing` are those of the special paths that this machine has."""
    decisions = []
    for name, field, listed in (
        ("masked", "maskedPaths", spec.linux.masked_paths),
        ("readonly_paths", "readonlyPaths", spec.linux.readonly_paths),
    ):
        found = tuple(sorted({place for place in listed if place in existing and _mounted(spec, place)}))
        reason = f"those of linux.{field} that exist here ({len(found)} of {len(listed)})"
        decisions.append(assign(path(name), found, reason, sources.of("linux", field)))
    return merge(*decisions)


def _mounted(spec: RuntimeSpec, place: str) -> bool:
    mount = covering(spec, place)
    if mount is None:
        return False
    if is_bind(mount):
        return mount.source.startswith(KERNEL_TREES)
    return mount.type in KERNEL_FILE_SYSTEMS
