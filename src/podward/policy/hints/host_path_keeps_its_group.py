"""fsGroup and a hostPath: the files keep the group that they have on the host.

Specification (kubelet pkg/volume/hostpath, pkg/volume/volume_linux.go), in our words: fsGroup becomes a group of
every process of the Pod, and of the files of volumes that the kubelet manages. A hostPath is not one: its files keep
owner, group and mode, because they are the host's. The hint stands where a container of a Pod with fsGroup mounts a
hostPath that its ids may not use as it is mounted: write (and search), or read (and search) where it is read-only.
"""

from __future__ import annotations

from podward.api.explanation import Hint
from podward.api.version import KUBERNETES
from podward.decision import Origin, Source
from podward.policy.hints import identity, mounted_volumes
from podward.policy.hints.facts import FileFacts, HintFacts
from podward.policy.hints.identity import READ, SEARCH, WRITE, may, mode_text
from podward.policy.hints.manifest import of_container
from podward.policy.hints.mounted_volumes import Mounted
from podward.policy.hints.volume_not_writable import cure

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
        for row in mounted_volumes.of(facts)
        if row.volume.kind == "hostPath" and row.root is not None and not may(who, row.root, _wanted(row))
    )


def _wanted(row: Mounted) -> int:
    return SEARCH | (READ if row.mount.read_only else WRITE)


def _hint(facts: HintFacts, row: Mounted, root: FileFacts, group: int) -> Hint:
    remedy, changes = cure(facts, root, _wanted(row))
    use = "read" if row.mount.read_only else "written"
    return Hint(
        NAME,
        facts.container.name,
        of_container(facts, "volumeMounts", row.index),
        f"fsGroup {group} does not change the hostPath volume {row.volume.name} at {row.mount.mount_path} "
        f"({mode_text(root)}): it cannot be {use}.",
        remedy or f"Give the directory on the node to group {group} (chgrp, chmod g+rwxs), or use an emptyDir.",
        changes,
        RULE,
    )
