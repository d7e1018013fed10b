"""The process may not write to the directory of a volume that is mounted read-write.

Specification (path_resolution(7), capabilities(7), kubelet pkg/volume), in our words:
- Creating a file takes write and search permission for the directory: the owner's bits, else the group's, else the
  others', or CAP_DAC_OVERRIDE. Read-only mounts, mounts of a subPath and volumes about which nothing is known are not
  checked.
- If the directory's group may write, the remedy adds the group to supplementalGroups. Else, if its owner is not root
  and may write, the remedy sets runAsUser to the owner. If only root may write, no change of the manifest helps except
  to run as root.
- A hostPath in a Pod with fsGroup belongs to the rule `host-path-keeps-its-group`.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.policy.hints import identity
from podward.policy.hints.facts import FileFacts, HintFacts, container_field, pod_field
from podward.policy.hints.identity import NOBODY, WRITE, Identity, may_access, mode_text, needed
from podward.policy.hints.mounts import MountedVolume, mounted_volumes

NAME = "volume-not-writable"
RULE = Source(Origin.RULE, "path_resolution(7)")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such mount."""
    context = facts.pod.spec.security_context
    has_fs_group = context is not None and context.fs_group is not None
    who = identity.of(facts)
    found = []
    for row in mounted_volumes(facts):
        root = row.root
        if row.mount.read_only or root is None or may_access(who, root, needed(root, WRITE)):
            continue
        if not (has_fs_group and row.volume.kind == "hostPath"):
            found.append(_hint(facts, row, root, who))
    return tuple(found)


def _hint(facts: HintFacts, row: MountedVolume, root: FileFacts, who: Identity) -> Hint:
    remedy, changes = other_ids(facts, root, needed(root, WRITE))
    return Hint(
        NAME,
        facts.container.name,
        container_field(facts, "volumeMounts", row.index),
        f"Volume {row.volume.name} at {row.mount.mount_path} ({mode_text(root)}) cannot be written by this process "
        f"({who}).",
        remedy or "Give the directory to a group of the process on the node, or use an emptyDir.",
        changes,
        RULE,
    )


def other_ids(facts: HintFacts, root: FileFacts, wanted: int) -> tuple[str, tuple[Change, ...]]:
    """The sentence and the changes that give the process ids with access to the directory; empty if only root has."""
    context = facts.pod.spec.security_context
    if NOBODY in (root.uid, root.gid):
        return "", ()
    if root.mode >> 3 & wanted == wanted:
        listed = (context.supplemental_groups if context is not None else None) or ()
        field = pod_field(facts, "securityContext", "supplementalGroups", len(listed))
        return f"Add the directory's group {root.gid} to supplementalGroups.", (Change(field, root.gid),)
    if root.uid and root.mode >> 6 & wanted == wanted:
        field = container_field(facts, "securityContext", "runAsUser")
        return f"Run as the directory's owner: runAsUser: {root.uid}.", (Change(field, root.uid),)
    return "", ()
