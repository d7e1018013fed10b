"""Who may do what: the authorizers of a server in the order of its flags, and the roles that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from podward.access.always import AlwaysAllow, AlwaysDeny
from podward.access.chain import Chain
from podward.access.objects import PolicyRule
from podward.access.stored_rbac import StoredRbac
from podward.access.superuser import Superuser
from podward.errors import UsageError
from podward.server.cache import Cache
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from podward.access.abac import Abac
    from podward.api.authorization import Answer, Attributes, Authorizer
    from podward.api.caller import User
    from podward.store.interface import Event

Found = TypeVar("Found")

MODES = ("AlwaysAllow", "AlwaysDeny", "RBAC")


class Authorizers:
    """The authorizers of a server."""

    def __init__(self, modes: Sequence[str], policies: Abac | None = None) -> None:
        """`policies` are ABAC's. Raises UsageError for a mode that there is not, or whose file is missing."""
        self.rbac = StoredRbac()
        self.uses_rbac = "RBAC" in modes
        known: dict[str, Authorizer] = {
            "AlwaysAllow": AlwaysAllow(), "AlwaysDeny": AlwaysDeny(), "RBAC": self.rbac,
        }  # fmt: skip
        if policies is not None:
            known["ABAC"] = policies
        elif "ABAC" in modes:
            raise UsageError(
                "authorization mode ABAC has no policies", where="--authorization-mode",
                advice="name their file with --authorization-policy-file",
            )  # fmt: skip
        for mode in modes:
            if mode not in known:
                raise UsageError(
                    f"there is no authorization mode {mode!r}", where="--authorization-mode",
                    advice=f"the modes are {', '.join(known)}",
                )  # fmt: skip
        self._chain = Chain(Superuser(), *(known[mode] for mode in modes))

    async def authorize(self, wanted: Attributes) -> Answer:
        """Whether the user may do it."""
        return self._chain.authorize(wanted)

    def rules_for(self, user: User, namespace: str) -> tuple[list[PolicyRule], list[str]]:
        """The rules of RBAC that hold for the user there."""
        rules, errors = self.rbac.rules_for(user, namespace) if self.uses_rbac else ([], [])
        return [rule.policy for rule in rules], errors

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
