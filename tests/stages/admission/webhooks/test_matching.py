"""Which webhooks are asked about a request."""

from __future__ import annotations

import pytest

from podward.api.admission import AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.stages.admission.webhooks.hooks import Hook, hooks_of
from podward.stages.admission.webhooks.matching import Served, version_asked

_DEPLOYMENTS = GroupResource("apps", "deployments")


def _hook(**fields: Json) -> Hook:
    rule: JsonObject = {
        "operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
    }  # fmt: skip
    return Hook("c", {"name": "h", "rules": [{**rule, **fields}]}, "c/h/0")


def _request(subresource: str = "", namespace: str = "n", resource: GroupResource = _DEPLOYMENTS) -> AdmissionRequest:
    obj: JsonObject = {"metadata": {"labels": {"a": "b"}}}
    return AdmissionRequest(
        Operation.CREATE, obj, User(), namespace, "x", None, "Deployment", resource, subresource, False, "apps/v1", "v1"
    )


def _asked(hook: Hook, request: AdmissionRequest, *others: Served) -> Served | Status | None:
    return version_asked(hook, request, others, lambda name: {"metadata": {"labels": {"of": name}}})


@pytest.mark.parametrize(
    ("fields", "subresource"),
    [
        ({}, ""),
        ({"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}, ""),
        ({"resources": ["*/scale"]}, "scale"),
        ({"resources": ["deployments/*"]}, "scale"),
        ({"resources": ["deployments/*"]}, ""),
        ({"scope": "Namespaced"}, ""),
    ],
)
def test_rules_name_requests(fields: JsonObject, subresource: str) -> None:
    assert _asked(_hook(**fields), _request(subresource)) is not None


@pytest.mark.parametrize(
    ("fields", "subresource"),
    [
        ({"operations": ["DELETE"]}, ""),
        ({"resources": ["*"]}, "scale"),
        ({"apiVersions": ["v2"]}, ""),
        ({"scope": "Cluster"}, ""),
    ],
)
def test_other_requests_are_nobodys_business(fields: JsonObject, subresource: str) -> None:
    assert _asked(_hook(**fields), _request(subresource)) is None


def test_a_namespace_is_of_the_cluster() -> None:
    request = _request(namespace="n", resource=GroupResource("", "namespaces"))
    fields: JsonObject = {"apiGroups": [""], "resources": ["namespaces"]}
    assert _asked(_hook(**fields, scope="Cluster"), request) is not None
    assert _asked(_hook(**fields, scope="Namespaced"), request) is None


def test_an_equivalent_version_is_asked_about_if_the_webhook_wants() -> None:
    old = Served("apps", "v1beta1", "deployments", "Deployment", "apps/v1beta1")
    webhook: JsonObject = {
        "name": "h",
        "rules": [{
            "operations": ["*"], "apiGroups": ["apps"], "apiVersions": ["v1beta1"], "resources": ["deployments"],
        }],
    }  # fmt: skip
    assert _asked(Hook("c", webhook, "u"), _request(), old) is None
    assert _asked(Hook("c", {**webhook, "matchPolicy": "Equivalent"}, "u"), _request(), old) == old


def test_selectors_choose_by_labels_of_the_namespace_and_of_either_object() -> None:
    rules: Json = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}]

    def asked(**fields: Json) -> bool:
        return _asked(Hook("c", {"name": "h", "rules": rules, **fields}, "u"), _request()) is not None

    assert asked(namespaceSelector={"matchLabels": {"of": "n"}})
    assert not asked(namespaceSelector={"matchLabels": {"of": "m"}})
    assert asked(objectSelector={"matchLabels": {"a": "b"}})
    assert not asked(objectSelector={"matchLabels": {"a": "c"}})


def test_a_namespace_that_is_gone_refuses_only_what_the_webhook_is_about() -> None:
    hook = _hook()
    hook.namespaces = {"matchLabels": {"a": "b"}}
    found = version_asked(hook, _request(), (), lambda _name: None)
    assert isinstance(found, Status)
    assert found.code == 404
    assert version_asked(hook, _request("status"), (), lambda _name: None) is None


def test_webhooks_are_asked_by_the_name_of_their_configuration() -> None:
    def configuration(name: str, *hooks: str) -> JsonObject:
        return {"metadata": {"name": name}, "webhooks": [{"name": hook} for hook in hooks]}

    found = hooks_of([configuration("b", "x", "x"), configuration("a", "z", "y")])
    assert [hook.uid for hook in found] == ["a/z/0", "a/y/0", "b/x/0", "b/x/1"]
