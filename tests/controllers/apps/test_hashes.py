"""Hashes of templates and revisions: those that Kubernetes' own controllers have put into names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podward.controllers.apps.hashes import revision_hash, template_hash
from podward.schema.go_dump.quantity import dumped

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

GOLDEN = Path(__file__).parents[2] / "golden" / "template_hashes.jsonl.gz"


def recorded() -> list[JsonObject]:
    with gzip.open(GOLDEN, "rt") as file:
        return [json.loads(line) for line in file]


def hash_of(row: JsonObject) -> str:
    template, data = row.get("template"), row.get("data")
    if isinstance(template, dict):
        return template_hash(template)
    assert isinstance(data, dict)
    return revision_hash(data, 0)


def test_hashes_are_those_of_kubernetes() -> None:
    rows = recorded()
    assert len(rows) > 300
    assert [row for row in rows if hash_of(row) != row["hash"]] == []


def test_a_collision_gives_another_hash() -> None:
    template: JsonObject = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    found = {template_hash(template, collisions) for collisions in (None, 0, 1)}
    assert len(found) == 3
    assert revision_hash(template, 0) != revision_hash(template, 1)


def test_what_go_would_not_print_has_a_hash_too() -> None:
    template: JsonObject = {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {}}
    assert template_hash(template) != template_hash({"metadata": {}, "spec": {}})


@pytest.mark.parametrize(
    ("text", "amount", "kept", "form"),
    [
        ("10m", "{value:(int64)10 scale:(resource.Scale)-3}", "10m", "DecimalSI"),
        ("128Mi", "{value:(int64)134217728 scale:(resource.Scale)0}", "", "BinarySI"),
        ("100Mi", "{value:(int64)104857600 scale:(resource.Scale)0}", "100Mi", "BinarySI"),
        ("-1e3", "{value:(int64)-1 scale:(resource.Scale)3}", "-1e3", "DecimalExponent"),
        ("1000", "{value:(int64)1000 scale:(resource.Scale)0}", "", "DecimalSI"),
        ("0", "{value:(int64)0 scale:(resource.Scale)0}", "0", "DecimalSI"),
    ],
)
def test_a_quantity_is_kept_as_a_value_and_a_scale(text: str, amount: str, kept: str, form: str) -> None:
    none = "d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>}"
    assert (
        dumped(text) == f"{{i:(resource.int64Amount){amount} {none} s:(string){kept} Format:(resource.Format){form}}}"
    )


def test_a_quantity_of_many_digits_is_a_decimal() -> None:
    assert "abs:(big.nat)[1610612736000000000]} scale:(inf.Scale)9" in dumped("1.5Gi")
    assert "abs:(big.nat)[5076944270805263616 54210108624]}" in dumped("1000000000000000000000.5")
    with pytest.raises(ValueError, match="1 Gi"):
        dumped("1 Gi")


def test_a_quantity_that_no_memory_holds_is_not_written_out() -> None:
    for text in ("1e-999999999", f"{'9' * 20}e999999999"):
        with pytest.raises(ValueError, match="999999999"):
            dumped(text)
        assert template_hash({"spec": {"containers": [{"resources": {"limits": {"x/y": text}}}]}})
