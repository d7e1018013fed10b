"""Streams to a node: exec, attach, port-forward, logs, proxy. What can be said without the node is said here.

Specification: Kubernetes, pkg/registry/core/pod/strategy.go LogLocation and streamLocation, pkg/apis/core/validation
ValidatePodLogOptions. There is no node yet that the server could reach.
"""

from __future__ import annotations

import re

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.server.catalog import key_of
from podward.server.encoding import decoded
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Scope
from podward.server.subresources import connecting

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_IN_CONTAINER = frozenset(("log", "exec", "attach"))
_LEAST = (("sinceSeconds", 1, "must be greater than 0"), ("limitBytes", 1, "must be greater than 0"))


async def handle(scope: Scope, request: Request) -> Answer:
    """Refuse as far as it can be seen that there is nothing to reach."""
    info = request.info
    if info.subresource != "log" and (refused := await connecting.refused(scope, request)) is not None:
        return refused
    stored = await scope.parts.store.get(scope.key(info.namespace, info.name))
    if stored is None:
        return status.not_found(scope.group_resource, info.name)
    obj = decoded(stored)
    if scope.resource.plural == "services":
        endpoints = scope.parts.catalog.find("", "v1", "endpoints")
        known = endpoints and await scope.parts.store.get(key_of(endpoints, info.namespace, info.name))
        if not known:
            return status.not_found(scope.group_resource, info.name)
        return status.service_unavailable(f'no endpoints available for service "{info.name}"')
    if scope.resource.plural == "nodes" or info.subresource == "proxy":
        return status.service_unavailable(f"no node can be reached for {info.subresource}")
    return _in_pod(request, obj)


def _in_pod(request: Request, pod: JsonObject) -> Answer:
    name, part = request.info.name, request.info.subresource
    if part == "log" and (faults := _log_faults(request)):
        return status.invalid_for("PodLogOptions", "", name, faults)
    if part in _IN_CONTAINER and (fault := _container_fault(request, pod)) is not None:
        return fault
    if not member(pod, "spec").get("nodeName"):
        if part == "log":
            return Reply(204, b"", "")
        return status.bad_request(f"pod {name} does not have a host assigned")
    return status.service_unavailable(f"no node can be reached for {part}")


def _log_faults(request: Request) -> list[tuple[str, str]]:
    faults = []
    tail = (request.query.get("tailLines") or ("",))[0]
    if re.fullmatch("-[0-9]+", tail):
        faults.append(("tailLines", f"Invalid value: {int(tail)}: must be greater than or equal to 0"))
    for field, least, rule in _LEAST:
        said = (request.query.get(field) or ("",))[0]
        if re.fullmatch("-?[0-9]+", said) and int(said) < least:
            faults.append((field, f"Invalid value: {int(said)}: {rule}"))
    return faults


def _container_fault(request: Request, pod: JsonObject) -> Status | None:
    """Why no container can be told from the request."""
    name, wanted = request.info.name, (request.query.get("container") or ("",))[0]
    by_list = {field: [str(each.get("name")) for each in objects(member(pod, "spec"), field)] for field in _CONTAINERS}
    if wanted:
        known = any(wanted in names for names in by_list.values())
        return None if known else status.bad_request(f"container {wanted} is not valid for pod {name}")
    regular = by_list["containers"]
    if len(regular) == 1 and not by_list["initContainers"] and not by_list["ephemeralContainers"]:
        return None
    annotated = member(member(pod, "metadata"), "annotations").get("kubectl.kubernetes.io/default-container")
    if annotated in regular:
        return None
    sentence = f"a container name must be specified for pod {name}, choose one of: [{' '.join(regular)}]"
    if by_list["initContainers"]:
        sentence += f" or one of the init containers: [{' '.join(by_list['initContainers'])}]"
    if by_list["ephemeralContainers"]:
        sentence += f" or one of the ephemeral containers: [{' '.join(by_list['ephemeralContainers'])}]"
    return status.bad_request(sentence)
