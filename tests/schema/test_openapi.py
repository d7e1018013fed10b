"""OpenAPI documents: every address that a real server has, and schemas for whatever is named."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.schema.openapi import definitions
from podward.schema.openapi.custom import CustomResource
from podward.schema.openapi.documents import (
    document,
    list_of_documents,
    names_of_documents,
    state_of,
    whole_document,
)
from podward.schema.resources import RESOURCES

PATHS: dict[str, list[str]] = json.loads(Path(__file__).with_name("openapi-paths.json").read_text())
"""The addresses in documents of a real server, by the documents' names."""
TOOLS = Path(__file__).parents[2] / "tools"
CAKES = Resource(
    "baking.example.com", "v1", "Cake", "cakes", "cake", True, "CakeList", GroupVersion("baking.example.com", "v1")
)
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "description": "what it is made of",
            "required": ["n", "size"],
            "default": {"n": 1},
            "properties": {"size": {"x-kubernetes-int-or-string": True}, "n": {"type": "integer", "nullable": True}},
        },
        "inner": {"type": "object", "x-kubernetes-embedded-resource": True},
    },
}


def found(name: str, *customs: CustomResource) -> Any:  # noqa: ANN401 - a document of any depth
    made = document(name, [*RESOURCES, *(custom.resource for custom in customs)], customs)
    assert made is not None
    return made


def dangling(made: Any, schemas: Any, pattern: str) -> set[str]:  # noqa: ANN401 - a document of any depth
    return set(re.findall(pattern, json.dumps(made))) - set(schemas)


def test_lists_the_documents_of_a_real_server() -> None:
    paths = list_of_documents(RESOURCES, "abc")["paths"]
    assert isinstance(paths, dict)
    assert sorted(paths) == PATHS["list"]
    assert paths["api/v1"] == {"serverRelativeURL": "/openapi/v3/api/v1?hash=abc"}


@pytest.mark.parametrize("name", ["api/v1", "apis/apps/v1"])
def test_has_the_addresses_of_a_real_server(name: str) -> None:
    assert sorted(found(name)["paths"]) == PATHS[name]


@pytest.mark.parametrize("name", names_of_documents(RESOURCES))
def test_every_reference_leads_somewhere(name: str) -> None:
    made = found(name)
    assert dangling(made, made["components"]["schemas"], '"#/components/schemas/([^"]+)"') == set()
    assert '"#/definitions/' not in json.dumps(made)


def test_one_document_of_version_2_has_all() -> None:
    made: Any = whole_document(RESOURCES)
    assert dangling(made, made["definitions"], '"#/definitions/([^"]+)"') == set()
    assert set(PATHS["apis/apps/v1"]) <= set(made["paths"])
    operations = [
        operation["operationId"]
        for path in made["paths"].values()
        for method, operation in path.items()
        if method != "parameters" and "x-kubernetes-action" in operation and "proxy" not in json.dumps(path).lower()
    ]
    assert len(operations) == len(set(operations))


def test_a_field_says_what_it_is_and_how_it_is_patched() -> None:
    schemas = found("api/v1")["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert "containers belonging to the pod" in containers["description"]
    assert schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]["oneOf"] == [{"type": "string"}, {"type": "number"}]
    spec = schemas["io.k8s.api.core.v1.Pod"]["properties"]["spec"]
    assert spec["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    assert "enum" not in schemas["io.k8s.api.core.v1.Pod"]["properties"]["kind"]


def test_an_operation_says_what_it_does_to_which_kind() -> None:
    patch = found("apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert {"dryRun", "fieldValidation", "force"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]
    assert patch["operationId"] == "patchAppsV1NamespacedDeployment"


def test_a_custom_resource_has_its_schema_and_the_fields_of_every_object() -> None:
    made = found("apis/baking.example.com/v1", CustomResource(CAKES, SCHEMA))
    cake = made["components"]["schemas"]["com.example.baking.v1.Cake"]
    assert set(cake["properties"]) == {"apiVersion", "kind", "metadata", "spec", "inner"}
    assert cake["properties"]["spec"]["properties"]["n"] == {"type": "integer", "nullable": True}
    assert set(cake["properties"]["inner"]["properties"]) == {"apiVersion", "kind", "metadata"}
    assert cake["properties"]["inner"]["required"] == ["kind", "apiVersion"]
    assert "/apis/baking.example.com/v1/namespaces/{namespace}/cakes/{name}" in made["paths"]
    assert dangling(made, made["components"]["schemas"], '"#/components/schemas/([^"]+)"') == set()


def test_version_2_leaves_out_what_it_cannot_say() -> None:
    made: Any = whole_document([*RESOURCES, CAKES], [CustomResource(CAKES, SCHEMA)])
    spec = made["definitions"]["com.example.baking.v1.Cake"]["properties"]["spec"]
    assert spec["properties"] == {"size": {"x-kubernetes-int-or-string": True}, "n": {}}
    assert (spec["required"], spec["default"]) == (["size"], {"n": 1})
    assert "com.example.baking.v1.CakeList" in made["definitions"]


def test_version_2_says_nothing_of_what_preserves_unknown_fields() -> None:
    preserving: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    inner: JsonObject = {**preserving, "x-kubernetes-embedded-resource": True, "properties": {"a": {"type": "string"}}}
    root: Any = whole_document([*RESOURCES, CAKES], [CustomResource(CAKES, {**inner})])
    cake = root["definitions"]["com.example.baking.v1.Cake"]
    assert {name: cake[name] for name in cake if not name.endswith("kind")} == {"type": "object"}
    schema: JsonObject = {"type": "object", "properties": {"inner": inner}}
    made: Any = whole_document([*RESOURCES, CAKES], [CustomResource(CAKES, schema)])
    field = made["definitions"]["com.example.baking.v1.Cake"]["properties"]["inner"]
    assert field == {**preserving, "x-kubernetes-embedded-resource": True}


def test_without_a_schema_a_custom_resource_is_any_object() -> None:
    made: Any = whole_document([*RESOURCES, CAKES], [CustomResource(CAKES)])
    cake = made["definitions"]["com.example.baking.v1.Cake"]
    assert {name: cake[name] for name in cake if not name.endswith("kind")} == {"type": "object"}


def test_a_custom_resource_that_nobody_describes_is_any_object() -> None:
    made: Any = document("apis/baking.example.com/v1", [*RESOURCES, CAKES])
    assert made["components"]["schemas"]["com.example.baking.v1.Cake"]["type"] == "object"
    assert dangling(made, made["components"]["schemas"], '"#/components/schemas/([^"]*)"') == set()


def test_the_state_changes_with_what_is_served() -> None:
    states = {
        state_of(RESOURCES),
        state_of([*RESOURCES, CAKES]),
        state_of([*RESOURCES, CAKES], [CustomResource(CAKES, SCHEMA)]),
    }
    assert len(states) == 3
    assert state_of(RESOURCES) == state_of(list(RESOURCES))


def test_what_is_not_served_has_no_document() -> None:
    assert document("apis/none/v1", RESOURCES) is None


def test_the_definitions_are_the_generated_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOOLS)
    spec = spec_from_file_location("generate_openapi_definitions", TOOLS / "generate_openapi_definitions.py")
    assert spec is not None
    assert spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    sys.modules.pop("generate_schema_table", None)
    packed = re.search(r"PACKED = \((.*)\)\n", tool.module(), re.DOTALL)
    assert packed is not None
    assert "".join(re.findall(r'"([^"]*)"', packed.group(1))) == definitions.PACKED, "run make tables"
