"""The objects of a request in the versions that webhooks want them in.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/conversion.go, and runtime.EquivalentResourceRegistry: what
is stored in one place is the same in several versions.
"""

from __future__ import annotations

from msgspec import structs

from podward.api import status
from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.schema.apply.kind_versions import builtin_versions
from podward.schema.apply.types import Type
from podward.schema.bodies import Expected, Undecodable, decode_body
from podward.schema.body_reading import FieldValidation
from podward.schema.custom_objects.kind import CustomKind
from podward.schema.versions import in_version
from podward.server import decoding
from podward.server.catalog import Catalog
from podward.server.encoding import json_bytes
from podward.server.webhooks.conversion import Converter
from podward.stages.admission.webhooks.matching import Served

_LENIENT: FieldValidation = "Ignore"


class Versions:
    """The versions of a server's resources."""

    def __init__(self, catalog: Catalog, converter: Converter) -> None:
        self.catalog = catalog
        self._converter = converter

    def _resource(self, asked: AdmissionRequest) -> Resource | None:
        return self.catalog.find(asked.resource.group, asked.version, asked.resource.resource)

    def equivalents(self, asked: AdmissionRequest) -> tuple[Served, ...]:
        """The other versions of the request's resource, with the kind that its subresource has there."""
        mine = self._resource(asked)
        if mine is None:
            return ()
        found: list[Served] = []
        for other in self.catalog.all():
            if other is mine or other.plural != mine.plural or other.stored != mine.stored:
                continue
            part = other.subresource(asked.subresource) if asked.subresource else None
            if part is not None:
                found.append(Served(other.group, other.version, other.plural, part.kind, part.api_version))
            elif not asked.subresource:
                found.append(Served(other.group, other.version, other.plural, other.kind, other.api_version))
        return tuple(found)

    async def converted(self, asked: AdmissionRequest, obj: JsonObject, api_version: str) -> JsonObject | Status:
        """An object of the request as one of this version."""
        if obj.get("apiVersion") == api_version:
            return obj
        mine = self._resource(asked)
        custom = self.catalog.custom(mine) if mine is not None else None
        if custom is None:
            return in_version(obj, GroupVersion.parse(api_version))
        if custom.conversion is None:
            return {**obj, "apiVersion": api_version}
        found = await self._converter.convert(custom, [obj], api_version)
        return status.internal_error(found.message) if isinstance(found, Status) else found[0]

    async def asked_in(self, asked: AdmissionRequest, served: Served) -> AdmissionRequest | Status:
        """The request with its objects in the version that a webhook wants."""
        changed: dict[str, JsonObject] = {}
        for name, obj in (("object", asked.object), ("old_object", asked.old_object)):
            if obj is None or obj.get("apiVersion") == served.api_version:
                continue
            made = await self.converted(asked, obj, served.api_version)
            if isinstance(made, Status):
                return made
            changed[name] = made
        return structs.replace(asked, **changed) if changed else asked

    def decoded_again(
        self, obj: JsonObject, served: Served, validation: FieldValidation = _LENIENT
    ) -> JsonObject | Status:
        """What a patch made, read as the kind that it must still be, without defaults; what it has not is dropped.

        `validation` is what is made of such fields, otherwise.
        """
        custom = self._custom(served)
        if custom is not None:
            found = decoding.custom_again(obj, custom)
        else:
            found = decode_body(json_bytes(obj), "json", Expected(served.api_version, served.kind), validation)
        return status.internal_error(found.bare) if isinstance(found, Undecodable) else found.object

    def with_defaults(self, obj: JsonObject, served: Served) -> JsonObject:
        """A decoded object with its defaults."""
        custom = self._custom(served)
        return decoding.defaulted(obj, served.api_version, served.kind) if custom is None else custom.defaulted(obj)

    def type_of(self, served: Served) -> Type | None:
        """What is known of a kind for merging what is applied to it."""
        custom = self._custom(served)
        known = builtin_versions(served.api_version, served.kind) if custom is None else custom.versions
        return known.types.get(served.api_version)

    def _custom(self, served: Served) -> CustomKind | None:
        """What is known of the kind, if it is a custom one; a Scale is none."""
        if served.kind == "Scale" and served.api_version == "autoscaling/v1":
            return None
        resource = self.catalog.find(served.group, served.version, served.resource)
        return self.catalog.custom(resource) if resource is not None else None
