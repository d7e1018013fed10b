"""The process may not read the files of a secret, a config map or a service account's token.

Specification (kubelet pkg/volume/secret, pkg/volume/projected, pkg/volume/volume_linux.go), in our words:
- The files belong to root:root and have the volume's defaultMode (0644 if it is unset).
- With fsGroup they get that group, and 0440 is added to their mode, so that the group may read them.
- A projected token has mode 0600, whatever defaultMode is, if the Pod has an fsGroup or all its containers have the
  same runAsUser; in the second case it belongs to that user.
- The rule assumes that every projected volume has a token. The hint is given if the process may not read these files.
  The remedy is an fsGroup, which allows only the Pod's group to read them. These kinds of volume need an API server, so
  `podward run` can't show this behaviour.
"""

from __future__ import annotations

from podward.api.core import Container, Pod, every_container
from podward.api.explanation import Change, Hint
from podward.api.version import KUBERNETES
from podward.decision import Origin, Source
from podward.policy.hints import identity
from podward.policy.hints.facts import FileFacts, HintFacts, VolumeFacts, container_field, pod_field
from podward.policy.hints.identity import READ, may_access, mode_text
from podward.policy.hints.mounts import mounted_volumes

NAME = "token-not-readable"
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} projected volumes")
KINDS = ("secret", "projected", "configMap", "downwardAPI")
TOKEN_MODE, GROUP_READS = 0o600, 0o440


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each such mount."""
    who = identity.of(facts)
    found = []
    for row in mounted_volumes(facts):
        file = file_of(facts.pod, row.volume)
        if file is None or may_access(who, file, READ):
            continue
        group = who.gid or who.uid
        found.append(
            Hint(
                NAME,
                facts.container.name,
                container_field(facts, "volumeMounts", row.index),
                f"The files of the {row.volume.kind} volume {row.volume.name} at {row.mount.mount_path} "
                f"({mode_text(file)}) cannot be read by this process ({who}).",
                f"Set fsGroup: {group}: then the files belong to that group, which may read them.",
                (Change(pod_field(facts, "securityContext", "fsGroup"), group),),
                RULE,
            )
        )
    return tuple(found)


def file_of(pod: Pod, volume: VolumeFacts) -> FileFacts | None:
    """The owner, group and mode of the volume's files; None for other kinds, or if the mode is not known."""
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
    """The runAsUser that all containers of the Pod have; None if they differ or one has none."""
    users = {_user(pod, container) for _, _, container in every_container(pod.spec)}
    return users.pop() if len(users) == 1 else None


def _user(pod: Pod, container: Container) -> int | None:
    own, of_pod = container.security_context, pod.spec.security_context
    if own is not None and own.run_as_user is not None:
        return own.run_as_user
    return of_pod.run_as_user if of_pod is not None else None
