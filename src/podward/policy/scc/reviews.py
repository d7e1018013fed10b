"""Which SCCs would admit a Pod of a template, for these users: what PodSecurityPolicy reviews ask.

Specification: openshift/openshift-apiserver, pkg/security/apiserver/registry (podsecuritypolicy…review), with
apiserver-library-go, sccmatching FindApplicableSCCs: the SCCs that any of the users may use are tried in order. Nothing
else of admission is asked: not whether the standard SCCs are there, nor which namespaces are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from podward.api.authorization import Authorizer, Opinion
from podward.api.caller import User
from podward.api.core import Namespace, Pod
from podward.decision import Decision
from podward.policy.scc.access import use_of
from podward.policy.scc.policies import Policies, Prepared


class Tried(Struct, frozen=True):
    """An SCC that was tried, and what it decided about the Pod."""

    name: str
    decision: Decision

    @property
    def allows(self) -> bool:
        """Whether it would admit the Pod."""
        return not self.decision.violations


def usable(
    policies: Policies, namespace: Namespace | None, name: str, users: Sequence[User], authorizer: Authorizer
) -> tuple[Prepared, ...] | str:
    """The SCCs that one of the users may use in a namespace, in order; a text is why none can be tried."""
    prepared = policies.in_order(namespace, name, "", None)
    if isinstance(prepared, str):
        return prepared
    return tuple(entry for entry in prepared if any(_may_use(entry, user, name, authorizer) for user in users))


def _may_use(entry: Prepared, user: User, namespace: str, authorizer: Authorizer) -> bool:
    if entry.ranked.members.grant(user) is not None:
        return True
    return authorizer.authorize(use_of(entry.ranked.rank.name, user, namespace)).opinion is Opinion.ALLOW


def tried(prepared: Iterable[Prepared], pod: Pod) -> Iterator[Tried]:
    """Each SCC's decision about the Pod."""
    for entry in prepared:
        yield Tried(entry.ranked.rank.name, entry.provider.decide(pod))
