"""`podward batch pss` answers as Pod Security admission did, line for line."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from podward.cli import batch

GOLDEN = Path(__file__).parents[2] / "golden"


@cache
def recorded(name: str) -> list[dict[str, Any]]:
    with gzip.open(GOLDEN / name, "rt") as file:
        return [json.loads(line) for line in file]


def ask(lines: list[bytes], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    class Stdin:
        buffer = io.BytesIO(b"\n".join(lines))

    class Stdout:
        buffer = io.BytesIO()

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Stdin)
        patch.setattr(sys, "stdout", Stdout)
        parser = __import__("argparse").ArgumentParser()
        batch.configure(parser)
        assert batch.run(parser.parse_args(["pss"])) == 0
    return [json.loads(line) for line in Stdout.buffer.getvalue().splitlines()]


@cache
def answers_to(name: str) -> list[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        return ask([json.dumps({"id": case["id"], **case["input"]}).encode() for case in recorded(name)], patch)


@pytest.mark.parametrize(("name", "count"), [("psa_shared.jsonl.gz", 300), ("psa_fixtures.jsonl.gz", 4537)])
def test_every_recorded_answer_is_given(name: str, count: int) -> None:
    cases = recorded(name)
    assert len(cases) == count
    for case, answer in zip(cases, answers_to(name), strict=True):
        assert answer == {"id": case["id"], **case["expected"]}


def test_upstreams_fixtures_pass_and_fail_as_their_folders_say() -> None:
    for answer in answers_to("psa_fixtures.jsonl.gz"):
        level, version, folder, _ = answer["id"].split("/")
        assert answer["allowed"] == (folder == "pass"), answer["id"]
        assert answer["allowed"] or f'violates PodSecurity "{level}:{version}": ' in answer["message"]


POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}], "hostPID": True}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"level": "strict"}, "level: 'strict' must be one of privileged, baseline, restricted"),
        ({"level": None}, "`str`"),
        ({"version": "1.30"}, 'version: \'1.30\' must be "latest" or "v1.x"'),
        ({"version": "v1.01"}, 'must be "latest" or "v1.x"'),
        ({"version": "v1.9223372036854775808"}, 'must be "latest" or "v1.x"'),
        ({"prepare": "some"}, "prepare: some is none of none, defaults, create"),
        ({"pod": {"spec": 3}}, "pod.spec"),
        ({"pod": {"spec": {"hostPID": "yes"}}}, "pod.spec.hostPID"),
        ({"pod": None}, "`object`"),
    ],
)
def test_a_line_that_is_no_question_is_answered_with_what_is_wrong(
    change: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"id": 1, "pod": POD, "level": "baseline", "version": "latest"}
    bad, after = ask([json.dumps({**good, **change}).encode(), json.dumps(good).encode()], monkeypatch)
    assert bad["id"] == 1
    assert says in bad["error"]
    assert after["reason"] == "host namespaces"


def test_a_pod_without_name_is_refused_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"id": 1, "pod": {"spec": {"containers": [], "hostIPC": True}}, "level": "baseline"}
    (answer,) = ask([json.dumps(line).encode()], monkeypatch)
    text = 'pods is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostIPC=true)'
    assert answer["message"] == text


ODD: tuple[object, ...] = (None, "", 0, -1, 1.5, True, [], {}, "x", [None], [{}], {"a": None}, 2**70, "Localhost", [1])


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside a JSON value."""
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in ((*at, key), *places(inner, (*at, key)))]
    if isinstance(value, list):
        return [place for i, inner in enumerate(value) for place in ((*at, i), *places(inner, (*at, i)))]
    return []


def test_every_line_is_answered_whatever_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261122)  # noqa: S311  # chosen questions, not secrets
    cases = recorded("psa_shared.jsonl.gz")
    lines: list[bytes] = []
    for number in range(2000):
        question: Any = json.loads(json.dumps(chance.choice(cases)["input"]))
        place = chance.choice(places(question))
        inside = question
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = chance.choice(ODD)
        line = json.dumps({"id": number, **question}).encode()
        if number % 10 == 9:  # bytes that are no JSON any more, most of them
            cut = chance.randrange(len(line))
            line = line[:cut] + bytes([chance.choice(b'{}[]",:0xz\\')]) + line[cut + 1 :]
        lines.append(line)
    answers = ask(lines, monkeypatch)
    assert len(answers) == 2000
    assert all("error" in answer or isinstance(answer["allowed"], bool) for answer in answers)
    answered = [answer for answer in answers if "error" not in answer]
    assert 200 < len(answered) < 2000
    assert all(answer["allowed"] == (not answer["message"]) for answer in answered)
