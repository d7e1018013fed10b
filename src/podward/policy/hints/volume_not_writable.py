"""A volume mounted for writing whose directory these ids may not write.

Specification (path_resolution(7), capabilities(7), kubelet pkg/volume), in our words:
- To create a file takes write and search permission for the directory: the owner's bits, else the group's, else the
  others', or CAP_DAC_OVERRIDE. A mount that is read-only by intent is not looked at, nor one of a subPath, nor a
  volume of which nothing is known.
- A group that may write cures it: it is added to supplementalGroups. Else an owner that is not root and may write:
  then runAsUser is the owner. Nothing in the manifest cures a directory that only root may write, short of being root.
- A hostPath in a Pod with fsGroup is `host-path-keeps-its-group`'s.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.policy.hints import identity, mounted_volumes
from podward.policy.hints.facts import FileFacts, HintFacts
from podward.policy.hints.identity import NOBODY, SEARCH, WRITE, Identity, may, mode_text
from podward.policy.hints.manifest import of_container, of_pod
from podward.policy.hints.mounted_volumes import Mounted

NAME = "volume-not-writable"
RULE = Source(Origin.RULE, "path_resolution(7)")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such mount."""
    context = facts.pod.spec.security_context
    grouped = context is not None and context.fs_group is not None
    who = identity.of(facts)
    found = []
    for row in mounted_volumes.of(facts):
        root = row.root
        if row.mount.read_only or root is None or may(who, root, WRITE | SEARCH):
            continue
        if not (grouped and row.volume.kind == "hostPath"):
            found.append(_hint(facts, row, root, who))
    return tuple(found)


def _hint(facts: HintFacts, row: Mounted, root: FileFacts, who: Identity) -> Hint:
    remedy, changes = cure(facts, root, WRITE | SEARCH)
    return Hint(
        NAME,
        facts.container.name,
        of_container(facts, "volumeMounts", row.index),
        f"Volume {row.volume.name} at {row.mount.mount_path} ({mode_text(root)}) cannot be written by this process "
        f"({who}).",
        remedy or "Give the directory to a group of the process on the node, or use an emptyDir.",
        changes,
        RULE,
    )


def cure(facts: HintFacts, root: FileFacts, wanted: int) -> tuple[str, tuple[Change, ...]]:
    """The ids that may use the directory, as a sentence and the changes; nothing where only root may."""
    context = facts.pod.spec.security_context
    if NOBODY in (root.uid, root.gid):
        return "", ()
    if root.mode >> 3 & wanted == wanted:
        listed = (context.supplemental_groups if context is not None else None) or ()
        field = of_pod(facts, "securityContext", "supplementalGroups", len(listed))
        return f"Add the directory's group {root.gid} to supplementalGroups.", (Change(field, root.gid),)
    if root.uid and root.mode >> 6 & wanted == wanted:
        field = of_container(facts, "securityContext", "runAsUser")
        return f"Run as the directory's owner: runAsUser: {root.uid}.", (Change(field, root.uid),)
    return "", ()
