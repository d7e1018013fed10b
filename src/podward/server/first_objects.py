"""What is there when a server has started: namespaces, roles and bindings, priority classes, the server's own Service.

Specification: Kubernetes, pkg/controlplane (system namespaces, the kubernetes Service), bootstrappolicy for RBAC,
pkg/registry/scheduling/rest for the priority classes. What is there stays as it is, but for roles and bindings, which
are completed: see access/reconciliation.
"""

from __future__ import annotations

import logging

from podward.access.default_roles.objects import default_objects
from podward.access.reconciliation import Writing, write_for
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.errors import StoreError
from podward.schema.resources import BY_KIND
from podward.server import registry
from podward.server.decoding import completed
from podward.server.encoding import decoded
from podward.server.request import Request
from podward.server.request_info import RequestInfo
from podward.server.routes import scope_of
from podward.server.scope import Parts, Scope
from podward.server.verbs.writing import managed

_OWN: JsonObject = {"name": "kubernetes", "namespace": "default"}
NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")


def _namespace(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _priority(name: str, value: int) -> JsonObject:
    of: JsonObject = {
        "value": value,
        "preemptionPolicy": "PreemptLowerPriority",
        "description": f"Used for system critical pods that must {_WHERE[name]}",
    }
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, **of}


def _addresses(network: str) -> JsonObject:
    """The range that Services have their addresses from."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": [network]},
    }


def _own_service(address: str, port: int) -> JsonObject:
    """The Service by which Pods reach the server."""
    labels: JsonObject = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**_OWN, "labels": labels},
        "spec": {
            "clusterIP": address,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
    }


async def put_data(parts: Parts, obj: JsonObject) -> None:
    """Make a ConfigMap of the server's own, or have the one that is there say the same. Raises StoreError."""
    stored = await parts.store.get(_key(parts, obj))
    found = None if stored is None else decoded(stored)
    if found is None:
        _require(obj, await _made(parts, obj))
    elif found.get("data") != obj["data"]:
        await change(parts, {**found, "data": obj["data"]})


def node_access(user: str) -> JsonObject:
    """The binding that lets the server, which goes to nodes as this user, do there what it is asked for."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kubelet-api-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


_WHERE = {
    "system-node-critical": "not be moved from their current node.",
    "system-cluster-critical": "run in the cluster, but can be moved to another node if necessary.",
}
_MANAGER = "kube-apiserver"
_log = logging.getLogger("podward.server")
_CRITICAL = 2_000_000_000


async def make(parts: Parts) -> None:
    """Make what is missing, and complete the default roles and bindings. Raises StoreError where one is refused."""
    objects = [
        *map(_namespace, NAMESPACES),
        _priority("system-node-critical", _CRITICAL + 1000),
        _priority("system-cluster-critical", _CRITICAL),
        _addresses(parts.services.network),
    ]
    for obj in objects:
        await make_missing(parts, obj)
    for obj in default_objects():
        await complete(parts, obj)


async def make_missing(parts: Parts, obj: JsonObject, scope: Scope | None = None) -> None:
    """Make an object that is not there; `scope` is that of a kind that is no built-in one. Raises StoreError."""
    _require(obj, await _made(parts, obj, scope))


async def complete(parts: Parts, obj: JsonObject) -> None:
    """Make a default role or binding, or add what it lacks. Raises StoreError."""
    _require(obj, await _completed(parts, obj))


async def change(parts: Parts, obj: JsonObject) -> None:
    """Store an object in the place of the version that it is of. Raises StoreError."""
    _require(obj, await _change(parts, obj))


def _require(obj: JsonObject, refused: Status | None) -> None:
    if refused is not None:
        raise StoreError(
            f"the server's own {obj['kind']} {_place(obj)[1]} is refused: {refused.message}",
            advice="nobody can use the server without it: choose another --data-dir or --etcd-prefix",
        )


async def announce(parts: Parts, address: str, port: int) -> None:
    """Say where the server is reached, in place of where it was; no address is one that nobody else reaches.

    What is refused, say because another Service has the address, is told to the log: the server serves all the same.
    """
    service, *others = _announcements(parts, address, port)
    for step in (_serve_at(parts, service), *(_put(parts, obj) for obj in others)):
        _told(await step)


async def announce_missing(parts: Parts, address: str, port: int) -> None:
    """Say it again where somebody has deleted it (`oc delete all --all` does); what is there stays as it is."""
    for obj in _announcements(parts, address, port):
        if await parts.store.get(_key(parts, obj)) is None:
            _told(await _made(parts, obj))


def _told(refused: Status | None) -> None:
    if refused is not None:
        _log.error("where the server is reached cannot be told: %s", refused.message)


def _announcements(parts: Parts, address: str, port: int) -> list[JsonObject]:
    """The Service, and where it leads unless nobody else reaches that."""
    found = [_own_service(parts.services.first_address, port)]
    if address:
        ports: list[Json] = [{"name": "https", "port": port, "protocol": "TCP"}]
        found += [_own_endpoints(address, ports), _own_slice(address, ports)]
    return found


def _own_endpoints(address: str, ports: list[Json]) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {**_OWN, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
    }


def _own_slice(address: str, ports: list[Json]) -> JsonObject:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**_OWN, "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": ports,
    }


async def _serve_at(parts: Parts, service: JsonObject) -> Status | None:
    """Make the server's own Service, or let the one that is there lead to this port."""
    stored = await parts.store.get(_key(parts, service))
    if stored is None:
        return await _made(parts, service)
    found, ports = decoded(stored), member(service, "spec")["ports"]
    if member(found, "spec").get("ports") == ports:
        return None
    return await _change(parts, {**found, "spec": {**member(found, "spec"), "ports": ports}})


