"""What is there when a server of OpenShift has started: the definition of SCCs, the default ones, roles and bindings.

What is there stays as it is, but for roles and bindings, which are completed: see access/reconciliation.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from podward.access.default_roles.openshift import default_objects
from podward.errors import StoreError
from podward.policy.scc.default_set import default_sccs
from podward.schema.openshift.constraints import GROUP, NAME, PLURAL, definition
from podward.server import first_objects, routes
from podward.stages.admission.openshift import completed

if TYPE_CHECKING:
    from podward.api.resource import Resource
    from podward.server.scope import Parts

_PATIENCE, _PAUSE = 10.0, 0.005


async def make_before(parts: Parts) -> None:
    """Make what the server looks at when it starts to serve: the definition of SCCs, roles and bindings."""
    await first_objects.make_missing(parts, definition())
    for obj in default_objects():
        await first_objects.complete(parts, obj)


async def make_after(parts: Parts) -> None:
    """Make the default SCCs, once SCCs are served."""
    scope = routes.scope_of(parts, await _served(parts))
    for scc in default_sccs():
        await first_objects.make_missing(parts, completed(scc), scope)


async def _served(parts: Parts) -> Resource:
    """The resource of SCCs, as soon as it is there."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while loop.time() < end:
        found = parts.catalog.find(GROUP, "v1", PLURAL)
        if found is not None:
            return found
        await asyncio.sleep(_PAUSE)
    raise StoreError(
        f"{NAME} is not served", advice="look at the conditions in its status; delete it if it is not yours"
    )
