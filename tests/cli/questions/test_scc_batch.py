"""`podward batch scc` answers as OpenShift's SCC admission did, line for line, and answers everything."""

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

from podward.cli.questions.scc import answer
from podward.errors import PodwardError

GOLDEN = Path(__file__).parents[2] / "golden" / "scc_shared.jsonl.gz"


@cache
def recorded() -> tuple[dict[str, Any], ...]:
    with gzip.open(GOLDEN, "rt") as file:
        return tuple(json.loads(line) for line in file)


def plain(value: object) -> object:
    """The value without null members: null and absent are the same in these recordings."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def ask(question: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(msgspec.json.encode(answer(json.dumps(question).encode())))
    return answered


def test_every_recorded_answer_of_openshift_is_given() -> None:
    assert len(recorded()) == 400
    for case in recorded():
        assert plain(ask(case["input"])) == plain(case["expected"]), case["id"]


POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
NAMESPACE = {
    "metadata": {
        "name": "ns",
        "annotations": {"openshift.io/sa.scc.uid-range": "1000/10", "openshift.io/sa.scc.mcs": "s0:c1,c0"},
    }
}


def question(**changes: object) -> dict[str, Any]:
    case: dict[str, Any] = next(case for case in recorded() if "default" in case["tags"])
    return {"pod": POD, "namespace": NAMESPACE, "sccs": case["input"]["sccs"], "authorized": ["*"], **changes}


def test_the_service_account_may_stand_under_its_former_name() -> None:
    pod = {**POD, "spec": {**POD["spec"], "serviceAccount": "builder"}}  # type: ignore[dict-item]  # a JSON object
    right = [{"scc": "restricted-v2", "user": "system:serviceaccount:ns:builder"}]
    answered = ask(question(pod=pod, authorized=right))
    assert (answered["scc"], answered["subjectType"]) == ("restricted-v2", "serviceaccount")


def test_a_right_is_limited_by_all_that_it_names() -> None:
    user = {"username": "alice", "groups": ["dev"]}
    for right, allowed in (
        ({"scc": "anyuid"}, True),
        ({"scc": "*"}, True),
        ({"scc": "anyuid", "user": "alice", "group": "dev", "namespace": "ns"}, True),
        ({"scc": "anyuid", "user": "bob"}, False),
        ({"scc": "anyuid", "group": "ops"}, False),
        ({"scc": "anyuid", "namespace": "other"}, False),
    ):
        assert ask(question(user=user, authorized=[right]))["allowed"] == allowed, right


def test_null_is_as_good_as_absent() -> None:
    names = ("user", "operation", "oldPod", "subresource", "validateOnly", "namespaceName", "applySCCDefaults")
    assert ask(question(**dict.fromkeys(names))) == ask(question())
    nobody = question(user={"username": None, "groups": None}, authorized=None)
    assert "not usable by user or serviceaccount" in ask(nobody)["error"]


def test_sccs_are_taken_as_stored_unless_their_defaults_are_wanted() -> None:
    sccs = [{**scc, "volumes": None, "allowPrivilegeEscalation": None} for scc in question()["sccs"]]
    pod = {**POD, "spec": {**POD["spec"], "volumes": [{"name": "v", "secret": {}}]}}  # type: ignore[dict-item]  # a JSON object
    assert "secret volumes are not allowed" in ask(question(sccs=sccs, pod=pod))["error"]
    assert ask(question(sccs=sccs, pod=pod, applySCCDefaults=True))["allowed"]


def test_the_pods_namespace_is_the_one_that_is_named() -> None:
    answered = ask(question(namespaceName="elsewhere"))
    assert answered["error"] == (
        'pods "p" is forbidden: error fetching namespace "elsewhere": namespace "elsewhere" not found'
    )


@pytest.mark.parametrize("sccs", [[], [{"metadata": {"name": "restricted-v2"}}]])
def test_without_the_standard_sccs_nobody_is_admitted(sccs: list[object]) -> None:
    answered = ask(question(sccs=sccs))
    assert not answered["allowed"]
    assert "securitycontextconstraints.security.openshift.io cache is missing anyuid, " in answered["error"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"pod": {"spec": {"hostNetwork": "yes"}}}, "pod.spec.hostNetwork"),
        ({"pod": []}, "pod"),
        ({"sccs": [{"priority": "high"}]}, "sccs[0].priority"),
        ({"sccs": [7]}, "sccs[0]"),
        ({"namespace": {"metadata": {"annotations": []}}}, "namespace.metadata.annotations"),
        ({"operation": "UPDATE"}, "oldPod"),
    ],
)
def test_a_value_of_a_wrong_type_is_named(changes: dict[str, object], where: str) -> None:
    with pytest.raises(PodwardError) as error:
        ask(question(**changes))
    assert str(error.value).startswith(f"{where}: ")


@pytest.mark.proof
def test_hostile_lines_are_answered() -> None:
    chance = random.Random(4)  # noqa: S311  # cases, not secrets
    admitted = 0
    tried = examples(500, 2000)
    for _ in range(tried):
        mutated = mutate(chance, chance.choice(recorded())["input"])
        assert isinstance(mutated, dict)
        try:
            admitted += ask(mutated)["allowed"]
        except (PodwardError, msgspec.DecodeError):
            continue
    assert admitted > tried / 20


HOSTILE: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 1.5, 1e300, "", "x", "*", "ALL", "é\u0000\U0001f600",
    [], [None], {}, {"": None}, [[]], {"name": None}, "9" * 200, "s0:c1,c0", "localhost/", "runtime/default",
)  # fmt: skip


def mutate(chance: random.Random, value: object, depth: int = 0) -> object:
    """A copy with about one place changed: replaced, removed, doubled or renamed."""
    if isinstance(value, dict) and value:
        name = chance.choice(list(value))
        copy = dict(value)
        if depth > 1 and chance.random() < 0.15:
            if chance.random() < 0.5:
                del copy[name]
            else:
                copy[chance.choice(["", "privileged", "runAsUser", "name", name + "x"])] = copy.pop(name)
        else:
            copy[name] = mutate(chance, value[name], depth + 1)
        return copy
    if isinstance(value, list) and value:
        place = chance.randrange(len(value))
        if chance.random() < 0.15:
            return value[:place] + value[place + 1 :] if chance.random() < 0.5 else [*value, value[place]]
        return [*value[:place], mutate(chance, value[place], depth + 1), *value[place + 1 :]]
    return chance.choice(HOSTILE)
