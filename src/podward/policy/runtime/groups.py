"""The supplementary groups of the process in the spec.

Specification, in our words. Under Merge the runtime adds the groups of the image's /etc/group that list the user's
*name* as a member. The name comes from /etc/passwd, so a uid that is not in /etc/passwd has no such groups. Under
Strict the runtime adds none.
- containerd (2.2 `containerSpecOpts`, `pkg/oci.WithAdditionalGIDs`): the primary gid, the image's groups, and the CRI's
  supplementalGroups, sorted, each once. A group with the user's own name is skipped. If neither the CRI nor the image
  names a user, Strict leaves out the primary gid too.
- CRI-O (1.33 `setupContainerUser`): primary, image's, CRI's, in this order, each once.
- Docker (29 `getUser`): primary, image's, CRI's; the image's only if no group was requested. cri-dockerd does not know
  supplementalGroupsPolicy: here a Pod with Strict is refused, so that it never runs with other groups.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.image import Image, UnknownImage
from podward.decision import Assignment, Decision, Origin, Source, Unknown, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.user import HIGHEST_ID, ResolvedId, ResolvedUser, image_file

PLACE = path("process", "user", "additionalGids")


def decide(
    context: LinuxContainerSecurityContext, image: Image | UnknownImage, user: ResolvedUser, runtime: RuntimeProfile
) -> Decision:
    """`process.user.additionalGids`, one assignment for each item; a violation for an id that the kernel refuses."""
    policy = context.supplemental_groups_policy
    refused = _refusal(policy, runtime)
    gids: list[ResolvedId] = []
    if user.named_user or policy == "Merge" or runtime.name != "containerd":
        gids.append(ResolvedId(user.gid.value, "the primary group", user.gid.source))
    if policy == "Merge":
        gids += _of_image(image, user, runtime)
    for index, number in enumerate(context.supplemental_groups):
        source = runtime.source_of("linux", "securityContext", "supplementalGroups", index)
        gids.append(ResolvedId(number, "a supplementary group of the Pod", source))
    known, unknown = [], []
    for gid in gids:
        if isinstance(gid.value, Unknown):
            unknown.append(gid)
        elif 0 <= gid.value <= HIGHEST_ID:
            known.append((gid.value, gid))
        else:
            sentence = f"gid {gid.value} is out of range: 0-{HIGHEST_ID}"
            refused += refuse(PLACE, gid.value, sentence, gid.source)
    if runtime.name == "containerd":
        known.sort(key=lambda row: row[0])
    kept = [*_unique(known), *_as_one(unknown)]
    if not kept:
        return refused + assign(PLACE, (), "Strict, and no group is asked for", runtime.source)
    return refused + Decision(
        tuple(Assignment(PLACE / i, gid.value, gid.reason, gid.source) for i, gid in enumerate(kept))
    )


def _refusal(policy: str, runtime: RuntimeProfile) -> Decision:
    source = runtime.source_of("linux", "securityContext", "supplementalGroupsPolicy")
    if policy not in ("Merge", "Strict"):
        return refuse(PLACE, policy, f"not implemented in this runtime: SupplementalGroupsPolicy={policy}", source)
    if policy == "Strict" and runtime.name == "docker":
        return refuse(PLACE, policy, "SupplementalGroupsPolicy=Strict is not implemented in cri-dockerd", source)
    return Decision()


def _of_image(image: Image | UnknownImage, user: ResolvedUser, runtime: RuntimeProfile) -> list[ResolvedId]:
    """The groups of the image that have this user as a member."""
    containerd = runtime.name == "containerd"
    if user.named_group and not containerd:
        return []
    if isinstance(image, UnknownImage):
        file = Source(Origin.IMAGE, f"{image.name} /etc/group")
        return [ResolvedId(image.unknown, "the user's groups in the image's /etc/group", file)]
    if not user.name:
        return []
    return [
        ResolvedId(entry.gid, f"{user.name} is a member of {entry.name}", image_file(image, "/etc/group", entry.line))
        for entry in image.group
        if user.name in entry.members and not (containerd and entry.name == user.name)
    ]


def _unique(rows: list[tuple[int, ResolvedId]]) -> list[ResolvedId]:
    """Each gid once, at its first position."""
    seen: dict[int, ResolvedId] = {}
    for number, gid in rows:
        seen.setdefault(number, gid)
    return list(seen.values())


def _as_one(hidden: list[ResolvedId]) -> list[ResolvedId]:
    """All groups that are not known, as the last item: how many there are is not known either."""
    if not hidden:
        return []
    return [ResolvedId(hidden[0].value, "; ".join(part.reason for part in hidden), hidden[-1].source)]
