"""A List of nothing but plain workloads and objects of other kinds brings about exactly the Pods of these workloads."""

from __future__ import annotations

from typing import Any

import pytest
from changed_workloads import Raw, document, sound

from podward.path import path
from podward.schema.plain.listed import plain_items
from podward.schema.workload import pod_sources

CONFIG: Raw = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
OTHER: Raw = {"apiVersion": "example.com/v1", "kind": "Thing", "whatever": 1}


def listed(*items: Any, **fields: Any) -> Raw:  # noqa: ANN401
    return {"apiVersion": "v1", "kind": "List", "items": list(items), **fields}


def test_every_workload_has_its_place() -> None:
    raw = listed(CONFIG, *sound(), OTHER, metadata={"resourceVersion": ""})
    found = plain_items(raw)
    assert found is not None
    assert [each.at for each in found] == [path("items", 1 + index) for index in range(len(sound()))]
    sources = pod_sources(document(raw))
    assert [(each.kind, each.name) for each in found] == [(source.kind, source.name) for source in sources]
    assert [source.prefix.startswith(each.at) for each, source in zip(found, sources, strict=True)] == [True] * len(
        found
    )


@pytest.mark.parametrize("items", [[], None])
def test_a_list_may_be_empty(items: object) -> None:
    raw = {**listed(), "items": items}
    assert plain_items(raw) == ()
    assert pod_sources(document(raw)) == ()


@pytest.mark.parametrize(
    "raw",
    [
        listed(sound()[0], {**CONFIG, "data": {"a": 1}}),
        listed(sound()[0], {**sound()[1], "unknown": 1}),
        listed(sound()[0], {"apiVersion": "v1", "kind": ""}),
        listed(sound()[0], {"apiVersion": "", "kind": "Thing"}),
        listed(sound()[0], {"kind": "Thing"}),
        listed(sound()[0], {"apiVersion": 1, "kind": "Thing"}),
        listed(sound()[0], {"apiVersion": "v1", "kind": 1}),
        listed(sound()[0], {"apiVersion": "v1", "kind": "PodList", "items": [sound()[1]]}),
        listed(sound()[0], {"apiVersion": "rbac.authorization.k8s.io/v1beta1", "kind": "Role"}),
        listed(sound()[0], {"apiVersion": "apps/v1", "kind": "Deployment"}),
        listed(sound()[0], None),
        listed(sound()[0], metadata={"namespace": "a"}),
        listed(sound()[0], unknown=1),
        {**listed(sound()[0]), "apiVersion": "v2"},
        {**listed(sound()[0]), "kind": "PodList"},
        sound()[0],
    ],
)
def test_anything_else_is_looked_at_in_full(raw: Raw) -> None:
    assert plain_items(raw) is None
