"""Small decisions: collected roles, Pods and Jobs and tokens that go, usage of quotas."""

from __future__ import annotations

import datetime as dt

import pytest

from podward.api.json_value import Json, JsonObject
from podward.controllers import cluster_roles, legacy_tokens, pod_garbage, quotas
from podward.controllers.jobs import expiry
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL, RESOURCES
from podward.schema.validation.raw import text

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def pod(name: str, phase: str = "Running", *, node: str = "", going: bool = False, **status: Json) -> JsonObject:
    metadata: JsonObject = {"name": name, "namespace": "ns", "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": phase, **status}}


# --- Pods that go


def test_ended_pods_beyond_the_threshold_go_evicted_ones_first() -> None:
    pods = [pod("c", "Succeeded"), pod("a", "Failed"), pod("b", "Failed", reason="Evicted"), pod("runs")]
    assert [text(member(each.pod, "metadata"), "name") for each in pod_garbage.condemned(pods, {}, (), 1)] == ["b", "a"]
    assert pod_garbage.condemned(pods, {}, (), 0) == []


def test_pods_of_nodes_that_are_gone_or_out_of_service_go() -> None:
    taint: Json = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
    ready: Json = [{"type": "Ready", "status": "True"}]
    nodes: dict[str, JsonObject] = {
        "out": {"spec": {"taints": [taint]}},
        "fine": {"spec": {"taints": [taint]}, "status": {"conditions": ready}},
    }
    pods = [
        pod("lost", node="gone"),
        pod("waits", node="unsure"),
        pod("out", node="out", going=True),
        pod("stays", node="fine", going=True),
        pod("nowhere", going=True),
    ]
    found = pod_garbage.condemned(pods, nodes, ["gone"], 100)
    assert [(text(member(each.pod, "metadata"), "name"), each.orphaned) for each in found] == [
        ("lost", True),
        ("out", False),
        ("nowhere", False),
    ]
    assert pod_garbage.missing_nodes(pods, nodes) == {"gone", "unsure"}
    patch = pod_garbage.failed(found[0], 0)
    assert patch == {
        "metadata": {"uid": "lost"},
        "status": {
            "phase": "Failed",
            "conditions": [
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByPodGC",
                    "message": "PodGC: node no longer exists",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }
            ],
        },
    }
    assert pod_garbage.failed(pod_garbage.Condemned(pod("x", "Failed")), 0) is None


# --- Jobs that go


@pytest.mark.parametrize(
    ("condition", "stay", "left"),
    [("Complete", 10, 7.0), ("Failed", 0, -3.0), ("Suspended", 10, None), ("Complete", None, None)],
)
def test_an_ended_job_stays_for_so_long(condition: str, stay: int | None, left: float | None) -> None:
    ended: Json = [{"type": condition, "status": "True", "lastTransitionTime": "1970-01-01T00:00:10Z"}]
    job: JsonObject = {"spec": {"ttlSecondsAfterFinished": stay}, "status": {"conditions": ended}}
    assert expiry.seconds_left(job, 13.0) == left


# --- roles that collect


def test_rules_are_collected_by_selector_and_name_each_once() -> None:
    def role(name: str, label: str, *verbs: str) -> JsonObject:
        rules: list[Json] = [{"verbs": [verb]} for verb in verbs]
        return {"metadata": {"name": name, "labels": {label: "1"}}, "rules": rules}

    selectors: list[Json] = [{"matchLabels": {"second": "1"}}, {"matchLabels": {"first": "1"}}]
    of: JsonObject = {**role("all", "first", "own"), "aggregationRule": {"clusterRoleSelectors": selectors}}
    others = [of, role("b", "first", "x", "z"), role("a", "first", "y"), role("c", "second", "z")]
    assert [each["verbs"] for each in cluster_roles.collected(of, others)] == [["z"], ["y"], ["x"]]


# --- old tokens


def secret(**labels: str) -> JsonObject:
    marks: JsonObject = {f"kubernetes.io/legacy-token-{name.replace('_', '-')}": day for name, day in labels.items()}
    metadata: JsonObject = {"name": "t", "labels": marks, "creationTimestamp": "2024-01-01T00:00:00Z"}
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token"}


