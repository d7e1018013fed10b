"""The process may not read files of a secret, a config map or a service account's token.

Specification (kubelet pkg/volume/secret, pkg/volume/projected, pkg/volume/volume_linux.go), in our words:
- The files belong to root:root and have the volume's defaultMode (0644 if it is unset), or a mode of their own.
- With fsGroup they get that group, and 0440 is added to their mode, so that the group may read them.
- A projected token has mode 0600, whatever defaultMode is, if the Pod has an fsGroup or all its containers have the
  same runAsUser; in the second case it belongs to that user.

The hint is given if the process may not read one of these files. The remedy is an fsGroup, which allows only the Pod's
group to read them.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.api.version import KUBERNETES
from podward.decision import Origin, Source
from podward.policy.hints import identity
from podward.policy.hints.facts import FileFacts, HintFacts, container_field, pod_field
from podward.policy.hints.identity import READ, may_access, mode_text
from podward.policy.hints.mounts import MountedVolume, mounted_volumes

NAME = "token-not-readable"
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} projected volumes")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each mount with such files."""
    who = identity.of(facts)
    found = []
    for row in mounted_volumes(facts):
        closed = [(path, file) for path, file in row.volume.files if not may_access(who, file, READ)]
        if not closed:
            continue
        group = who.gid or who.uid
        found.append(
            Hint(
                NAME,
                facts.container.name,
                container_field(facts, "volumeMounts", row.index),
                f"{_named(row, closed)} cannot be read by this process ({who}).",
                f"Set fsGroup: {group}: then the files belong to that group, which may read them.",
                (Change(pod_field(facts, "securityContext", "fsGroup"), group),),
                RULE,
            )
        )
    return tuple(found)


def _named(row: MountedVolume, closed: list[tuple[str, FileFacts]]) -> str:
    """The closed files: all of them, or those that are closed beside others."""
    volume = f"the {row.volume.kind} volume {row.volume.name} at {row.mount.mount_path}"
    mode = mode_text(closed[0][1])
    if len(closed) == len(row.volume.files):
        return f"The files of {volume} ({mode})"
    more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return f"{closed[0][0]}{more} of {volume} ({mode})"
