"""EndpointSlices of Endpoints that somebody else makes, for a Service without a selector.

Specification: Kubernetes, pkg/controller/endpointslicemirroring: one slice for each subset and family, of a thousand
addresses at most; not for Endpoints that say `endpointslice.kubernetes.io/skip-mirror: "true"` or elect a leader.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.json_value import Json, JsonObject
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.endpoints import pods as of_pods
from podward.controllers.endpoints import slice_documents as of_slices
from podward.controllers.endpoints.controller import LEADER
from podward.controllers.endpoints.slice_documents import CHANGED_AT, MANAGED_BY, SERVICE_NAME, Endpoints
from podward.controllers.endpoints.slices import Plan
from podward.controllers.endpoints.subsets import ENDPOINTS, repacked
from podward.controllers.endpoints.writing import Slices
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import pointer, strings, text

ACCOUNT = "endpointslicemirroring-controller"
MANAGER = "endpointslicemirroring-controller.k8s.io"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_UNMIRRORED = frozenset((CHANGED_AT, "kubectl.kubernetes.io/last-applied-configuration"))
_COMPONENT = "endpoint-slice-mirroring-controller"
_SERVICES = BY_PLURAL["", "v1", "services"]
_MOST = 1000
_FIRST, _MOST_SECONDS = 1.0, 100.0


async def make(context: Context) -> MirroringController:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return MirroringController(context, client, context.recorder(client, _COMPONENT))


# --- what is to be ----------------------------------------------------------------------------------------------------


def mirrored(endpoints: JsonObject, slices: Iterable[JsonObject]) -> Plan:
    """What is to be done about the slices of these Endpoints. `faults` are what is to be told of them."""
    plan, key_by_slice = Plan(), dict[tuple[str, of_slices.PortsKey], list[JsonObject]]()
    for each in slices:
        key = text(each, "addressType"), of_slices.ports_key(objects(each, "ports"))
        key_by_slice.setdefault(key, []).append(each)
    invalid = skipped = 0
    for subset in repacked(objects(endpoints, "subsets")):
        by_family: dict[str, Endpoints] = {family: {} for family in of_pods.FAMILIES}
        wrong, left = _gather(subset, by_family)
        invalid, skipped = invalid + wrong, skipped + left
        ports: list[Json] = [_port(each) for each in objects(subset, "ports")]
        for family, wanted in by_family.items():
            there = key_by_slice.pop((family, of_slices.ports_key(objects(subset, "ports"))), [])
            _of_group(endpoints, there, wanted, _new_slice(endpoints, ports, family), plan)
    for left_over in key_by_slice.values():
        plan.deleted += left_over
    if invalid:
        plan.faults.append(f"Skipped {invalid} invalid IP addresses when mirroring to EndpointSlices")
    if skipped:
        plan.faults.append(
            f"A max of {_MOST} addresses can be mirrored to EndpointSlices per Endpoints subset."
            f" {invalid + skipped} addresses were skipped"
        )
    _recycle(plan)
    if of_pods.is_ending(endpoints):
        plan.created.clear()
    return plan


def _gather(subset: JsonObject, by_family: dict[str, Endpoints]) -> tuple[int, int]:
    """Sort a subset's addresses by family; how many are none, and how many are too many."""
    count = invalid = 0
    every = [(each, True) for each in objects(subset, "addresses")]
    every += [(each, False) for each in objects(subset, "notReadyAddresses")]
    for address, ready in every:
        if count >= _MOST:
            break
        parsed = of_pods.parsed(text(address, "ip"))
        if parsed is None:
            invalid += 1
            continue
        made: JsonObject = {"addresses": [str(parsed)], "conditions": {"ready": ready}}
        made |= {name: address[name] for name in ("targetRef", "nodeName", "hostname") if address.get(name)}
        by_family[of_pods.family_of(parsed)][of_slices.endpoint_key(made)] = made
        count += 1
    return invalid, len(every) - count - invalid


def _port(port: JsonObject) -> JsonObject:
    made: JsonObject = {
        "name": text(port, "name"),
        "port": port.get("port"),
        "protocol": text(port, "protocol") or "TCP",
    }
    protocol = pointer(port, "appProtocol")
    return made if protocol is None else {**made, "appProtocol": protocol}


def _of_group(endpoints: JsonObject, there: list[JsonObject], wanted: Endpoints, fresh: JsonObject, plan: Plan) -> None:
    if not wanted:
        plan.deleted += there
        return
    plan.deleted += there[1:]
    if there and _is_right(endpoints, there[0], wanted):
        return
    listed: list[Json] = list(wanted.values())
    made = {**fresh, "endpoints": listed}
    if there:
        changed = of_slices.named(made, there[0])
        del member(changed, "metadata")["generateName"]  # whoever has a name needs none made up
        plan.updated.append(changed)
    else:
        plan.created.append(made)


