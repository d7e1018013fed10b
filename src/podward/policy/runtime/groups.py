"""The supplementary groups of the process.

Specification, in our words. Under Merge the groups of the image's /etc/group that list the user's *name* as a member
are added; the name is the one that /etc/passwd gives for the uid, so an unknown uid brings none. Strict adds none.
- containerd (2.2 `containerSpecOpts`, `pkg/oci.WithAdditionalGIDs`): the primary gid, the image's, and the CRI's
  supplementalGroups, sorted, each once. A group that bears the user's own name is passed over. If no user is asked for
  at all, Strict leaves the primary gid out too.
- CRI-O (1.33 `setupContainerUser`): primary, image's, CRI's, in this order, each once.
- Docker (29 `getUser`): primary, image's, CRI's; the image's only if no group was asked for. cri-dockerd does not know
  supplementalGroupsPolicy: here a Pod that asks for Strict is refused, never run with other groups.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.image import Image, UnknownImage
from podward.decision import Assignment, Decision, Origin, Source, Unknown, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.user import HIGHEST_ID, Found, ResolvedId, image_file

PLACE = path("process", "user", "additionalGids")


def decide(
    context: LinuxContainerSecurityContext, image: Image | UnknownImage, found: Found, runtime: RuntimeProfile
) -> Decision:
    """`process.user.additionalGids`, item by item; a violation for an id that the kernel has not."""
    policy = context.supplemental_groups_policy
    refused = _refusal(policy, runtime)
    rows: list[ResolvedId] = []
    if found.asked or policy == "Merge" or runtime.name != "containerd":
        rows.append(ResolvedId(found.gid.value, "the primary group", found.gid.source))
    if policy == "Merge":
        rows += _of_image(image, found, runtime)
    rows += [
        ResolvedId(gid, "a supplementary group of the Pod", runtime.of("securityContext", "supplementalGroups", index))
        for index, gid in enumerate(context.supplemental_groups)
    ]
    known, hidden = [], []
    for part in rows:
        if isinstance(part.value, Unknown):
            hidden.append(part)
        elif 0 <= part.value <= HIGHEST_ID:
            known.append((part.value, part))
        else:
            sentence = f"gid {part.value} is out of range: 0-{HIGHEST_ID}"
            refused += refuse(PLACE, part.value, sentence, part.source)
    if runtime.name == "containerd":
        known.sort(key=lambda row: row[0])
    kept = [*_unique(known), *_as_one(hidden)]
    if not kept:
        return refused + assign(PLACE, (), "Strict, and no group is asked for", runtime.source)
    return refused + Decision(
        tuple(Assignment(PLACE / i, part.value, part.reason, part.source) for i, part in enumerate(kept))
    )


def _refusal(policy: str, runtime: RuntimeProfile) -> Decision:
    source = runtime.of("securityContext", "supplementalGroupsPolicy")
    if policy not in ("Merge", "Strict"):
        return refuse(PLACE, policy, f"not implemented in this runtime: SupplementalGroupsPolicy={policy}", source)
    if policy == "Strict" and runtime.name == "docker":
        return refuse(PLACE, policy, "SupplementalGroupsPolicy=Strict is not implemented in cri-dockerd", source)
    return Decision()


def _of_image(image: Image | UnknownImage, found: Found, runtime: RuntimeProfile) -> list[ResolvedId]:
    """The groups of the image that have this user as a member."""
    containerd = runtime.name == "containerd"
    if found.grouped and not containerd:
        return []
    if isinstance(image, UnknownImage):
        file = Source(Origin.IMAGE, f"{image.name} /etc/group")
        return [ResolvedId(image.unknown, "the user's groups in the image's /etc/group", file)]
    if not found.login:
        return []
    return [
        ResolvedId(entry.gid, f"{found.login} is a member of {entry.name}", image_file(image, "/etc/group", entry.line))
        for entry in image.group
        if found.login in entry.members and not (containerd and entry.name == found.login)
    ]


def _unique(rows: list[tuple[int, ResolvedId]]) -> list[ResolvedId]:
    """Each gid where it first stands."""
    seen: dict[int, ResolvedId] = {}
    for gid, part in rows:
        seen.setdefault(gid, part)
    return list(seen.values())


def _as_one(hidden: list[ResolvedId]) -> list[ResolvedId]:
    """All groups that are not known, as the last item: how many there are is not known either."""
    if not hidden:
        return []
    return [ResolvedId(hidden[0].value, "; ".join(part.reason for part in hidden), hidden[-1].source)]
