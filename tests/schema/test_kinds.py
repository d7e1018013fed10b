"""The types of all kinds that a server serves, against the definitions that Kubernetes publishes."""

from __future__ import annotations

import json
import re
from importlib.metadata import files
from typing import Any

import pytest

from podward.api.json_value import JsonObject
from podward.api.version import KUBERNETES
from podward.schema.fit import fits
from podward.schema.godecode.gotypes import fields_of, way_to
from podward.schema.kinds import type_of
from podward.schema.protobuf_fields import NUMBERS
from podward.schema.resources import RESOURCES
from podward.schema.served_types import EMBEDDED, KINDS
from podward.schema.table import TYPES

GROUPS = {
    "v1": "io.k8s.api.core.v1",
    "apiextensions.k8s.io/v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "apiregistration.k8s.io/v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
}


@pytest.fixture(name="definitions", scope="module")
def loaded() -> dict[str, Any]:
    """The published definitions by their full names."""
    found = [
        file for file in files("kubernetes-validate") or () if file.match(f"v{KUBERNETES}.*-local/_definitions.json")
    ]
    read: dict[str, Any] = json.loads(found[0].read_text())["$defs"]
    return read


def package(api_version: str) -> str:
    group, _, version = api_version.partition("/")
    return GROUPS.get(api_version, f"io.k8s.api.{group.partition('.')[0]}.{version}")


def differing(name: str, place: str, definitions: dict[str, Any], seen: set[tuple[str, str]]) -> list[str]:
    """Where the fields of a type are not those of its definition, and of all types below it."""
    if (name, place) in seen or not definitions[place].get("properties"):
        return []
    seen.add((name, place))
    fields = definitions[place]["properties"]
    found = [] if set(fields) == set(TYPES[name]) else [f"{place}: {set(fields) ^ set(TYPES[name])}"]
    for field, schema in fields.items():
        inner = TYPES[name].get(field, "s").lstrip("[{")
        of = re.findall(r'"\$ref": "[^"]*/([^"/]+)"', json.dumps(schema))
        if inner in TYPES and of:
            found += differing(inner, of[0], definitions, seen)
    return found


def test_every_served_kind_has_the_published_fields(definitions: dict[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    found: list[str] = []
    for resource in RESOURCES:
        for kind in (resource.kind, *({resource.list_kind} if "list" in resource.verbs else ())):
            name = type_of(resource.api_version, kind)
            assert name is not None, kind
            found += differing(name, f"{package(resource.api_version)}.{kind}", definitions, seen)
    assert found == []
    assert len(seen) > 500


def test_what_subresources_take_and_answer_is_known() -> None:
    for resource in RESOURCES:
        for part in resource.subresources:
            assert type_of(part.api_version, part.kind), part


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("events.k8s.io/v1", "Event", "events.v1.Event"),
        ("v1", "Event", "Event"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "autoscaling.v2.HorizontalPodAutoscaler"),
        ("policy/v1", "DeleteOptions", "DeleteOptions"),
        ("v1", "Status", "Status"),
        ("apps/v1", "Status", None),
        ("apps/v9", "Deployment", None),
    ],
)
def test_a_kind_has_a_type(api_version: str, kind: str, name: str | None) -> None:
    assert type_of(api_version, kind) == name


def test_what_go_calls_a_type() -> None:
    printed = {
        of: {field: go.name for field, go in fields_of(of).items()}
        for of in ("SubjectAccessReviewSpec", "autoscaling.v2.HorizontalPodAutoscalerSpec", "Secret", "events.v1.Event")
    }
    assert printed["SubjectAccessReviewSpec"]["extra"] == "map[string]v1.ExtraValue"
    assert printed["autoscaling.v2.HorizontalPodAutoscalerSpec"]["metrics"] == "[]v2.MetricSpec"
    assert printed["Secret"]["data"] == "map[string][]uint8"
    assert printed["events.v1.Event"]["series"] == "v1.EventSeries"
    assert way_to("NamedRuleWithOperations", "scope") == ("RuleWithOperations", "Rule", "scope")
    element = fields_of("SubjectAccessReviewSpec")["extra"].element
    assert element is not None
    assert (element.kind, element.name) == ("slice", "v1.ExtraValue")


def test_schemas_of_custom_resources_fit() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"a": {"items": {"type": "string"}, "maximum": 1.5, "default": None}},
    }
    assert fits(schema, "JSONSchemaProps")
    assert fits(
        {"additionalProperties": True, "items": [{"type": "string"}], "enum": [1, "a", None]}, "JSONSchemaProps"
    )
    assert not fits({"additionalProperties": "yes"}, "JSONSchemaProps")
    assert not fits({"items": [{"typ": "string"}]}, "JSONSchemaProps")


def test_every_type_has_numbers_for_protobuf() -> None:
    for name, fields in TYPES.items():
        if name not in NUMBERS:
            continue
        numbered = dict(part.split("=") for part in NUMBERS[name].split())
        inlined = {
            field for part, names in EMBEDDED.get(name, {}).items() if f"*{part}" in numbered for field in names.split()
        }
        missing = set(fields) - set(numbered) - inlined - {"kind", "apiVersion"}
        assert not missing or any(part.startswith("*") for part in numbered), (name, missing)
        assert len(set(numbered.values())) == len(numbered), name
    # OpenShift's kinds, which have no Protobuf here, are in the table once something has imported them.
    served = [names for version, names in KINDS.items() if "openshift.io/" not in version]
    assert {name for names in served for name in names.values()} <= set(NUMBERS)
