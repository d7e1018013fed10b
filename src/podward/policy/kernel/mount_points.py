"""Mount points that the OCI runtime must make in another mount of the container, and when it can't.

Specification (crun 1.8.1 and runc 1.1.5 as observed), in our words:
- Mounts are made in the order of the spec. Where a mount point is missing, the runtime makes it: a directory for a
  directory, an empty file for a file, and the directories on the way.
- A read-only root and a read-only tmpfs become read-only after that, so mount points are made in them too.
- runc gives a bind mount its flags at once. A mount point that is missing in a read-only one can't be made (EROFS).
- crun makes a bind mount read-only when all mounts are there, so it makes the mount point: in the volume itself, where
  it stays. Two are read-only at once: one with the option `rro`, and one whose source is mounted read-only, if its own
  options say `ro` or the container has a user namespace, where crun leaves inherited flags.
- In a Secret, ConfigMap, downwardAPI or projected volume the kubelet makes the mount points of other volumes itself
  (`podward.policy.kubelet.volume_paths`), but not the termination log's.
"""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import normpath

from msgspec import Struct

from podward.api.core import Container
from podward.api.oci import Mount, RuntimeSpec
from podward.decision import Decision, merge, refuse
from podward.path import path
from podward.policy.kernel.mounts import MountFacts, flags_of_options, is_bind, mount_flags
from podward.policy.kernel.sources import Sources


class MountPoint(Struct, frozen=True, gc=False):
    """What the mount `index` of the spec covers: the path `inside` of the earlier mount `holder`."""

    index: int
    holder: int
    inside: str


def held(mounts: tuple[Mount, ...], places: Sequence[str] = ()) -> tuple[MountPoint, ...]:
    """The mount points of the mounts that land inside an earlier bind mount, whether they are there or not.

    `places` is where each mount lands, where links in the image are followed; else its destination is the place.
    """
    found = []
    visible: dict[str, int] = {}
    for index, place in enumerate(places or [normpath("/" + mount.destination.lstrip("/")) for mount in mounts]):
        above = max((at for at in visible if place.startswith(f"{at}/")), key=len, default="")
        if above and place not in visible and is_bind(mounts[visible[above]]):
            found.append(MountPoint(index, visible[above], place[len(above) + 1 :]))
        visible = {at: other for at, other in visible.items() if at != place and not at.startswith(f"{place}/")}
        visible[place] = index
    return tuple(found)


def may_be_made(volume: str, earlier: tuple[Container, ...], runtime: str, *, readonly: bool) -> bool:
    """Whether a container that starts earlier may make files in the volume, or the runtime mount points for it."""
    return any(
        mount.name == volume and (runtime == "crun" or not (readonly or mount.read_only))
        for container in earlier
        for mount in container.volume_mounts or ()
    )


def decide(spec: RuntimeSpec, facts: MountFacts, missing: tuple[MountPoint, ...], sources: Sources) -> Decision:
    """A violation for each mount point that can't be made; the others are made, and are there for later mounts."""
    made: list[str] = []
    refused = []
    for point in missing:
        holder = spec.mounts[point.holder]
        on_host = f"{holder.source}/{point.inside}"
        if any(each == on_host or each.startswith(f"{on_host}/") for each in made):
            continue
        if _read_only_already(holder, facts):
            refused.append(_refusal(spec, point, facts.runtime, sources))
        else:
            made.append(on_host)
    return merge(*refused)


def _read_only_already(holder: Mount, facts: MountFacts) -> bool:
    """Whether the mount is read-only while later mounts are made."""
    if facts.runtime != "crun":
        return "readonly" in mount_flags(holder, facts)[0]
    if "rro" in holder.options:
        return True
    inherited = "readonly" in facts.source_flags(holder.destination)
    return inherited and (facts.user_namespace or "readonly" in flags_of_options(holder.options, "crun"))


def _refusal(spec: RuntimeSpec, point: MountPoint, runtime: str, sources: Sources) -> Decision:
    place, above = spec.mounts[point.index].destination, spec.mounts[point.holder].destination
    reason = (
        f"{place}: it is not there in {above}, which is mounted read-only, so {runtime} can't make this mount point "
        f"(EROFS, Read-only file system): name a path outside {above}, or have {place} in the volume beforehand"
    )
    return refuse(path("mounts", point.index, "destination"), place, reason, sources.of("mounts", point.index))
