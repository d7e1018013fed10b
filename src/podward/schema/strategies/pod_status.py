"""The status of a Pod, which its node writes.

Specification: Kubernetes, ValidatePodStatusUpdate and its parts, preserveOldObservedGeneration in the Pod registry. A
container that has ended stays so, unless it is to be started again; addresses are those of one host.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import ip
from podward.schema.strategies.workloads import STATUS
from podward.schema.validation.field import (
    NOTHING,
    Place,
    between,
    duplicate,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, pointer, text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_OF_SYSTEM = frozenset(("PodScheduled", "Ready", "Initialized"))
_LISTS = {
    "containerStatuses": "containers",
    "initContainerStatuses": "initContainers",
    "ephemeralContainerStatuses": "",
}
"""Statuses, and the containers that they are about; those of ephemeral ones are not looked up."""
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
_LARGEST_ID = (1 << 31) - 1
_LONGEST_MESSAGE, _LONGEST_IMAGE = 1024, 256
_NOT_NEGATIVE = "must be a non-negative integer"


def with_generations(status: JsonObject, before: JsonObject) -> JsonObject:
    """The status, with generations that were observed before where the new one does not tell."""
    made = dict(status)
    if not number(status, "observedGeneration") and number(before, "observedGeneration"):
        made["observedGeneration"] = before["observedGeneration"]
    stored: dict[str, list[int]] = defaultdict(list)
    for condition in objects(before, "conditions"):
        stored[text(condition, "type")].append(number(condition, "observedGeneration"))
    conditions: list[Json] = []
    for condition in objects(status, "conditions"):
        of_type = stored[text(condition, "type")]
        generation = of_type.pop(0) if of_type else 0
        known = number(condition, "observedGeneration") or not generation
        conditions.append(condition if known else {**condition, "observedGeneration": generation})
    if conditions:
        made["conditions"] = conditions
    return made


def with_condition(status: JsonObject, condition: JsonObject, now: str) -> JsonObject:
    """The status with this condition, since `now` if it was not the same before."""
    kind, conditions = text(condition, "type"), objects(status, "conditions")
    stored = next((each_one for each_one in conditions if text(each_one, "type") == kind), None)
    turned = stored is None or text(stored, "status") != text(condition, "status")
    since: Json = now if turned or stored is None else stored.get("lastTransitionTime")
    state: JsonObject = {"type": kind, "status": text(condition, "status")}
    made: JsonObject = {**state, "lastProbeTime": None, "lastTransitionTime": since, **condition}
    listed: list[Json] = [made if each_one is stored else each_one for each_one in conditions]
    return {**status, "conditions": listed if stored is not None else [*listed, made]}


def validate(obj: JsonObject, old: JsonObject) -> Decision:
    """Everything that is wrong with a change of the status."""
    status, before, spec = member(obj, "status"), member(old, "status"), member(obj, "spec")
    stored = member(old, "spec")
    found = [_conditions(objects(status, "conditions")), _nominated(status, before, stored)]
    generation = number(status, "observedGeneration")
    if generation < 0:
        found.append(invalid(STATUS / "observedGeneration", generation, _NOT_NEGATIVE))
    if text(status, "qosClass") != text(before, "qosClass"):
        found.append(invalid(STATUS / "qosClass", text(status, "qosClass"), "field is immutable"))
    if not _all_restart(stored):
        found += [_ended(status, before, stored, listed, of) for listed, of in _LISTS.items()]
    else:
        found.append(_ended(status, before, stored, "ephemeralContainerStatuses", ""))
    found += [_claims(status, spec), _addresses(status, before, "podIPs", "podIP")]
    found.append(_addresses(status, before, "hostIPs", "hostIP"))
    found += [_users(objects(status, listed), spec, STATUS / listed) for listed in _LISTS]
    found += [_allocated(objects(status, listed), spec, listed) for listed in _LISTS]
    found += [_volumes(objects(status, listed), STATUS / listed) for listed in _LISTS]
    return merge(*found)


def _conditions(conditions: list[JsonObject]) -> Decision:
    found: list[Decision] = []
    for index, condition in enumerate(conditions):
        place, kind, generation = (
            STATUS / "conditions" / index,
            text(condition, "type"),
            number(condition, "observedGeneration"),
        )
        if generation < 0:
            found.append(invalid(place / "observedGeneration", generation, _NOT_NEGATIVE))
        if kind not in _OF_SYSTEM:
            found.append(each(place / "Type", kind, key_faults(kind)))
    return merge(*found)


def _nominated(status: JsonObject, before: JsonObject, stored: JsonObject) -> Decision:
    name, place = text(status, "nominatedNodeName"), STATUS / "nominatedNodeName"
    if not name or name == text(before, "nominatedNodeName"):
        return NOTHING
    found = each(place, name, subdomain_faults(name))
    bound = "may not be set on pods that are already bound to a node"
    return found + forbidden(place, bound) if text(stored, "nodeName") else found


# --- containers that have ended ---------------------------------------------------------------------------------------


def _all_restart(spec: JsonObject) -> bool:
    """Whether the end of one container can start all of them again."""
    containers = (*objects(spec, "initContainers"), *objects(spec, "containers"))
    rules = (rule for container in containers for rule in objects(container, "restartPolicyRules"))
    return any(text(rule, "action") == "RestartAllContainers" for rule in rules)


def _ended(status: JsonObject, before: JsonObject, spec: JsonObject, listed: str, of: str) -> Decision:
    now = {text(one, "name"): one for one in reversed(objects(status, listed))}
    containers = {text(container, "name"): container for container in objects(spec, of)} if of else {}
    found: list[Decision] = []
    for index, stored in enumerate(objects(before, listed)):
        ended, name = member(stored, "state").get("terminated"), text(stored, "name")
        one = now.get(name)
        if not isinstance(ended, dict) or one is None or member(one, "state").get("terminated") is not None:
            continue
        container = containers.get(name)
        if container is None or not _restarts(container, spec, number(ended, "exitCode")):
            detail = "may not be transitioned to non-terminated state"
            found.append(forbidden(STATUS / listed / index / "state", detail))
    return merge(*found)


def _restarts(container: JsonObject, spec: JsonObject, code: int) -> bool:
    """Whether a container that ended with this code is started again."""
    own = pointer(container, "restartPolicy")
    if own is not None and any(_matches(rule, code) for rule in objects(container, "restartPolicyRules")):
        return True
    policy = own if own in {"Always", "OnFailure", "Never"} else text(spec, "restartPolicy")
    return code != 0 if policy == "OnFailure" else policy != "Never"


def _matches(rule: JsonObject, code: int) -> bool:
    codes = member(rule, "exitCodes")
    values = codes.get("values")
    listed = isinstance(values, list) and code in values
    return bool(codes) and listed is (text(codes, "operator") == "In")


# --- claims and addresses ---------------------------------------------------------------------------------------------


def _claims(status: JsonObject, spec: JsonObject) -> Decision:
    known = {text(claim, "name") for claim in objects(spec, "resourceClaims")}
    seen: set[str] = set()
    found: list[Decision] = []
    for index, claim in enumerate(objects(status, "resourceClaimStatuses")):
        place, name, made = (
            STATUS / "resourceClaimStatuses" / index,
            text(claim, "name"),
            pointer(claim, "resourceClaimName"),
        )
        if name not in known:
            detail = "must match the name of an entry in `spec.resourceClaims`"
            found.append(invalid(place / "name", name, detail))
        if name in seen:
            found.append(duplicate(place / "name", name))
        seen.add(name)
        if made is not None:
            found.append(each(place / "resourceClaimName", made, subdomain_faults(made)))
    return merge(*found)


def _addresses(status: JsonObject, before: JsonObject, listed: str, first: str) -> Decision:
    addresses, place = [text(one, "ip") for one in objects(status, listed)], STATUS / listed
    stored = [text(one, "ip") for one in objects(before, listed)]
    found: list[Decision] = []
    if listed == "hostIPs" and addresses and text(status, first) != addresses[0]:
        found.append(invalid(place / 0 / "ip", addresses[0], "must be equal to `hostIP`"))
    found.append(ip.each_address(addresses, place, stored))
    if len(addresses) > 2 or (len(addresses) > 1 and not ip.are_of_both_versions(addresses)):
        printed: Json = [{"IP": address} for address in addresses]
        detail = "may specify no more than one IP for each IP family"
        found.append(invalid_value(place, printed, detail))
    return merge(*found)


# --- what containers were given ---------------------------------------------------------------------------------------


def _users(statuses: list[JsonObject], spec: JsonObject, at: Place) -> Decision:
    system = text(member(spec, "os"), "name") or "linux"
    found: list[Decision] = []
    for index, status in enumerate(statuses):
        linux, place = member(status, "user").get("linux"), at / index / "user" / "linux"
        if not isinstance(linux, dict):
            continue
        if system == "windows":
            found.append(forbidden(place, "cannot be set for a windows pod"))
        else:
            found += list(_ids(linux, place))
    return merge(*found)


def _ids(user: JsonObject, at: Place) -> Iterator[Decision]:
    groups = user.get("supplementalGroups")
    ids = [(at / name, number(user, name)) for name in ("uid", "gid")]
    listed = enumerate(groups if isinstance(groups, list) else [])
    ids += [(at / "supplementalGroups" / index, group) for index, group in listed if type(group) is int]
    for place, value in ids:
        if not 0 <= value <= _LARGEST_ID:
            yield invalid(place, value, between(0, _LARGEST_ID))


def _allocated(statuses: list[JsonObject], spec: JsonObject, listed: str) -> Decision:
    found, of = list[Decision](), _LISTS[listed]
    containers = {text(container, "name"): container for container in reversed(objects(spec, of))} if of else {}
    for index, status in enumerate(statuses):
        place, allocated = (
            STATUS / listed / index / "allocatedResourcesStatus",
            objects(status, "allocatedResourcesStatus"),
        )
        if not of:
            found.append(forbidden(place, "must not be specified in container status") if allocated else NOTHING)
            continue
        container = containers.get(text(status, "name"))
        for nth, resource in enumerate(allocated):
            if container is not None:
                found.append(_of_container(text(resource, "name"), container, place / nth / "name"))
            found.append(_health(objects(resource, "resources"), place / nth / "resources"))
    return merge(*found)


def _of_container(name: str, container: JsonObject, at: Place) -> Decision:
    resources, detail = member(container, "resources"), "must match one of the container's resource requests"
    known = set(member(resources, "requests"))
    if name.startswith("claim:"):
        detail = (
            "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or"
            " 'claim:<claimName>' if request is empty"
        )
        claims = [(text(claim, "name"), text(claim, "request")) for claim in objects(resources, "claims")]
        known = {f"claim:{claim}/{request}" if request else f"claim:{claim}" for claim, request in claims}
    return NOTHING if name in known else invalid(at, name, detail)


def _health(resources: list[JsonObject], at: Place) -> Decision:
    seen: set[str] = set()
    found: list[Decision] = []
    for index, resource in enumerate(resources):
        place, state, message = at / index, text(resource, "health"), pointer(resource, "message")
        if state not in _HEALTH:
            found.append(unsupported(place / "health", state, _HEALTH))
        if message == "":
            found.append(required(place / "message", "must be non-empty if specified"))
        elif message is not None and len(message.encode()) > _LONGEST_MESSAGE:
            found.append(too_long(place / "message", "", _LONGEST_MESSAGE))
        identity = text(resource, "resourceID")
        if identity in seen:
            found.append(duplicate(place / "resourceID", identity))
        seen.add(identity)
    return merge(*found)


def _volumes(statuses: list[JsonObject], at: Place) -> Decision:
    found: list[Decision] = []
    for index, status in enumerate(statuses):
        for nth, mount in enumerate(objects(status, "volumeMounts")):
            image = member(mount, "volumeStatus").get("image")
            if not isinstance(image, dict):
                continue
            place = at / index / "volumeMounts" / nth / "volumeStatus" / "imageVolumeStatus" / "imageRef"
            reference = text(image, "imageRef")
            if not reference:
                found.append(required(place, "imageRef must not be empty"))
            elif len(reference.encode()) > _LONGEST_IMAGE:
                found.append(too_long(place, "", _LONGEST_IMAGE))
    return merge(*found)
