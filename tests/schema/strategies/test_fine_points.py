"""Words and rules of single kinds in which they differ from others."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.schema.strategies.registry import strategy_of

POD: JsonObject = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Always"}


def told(decision: Decision) -> list[str]:
    return [f"{violation.path}: {violation.reason}" for violation in decision.violations]


def faults(group: str, plural: str, obj: JsonObject) -> list[str]:
    return told(strategy_of(group, plural).validate(obj))


@pytest.mark.parametrize(
    ("group", "plural"),
    [
        ("node.k8s.io", "runtimeclasses"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiregistration.k8s.io", "apiservices"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ],
)
def test_finalizers_of_kinds_outside_the_core_need_no_domain(group: str, plural: str) -> None:
    obj: JsonObject = {"metadata": {"name": "a", "finalizers": ["plain"]}, "spec": {}}
    assert not [fault for fault in faults(group, plural, obj) if "finalizers" in fault]
    stored: JsonObject = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {}}
    changed: JsonObject = {"metadata": {**member(obj, "metadata"), "resourceVersion": "1"}, "spec": {}}
    found = told(strategy_of(group, plural).validate_update(changed, stored))
    assert not [fault for fault in found if "finalizers" in fault]


def test_a_job_shares_the_labels_of_its_pods_only_where_it_has_none_of_its_own() -> None:
    prepare = strategy_of("batch", "jobs").prepare_for_create
    labels: JsonObject = {"a": "b"}
    spec: JsonObject = {"template": {"metadata": {"labels": labels}, "spec": POD}}
    shared = prepare({"metadata": {"name": "j", "uid": "u", "labels": labels}, "spec": spec})
    assert member(member(shared, "metadata"), "labels")["job-name"] == "j"
    own = prepare({"metadata": {"name": "j", "uid": "u", "labels": {"a": "b"}}, "spec": spec})
    assert member(own, "metadata")["labels"] == {"a": "b"}


@pytest.mark.parametrize("subresource", ["", "status"])
def test_a_stored_job_has_the_labels_of_its_pods(subresource: str) -> None:
    strategy = strategy_of("batch", "jobs", subresource)
    stored = strategy.canonicalize({"metadata": {}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}}}})
    assert stored["metadata"] == {"labels": {"a": "b"}}


def test_a_webhook_without_the_name_of_its_service_is_told_of_the_namespace() -> None:
    hook: JsonObject = {"clientConfig": {"service": {"namespace": "n", "port": 443}}}
    found = faults("admissionregistration.k8s.io", "mutatingwebhookconfigurations", {"webhooks": [hook]})
    assert "webhooks[0].clientConfig.service.namespace: Required value" in found
    assert not [fault for fault in found if fault.startswith("webhooks[0].clientConfig.service.name:")]


def test_a_binding_that_changes_objects_is_not_about_deletions() -> None:
    rule: JsonObject = {"operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    obj: JsonObject = {
        "metadata": {"name": "a"},
        "spec": {"policyName": "p", "matchResources": {"resourceRules": [rule], "matchPolicy": "Exact"}},
    }
    place, known = "spec.matchResources.resourceRules.operations", '"*", "CONNECT", "CREATE", "UPDATE"'
    said = f'{place}: Unsupported value: "DELETE": supported values: {known}'
    assert said in faults("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", obj)


@pytest.mark.parametrize(("inside", "count"), [(None, 1), (True, 0)])
def test_a_driver_that_gets_tokens_is_warned_of_where_they_stand(inside: Json, count: int) -> None:
    warnings = strategy_of("storage.k8s.io", "csidrivers").warnings
    spec: JsonObject = {"tokenRequests": [{"audience": "a"}], "serviceAccountTokenInSecrets": inside}
    assert len(warnings({"spec": spec}, None)) == count
    assert warnings({"spec": spec}, {"spec": spec}) == ()


def test_keys_of_label_selectors_in_reviews_are_those_of_labels() -> None:
    requirement: JsonObject = {"key": "Bad Key", "operator": "Exists", "values": ["a b"]}
    attributes: JsonObject = {"labelSelector": {"requirements": [requirement]}}
    found = faults("authorization.k8s.io", "selfsubjectaccessreviews", {"spec": {"resourceAttributes": attributes}})
    assert [fault.partition(": ")[0].rpartition("requirements[0].")[2] for fault in found] == [
        "values", "key", "values[0]",
    ]  # fmt: skip
    assert "Forbidden: may not be specified" in found[0]


def test_the_name_of_a_replication_controller_is_counted_in_bytes_and_begins_with_anything() -> None:
    metadata: JsonObject = {"name": "a" * 254, "generateName": "Any_", "namespace": "n"}
    found = faults("", "replicationcontrollers", {"metadata": metadata, "spec": {}})
    assert found[0].endswith(": must be no more than 253 bytes")
    assert not [fault for fault in found if "generateName" in fault]


def test_a_selector_that_is_none_is_told_without_a_reason() -> None:
    selector: JsonObject = {"matchExpressions": [{"key": "a", "operator": "zz"}]}
    spec: JsonObject = {"selector": selector, "template": {"spec": POD}}
    (only,) = [fault for fault in faults("apps", "statefulsets", {"spec": spec}) if fault.startswith("spec.selector:")]
    assert only == 'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"zz"}]}'


def test_a_negative_grace_period_of_a_template_is_warned_of() -> None:
    pod: JsonObject = {**POD, "terminationGracePeriodSeconds": -1}
    found = strategy_of("", "podtemplates").warnings({"metadata": {"name": "a"}, "template": {"spec": pod}}, None)
    place = "template.spec.terminationGracePeriodSeconds"
    assert found == (f"{place}: must be >= 0; negative values are invalid and will be treated as 1",)


def test_the_status_of_a_daemon_set_leaves_the_number_of_its_template() -> None:
    name = "deprecated.daemonset.template.generation"
    old: JsonObject = {"metadata": {"annotations": {name: "3"}}, "spec": {}}
    made = strategy_of("apps", "daemonsets", "status").prepare_for_update({"metadata": {}, "status": {}}, old)
    assert member(member(made, "metadata"), "annotations") == {name: "3"}
