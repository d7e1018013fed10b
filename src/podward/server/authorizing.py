"""Who may do what: the authorizers of a server in the order of its flags, and the roles that they read."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, TypeVar

from podward.access.always import AlwaysAllow, AlwaysDeny
from podward.access.authorizer_entries import ABAC, NODE, RBAC
from podward.access.chain import first_opinion
from podward.access.known_rules import KnownRules, together
from podward.access.stored_rbac import StoredRbac
from podward.access.superuser import Superuser
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import User
from podward.errors import UsageError
from podward.server.encoding import decoded
from podward.server.node_authorizing import Nodes
from podward.server.webhook_authorizing import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from podward.access.abac import Abac
    from podward.access.authorizer_entries import AuthorizerEntry
    from podward.server.cache import Cache, Caches
    from podward.server.webhooks.client import Webhooks
    from podward.store.interface import Event

Found = TypeVar("Found")


class Asked(Protocol):
    """An authorizer of a server: it answers at once, or when it has asked around."""

    def authorize(self, wanted: Attributes) -> Answer | Awaitable[Answer]:
        """Whether the user may do it, as far as this authorizer knows."""

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What it can list of what the user may do there."""


class Authorizers:
    """The authorizers of a server."""

    def __init__(self, entries: Sequence[AuthorizerEntry], policies: Abac | None = None) -> None:
        """`policies` are ABAC's. Raises UsageError for ABAC without them, InputError for a webhook that is nowhere."""
        self.rbac = StoredRbac()
        types = [entry.type for entry in entries]
        self.uses_rbac = RBAC in types
        self._nodes = Nodes() if NODE in types else None
        known: dict[str, Asked] = {"AlwaysAllow": AlwaysAllow(), "AlwaysDeny": AlwaysDeny(), RBAC: self.rbac}
        if self._nodes is not None:
            known[NODE] = self._nodes
        if policies is not None:
            known[ABAC] = policies
        elif ABAC in types:
            raise UsageError(
                "authorization mode ABAC has no policies", where="--authorization-mode",
                advice="name their file with --authorization-policy-file",
            )  # fmt: skip
        self._superuser = Superuser()
        asked = [
            known[entry.type] if entry.webhook is None else Webhook(entry.name, entry.webhook) for entry in entries
        ]
        self._chain: tuple[Asked, ...] = tuple(asked)

    async def authorize(self, wanted: Attributes) -> Answer:
        """Whether the user may do it."""
        masters = self._superuser.authorize(wanted)
        if masters.opinion is Opinion.ALLOW:
            return masters
        asking = first_opinion(self._chain)
        try:
            authorizer = next(asking)
            while True:
                answer = authorizer.authorize(wanted)
                authorizer = asking.send(answer if isinstance(answer, Answer) else await answer)
        except StopIteration as end:
            found: Answer = end.value
            return found

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What the authorizers can list of what the user may do there."""
        return together(each.known_rules(user, namespace) for each in self._chain)

    async def start(self, caches: Caches, webhooks: Webhooks) -> None:
        """Know what authorizers look up from now on, apart from roles and bindings; call webhooks by these."""
        for each in self._chain:
            if isinstance(each, Webhook):
                each.reach_by(webhooks)
        if self._nodes is not None:
            await self._nodes.follow(caches)

    async def follow(self, kind: str, cache: Cache) -> None:
        """Know the roles, or bindings, of a cache from now on."""
        await cache.start()
        for item in cache.items(cache.prefix):
            self.rbac.put(kind, decoded(item.stored))

        def take(event: Event) -> None:
            namespace, _, name = event.stored.key.removeprefix(cache.prefix).rpartition("/")
            self.rbac.remove(kind, namespace, name)  # first: what cannot be read gives nothing
            if event.type == "PUT":
                self.rbac.put(kind, decoded(event.stored))

        cache.listeners.append(take)


async def decided(
    asking: Generator[Attributes, Answer, Found], authorize: Callable[[Attributes], Awaitable[Answer]]
) -> Found:
    """What a rule that asks the authorizers comes to, once they have answered all its questions."""
    try:
        question = next(asking)
        while True:
            question = asking.send(await authorize(question))
    except StopIteration as end:
        found: Found = end.value
        return found
