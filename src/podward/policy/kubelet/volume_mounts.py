"""What each of a container's volumeMounts asks for, and what the kubelet refuses about them.

Specification (kubelet, `makeMounts`, in our words):
- The volume must be there. A relative mount path is taken from the root.
- `subPathExpr` expands `$(NAME)` from the container's environment, where a name without a value is an error; it counts
  before `subPath`. Either must then be relative and hold no `..`: validation saw only what was written.
- Propagation: None or nothing (private), HostToContainer (slave), Bidirectional (shared).
- `recursiveReadOnly`: Enabled, or IfPossible, which it is here (Linux 5.12, crun 1.4, runc 1.1).

What else may be wrong with a mount is validation's business (`podward.schema.validation.mounts`).
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, VolumeMount
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, merge, refuse
from podward.path import Path, path
from podward.policy.kubelet.environment import expand
from podward.policy.kubelet.host_path import NO_BACKSTEPS, backsteps

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} volumeMounts")
PROPAGATIONS = {
    "Bidirectional": "PROPAGATION_BIDIRECTIONAL",
    "HostToContainer": "PROPAGATION_HOST_TO_CONTAINER",
    "None": "PROPAGATION_PRIVATE",
}


class Wanted(Struct, frozen=True, gc=False):
    """One mount: a volume, or what is at `sub_path` in it, at a path of the container."""

    volume: str
    container_path: str
    sub_path: str = ""
    readonly: bool = False
    recursive_read_only: bool = False
    propagation: str = "PROPAGATION_PRIVATE"


class WantedMounts(Struct, frozen=True):
    """What `decide` folds into."""

    mounts: tuple[Wanted, ...] = ()


def decide(container: Container, volumes: frozenset[str], environment: dict[str, str], place: Place) -> Decision:
    """`mounts`, one for each volumeMount in order, unless there are violations."""
    assignments: list[Assignment] = []
    refusals: list[Decision] = []
    for index, mount in enumerate(container.volume_mounts or ()):
        where = place.container / "volumeMounts" / index
        sub_path, faults = _sub_path(mount, environment, where)
        faults += _volume_and_mode(mount, volumes, container, where)
        if faults.refused:
            refusals.append(faults)
            continue
        wanted = Wanted(
            volume=mount.name,
            container_path=mount.mount_path if mount.mount_path.startswith("/") else f"/{mount.mount_path}",
            sub_path=sub_path,
            readonly=bool(mount.read_only),
            recursive_read_only=mount.recursive_read_only in {"Enabled", "IfPossible"},
            propagation=PROPAGATIONS[mount.mount_propagation or "None"],
        )
        source = Source(Origin.MANIFEST, place.document, where)
        assignments.append(Assignment(path("mounts", len(assignments)), wanted, "volumeMounts", source))
    return merge(*refusals) if refusals else Decision(tuple(assignments))


def _volume_and_mode(mount: VolumeMount, volumes: frozenset[str], container: Container, where: Path) -> Decision:
    if mount.name not in volumes:
        reason = f"cannot find volume {quote(mount.name)} to mount into container {quote(container.name)}"
        return refuse(where / "name", mount.name, reason, RULE)
    mode = mount.mount_propagation or "None"
    if mode not in PROPAGATIONS:
        return refuse(where / "mountPropagation", mode, f"invalid MountPropagation mode: {quote(mode)}", RULE)
    return Decision()


def _sub_path(mount: VolumeMount, environment: dict[str, str], where: Path) -> tuple[str, Decision]:
    written, place = mount.sub_path or "", where / "subPath"
    if mount.sub_path_expr:
        place = where / "subPathExpr"
        missing = sorted({name for name in _names(mount.sub_path_expr) if not environment.get(name)})
        if missing:
            return "", refuse(place, mount.sub_path_expr, f"missing value for {', '.join(missing)}", RULE)
        written = expand(mount.sub_path_expr, environment)
    if written.startswith("/"):
        return "", refuse(place, written, f"error SubPath `{written}` must not be an absolute path", RULE)
    if backsteps(written):
        return "", refuse(place, written, f"unable to provision SubPath `{written}`: {NO_BACKSTEPS}", RULE)
    return written, Decision()


def _names(text: str) -> list[str]:
    """The names that `$(NAME)` stands for in `text`; `$$` is a literal `$`."""
    names, at = [], 0
    while (at := text.find("$", at)) >= 0:
        if text[at + 1 : at + 2] == "(" and (end := text.find(")", at + 2)) >= 0:
            names.append(text[at + 2 : end])
            at = end + 1
        else:
            at += 2 if text[at + 1 : at + 2] == "$" else 1
    return names
