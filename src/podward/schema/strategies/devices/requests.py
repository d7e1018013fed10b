"""What claims ask for: requests for devices, what is asked of them together, and their configuration.

Specification: Kubernetes, pkg/apis/resource/validation validateDeviceClaim and all below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.devices import names, selectors
from podward.schema.strategies.volume_sources import driver_name
from podward.schema.validation.field import NOTHING, Place, invalid, invalid_value, required, too_long, unsupported
from podward.schema.validation.raw import number, pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MOST, _MOST_ALTERNATIVES, _LONGEST_PARAMETERS = 32, 8, 10 * 1024
_MODES = ("All", "ExactCount")
_ONE = "exactly one of `exactly` or `firstAvailable` is required"
_ATTRIBUTES = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
_NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"


def claim(spec: JsonObject, at: Place) -> Decision:
    """What is wrong with the spec of a claim."""
    devices, place = member(spec, "devices"), at / "devices"
    requests = objects(devices, "requests")
    known = {text(request, "name"): _alternatives(request) for request in requests}

    def constraint(of: JsonObject, there: Place) -> Decision:
        return _references(of, known, there) + _attribute(of, there)

    def configuration(of: JsonObject, there: Place) -> Decision:
        return _references(of, known, there) + config(of, there)

    return merge(
        names.members(requests, _MOST, place / "requests", _request, lambda request: text(request, "name")),
        names.items(objects(devices, "constraints"), _MOST, place / "constraints", constraint),
        names.items(objects(devices, "config"), _MOST, place / "config", configuration),
    )


def _alternatives(request: JsonObject) -> frozenset[str]:
    return frozenset(text(each, "name") for each in objects(request, "firstAvailable"))


def _request(request: JsonObject, at: Place) -> Decision:
    found = names.label(text(request, "name"), at / "name")
    exactly, alternatives = request.get("exactly"), objects(request, "firstAvailable")
    if isinstance(exactly, dict) and alternatives:
        return found + invalid_value(at, None, f"{_ONE}, but multiple fields are set")
    if isinstance(exactly, dict):
        return found + _asked(exactly, at / "exactly")
    if not alternatives:
        return found + required(at, _ONE)
    place = at / "firstAvailable"
    return found + names.members(
        alternatives, _MOST_ALTERNATIVES, place, _alternative, lambda request: text(request, "name")
    )


def _alternative(request: JsonObject, at: Place) -> Decision:
    return names.label(text(request, "name"), at / "name") + _asked(request, at)


def _asked(request: JsonObject, at: Place) -> Decision:
    mode, count = text(request, "allocationMode"), number(request, "count")
    found = [names.class_name(text(request, "deviceClassName"), at / "deviceClassName")]
    found.append(names.items(objects(request, "selectors"), _MOST, at / "selectors", selectors.check))
    if mode == "All" and count:
        found.append(invalid(at / "count", count, "must not be specified when allocationMode is 'All'"))
    elif mode == "ExactCount" and count <= 0:
        found.append(invalid(at / "count", count, "must be greater than zero"))
    elif mode not in _MODES:
        found.append(unsupported(at / "allocationMode", mode, _MODES))
    tolerated = objects(request, "tolerations")
    return merge(*found, names.items(tolerated, len(tolerated), at / "tolerations", names.toleration))


def _references(of: JsonObject, known: Mapping[str, frozenset[str]], at: Place) -> Decision:
    def reference(name: str, there: Place) -> Decision:
        first, *rest = name.split("/")
        if len(rest) > 1:
            return invalid(there, name, _NO_REQUEST)
        found = [names.label(part, there) for part in (first, *rest)]
        if first not in known or (rest and rest[0] not in known[first]):
            found.append(invalid(there, name, _NO_REQUEST))
        return merge(*found)

    return names.members(texts(of, "requests"), _MOST, at / "requests", reference, str)


def _attribute(of: JsonObject, at: Place) -> Decision:
    match, distinct = pointer(of, "matchAttribute"), pointer(of, "distinctAttribute")
    if match is not None:
        return names.fully_qualified(match, at / "matchAttribute")
    if distinct is not None:
        return names.fully_qualified(distinct, at / "distinctAttribute")
    return required(at, _ATTRIBUTES)


def config(of: JsonObject, at: Place) -> Decision:
    """What is wrong with a configuration that a driver alone understands."""
    opaque, place = of.get("opaque"), at / "opaque"
    if not isinstance(opaque, dict):
        return required(place)
    return driver_name(text(opaque, "driver"), place / "driver") + _parameters(
        opaque.get("parameters"), place / "parameters"
    )


def _parameters(value: Json, at: Place) -> Decision:
    if value is None:
        return required(at)
    if len(msgspec.json.encode(value)) > _LONGEST_PARAMETERS:
        return too_long(at, "", _LONGEST_PARAMETERS)
    if isinstance(value, dict):
        return NOTHING
    return invalid(at, "<value omitted>", "must be a valid JSON object")
