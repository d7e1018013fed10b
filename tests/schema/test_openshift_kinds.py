"""What the tables say of OpenShift's kinds holds together."""

from __future__ import annotations

from podward.schema.canonical import canonical
from podward.schema.kinds import type_of
from podward.schema.openshift.constraints import definition
from podward.schema.openshift.resources import DESCRIBED, RESOURCES
from podward.schema.table import TYPES


def test_every_resource_has_a_type_and_an_empty_object_of_it() -> None:
    for resource in RESOURCES:
        of = type_of(resource.api_version, resource.kind)
        assert of is not None, resource.kind
        assert isinstance(canonical({}, of), dict)
        for part in resource.subresources:
            if part.kind not in {"Scale", "DeploymentLog"}:
                assert type_of(part.api_version, part.kind) is not None, part.kind


def test_openapi_tells_of_every_resource() -> None:
    for told in DESCRIBED:
        assert told.schema is not None
        properties = told.schema["properties"]
        assert isinstance(properties, dict)
        assert properties.keys() == TYPES[type_of(told.resource.api_version, told.resource.kind) or ""].keys()


def test_the_definition_of_constraints_has_their_fields() -> None:
    spec = definition()["spec"]
    assert isinstance(spec, dict)
    versions = spec["versions"]
    assert isinstance(versions, list)
    assert isinstance(versions[0], dict)
    schema = versions[0]["schema"]
    assert isinstance(schema, dict)
    whole = schema["openAPIV3Schema"]
    assert isinstance(whole, dict)
    properties, required = whole["properties"], whole["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    assert TYPES["SecurityContextConstraints"].keys() - properties.keys() == {"runAsGroup"}
    assert set(map(str, required)) <= properties.keys()