def _is_right(endpoints: JsonObject, each: JsonObject, wanted: Endpoints) -> bool:
    listed = objects(each, "endpoints")
    same = len(listed) == len(wanted) and all(
        (new := wanted.get(of_slices.endpoint_key(old))) is not None and of_slices.same_endpoint(new, old)
        for old in listed
    )
    of, mine = member(endpoints, "metadata"), member(each, "metadata")
    labels = {name: value for name, value in strings(mine, "labels").items() if name not in {MANAGED_BY, SERVICE_NAME}}
    stale = any(
        owner.get("kind") == "Endpoints" and owner.get("name") == of.get("name") and owner.get("uid") != of.get("uid")
        for owner in objects(mine, "ownerReferences")
    )
    return same and labels == strings(of, "labels") and _notes(of) == strings(mine, "annotations") and not stale


def _notes(of: JsonObject) -> dict[str, str]:
    return {name: value for name, value in strings(of, "annotations").items() if name not in _UNMIRRORED}


def _new_slice(endpoints: JsonObject, ports: list[Json], family: str) -> JsonObject:
    of = member(endpoints, "metadata")
    owner: JsonObject = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "name": of.get("name"),
        "uid": of.get("uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels: JsonObject = {**strings(of, "labels"), SERVICE_NAME: of.get("name"), MANAGED_BY: MANAGER}
    notes: JsonObject = {**_notes(of)}
    metadata: JsonObject = {
        "generateName": of_slices.name_prefix(text(of, "name")),
        "namespace": of.get("namespace"),
        "labels": labels,
        "annotations": notes,
        "ownerReferences": [owner],
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        "endpoints": [],
        "ports": ports,
    }


def _recycle(plan: Plan) -> None:
    """Change what would be deleted into what would be made, of the same family."""
    left = []
    for each in plan.deleted:
        made = next((new for new in plan.created if new["addressType"] == each.get("addressType")), None)
        if made is None:
            left.append(each)
        else:
            plan.created.remove(made)
            plan.updated.append(of_slices.named(made, each))
    plan.deleted = left


def is_mirrored(endpoints: JsonObject) -> bool:
    """Whether these Endpoints may have slices at all."""
    of = member(endpoints, "metadata")
    return strings(of, "labels").get(_SKIP) != "true" and LEADER not in member(of, "annotations")


# --- doing it ---------------------------------------------------------------------------------------------------------


class MirroringController:
    """The slices of all Endpoints that are made by hand."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        informers = context.informers
        self._recorder = recorder
        self._services = informers.of(_SERVICES)
        self._endpoints = informers.of(ENDPOINTS)
        self._failures: dict[str, int] = {}
        self._queue = WorkQueue(ACCOUNT, self._reconcile)
        self._slices = Slices(client, informers.of(of_slices.SLICES), MANAGER, self._queue.add)
        self._services.listeners.append(self._service_changed)
        self._endpoints.listeners.append(self._endpoints_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _service_changed(self, change: Change) -> None:
        states = [of_pods.has_selector(each) for each in (change.old, change.new) if each is not None]
        if states == [False] or states in ([True, False], [False, True]):
            self._queue.add("/".join(key_of(change.object)))

    def _endpoints_changed(self, change: Change) -> None:
        if any(is_mirrored(each) for each in (change.old, change.new) if each is not None):
            self._queue.add("/".join(key_of(change.object)))

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        endpoints, service = self._endpoints.get(namespace, name), self._services.get(namespace, name)
        slices = self._slices.of(namespace, name)
        if endpoints is None or not is_mirrored(endpoints) or service is None or of_pods.has_selector(service):
            fault = await self._slices.carry_out(Plan(deleted=slices), "Endpoints", key)
            return Retry.LATER if fault else None
        plan = mirrored(endpoints, slices)
        for said in plan.faults:
            reason = "InvalidIPAddress" if said.startswith("Skipped") else "TooManyAddressesToMirror"
            self._recorder.event(endpoints, "Warning", reason, said)
        fault = await self._slices.carry_out(plan, "Endpoints", key)
        failures = self._failures.pop(key, 0)
        if not fault:
            return None
        self._failures[key] = failures + 1
        return min(_FIRST * 2.0 ** min(failures, 10), _MOST_SECONDS)
