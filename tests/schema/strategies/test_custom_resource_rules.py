"""Rules of custom resources: what of them compiles, and what they may cost, as the API server says it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from podward.api.json_value import JsonObject
from podward.schema.bodies import Body, Expected, decode_body
from podward.schema.served_defaults import with_served_defaults
from podward.schema.strategies.custom_resources.definitions import DEFINITION

_RECORDED = json.loads((Path(__file__).parent / "custom-resource-rules.json").read_text())
"""A schema, and rules for its `spec` with what Kubernetes refuses in them."""
_RULE = re.compile(r'^Invalid value: \{"Rule".*?\}: ')
_KIND = Expected("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_AT = "spec.validation.openAPIV3Schema"


def definition(schema: JsonObject) -> JsonObject:
    """A definition with this schema."""
    version: JsonObject = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names: JsonObject = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return {
        "metadata": {"name": "widgets.shop.example.com"},
        "spec": {"group": "shop.example.com", "scope": "Namespaced", "names": names, "versions": [version]},
        "status": {"storedVersions": ["v1"]},
    }


def faults(schema: JsonObject) -> list[list[str]]:
    """What is wrong with the schema: places in it, and sentences without the rule that they are about."""
    found = DEFINITION.validate(definition(schema)).violations
    return [[str(each.path).removeprefix(_AT), _RULE.sub("", each.reason)] for each in found]


@pytest.mark.parametrize(("rule", "refused"), _RECORDED["rules"], ids=[each[0]["rule"] for each in _RECORDED["rules"]])
def test_a_rule_is_judged_as_the_api_server_judges_it(rule: JsonObject, refused: list[list[str]]) -> None:
    schema: dict[str, Any] = copy.deepcopy(_RECORDED["schema"])
    schema["properties"]["spec"]["x-kubernetes-validations"] = [rule]
    assert sorted(faults(schema)) == sorted(refused)


def test_rules_are_not_looked_at_where_the_schema_is_wrong() -> None:
    inner: JsonObject = {"type": "object", "x-kubernetes-validations": [{"rule": "nonsense("}], "uniqueItems": True}
    assert [place for place, _ in faults({"type": "object", "properties": {"a": inner}})] == [
        ".properties[a].uniqueItems"
    ]


_DEFINITIONS = json.loads((Path(__file__).parent / "custom-resource-definitions.json").read_text())
"""Specs of definitions, each with its name and what Kubernetes refuses in it."""


@pytest.mark.parametrize(
    ("name", "spec", "refused"), [each[1:] for each in _DEFINITIONS], ids=[e[0] for e in _DEFINITIONS]
)
def test_a_definition_is_judged_as_the_api_server_judges_it(
    name: str, spec: JsonObject, refused: list[list[str]]
) -> None:
    raw: JsonObject = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    read = decode_body(json.dumps({**raw, "metadata": {"name": name}, "spec": spec}).encode(), "json", _KIND)
    assert isinstance(read, Body)
    made = DEFINITION.prepare_for_create(with_served_defaults("CustomResourceDefinition", read.object))
    found = [[str(each.path), each.reason] for each in DEFINITION.validate(made).violations]
    assert sorted(found) == sorted(refused)