async def _put(parts: Parts, obj: JsonObject) -> Status | None:
    """Make an object of the server's own anew, unless it is the same."""
    stored = await parts.store.get(_key(parts, obj))
    if stored is not None:
        found = decoded(stored)
        if all(found.get(name) == obj.get(name) for name in ("subsets", "endpoints", "ports")):
            return None
        await parts.store.delete(stored.key, stored.revision)
    return await _made(parts, obj)


async def _completed(parts: Parts, obj: JsonObject) -> Status | None:
    """Make a default role or binding, or add what it lacks."""
    stored = await parts.store.get(_key(parts, obj))
    write = write_for(obj, None if stored is None else decoded(stored))
    if write is None:
        return None
    if write.how is Writing.UPDATE:
        return await _change(parts, write.object)
    if stored is not None:
        await parts.store.delete(stored.key, stored.revision)
    return await _made(parts, obj)


async def _made(parts: Parts, obj: JsonObject, scope: Scope | None = None) -> Status | None:
    """Why an object that is not there cannot be made. That another server was quicker is no refusal."""
    scope = scope or _scope(parts, obj)
    if await parts.store.get(scope.key(*_place(obj))) is not None:
        return None
    new = managed(scope, _MANAGER, None, completed(obj, scope))
    made = await registry.create(scope, _request("POST", "create", obj), new, _unasked, dry_run=False)
    return made if isinstance(made, Status) and made.reason != "AlreadyExists" else None


async def _change(parts: Parts, obj: JsonObject) -> Status | None:
    """Store an object in the place of the version that it is of. If that is gone, another server has been at it."""
    scope = _scope(parts, obj)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        return managed(scope, _MANAGER, old, obj)

    change = registry.Change(scope, _request("PUT", "update", obj), transform, _unasked, dry_run=False)
    written = await registry.update(change)
    return written if isinstance(written, Status) and written.reason not in {"Conflict", "NotFound"} else None


def _scope(parts: Parts, obj: JsonObject) -> Scope:
    return scope_of(parts, BY_KIND[str(obj["apiVersion"]), str(obj["kind"])])


def _place(obj: JsonObject) -> tuple[str, str]:
    """The namespace and the name."""
    of = member(obj, "metadata")
    return str(of.get("namespace") or ""), str(of["name"])


def _key(parts: Parts, obj: JsonObject) -> str:
    return _scope(parts, obj).key(*_place(obj))


def _request(method: str, verb: str, obj: JsonObject) -> Request:
    """A request of the server's own."""
    namespace, name = _place(obj)
    return Request(method, "", {}, {}, RequestInfo("", verb, namespace=namespace, name=name), _nothing)


async def _nothing() -> bytes | Status:
    return b""


async def _unasked(_new: JsonObject, _old: JsonObject | None) -> Status | None:
    return None
