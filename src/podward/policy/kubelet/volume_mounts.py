"""The mounts that a container's volumeMounts request, and when the kubelet refuses them.

Specification (kubelet, `makeMounts`, in our words):
- The Pod must have the volume. A relative mount path starts at the root.
- `subPathExpr` takes precedence over `subPath`. Its `$(NAME)` are expanded from the container's environment; a name
  without a value is an error. The result must be relative and must not contain `..`, because validation has only seen
  the unexpanded text. The kubelet names the result; here it is named as it is written.
- Propagation: None or unset is private, HostToContainer is slave, Bidirectional is shared.
- A mount is read-only if it says so, or if its volume is: those of Secrets, ConfigMaps and the like always are.
- `recursiveReadOnly` holds if it is Enabled, which is refused where the runtime cannot do it, or IfPossible and it can.

Validation checks everything else about mounts (`podward.schema.validation.mounts`).
"""

from __future__ import annotations

from collections.abc import Mapping

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


class ResolvedMount(Struct, frozen=True, gc=False):
    """One mount: the volume, or the file at `sub_path` in it, is mounted at `container_path`."""

    volume: str
    container_path: str
    sub_path: str = ""
    readonly: bool = False
    recursive_read_only: bool = False
    propagation: str = "PROPAGATION_PRIVATE"


class ResolvedMounts(Struct, frozen=True):
    """The mounts of a container: the value that the Decision of `decide` folds into."""

    mounts: tuple[ResolvedMount, ...] = ()


def decide(
    container: Container,
    volumes: Mapping[str, bool],
    environment: dict[str, str],
    place: Place,
    *,
    recursive_supported: bool = True,
) -> Decision:
    """`mounts`, one for each volumeMount in their order; only violations if any volumeMount is refused.

    `volumes` says of each of the Pod's volumes whether it is read-only, `recursive_supported` whether the runtime can
    make mounts read-only at every depth.
    """
    assignments: list[Assignment] = []
    refusals: list[Decision] = []
    for index, mount in enumerate(container.volume_mounts or ()):
        where = place.container / "volumeMounts" / index
        sub_path, refusal = _sub_path(mount, environment, where)
        refusal += _volume_and_mode(mount, volumes, container, where)
        if mount.recursive_read_only == "Enabled" and not recursive_supported:
            refusal += refuse(where / "recursiveReadOnly", "Enabled", _unsupported(mount), RULE)
        if refusal.refused:
            refusals.append(refusal)
            continue
        resolved = ResolvedMount(
            volume=mount.name,
            container_path=mount.mount_path if mount.mount_path.startswith("/") else f"/{mount.mount_path}",
            sub_path=sub_path,
            readonly=bool(mount.read_only) or volumes[mount.name],
            recursive_read_only=recursive_supported and mount.recursive_read_only in {"Enabled", "IfPossible"},
            propagation=PROPAGATIONS[mount.mount_propagation or "None"],
        )
        source = Source(Origin.MANIFEST, place.document, where)
        assignments.append(Assignment(path("mounts", len(assignments)), resolved, "volumeMounts", source))
    return merge(*refusals) if refusals else Decision(tuple(assignments))


def _volume_and_mode(mount: VolumeMount, volumes: Mapping[str, bool], container: Container, where: Path) -> Decision:
    if mount.name not in volumes:
        reason = f"cannot find volume {quote(mount.name)} to mount into container {quote(container.name)}"
        return refuse(where / "name", mount.name, reason, RULE)
    mode = mount.mount_propagation or "None"
    if mode not in PROPAGATIONS:
        return refuse(where / "mountPropagation", mode, f"invalid MountPropagation mode: {quote(mode)}", RULE)
    return Decision()


def _unsupported(mount: VolumeMount) -> str:
    return f"volume {quote(mount.name)} requested recursive read-only mode, but it is not supported by the runtime"


def _sub_path(mount: VolumeMount, environment: dict[str, str], where: Path) -> tuple[str, Decision]:
    """The expanded subPath, and the violation if it is refused."""
    written, place = mount.sub_path or "", where / "subPath"
    if mount.sub_path_expr:
        place = where / "subPathExpr"
        missing = sorted({name for name in _names(mount.sub_path_expr) if not environment.get(name)})
        if missing:
            return "", refuse(place, mount.sub_path_expr, f"missing value for {', '.join(missing)}", RULE)
        written = expand(mount.sub_path_expr, environment)
    told = mount.sub_path_expr or written  # a variable's value may be a secret
    if written.startswith("/"):
        return "", refuse(place, told, f"error SubPath `{told}` must not be an absolute path", RULE)
    if backsteps(written):
        return "", refuse(place, told, f"unable to provision SubPath `{told}`: {NO_BACKSTEPS}", RULE)
    return written, Decision()


def _names(text: str) -> list[str]:
    """The names in all `$(NAME)` of `text`; `$$` is a literal `$`."""
    names, at = [], 0
    while (at := text.find("$", at)) >= 0:
        if text[at + 1 : at + 2] == "(" and (end := text.find(")", at + 2)) >= 0:
            names.append(text[at + 2 : end])
            at = end + 1
        else:
            at += 2 if text[at + 1 : at + 2] == "$" else 1
    return names
