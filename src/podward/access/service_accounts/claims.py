"""What a service account's token says.

Specification: Kubernetes, pkg/serviceaccount/claims.go. `sub` is the account's user name; `kubernetes.io` names the
account and what the token is bound to: a Pod (with its node, where it has one), a Secret or a Node. `warnafter` says
from when on its use is stale, where a Pod's token lives longer than was asked for.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.caller import account_username
from podward.api.json_value import Json, JsonObject

GROUP = "kubernetes.io"
LEGACY_ISSUER = "kubernetes/serviceaccount"
"""Of tokens that Secrets hold, and that never expire; no server makes them."""
EXTENDED_FROM = 60 * 60 + 7
"""A Pod's token of just so many seconds, which is what Pods are given by default, is extended and warned about."""
EXTENDED_TO = 365 * 24 * 60 * 60


class ObjectReference(Struct, frozen=True):
    """An object by name and uid; a node that is gone has a name alone."""

    name: str
    uid: str = ""

    def written(self) -> JsonObject:
        """As the token has it."""
        return {"name": self.name, "uid": self.uid} if self.uid else {"name": self.name}


class TokenFacts(Struct, frozen=True):
    """All that a token says. `bound` are objects by their kind in lower case: pod, secret, node."""

    issuer: str
    namespace: str
    account: ObjectReference
    audiences: tuple[str, ...]
    now: int
    seconds: int
    id: str
    bound: tuple[tuple[str, ObjectReference], ...] = ()
    warn_after: int = 0


def claims(facts: TokenFacts) -> JsonObject:
    """The claims of the token."""
    own: JsonObject = {"namespace": facts.namespace}
    for kind, reference in sorted((*facts.bound, ("serviceaccount", facts.account))):
        own[kind] = reference.written()
    if facts.warn_after:
        own["warnafter"] = facts.now + facts.warn_after
    audiences: list[Json] = list(facts.audiences)
    return {
        "aud": audiences,
        "exp": facts.now + facts.seconds,
        "iat": facts.now,
        "iss": facts.issuer,
        "jti": facts.id,
        GROUP: own,
        "nbf": facts.now,
        "sub": account_username(facts.namespace, facts.account.name),
    }
