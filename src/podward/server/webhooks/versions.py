"""The objects of a request in the versions that webhooks want them in.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/conversion.go, and runtime.EquivalentResourceRegistry: what
is stored in one place is the same in several versions.
"""

from __future__ import annotations

from podward.api import status
from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.schema.bodies import Expected, Undecodable, decode_body
from podward.schema.body_reading import FieldValidation
from podward.schema.versions import in_version
from podward.server import decoding
from podward.server.catalog import Catalog
from podward.server.encoding import json_bytes
from podward.stages.admission.webhooks.matching import Served

_LENIENT: FieldValidation = "Ignore"


def resource_of(catalog: Catalog, asked: AdmissionRequest) -> Resource | None:
    """The resource that a request is about."""
    return catalog.find(asked.resource.group, asked.version, asked.resource.resource)


def equivalents(catalog: Catalog, asked: AdmissionRequest) -> tuple[Served, ...]:
    """The other versions of the request's resource, with the kind that its subresource has there."""
    mine = resource_of(catalog, asked)
    if mine is None:
        return ()
    found: list[Served] = []
    for other in catalog.all():
        if other is mine or other.plural != mine.plural or other.stored != mine.stored:
            continue
        part = other.subresource(asked.subresource) if asked.subresource else None
        if part is not None:
            found.append(Served(other.group, other.version, other.plural, part.kind, part.api_version))
        elif not asked.subresource:
            found.append(Served(other.group, other.version, other.plural, other.kind, other.api_version))
    return tuple(found)


async def converted(
    catalog: Catalog, asked: AdmissionRequest, obj: JsonObject, api_version: str
) -> JsonObject | Status:
    """An object of the request as one of this version."""
    if obj.get("apiVersion") == api_version:
        return obj
    mine = resource_of(catalog, asked)
    custom = catalog.custom(mine) if mine is not None else None
    if custom is not None:
        return {**obj, "apiVersion": api_version}
    return in_version(obj, GroupVersion.parse(api_version))


def decoded_again(catalog: Catalog, obj: JsonObject, served: Served) -> JsonObject | Status:
    """What a patch made, read as the kind that it must still be, without defaults; what the kind has not is dropped."""
    resource = catalog.find(served.group, served.version, served.resource)
    custom = catalog.custom(resource) if resource is not None else None
    if custom is not None and not _is_scale(served):
        found = decoding.custom_again(obj, custom)
    else:
        found = decode_body(json_bytes(obj), "json", Expected(served.api_version, served.kind), _LENIENT)
    return status.internal_error(found.bare) if isinstance(found, Undecodable) else found.object


def with_defaults(catalog: Catalog, obj: JsonObject, served: Served) -> JsonObject:
    """A decoded object with its defaults."""
    resource = catalog.find(served.group, served.version, served.resource)
    custom = catalog.custom(resource) if resource is not None else None
    if custom is not None and not _is_scale(served):
        return custom.defaulted(obj)
    return decoding.defaulted(obj, served.api_version, served.kind)


def _is_scale(served: Served) -> bool:
    return served.kind == "Scale" and served.api_version == "autoscaling/v1"
