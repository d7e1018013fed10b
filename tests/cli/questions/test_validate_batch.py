"""`podward batch validate` answers as the real API server did, and answers every line."""

from __future__ import annotations

import gzip
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from proofs import examples

from podward.cli.questions.validate import answer
from podward.errors import InputError

GOLDEN = Path(__file__).parents[2] / "golden"
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, "", "a", "1Gi", "..", "a b", "x" * 300, "\u00fc", [], {}, [1],
    ["a", "a"], {"a": 1}, [None], {"": ""}, "2024-01-01T00:00:00Z", "010.0.0.1", 65536,
)  # fmt: skip


@cache
def recorded(name: str = "validate_shared") -> list[dict[str, Any]]:
    with gzip.open(GOLDEN / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def plain(value: object) -> object:
    """The value without null members: null and absent are the same in these recordings."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def ask(question: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(answer(json.dumps(question).encode())))
    return found


def mutated(value: object, chance: random.Random) -> object:
    if chance.random() < 0.02:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        made = {}
        for name, item in value.items():
            made[name.upper() if chance.random() < 0.02 else name] = mutated(item, chance)
        return made
    if isinstance(value, list):
        return [mutated(item, chance) for item in value for _ in range(chance.choice((1,) * 20 + (2,)))]
    return value


def comparable(given: dict[str, Any], recording: dict[str, Any]) -> object:
    """What the recording tells; where the server visits maps in no order, its errors have none either."""
    lists = ("errors", "apiserverErrors") if "orderUnstable" in recording else ()
    told = {name: given.get(name) for name in recording if name != "orderUnstable"}
    return plain(told | {name: sorted(given[name]) for name in lists})


@pytest.mark.parametrize(
    ("name", "number"), [("validate_shared", 300), ("validate_mild_shared", 800), ("validate_wide_shared", 200)]
)
def test_every_recorded_answer_of_the_server_is_given(name: str, number: int) -> None:
    cases = recorded(name)
    assert len(cases) == number
    for case in cases:
        expected = case["expected"]
        assert comparable(ask(case["input"]), expected) == comparable(expected, expected), case["id"]


@pytest.mark.proof
def test_every_mutated_pod_is_answered_and_what_is_refused_is_told() -> None:
    chance = random.Random(4)  # noqa: S311  # not for secrets
    cases = recorded()
    seen = {"decodeError": 0, "refused": 0, "fine": 0}
    for _ in range(examples(600, 2000)):
        pod = mutated(chance.choice(cases)["input"]["pod"], chance)
        found = ask({"pod": pod, "allowPrivileged": True})
        if "decodeError" in found:
            seen["decodeError"] += 1
            continue
        seen["refused" if found["errors"] else "fine"] += 1
        assert bool(found["message"]) is bool(found["apiserverErrors"])
        assert (found["warnings"] is None) is bool(found["apiserverErrors"])
    assert all(number > 30 for number in seen.values()), seen


def test_what_the_server_sends_back_is_read_again_to_the_same() -> None:
    for case in recorded():
        once = ask(case["input"])
        if "decodeError" not in once:
            again = ask({"pod": once["defaulted"], "allowPrivileged": case["input"].get("allowPrivileged", True)})
            assert again["defaulted"] == once["defaulted"]
            assert again["errors"] == once["errors"]
            assert list(again["strictErrors"]) == []


def test_a_question_without_a_pod_is_bad_input() -> None:
    with pytest.raises(InputError):
        answer(b'{"id": 1}')


def test_huge_numbers_are_answered() -> None:
    container = {"name": "c", "image": "i", "resources": {"limits": {"cpu": "9" * 5000, "memory": "1e99999999999"}}}
    assert "decodeError" in ask({"pod": {"spec": {"containers": [container]}}})
    alias = {"ip": "0" * 5000 + ".0.0.1"}
    assert ask({"pod": {"spec": {"hostAliases": [alias]}}})["errors"]
