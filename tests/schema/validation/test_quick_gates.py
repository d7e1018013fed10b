"""Gates that let through what no rule has anything against: they may only save time, never change an answer."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from podward.api.json_value import Json
from podward.schema.validation import (
    environment,
    handlers,
    labels,
    mounts,
    pod,
    ports,
    resources,
    security_context,
    volume_source,
)
from podward.schema.view import pod_view
from podward.stages.admission.order import completed

GOLDEN = Path(__file__).parents[2] / "golden" / "validate_shared.jsonl.gz"
GATES = (
    (environment, "_surely_sound"),
    (handlers, "_surely_sound"),
    (labels, "_surely_sound"),
    (mounts, "_surely_sound"),
    (ports, "_surely_sound"),
    (resources, "_surely_sound"),
    (security_context, "surely_sound"),
    (security_context, "_pod_surely_sound"),
    (volume_source, "surely_sound"),
)
ODD: tuple[Json, ...] = ("", "-x", "A_b", "x" * 64, "..", "/", "0", "-1", "1.5Gi", 0, -1, 65536, 2**31, True)


def pods() -> list[dict[str, Any]]:
    """The recorded Pods, and each of them with a few of its scalars replaced by odd ones of the same type."""
    with gzip.open(GOLDEN, "rt") as file:
        recorded = [json.loads(line)["input"]["pod"] for line in file]
    dice = random.Random(20)  # noqa: S311
    return recorded + [mutated(each, dice) for each in recorded for _ in range(3)]


def mutated(value: Any, dice: random.Random) -> Any:  # noqa: ANN401
    """A copy with one scalar in thirty replaced."""
    if isinstance(value, dict):
        return {name: mutated(item, dice) for name, item in value.items()}
    if isinstance(value, list):
        return [mutated(item, dice) for item in value]
    if dice.random() < 1 / 30:
        return dice.choice([odd for odd in ODD if type(odd) is type(value)] or [value])
    return value


def answers() -> list[list[str]]:
    found = []
    for raw in pods():
        try:
            stored = completed(raw).stored
            decision = pod.validate(pod_view(stored), stored)
        except Exception as error:  # noqa: BLE001  # what is no Pod at all is none with and without gates
            found.append([type(error).__name__])
            continue
        found.append([f"{violation.path}: {violation.reason}" for violation in decision.violations])
    return found


def test_without_its_gates_validation_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = answers()
    for module, name in GATES:
        assert hasattr(module, name), f"{module.__name__}.{name}"
        monkeypatch.setattr(module, name, lambda *_: False)
    slow = answers()
    assert quick == slow
    assert sum(map(bool, quick)) > len(quick) // 2, "most of these Pods must have something wrong with them"
