"""The Node authorizer of a server: what it knows of Pods and volumes follows the store.

A node is answered by what is stored at the moment, and not by what was known a little earlier: a Secret is a node's as
soon as its Pod is bound, and no longer than that. What cannot be read is known to lead nowhere.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from podward.access.node.authorizer import NodeAuthorizer
from podward.access.node.graph import FOLLOWED, Graph
from podward.schema.resources import RESOURCES
from podward.server.catalog import prefix_of
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Answer, Attributes
    from podward.api.caller import User
    from podward.server.cache import Cache, Caches
    from podward.store.interface import Event


class Nodes:
    """The authorizer, and the caches that it follows."""

    def __init__(self) -> None:
        self._authorizer = NodeAuthorizer(Graph())
        self._caches: list[Cache] = []

    async def authorize(self, wanted: Attributes) -> Answer:
        """What the Node authorizer says by what is stored now."""
        if self._authorizer.depends_on_objects(wanted):
            await asyncio.gather(*(cache.fresh() for cache in self._caches))
        return self._authorizer.authorize(wanted)

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What can be listed of it."""
        return self._authorizer.known_rules(user, namespace)

    async def follow(self, caches: Caches) -> None:
        """Know what is stored from now on."""
        for resource in RESOURCES:
            if resource.plural in FOLLOWED and resource.stored == resource.group_version:
                await self._follow(resource.plural, caches.of(prefix_of(resource)))

    async def _follow(self, plural: str, cache: Cache) -> None:
        graph = self._authorizer.graph
        await cache.start()
        for item in cache.items(cache.prefix):
            graph.put(plural, decoded(item.stored))

        def take(event: Event) -> None:
            namespace, _, name = event.stored.key.removeprefix(cache.prefix).rpartition("/")
            graph.remove(plural, namespace, name)  # first: what cannot be read leads nowhere
            if event.type == "PUT":
                graph.put(plural, decoded(event.stored))

        cache.listeners.append(take)
        self._caches.append(cache)
