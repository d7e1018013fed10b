"""Objects in other groups and versions."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.documents.raw_fields import member
from podward.schema.versions import in_version

V1, V2 = GroupVersion("autoscaling", "v1"), GroupVersion("autoscaling", "v2")
CORE, EVENTS = GroupVersion("", "v1"), GroupVersion("events.k8s.io", "v1")
HEAD: JsonObject = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": "a"}}
REFERENCE: JsonObject = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}


def test_an_event_has_other_names_in_the_other_group() -> None:
    event: JsonObject = {
        "kind": "Event", "apiVersion": "v1", "metadata": {"name": "e"}, "involvedObject": {"name": "p"},
        "message": "m", "reason": "r", "source": {"component": "c"}, "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": None, "count": 2, "type": "Normal", "eventTime": None, "reportingComponent": "",
        "reportingInstance": "",
    }  # fmt: skip
    other = in_version(event, EVENTS)
    assert other == {
        "kind": "Event", "apiVersion": "events.k8s.io/v1", "metadata": {"name": "e"}, "regarding": {"name": "p"},
        "note": "m", "reason": "r", "deprecatedSource": {"component": "c"}, "eventTime": None, "type": "Normal",
        "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z", "deprecatedLastTimestamp": None, "deprecatedCount": 2,
    }  # fmt: skip
    assert in_version(other, CORE) == event
    assert in_version(event, CORE) is event


def scaler(metrics: list[JsonObject], behavior: JsonObject | None = None) -> JsonObject:
    spec: JsonObject = {"scaleTargetRef": {**REFERENCE}, "minReplicas": 1, "maxReplicas": 3, "metrics": [*metrics]}
    status: JsonObject = {"desiredReplicas": 0, "currentMetrics": None}
    return {**HEAD, "spec": spec if behavior is None else {**spec, "behavior": behavior}, "status": status}


CPU: JsonObject = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}


def test_version_1_says_the_utilization_of_the_cpu() -> None:
    made = in_version(scaler([CPU]), V1)
    assert made["spec"] == {
        "scaleTargetRef": REFERENCE, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70,
    }  # fmt: skip
    assert made["metadata"] == {"name": "a"}
    assert in_version(made, V2) == scaler([CPU])


def test_what_version_1_has_no_field_for_stands_in_annotations() -> None:
    target: JsonObject = {"type": "AverageValue", "averageValue": "1"}
    others: list[JsonObject] = [
        {"type": "Pods", "pods": {"metric": {"name": "q"}, "target": target}},
        {
            "type": "Object",
            "object": {
                "describedObject": {**REFERENCE},
                "target": {"type": "Value", "value": "2"},
                "metric": {"name": "h", "selector": {"matchLabels": {"a": "b"}}},
            },
        },
        {"type": "External", "external": {"metric": {"name": "x"}, "target": target}},
        {"type": "Resource", "resource": {"name": "memory", "target": target}},
    ]
    rules: JsonObject = {
        "stabilizationWindowSeconds": 5, "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    }  # fmt: skip
    full = scaler([*others, CPU], {"scaleUp": rules})
    made = in_version(full, V1)
    annotations = member(member(made, "metadata"), "annotations")
    assert set(annotations) == {f"autoscaling.alpha.kubernetes.io/{name}" for name in ("metrics", "behavior")}
    assert str(annotations["autoscaling.alpha.kubernetes.io/metrics"]).startswith(
        '[{"type":"Pods","pods":{"metricName":"q","targetAverageValue":"1"}},{"type":"Object","object":{"target":{'
    )
    assert in_version(made, V2) == full


def test_without_any_metric_version_1_means_the_usual_one() -> None:
    plain: JsonObject = {
        **HEAD,
        "apiVersion": "autoscaling/v1",
        "spec": {"scaleTargetRef": {**REFERENCE}, "maxReplicas": 3},
    }
    metrics = member(in_version(plain, V2), "spec")["metrics"]
    assert metrics == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    ]


def test_annotations_that_hold_nonsense_are_dropped() -> None:
    nonsense: JsonObject = {f"autoscaling.alpha.kubernetes.io/{name}": "[[[" for name in ("metrics", "behavior")}
    spec: JsonObject = {"scaleTargetRef": {**REFERENCE}, "maxReplicas": 3}
    broken: JsonObject = {
        **HEAD,
        "apiVersion": "autoscaling/v1",
        "metadata": {"annotations": nonsense},
        "spec": spec,
    }
    assert in_version(broken, V2)["metadata"] == {}
