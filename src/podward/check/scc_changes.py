"""Why a workload comes under another SCC: the order of the SCCs changed, who may use them, or what they refuse.

Specification: `podward.policy.scc.order` and `podward.policy.scc.selection`: SCCs are tried by priority, then the more
restrictive one first, then by name; the first that is usable and fits is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from podward.api.caller import User, service_account
from podward.api.core import Namespace
from podward.api.policy_change import ChangeKind
from podward.check.policy_set import PolicySet
from podward.decision import Origin, Source
from podward.path import Path, path
from podward.policy.scc import default_set
from podward.policy.scc.order import why_before
from podward.policy.scc.policies import Ranked
from podward.policy.scc.selection import Candidate, Selection, Verdict

_ACCOUNT_PARTS = 4


class Side(Struct, frozen=True):
    """One set of policies, with the name on the command line that it stands for.

    `where` returns the `file:line` of a policy's field, empty if it is in no file. `who` returns in words what allows
    a user to use an SCC in a namespace. `namespaces` are the namespaces that a file describes.
    """

    name: str
    policies: PolicySet
    where: Callable[[Source], str]
    who: Callable[[User, str, str], str]
    namespaces: Mapping[str, Namespace]


class Sides(Struct, frozen=True):
    """The two sides. `same_sccs` is whether they have the same SCCs with the same rights to use them, or no SCCs."""

    old: Side
    new: Side
    same_sccs: bool = False

    def alike(self, namespace: str) -> bool:
        """Whether both sides have the same policies for this namespace, so nothing can change for its workloads."""
        old, new = self.old, self.new
        return (
            self.same_sccs
            and old.namespaces.get(namespace) == new.namespaces.get(namespace)
            and old.policies.pod_security(namespace).policy == new.policies.pod_security(namespace).policy
        )


class SccChange(Struct, frozen=True):
    """Why a workload comes under another SCC: the kind of change, one sentence, a policy's field, more sentences.

    `gone` is whether the policy is on the old side only.
    """

    kind: ChangeKind
    why: str
    source: Source
    also: tuple[str, ...] = ()
    gone: bool = False


class ChosenScc(Struct, frozen=True):
    """The SCC that was chosen, and the selection that chose it."""

    selection: Selection
    candidate: Candidate


def why_other_scc(old: ChosenScc, new: ChosenScc, sides: Sides, subject: tuple[str, str]) -> SccChange:
    """Why `new` took the place of `old`; `subject` is the workload's kind and namespace."""
    ours, theirs = old.candidate, new.candidate
    also = (may_use(sides.new, theirs, subject), *_why_not_before(old, theirs.name))
    tried = _tried(new.selection, ours.name)
    if tried is not None:
        return _failed(tried, also)
    place = _ranked(sides.new.policies, ours.name)
    source = Source(Origin.POLICY, f"scc {theirs.name}", path("priority"))
    if place is None:
        gone = Source(Origin.POLICY, f"scc {ours.name}", path("metadata", "name"))
        why = f"scc {ours.name} is no longer there, and scc {theirs.name} is the next that fits"
        return SccChange(ChangeKind.SCC, why, gone, also, gone=True)
    kind = ChangeKind.SCC if theirs.name in default_set.NAMES else ChangeKind.CAPTURED
    first, second = theirs.rank, place.rank
    if first.priority != second.priority:
        why = f"scc {first.name} priority {first.priority} before {second.name} {second.priority}"
    else:
        why = (
            f"scc {first.name} before {second.name} at the same priority, {first.priority}: {why_before(first, second)}"
        )
        source = Source(Origin.POLICY, f"scc {theirs.name}", path("metadata", "name"))
    return SccChange(kind, why, source, also)


def may_use(side: Side, chosen: Candidate, subject: tuple[str, str]) -> str:
    """A sentence that says why the SCC may be used for this workload, with the `file:line` that grants it."""
    kind, namespace = subject
    grant, terms = chosen.grant, side.policies.scc
    if grant is None or terms is None:
        return f"scc {chosen.name} may be used"
    place = side.where(grant.source)
    written = f" ({place})" if place else ""
    ranked = _ranked(side.policies, chosen.name)
    if ranked is not None:
        for what, names in (("user", ranked.members.users), ("group", ranked.members.groups)):
            for name, source in names.items():
                if source == grant.source:
                    return f"scc {chosen.name} itself names the {what} {name}{written}"
    user = terms.caller(kind)
    if grant.subject_type == "serviceaccount":
        parts = grant.user.split(":")
        user = service_account(namespace, parts[-1]) if len(parts) == _ACCOUNT_PARTS else User(grant.user)
    return f"scc {chosen.name} may be used: {side.who(user, chosen.name, namespace)}{written}"


def _failed(tried: Candidate, also: tuple[str, ...]) -> SccChange:
    """Why the old SCC, which still comes first, no longer takes the workload."""
    name = tried.name
    if tried.verdict is Verdict.NOT_USABLE:
        source = Source(Origin.POLICY, f"scc {name}", Path())
        return SccChange(ChangeKind.SCC, f"nobody who makes the Pod may use scc {name} any longer", source, also)
    first = tried.decision.violations[0]
    return SccChange(ChangeKind.SCC, f"scc {name} refuses it now: {first.path}: {first.reason}", first.source, also)


def _why_not_before(old: ChosenScc, name: str) -> tuple[str, ...]:
    """Why the new SCC was not chosen on the old side, if it was tried there."""
    tried = _tried(old.selection, name)
    if tried is None:
        return ()
    if tried.verdict is Verdict.NOT_USABLE:
        return (f"before, nobody who makes the Pod could use scc {name}",)
    first = tried.decision.violations[0]
    return (f"before, scc {name} refused it: {first.path}: {first.reason}",)


def _tried(selection: Selection, name: str) -> Candidate | None:
    """The SCC of this name if it was tried and not chosen."""
    return next((c for c in selection.candidates if c.name == name and c.verdict is not Verdict.CHOSEN), None)


def _ranked(policies: PolicySet, name: str) -> Ranked | None:
    every = policies.scc.policies.ranked if policies.scc is not None else ()
    return next((entry for entry in every if entry.rank.name == name), None)
