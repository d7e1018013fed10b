"""What is there when a server of OpenShift has started: the definition of SCCs, the default ones, roles and bindings.

What is there stays as it is, but for roles and bindings, which are completed: see access/reconciliation.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from podward.access.aggregation import rules_by_role
from podward.access.default_roles.openshift import default_objects
from podward.access.objects import RoleObject
from podward.access.reading import stored
from podward.documents.raw_fields import member, objects
from podward.errors import StoreError
from podward.policy.scc.default_set import default_sccs
from podward.schema.openshift.constraints import GROUP, NAME, PLURAL, definition
from podward.schema.resources import BY_KIND
from podward.server import first_objects, routes
from podward.server.encoding import decoded
from podward.stages.admission.openshift import completed

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.api.resource import Resource
    from podward.server.scope import Parts

_PRIORITY: JsonObject = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "openshift-user-critical"},
    "value": 1_000_000_000,
    "globalDefault": False,
    "description": "Pods of OpenShift's own that users meet, such as those of oc debug.",
}
"""The highest priority that is none of the system's: a cluster has it, and `oc debug node/NAME` asks for it."""
_PATIENCE, _PAUSE = 10.0, 0.005


async def make_before(parts: Parts) -> None:
    """Make what the server looks at when it starts to serve: the definition of SCCs, roles and bindings."""
    await first_objects.make_missing(parts, definition())
    await first_objects.make_missing(parts, _PRIORITY)
    for obj in default_objects():
        await first_objects.complete(parts, obj)
    await _collect_rules(parts)


async def _collect_rules(parts: Parts) -> None:
    """Have ClusterRoles that collect the rules of others have them at once: whoever requests a project is its admin.

    A controller does so whenever a role changes; this is once, at the start.
    """
    kind = "ClusterRole"
    scope = routes.scope_of(parts, BY_KIND["rbac.authorization.k8s.io/v1", kind])
    page = await parts.store.list(scope.prefix())
    raws = {str(member(raw, "metadata").get("name")): raw for raw in map(decoded, page.items)}
    roles = {name: found for name, raw in raws.items() if isinstance(found := stored(kind, raw), RoleObject)}
    rules = rules_by_role(roles)
    for name, role in roles.items():
        if role.view.aggregation_rule is None:
            continue
        wanted: list[Json] = [objects(raws[rule.role.name], "rules")[rule.index] for rule in rules[name]]
        if wanted and wanted != raws[name].get("rules"):
            await first_objects.change(parts, {**raws[name], "rules": wanted})


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
