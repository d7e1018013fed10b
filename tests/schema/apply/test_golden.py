"""managedFields and conflicts of recorded writes, as kube-apiserver answered them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from podward.schema.apply.builtin_types import builtin
from podward.schema.apply.empty_objects import empty_object
from podward.schema.apply.managed import Applied, Versions, Write, after_apply, after_update
from podward.schema.apply.reset_fields import builtin_filter
from podward.schema.kinds import type_of

FILE = Path(__file__).parents[2] / "golden" / "apply_shared.jsonl.gz"
CASES: list[dict[str, Any]] = [json.loads(line) for line in gzip.decompress(FILE.read_bytes()).splitlines()]


def without_times(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries as the recording compares them: as a set, without times."""
    told = [{name: value for name, value in entry.items() if name != "time"} for entry in entries]
    return sorted(
        told, key=lambda entry: [entry.get(name, "") for name in ("manager", "operation", "subresource", "apiVersion")]
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_the_recorded_answer(case: dict[str, Any]) -> None:
    version, kind = case["apiVersion"], case["kind"]
    name = type_of(version, kind)
    assert name is not None
    versions = Versions({version: builtin(name)}, lambda value, _: value, empty_object(version, kind))
    keep = builtin_filter(case["resource"], case["subresource"])
    write = Write(versions, kind, version, case["manager"], "2026-01-01T00:00:00Z", case["subresource"], keep)
    if "patch" not in case:
        found: Any = after_update(write, case.get("live"), case["new"])
    else:
        applied = after_apply(write, case.get("live"), case["patch"], force=case.get("force", False))
        if not isinstance(applied, Applied):
            assert applied.message == case["expected"]
            return
        found = applied.object
    assert without_times(found["metadata"].get("managedFields", [])) == case["expected"]
