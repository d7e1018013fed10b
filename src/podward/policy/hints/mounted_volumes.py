"""The container's mounts beside what is known of the volumes that they mount, with the ids that the container sees.

Not a rule: what the hints about volumes go through. A mount of a subPath is left out: what it leads to may not be
there yet.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import VolumeMount
from podward.policy.hints.facts import FileFacts, HintFacts, VolumeFacts
from podward.policy.hints.identity import as_seen


class Mounted(Struct, frozen=True):
    """One volumeMount, by its index, its volume, and the volume's top directory where it is known."""

    index: int
    mount: VolumeMount
    volume: VolumeFacts
    root: FileFacts | None


def of(facts: HintFacts) -> tuple[Mounted, ...]:
    """The whole volumes that the container mounts, in the order of its volumeMounts."""
    known = {volume.name: volume for volume in facts.volumes}
    return tuple(
        Mounted(index, mount, known[mount.name], _seen(facts, known[mount.name].root))
        for index, mount in enumerate(facts.container.volume_mounts or ())
        if mount.name in known and not mount.sub_path and not mount.sub_path_expr
    )


def _seen(facts: HintFacts, root: FileFacts | None) -> FileFacts | None:
    return as_seen(facts, root) if root is not None else None
