"""GET of `log` of a DeploymentConfig: what its application says, once a rollout is complete.

Specification: openshift/openshift-apiserver, pkg/apps/apiserver/registry/deploylog: before that, and where it failed,
the logs are those of the deployer's Pod, of which there is none here. Nobody waits for a rollout that has not begun,
or for a Pod of it. The logs are those of a Pod, which is served as any Pod's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gotext import quote
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.openshift import rollouts
from podward.schema.resources import BY_KIND
from podward.server.encoding import decoded
from podward.server.openshift.instantiate import controller_of
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.subresources import streams

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_ONLY_HERE = frozenset(("version", "previous", "nowait"))
"""Parameters that are not those of a Pod's logs."""
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
    pod = f"{rollouts.name_of(name, version)}-deploy"
    if rollouts.is_complete(controller):
        pod = rollouts.application_pod(await _pods_of(pods, request.info.namespace, controller))
        if not pod:
            return status.bad_request(
                f"deployment {quote(rollouts.name_of(name, version))} has no pods to read logs of"
            )
    info = structs.replace(request.info, group="", version="v1", resource="pods", name=pod)
    query = {name: value for name, value in request.query.items() if name not in _ONLY_HERE}
    return await streams.handle(pods, structs.replace(request, info=info, query=query))


async def _pods_of(pods: Scope, namespace: str, controller: JsonObject) -> list[JsonObject]:
    """The Pods that a ReplicationController selects."""
    wanted = member(member(controller, "spec"), "selector").items()
    prefix = pods.prefix(namespace)
    await pods.cache.fresh()
    found = [decoded(item.stored) for item in pods.cache.items(prefix)]
    return [pod for pod in found if wanted and wanted <= member(member(pod, "metadata"), "labels").items()]


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
