"""Devices: claims, templates, classes and slices."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.schema.strategies.registry import strategy_of

GROUP = "resource.k8s.io"
REQUEST: JsonObject = {"name": "r", "exactly": {"deviceClassName": "c", "allocationMode": "ExactCount", "count": 1}}
SLICE: JsonObject = {
    "driver": "a.b", "nodeName": "n", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
}  # fmt: skip
WHERE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"


def told(decision: Decision) -> list[str]:
    return [f"{violation.path}: {violation.reason}" for violation in decision.violations]


def named(spec: JsonObject, *, namespaced: bool = True) -> JsonObject:
    of: JsonObject = {"name": "a", "resourceVersion": "1", **({"namespace": "n"} if namespaced else {})}
    return {"metadata": of, "spec": spec}


def of_claim(*requests: JsonObject, **more: Json) -> list[str]:
    devices: JsonObject = {"requests": [*requests], **more}
    return told(strategy_of(GROUP, "resourceclaims").validate(named({"devices": devices})))


def of_slice(*devices: JsonObject, **more: Json) -> list[str]:
    spec: JsonObject = {**SLICE, **more, **({"devices": [*devices]} if devices else {})}
    return told(strategy_of(GROUP, "resourceslices").validate(named(spec, namespaced=False)))


def test_a_sound_claim_is_not_refused() -> None:
    other: JsonObject = {"name": "s", "firstAvailable": [{**REQUEST["exactly"], "name": "t"}]}  # type: ignore[dict-item]  # an object
    config: JsonObject = {"requests": ["s/t"], "opaque": {"driver": "a.b", "parameters": {"x": 1}}}
    constraint: JsonObject = {"requests": ["r", "s"], "matchAttribute": "a.b/c"}
    assert of_claim(REQUEST, other, config=[config], constraints=[constraint]) == []


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"name": "r"}, ": Required value: exactly one of `exactly` or `firstAvailable` is required"),
        ({"exactly": {"allocationMode": "x"}}, '.exactly.allocationMode: Unsupported value: "x"'),
        ({"exactly": {"allocationMode": "All", "count": 1}}, ".exactly.count: Invalid value: 1: must not be specified"),
        ({"exactly": {}}, ".exactly.deviceClassName: Required value"),
        ({"exactly": {"selectors": [{"cel": {"expression": "1"}}]}}, ".exactly.selectors[0].cel.expression: Invalid"),
        ({"exactly": {"tolerations": [{"operator": "Exists", "value": "x"}]}}, ".exactly.tolerations[0].value: "),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_request_is_told(request_: JsonObject, said: str) -> None:
    found = of_claim({"name": "r", **request_})
    assert any(fault.startswith(f"spec.devices.requests[0]{said}") for fault in found), found


def test_requests_that_are_spoken_of_are_there() -> None:
    constraint: JsonObject = {"requests": ["nope"], "distinctAttribute": "c"}
    place = "spec.devices.constraints[0]"
    of_request, of_attribute = of_claim(REQUEST, constraints=[constraint])
    assert of_request.startswith(
        f'{place}.requests[0]: Invalid value: "nope": must be the name of a request in the claim'
    )
    assert of_attribute.startswith(f'{place}.distinctAttribute: Invalid value: "c": a fully qualified name must be')


@pytest.mark.parametrize("plural", ["resourceclaims", "resourceclaimtemplates"])
def test_what_is_asked_for_never_changes(plural: str) -> None:
    old: JsonObject = {"devices": {"requests": [REQUEST]}}
    new: JsonObject = {"devices": {"requests": []}}
    if plural.endswith("templates"):
        old, new = {"spec": old}, {"spec": new}
    strategy = strategy_of(GROUP, plural)
    assert told(strategy.validate_update(named(old), named(old))) == []
    (only,) = told(strategy.validate_update(named(new), named(old)))
    assert only.startswith("spec: Invalid value: {")
    assert only.endswith(": field is immutable")


def test_a_claim_for_nobody_is_reserved_for_nobody() -> None:
    user: JsonObject = {"resource": "pods", "name": "p", "uid": "u"}
    new: JsonObject = {**named({}), "status": {"reservedFor": [user, user]}}
    assert told(strategy_of(GROUP, "resourceclaims", "status").validate_update(new, named({}))) == [
        'status.reservedFor[1]: Duplicate value: "u"',
        "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
    ]


def test_the_claim_of_a_template_has_labels_and_annotations_alone() -> None:
    spec: JsonObject = {"metadata": {"name": "x", "labels": {"a": "b c"}}, "spec": {"devices": {"requests": []}}}
    found = told(strategy_of(GROUP, "resourceclaimtemplates").validate(named(spec)))
    assert found[0].startswith('spec.metadata.labels: Invalid value: "b c"')
    assert found[1:] == ["spec.metadata.name: Forbidden: cannot be set"]


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ({"attributes": {"x": {}}}, '.attributes[x]: Invalid value: "": exactly one value must be specified'),
        ({"attributes": {"x": {"int": 1, "bool": True}}}, ".attributes[x]: Invalid value: {"),
        (
            {"attributes": {"x": {"version": "v1"}}},
            '.attributes[x].version: Invalid value: "v1": must be a',
        ),
        ({"attributes": {"a/": {"int": 1}}}, '.attributes: Invalid value: "": the name must not be empty'),
        ({"attributes": {"1": {"int": 1}}}, '.attributes: Invalid value: "1": a valid C identifier must start'),
        ({"capacity": {"m": {"value": "1", "requestPolicy": {}}}}, ".capacity[m].requestPolicy: Forbidden: allow"),
        (
            {"taints": [{"key": "k", "effect": "x"}]},
            '.taints[0].effect: Unsupported value: "x": supported',
        ),
        ({"consumesCounters": [{"counterSet": "s"}]}, ".consumesCounters[0].counters: Required value"),
        ({"allNodes": True}, ": Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if"),
        ({"bindingConditions": ["a"]}, ".bindingFailureConditions: Invalid value: null: bindingFailureConditions are"),
    ],
)
def test_what_is_wrong_with_a_device_is_told(device: JsonObject, said: str) -> None:
    found = of_slice({"name": "d", **device})
    assert any(fault.startswith(f"spec.devices[0]{said}") for fault in found), found


def test_a_sound_slice_is_not_refused() -> None:
    attributes: JsonObject = {"x": {"int": 1}, "a.b/y": {"version": "1.2.3-rc.1+b"}, "z": {"strings": ["s"]}}
    assert of_slice({"name": "d", "attributes": attributes, "capacity": {"m": {"value": "1Gi"}}}) == []


def test_a_slice_is_somewhere_and_once() -> None:
    assert of_slice(nodeName=None) == [f"spec: Required value: {WHERE}"]
    (only,) = of_slice(allNodes=True)
    assert only == f'spec: Invalid value: "{{`nodeName`, `allNodes`}}": {WHERE}, but multiple fields are set'
    pool: JsonObject = {"name": "p//", "resourceSliceCount": 0, "generation": -1}
    assert len(of_slice(pool=pool)) == 4


def test_a_slice_stays_with_its_driver() -> None:
    old, new = named(SLICE, namespaced=False), named({**SLICE, "driver": "C.d"}, namespaced=False)
    strategy = strategy_of(GROUP, "resourceslices")
    assert told(strategy.validate_update(new, old)) == ['spec.driver: Invalid value: "C.d": field is immutable']
    assert len(strategy.warnings(new, old)) == 1
    assert strategy.warnings(old, None) == ()


def test_a_class_names_an_extended_resource() -> None:
    strategy = strategy_of(GROUP, "deviceclasses", namespaced=False)
    found = told(strategy.validate(named({"extendedResourceName": "cpu"}, namespaced=False)))
    assert found == ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name']
    made = strategy.prepare_for_create(named({}, namespaced=False))
    assert made["metadata"]["generation"] == 1  # type: ignore[index,call-overload]  # metadata
