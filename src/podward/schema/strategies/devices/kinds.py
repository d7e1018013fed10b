"""DeviceClasses, ResourceClaims, ResourceClaimTemplates, ResourceSlices.

Specification: Kubernetes, pkg/apis/resource/validation and the strategies in pkg/registry/resource. What a claim asks
for never changes; its status is written through a subresource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names as name_rules
from podward.schema.strategies import object_meta
from podward.schema.strategies.devices import names, requests, selectors, slices
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.kind import changes, first_generation, in_order, keeping, next_generation, without
from podward.schema.strategies.object_meta import keeping_all_but_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS
from podward.schema.validation import labels, metadata
from podward.schema.validation.claim_template import of_claims_alone
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, invalid_value, required
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text
from podward.schema.validation.resources import is_extended
from podward.schema.validation.table import WALKS as OF_PODS
from podward.schema.validation.walk import Scope, Walks

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.schema.strategies.strategy import ValidateUpdate

_FIXED = "field is immutable"
_MOST, _MOST_USERS = 32, 256
_WALKS = Walks({}, OF_PODS)


def _long_name(name: str) -> tuple[str, ...]:
    """What is wrong with a class's name, in the words of the rules that are declared with the type."""
    return tuple([fault.replace("253 characters", "253 bytes") for fault in subdomain_faults(name)])


# --- classes ----------------------------------------------------------------------------------------------------------


def _class(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    found = [names.items(objects(spec, "selectors"), _MOST, SPEC / "selectors", selectors.check)]
    found.append(names.items(objects(spec, "config"), _MOST, SPEC / "config", requests.config))
    resource = pointer(spec, "extendedResourceName")
    if resource is not None and not is_extended(resource):
        place = SPEC / "extendedResourceName"
        found.append(invalid(place, resource, "must be a valid extended resource name"))
    return merge(*found)


_CLASS_NAMES = name_rules.NameRule(_long_name, name_rules.segment_prefix_faults)
_NEW_CLASS = in_order(object_meta.new(_CLASS_NAMES, namespaced=False), _class)
DEVICE_CLASS = Strategy(
    validate=_NEW_CLASS,
    validate_update=changes(lambda obj, _old: _NEW_CLASS(obj), object_meta.changed),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    namespaced=False,
)


# --- claims -----------------------------------------------------------------------------------------------------------


def _same_spec(of: str) -> ValidateUpdate:
    def validate(obj: JsonObject, old: JsonObject) -> Decision:
        spec = obj.get("spec")
        return NOTHING if same(spec, old.get("spec")) else invalid_value(SPEC, internal(of, spec), _FIXED)

    return validate


def _claim(obj: JsonObject) -> Decision:
    return requests.claim(member(obj, "spec"), SPEC)


def _status(obj: JsonObject, old: JsonObject) -> Decision:
    status, before = member(obj, "status"), member(old, "status")
    users, place = objects(status, "reservedFor"), STATUS / "reservedFor"
    found = [names.members(users, _MOST_USERS, place, _user, lambda user: text(user, "uid"))]
    allocation = status.get("allocation")
    if users and allocation is None:
        found.append(forbidden(place, "may not be specified when `allocated` is not set"))
    if allocation is not None and before.get("allocation") is not None and not same(allocation, before["allocation"]):
        found.append(invalid_value(STATUS / "allocation", allocation, _FIXED))
    return merge(*found)


def _user(user: JsonObject, at: Place) -> Decision:
    return merge(*[required(at / name) for name in ("resource", "name", "uid") if not text(user, name)])


_META = object_meta.new(name_rules.SUBDOMAIN, namespaced=True)
CLAIM = Strategy(
    validate=in_order(_META, _claim),
    validate_update=changes(
        lambda obj, _old: _META(obj), object_meta.changed, _same_spec("resource.ResourceClaimSpec")
    ),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
)
CLAIM_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status),
    prepare_for_update=keeping_all_but_status,
)


# --- templates --------------------------------------------------------------------------------------------------------


def _template(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    of, place, scope = member(spec, "metadata"), SPEC / "metadata", Scope(_WALKS, "", obj)
    found = [metadata.check_annotations(of, scope, place)] if of.get("annotations") else []
    if of.get("labels"):
        found.append(labels.of("labels")(of, scope, place))
    found.append(of_claims_alone(of, scope, place))
    return merge(*found, requests.claim(member(spec, "spec"), SPEC / "spec"))


CLAIM_TEMPLATE = Strategy(
    validate=in_order(_META, _template),
    validate_update=changes(object_meta.changed, _same_spec("resource.ResourceClaimTemplateSpec")),
)


# --- slices -----------------------------------------------------------------------------------------------------------


def _slice(obj: JsonObject) -> Decision:
    return slices.check(member(obj, "spec"), None)


def _slice_change(obj: JsonObject, old: JsonObject) -> Decision:
    return slices.check(member(obj, "spec"), member(old, "spec"))


def _slice_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    driver = text(member(obj, "spec"), "driver")
    if driver == driver.lower():
        return ()
    return (f'spec.driver: driver names should be lowercase; "{driver}" contains uppercase characters',)


SLICE = Strategy(
    validate=in_order(object_meta.new(name_rules.SUBDOMAIN, namespaced=False), _slice),
    validate_update=changes(object_meta.changed, _slice_change),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    warnings=_slice_warnings,
    namespaced=False,
)
