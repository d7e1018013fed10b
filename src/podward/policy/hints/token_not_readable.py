"""A secret, a config map or a service account's token whose files this process may not read.

Specification (kubelet pkg/volume/secret, pkg/volume/projected, pkg/volume/volume_linux.go), in our words:
- The files belong to root:root and have the volume's defaultMode (0644 where nothing is written).
- With fsGroup they get that group, and the group may read (0440 is added).
- A projected token: with fsGroup, or if all containers of the Pod run as the same runAsUser, its mode is 0600 whatever
  defaultMode says; in the second case it belongs to that user.
- A projected volume is taken for one with a token.
The hint stands where the process may read none of them; the remedy is an fsGroup, which opens the files to the Pod's
group alone. These kinds of volume need an API server, so this rule can be shown on facts only, not by `podward run`.
"""

from __future__ import annotations

from podward.api.core import Container, Pod, every_container
from podward.api.explanation import Change, Hint
from podward.api.version import KUBERNETES
from podward.decision import Origin, Source
from podward.policy.hints import identity, mounted_volumes
from podward.policy.hints.facts import FileFacts, HintFacts, VolumeFacts
from podward.policy.hints.identity import READ, may, mode_text
from podward.policy.hints.manifest import of_container, of_pod

NAME = "token-not-readable"
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} projected volumes")
KINDS = ("secret", "projected", "configMap", "downwardAPI")
TOKEN_MODE, GROUP_READS = 0o600, 0o440


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such mount."""
    who = identity.of(facts)
    found = []
    for row in mounted_volumes.of(facts):
        file = file_of(facts.pod, row.volume)
        if file is None or may(who, file, READ):
            continue
        group = who.gid or who.uid
        found.append(
            Hint(
                NAME,
                facts.container.name,
                of_container(facts, "volumeMounts", row.index),
                f"The files of the {row.volume.kind} volume {row.volume.name} at {row.mount.mount_path} "
                f"({mode_text(file)}) cannot be read by this process ({who}).",
                f"Set fsGroup: {group}: then the files belong to that group, which may read them.",
                (Change(of_pod(facts, "securityContext", "fsGroup"), group),),
                RULE,
            )
        )
    return tuple(found)


def file_of(pod: Pod, volume: VolumeFacts) -> FileFacts | None:
    """Owner, group and mode of the volume's files; None for other kinds, or where the mode is not known."""
    if volume.kind not in KINDS or volume.default_mode is None:
        return None
    context = pod.spec.security_context
    group = context.fs_group if context is not None else None
    user = same_user(pod) if volume.kind == "projected" else None
    mode = volume.default_mode
    if volume.kind == "projected" and (group is not None or user is not None):
        mode = TOKEN_MODE
    if group is not None:
        mode |= GROUP_READS
    return FileFacts(user or 0, group or 0, mode)


def same_user(pod: Pod) -> int | None:
    """The runAsUser of every container of the Pod; None if one has another or none."""
    users = {_user(pod, container) for _, _, container in every_container(pod.spec)}
    return users.pop() if len(users) == 1 else None


def _user(pod: Pod, container: Container) -> int | None:
    own, above = container.security_context, pod.spec.security_context
    if own is not None and own.run_as_user is not None:
        return own.run_as_user
    return above.run_as_user if above is not None else None
