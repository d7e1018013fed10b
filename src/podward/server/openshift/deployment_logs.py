"""GET of `log` of a DeploymentConfig: what the deployer of a rollout said.

Specification: openshift/openshift-apiserver, pkg/apps/apiserver/registry/deploylog. Nobody waits here for a rollout
that has not begun. The logs are those of a Pod, which is served as any Pod's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gotext import quote
from podward.api.status import Status
from podward.schema.openshift import rollouts
from podward.schema.resources import BY_KIND
from podward.server.encoding import decoded
from podward.server.openshift.instantiate import controller_of
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.subresources import streams

if TYPE_CHECKING:
    from podward.server.scope import Scope

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))


async def handle(scope: Scope, request: Request) -> Answer:
    """The logs of the latest rollout, or of another one."""
    name = request.info.name
    stored = await scope.parts.store.get(scope.key(request.info.namespace, name))
    if stored is None:
        return status.not_found(GroupResource(scope.resource.group, "deploymentconfig"), name)
    version = _version(request, rollouts.latest_of(decoded(stored)))
    if isinstance(version, Status):
        return version
    controller = await controller_of(scope, request, rollouts.name_of(name, version))
    if isinstance(controller, Status):
        return controller
    pods = scope_of(scope.parts, BY_KIND["v1", "Pod"], "log")
    deployer = f"{rollouts.name_of(name, version)}-deploy"
    info = structs.replace(request.info, group="", version="v1", resource="pods", name=deployer)
    return await streams.handle(pods, structs.replace(request, info=info))


def _version(request: Request, latest: int) -> int | Status:
    """The number of the rollout that is asked for."""
    name, asked = quote(request.info.name), (request.query.get("version") or ("",))[0]
    previous = (request.query.get("previous") or ("",))[0] in _TRUE
    if asked and (not asked.isascii() or not asked.isdecimal() or not int(asked[:18]) > 0):
        faults = [("version", f"Invalid value: {asked}: deployment version must be greater than 0")]
        return status.invalid_for("DeploymentLogOptions", "apps.openshift.io", "", faults)
    if asked and previous:
        faults = [("previous", "Invalid value: true: cannot use previous when a version is specified")]
        return status.invalid_for("DeploymentLogOptions", "apps.openshift.io", "", faults)
    if not latest:
        return status.bad_request(f"no deployment exists for deploymentConfig {name}")
    if asked:
        if int(asked) > latest:
            return status.bad_request(f"invalid version for deploymentConfig {name}: {asked}")
        return int(asked)
    if previous and latest == 1:
        return status.bad_request(f"no previous deployment exists for deploymentConfig {name}")
    return latest - previous
