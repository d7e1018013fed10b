"""Volumes, claims, webhooks: what is sound, and what may not change."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.schema.strategies import flow
from podward.schema.strategies.registry import strategy_of

CLAIM: JsonObject = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "volumeMode": "Filesystem",
}
VOLUME: JsonObject = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/a"},
    "persistentVolumeReclaimPolicy": "Retain",
    "volumeMode": "Filesystem",
}


def told(decision: Decision) -> list[str]:
    return [f"{violation.path}: {violation.reason}" for violation in decision.violations]


def claim(status: JsonObject | None = None, /, **spec: object) -> JsonObject:
    made: JsonObject = {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    return {"metadata": made, "spec": {**CLAIM, **spec}, "status": status or {}}  # type: ignore[dict-item]


def volume(**spec: object) -> JsonObject:
    made: JsonObject = {"name": "a", "uid": "u", "resourceVersion": "1"}
    return {"metadata": made, "spec": {**VOLUME, **spec}}  # type: ignore[dict-item]


def changed(plural: str, new: JsonObject, old: JsonObject) -> list[str]:
    strategy = strategy_of("", plural)
    return told(flow.refused_change(strategy, flow.prepared_change(strategy, new, old), old))


def test_a_bound_claim_grows_and_an_unbound_one_does_not() -> None:
    larger = {"requests": {"storage": "2Gi"}}
    bound: JsonObject = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    assert changed("persistentvolumeclaims", claim(resources=larger), claim(bound)) == []
    (only,) = changed("persistentvolumeclaims", claim(resources=larger), claim())
    assert only.startswith("spec: Forbidden: spec is immutable after creation except resources.requests")
    assert '-   "storage": "1Gi"\n+   "storage": "2Gi"' in only


def test_a_claim_does_not_shrink_below_what_it_has() -> None:
    bound: JsonObject = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    smaller = {"requests": {"storage": "1Mi"}}
    place = "spec.resources.requests.storage"
    assert changed("persistentvolumeclaims", claim(resources=smaller), claim(bound)) == [
        f"{place}: Forbidden: field can not be less than status.capacity"
    ]


def test_where_data_come_from_is_said_twice() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "b"}
    made = strategy_of("", "persistentvolumeclaims").prepare_for_create(claim(dataSource=source))
    assert made["spec"] == {**CLAIM, "dataSource": source, "dataSourceRef": source}


def test_a_volume_has_one_source_which_stays() -> None:
    new = told(flow.refused_new(strategy_of("", "persistentvolumes"), volume(nfs={"server": "s", "path": "/"})))
    assert new == ["spec.nfs: Forbidden: may not specify more than 1 volume type"]
    (only,) = changed("persistentvolumes", volume(hostPath={"path": "/b"}), volume())
    assert only.startswith("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable")


@pytest.mark.parametrize(
    ("client", "wrong"),
    [
        ({"url": "https://a/b"}, []),
        ({"service": {"name": "s", "namespace": "n", "port": 443, "path": "/a"}}, []),
        ({}, ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"]),
        (
            {"url": "http://a"},
            [
                (
                    "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme;"
                    " desired format: https://host[/path]"
                )
            ],
        ),
    ],
)
def test_a_webhook_is_somewhere(client: JsonObject, wrong: list[str]) -> None:
    hook: JsonObject = {
        "name": "a.b.c",
        "clientConfig": client,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
    }
    strategy = strategy_of("admissionregistration.k8s.io", "validatingwebhookconfigurations")
    assert told(flow.refused_new(strategy, {"metadata": {"name": "a"}, "webhooks": [hook]})) == wrong
