"""`podward batch effective` answers as the real kubelet did, line for line."""

import gzip
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from podward.cli import batch

GOLDEN = Path(__file__).parent.parent / "golden"


def plain(value: object) -> object:
    """The value without null members: null and absent are the same in these recordings."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def recorded() -> list[dict[str, dict[str, object]]]:
    with gzip.open(GOLDEN / "kubelet_shared.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def ask(lines: list[bytes], monkeypatch: pytest.MonkeyPatch, kind: str = "effective") -> list[dict[str, object]]:
    class Stdin:
        buffer = io.BytesIO(b"\n".join(lines))

    class Stdout:
        buffer = io.BytesIO()

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Stdin)
        patch.setattr(sys, "stdout", Stdout)
        parser = __import__("argparse").ArgumentParser()
        batch.configure(parser)
        assert batch.run(parser.parse_args([kind])) == 0
    return [json.loads(line) for line in Stdout.buffer.getvalue().splitlines()]


def test_every_recorded_answer_of_the_kubelet_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = recorded()
    assert len(cases) == 300
    answers = ask([json.dumps({"id": c["id"], **c["input"]}).encode() for c in cases], monkeypatch)
    for case, answer in zip(cases, answers, strict=True):
        assert answer.pop("id") == case["id"]
        assert plain(answer) == plain(case["expected"]), case["id"]


def test_a_line_that_is_no_input_is_answered_with_an_error_and_the_rest_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"id": 2, "container": "c", "pod": {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}}
    lines = [b"{", b'{"id": 1, "pod": {"spec": 3}, "container": "c"}', json.dumps(good).encode()]
    lines.append(b'{"id": 3, "pod": {}, "container": "missing"}')
    answers = ask(lines, monkeypatch)
    assert "error" in answers[0]
    assert answers[0]["id"] is None
    assert "spec" in str(answers[1]["error"])
    assert answers[2]["runAsNonRootError"] is None
    assert "missing" in str(answers[3]["error"])


def test_the_users_of_an_image_are_read_as_runtimes_report_them(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    users = {"1003:1004": (1003, ""), "www-data:1004": (None, "www-data"), "": (0, ""), "9" * 30: (None, "9" * 30)}
    lines = [json.dumps({"id": u, "pod": pod, "container": "c", "rawImageUser": u}).encode() for u in users]
    for answer, (uid, name) in zip(ask(lines, monkeypatch), users.values(), strict=True):
        assert answer["imageUser"] == {"uid": uid, "username": name}


def test_null_is_absent_wherever_a_manifest_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    context = {"capabilities": {"add": None, "drop": None}, "seLinuxOptions": None}
    env = [{"name": "A", "value": None}]
    container = {"name": "c", "command": None, "env": env, "volumeMounts": None, "securityContext": context}
    pod = {"metadata": {"name": "p", "labels": None}, "spec": {"containers": [container], "volumes": None, "os": None}}
    (answer,) = ask([json.dumps({"id": 1, "pod": pod, "container": "c"}).encode()], monkeypatch)
    linux = answer["linux"]
    assert isinstance(linux, dict)
    assert linux["capabilities"] == {"add": [], "addAmbient": [], "drop": []}


ODD: tuple[object, ...] = (None, "", 0, -1, 1.5, True, [], {}, "x", [None], [{}], {"a": None}, 2**70, "Localhost", [1])


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside a JSON value."""
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in ((*at, key), *places(inner, (*at, key)))]
    if isinstance(value, list):
        return [place for i, inner in enumerate(value) for place in ((*at, i), *places(inner, (*at, i)))]
    return []


def test_every_line_is_answered_whatever_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261121)  # noqa: S311  # chosen questions, not secrets
    cases = recorded()
    lines = []
    for number in range(2000):
        question: Any = json.loads(json.dumps(chance.choice(cases)["input"]))
        place = chance.choice(places(question))
        inside = question
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = chance.choice(ODD)
        lines.append(json.dumps({"id": number, **question}).encode())
    answers = ask(lines, monkeypatch)
    assert [answer["id"] for answer in answers] == list(range(2000))
    assert all("error" in answer or "effective" in answer for answer in answers)


def test_half_of_a_surrogate_pair_is_read_as_go_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = r'{"metadata":{"name":"a\ud83d\ude00b\\ud800\udc00x"},"spec":{"hostPID":true}}'
    line = rf'{{"id":"\ud800","pod":{pod},"level":"baseline","version":"latest","prepare":"none"}}'
    (answer,) = ask([line.encode()], monkeypatch, "pss")
    assert answer["id"] == "\ufffd"
    assert str(answer["message"]).startswith('pods "a\U0001f600b\\\\ud800\ufffdx" is forbidden')