@pytest.mark.parametrize(
    ("labels", "mounted", "what"),
    [
        ({}, False, "mark"),
        ({}, True, ""),
        ({"last_used": "2025-05-31"}, False, "mark"),
        ({"last_used": "2025-06-01"}, False, ""),
        ({"last_used": "soon"}, False, ""),
        ({"invalid_since": "2025-05-31"}, False, "delete"),
        ({"invalid_since": "2025-06-02"}, False, ""),
        ({"invalid_since": "nonsense"}, False, "mark"),
    ],
)
def test_tokens_that_nobody_uses(labels: dict[str, str], mounted: bool, what: str) -> None:  # noqa: FBT001 - a table
    account: JsonObject = {"metadata": {"name": "a"}, "secrets": [{"name": "t"}]}
    assert legacy_tokens.verdict(secret(**labels), account, mounted=mounted, now=NOW) == what
    assert legacy_tokens.verdict(secret(**labels), {"metadata": {"name": "a"}}, mounted=mounted, now=NOW) == ""


def test_use_must_have_been_told_for_a_year() -> None:
    assert legacy_tokens.is_told_long_enough("2025-05-31", NOW)
    assert not legacy_tokens.is_told_long_enough("2025-06-01", NOW)
    assert not legacy_tokens.is_told_long_enough("", NOW)


# --- quotas

PODS, MAPS = BY_PLURAL["", "v1", "pods"], BY_PLURAL["", "v1", "configmaps"]


def quota(*scopes: str, used: JsonObject | None = None, **hard: str) -> JsonObject:
    limits: JsonObject = {name.replace("__", "/").replace("_", "."): value for name, value in hard.items()}
    listed: list[Json] = [*scopes]
    return {"spec": {"hard": limits, "scopes": listed}, "status": {"used": used} if used else {}}


def asking(name: str, cpu: str = "", phase: str = "Running", **metadata: Json) -> JsonObject:
    requests: Json = {"cpu": cpu} if cpu else {}
    container: Json = {"name": "c", "resources": {"requests": requests}}
    return {"metadata": {"name": name, **metadata}, "spec": {"containers": [container]}, "status": {"phase": phase}}


def used(of: JsonObject, *pods: JsonObject, now: float = 0) -> Json:
    resources = quotas.concerned(of, RESOURCES)
    return quotas.counted(of, lambda which: pods if which == PODS else [{}, {}], now, resources)["used"]


def test_which_resources_a_quota_counts() -> None:
    assert quotas.concerned(quota(pods="1", configmaps="2"), RESOURCES) == [MAPS, PODS]
    plurals = [each.plural for each in quotas.concerned(quota(count__deployments_apps="1"), RESOURCES)]
    assert plurals == ["deployments"]


def test_what_is_used_is_the_sum_of_what_runs() -> None:
    of = quota(pods="5", cpu="2", requests_memory="1Gi", configmaps="9")
    pods = [asking("a", "500m"), asking("b", "1500m"), asking("c", "1", "Succeeded")]
    assert used(of, *pods) == {"pods": "2", "cpu": "2", "requests.memory": "0", "configmaps": "2"}
    assert used(of) == {"pods": "0", "cpu": "0", "requests.memory": "0", "configmaps": "2"}


def test_a_pod_that_should_be_gone_uses_nothing() -> None:
    late = asking("a", "1", deletionTimestamp="1970-01-01T00:00:10Z", deletionGracePeriodSeconds=30)
    assert used(quota(pods="5"), late, now=39) == {"pods": "1"}
    assert used(quota(pods="5"), late, now=41) == {"pods": "0"}


def test_scopes_choose_and_what_nobody_counts_stays() -> None:
    assert used(quota("BestEffort", pods="5"), asking("a", "1"), asking("b")) == {"pods": "1"}
    assert used(quota(used={"x": "3"}, x="5", y="5")) == {"x": "3"}


def test_amounts_are_compared_not_texts() -> None:
    assert quotas.is_same({"hard": {"cpu": "1"}, "used": {}}, {"hard": {"cpu": "1000m"}, "used": {}})
    assert not quotas.is_same({}, {"hard": {}, "used": {}})
