"""The process gets a supplementary group from the image's /etc/group that the manifest does not name.

Specification (Kubernetes `supplementalGroupsPolicy`, KEP-3619; containerd 2.2, CRI-O 1.33, Docker 29), in our
words:
- Without a policy, or with Merge, the runtime adds every group of the image's /etc/group that lists the user's name as
  a member. The process can then use that group's files, although no policy that checked the manifest saw the group.
- The hint is given if the runtime spec has a group from that file that the Pod does not request itself.
- Strict adds none. cri-dockerd does not know Strict; there the image's groups are not added if a group is requested.
- No hint is given about a process that may use every file anyway (CAP_DAC_OVERRIDE and the host's uid 0).
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Assignment, Origin
from podward.path import path
from podward.policy.hints import identity
from podward.policy.hints.facts import HintFacts, container_field, pod_field

NAME = "group-from-image"
FILE = "/etc/group"
_PLACE = path("process", "user", "additionalGids")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint, about all such groups of the container."""
    added = from_image(facts)
    if not added or _is_root(facts):
        return ()
    gids = ", ".join(str(row.value) for row in added)
    why = "; ".join(f"{row.reason} in {row.source}" for row in added)
    if facts.node.runtime_defaults == "docker":
        gid = identity.of(facts).gid
        change = Change(container_field(facts, "securityContext", "runAsGroup"), gid)
        remedy = f"Write runAsGroup: {gid}, for Docker adds the image's groups only where no group is asked for."
    else:
        change = Change(pod_field(facts, "securityContext", "supplementalGroupsPolicy"), "Strict")
        remedy = "Set supplementalGroupsPolicy: Strict, and list in supplementalGroups the groups that are wanted."
    return (
        Hint(
            NAME,
            facts.container.name,
            pod_field(facts, "securityContext", "supplementalGroupsPolicy"),
            f"The process gets group {gids}, which the manifest does not name: {why}.",
            remedy,
            (change,),
            added[0].source,
        ),
    )


def from_image(facts: HintFacts) -> tuple[Assignment, ...]:
    """The assignments of groups that come from the image's /etc/group and not from the manifest."""
    if facts.spec is None:
        return ()
    requested = facts.effective.value.supplemental_groups
    return tuple(
        row
        for row in facts.spec.decision.assignments
        if row.path.startswith(_PLACE)
        and row.source.origin is Origin.IMAGE
        and row.source.name.endswith(FILE)
        and row.value not in requested
    )


def _is_root(facts: HintFacts) -> bool:
    if facts.predicted is None:
        return False
    state = facts.predicted.value
    return state.uid[1] == 0 and bool(state.cap_effective & identity.OVERRIDE)
