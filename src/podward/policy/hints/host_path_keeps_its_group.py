"""fsGroup does not change the files of a hostPath: they keep the group that they have on the host.

Specification (kubelet pkg/volume/hostpath, pkg/volume/volume_linux.go), in our words: fsGroup becomes a group of
every process of the Pod, and the group of the files in volumes that the kubelet manages. The kubelet does not manage a
hostPath; its files belong to the host and keep owner, group and mode. The hint is given if a container of a Pod with
fsGroup mounts a hostPath and its ids may not write (and search) it, or read (and search) it if the mount is read-only.
"""

from __future__ import annotations

from podward.api.explanation import Hint
from podward.api.version import KUBERNETES
from podward.decision import Origin, Source
from podward.policy.hints import identity
from podward.policy.hints.facts import FileFacts, HintFacts, container_field
from podward.policy.hints.identity import READ, WRITE, may_access, mode_text, needed
from podward.policy.hints.mounts import MountedVolume, mounted_volumes
from podward.policy.hints.volume_not_writable import other_ids

NAME = "host-path-keeps-its-group"
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} fsGroup")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such mount."""
    context = facts.pod.spec.security_context
    if context is None or context.fs_group is None:
        return ()
    who = identity.of(facts)
    return tuple(
        _hint(facts, row, row.root, context.fs_group)
        for row in mounted_volumes(facts)
        if row.volume.kind == "hostPath"
        and row.root is not None
        and not may_access(who, row.root, _asked(row, row.root))
    )


def _asked(row: MountedVolume, root: FileFacts) -> int:
    return needed(root, READ if row.mount.read_only else WRITE)


def _hint(facts: HintFacts, row: MountedVolume, root: FileFacts, group: int) -> Hint:
    remedy, changes = other_ids(facts, root, _asked(row, root))
    use = "read" if row.mount.read_only else "written"
    return Hint(
        NAME,
        facts.container.name,
        container_field(facts, "volumeMounts", row.index),
        f"fsGroup {group} does not change the hostPath volume {row.volume.name} at {row.mount.mount_path} "
        f"({mode_text(root)}): it cannot be {use}.",
        remedy or f"Give the directory on the node to group {group} (chgrp, chmod g+rwxs), or use an emptyDir.",
        changes,
        RULE,
    )
