"""A supplementary group that nobody wrote in the manifest: the image's /etc/group put the user into it.

Specification (Kubernetes `supplementalGroupsPolicy`, KEP-3619; containerd 2.2, CRI-O 1.33, Docker 29), in our
words:
- Without a policy, or with Merge, the runtime adds every group of the image's /etc/group that has the user's name as a
  member. Files that such a group may use are then open to the process, whatever policies looked at the manifest.
- The hint stands where the runtime spec has a group that came from that file and that the Pod does not ask for as well.
- Strict adds none. cri-dockerd does not know it: there the image's groups stay away if a group is asked for.
- Nothing is said about a process that may use every file anyway (CAP_DAC_OVERRIDE and the host's uid 0).
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Assignment, Origin
from podward.path import path
from podward.policy.hints import identity
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import of_container, of_pod

NAME = "group-from-image"
FILE = "/etc/group"
_PLACE = path("process", "user", "additionalGids")


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for all such groups of the container."""
    added = from_image(facts)
    if not added or _is_root(facts):
        return ()
    gids = ", ".join(str(row.value) for row in added)
    why = "; ".join(f"{row.reason} in {row.source}" for row in added)
    if facts.node.runtime_defaults == "docker":
        gid = identity.of(facts).gid
        change = Change(of_container(facts, "securityContext", "runAsGroup"), gid)
        remedy = f"Write runAsGroup: {gid}, for Docker adds the image's groups only where no group is asked for."
    else:
        change = Change(of_pod(facts, "securityContext", "supplementalGroupsPolicy"), "Strict")
        remedy = "Set supplementalGroupsPolicy: Strict, and list in supplementalGroups the groups that are wanted."
    return (
        Hint(
            NAME,
            facts.container.name,
            of_pod(facts, "securityContext", "supplementalGroupsPolicy"),
            f"The process gets group {gids}, which the manifest does not name: {why}.",
            remedy,
            (change,),
            added[0].source,
        ),
    )


def from_image(facts: HintFacts) -> tuple[Assignment, ...]:
    """The assignments of groups that only the image's /etc/group asks for."""
    if facts.spec is None:
        return ()
    asked = facts.effective.value.supplemental_groups
    return tuple(
        row
        for row in facts.spec.decision.assignments
        if row.path.startswith(_PLACE)
        and row.source.origin is Origin.IMAGE
        and row.source.name.endswith(FILE)
        and row.value not in asked
    )


def _is_root(facts: HintFacts) -> bool:
    if facts.predicted is None:
        return False
    state = facts.predicted.value
    return state.uid[1] == 0 and bool(state.cap_effective & identity.OVERRIDE)
