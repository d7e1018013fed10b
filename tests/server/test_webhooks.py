"""Admission webhooks of a running server: who is asked, what they are sent, and what comes of their answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from api_server import Server
from webhook_server import Authority, Webhook, allowed, listening, patching, reviewed

_HOOKS = "/apis/admissionregistration.k8s.io/v1"
_MAPS = "/api/v1/namespaces/default/configmaps"


class World(NamedTuple):
    """A server, and a webhook that it trusts."""

    server: Server
    webhook: Webhook
    bundle: str

    def hook(self, path: str, **fields: object) -> dict[str, Any]:
        """A webhook's entry of a configuration, about the ConfigMaps that have its label."""
        rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
        return {
            "name": f"{path[1:].replace('/', '-')}.hooks.example.com",
            "clientConfig": {"url": self.webhook.url(path), "caBundle": self.bundle},
            "rules": [rule],
            "objectSelector": {"matchLabels": {"hook": path[1:].replace("/", "-")}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
            **fields,
        }

    def configure(self, kind: str, name: str, *hooks: dict[str, Any]) -> None:
        """Store a configuration."""
        document = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": list(hooks),
        }
        code, answer, headers = self.server.ask("POST", f"{_HOOKS}/{kind.lower()}webhookconfigurations", document)
        assert code == 201, answer
        assert "Warning" not in headers

    def create(self, name: str, label: str, query: str = "", **data: str) -> tuple[int, Any, Any]:
        """Make a ConfigMap with this label."""
        return self.server.ask("POST", _MAPS + query, _map(name, label, **data))


def _map(name: str, label: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"hook": label}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    authority = Authority()
    certificate = authority.issue(tmp_path_factory.mktemp("webhook"), "127.0.0.1")
    with listening(certificate) as webhook:
        yield World(server, webhook, authority.bundle)


def test_a_webhook_sees_the_request_and_its_refusal_is_the_answer(world: World) -> None:
    def answer(review: dict[str, Any]) -> dict[str, Any]:
        status = {"code": 418, "message": "no tea", "reason": "Teapot"}
        return reviewed(review, allowed=False, status=status, warnings=["really"])

    world.webhook.answers["/deny"] = answer
    world.configure("Validating", "deny", world.hook("/deny"))
    code, refused, headers = world.create("one", "deny", "?fieldManager=me&dryRun=All", a="b")
    assert (code, refused["reason"]) == (418, "Teapot")
    assert refused["message"] == 'admission webhook "deny.hooks.example.com" denied the request: no tea'
    assert headers["Warning"] == '299 - "really"'
    (review,) = world.webhook.reviews("/deny")
    request = review["request"]
    assert review["apiVersion"] == "admission.k8s.io/v1"
    assert request["kind"] == request["requestKind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (request["name"], request["namespace"], request["operation"]) == ("one", "default", "CREATE")
    assert request["userInfo"]["username"] == "admin"
    assert request["object"]["data"] == {"a": "b"}
    assert request["object"]["metadata"]["uid"]
    assert request["oldObject"] is None
    assert request["dryRun"] is True
    assert request["options"] == {
        "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"], "fieldManager": "me",
    }  # fmt: skip


def test_webhooks_change_an_object_one_after_the_other(world: World) -> None:
    world.webhook.answers["/first"] = patching({"op": "add", "path": "/data/first", "value": "1"})
    world.webhook.answers["/second"] = patching({"op": "add", "path": "/data/second", "value": "2"})
    selector = {"objectSelector": {"matchLabels": {"hook": "chain"}}}
    world.configure("Mutating", "chain-b", world.hook("/second", **selector))
    world.configure("Mutating", "chain-a", world.hook("/first", **selector, reinvocationPolicy="IfNeeded"))
    code, made, _ = world.create("chained", "chain", a="b")
    assert (code, made["data"]) == (201, {"a": "b", "first": "1", "second": "2"})
    assert [review["request"]["object"]["data"] for review in world.webhook.reviews("/first")] == [
        {"a": "b"}, {"a": "b", "first": "1", "second": "2"},
    ]  # fmt: skip
    assert len(world.webhook.reviews("/second")) == 1


def test_a_validating_webhook_cannot_change_anything(world: World) -> None:
    world.webhook.answers["/sly"] = patching({"op": "add", "path": "/data/x", "value": "1"})
    world.configure("Validating", "sly", world.hook("/sly"))
    code, refused, _ = world.create("sly", "sly")
    why = "received invalid webhook response: validating webhook may not return response.patch"
    assert (code, refused["reason"]) == (500, "InternalError")
    assert refused["message"] == f'Internal error occurred: failed calling webhook "sly.hooks.example.com": {why}'


def _slowly(review: dict[str, Any]) -> dict[str, Any]:
    time.sleep(2)
    return allowed(review)


@pytest.mark.parametrize(("policy", "code"), [("Fail", 500), ("Ignore", 201)])
def test_one_that_does_not_answer_in_time_refuses_unless_that_is_ignored(world: World, policy: str, code: int) -> None:
    path = f"/slow-{policy.lower()}"
    world.webhook.answers[path] = _slowly
    world.configure("Validating", path[1:], world.hook(path, timeoutSeconds=1, failurePolicy=policy))
    found, answer, _ = world.create(path[1:], path[1:])
    assert found == code, answer
    if code == 500:
        assert answer["message"].endswith(f'{path}?timeout=1s": context deadline exceeded')


def test_others_go_on_while_one_is_slow(world: World) -> None:
    hold = threading.Event()
    world.webhook.answers["/held"] = lambda review: hold.wait(4) and allowed(review)
    world.configure("Validating", "held", world.hook("/held"))
    waiting = threading.Thread(target=world.create, args=("held", "held"))
    waiting.start()
    try:
        while not world.webhook.reviews("/held"):
            time.sleep(0.01)
        assert world.create("not-held", "other")[0] == 201
    finally:
        hold.set()
        waiting.join()


def test_a_certificate_of_somebody_else_is_not_trusted(world: World) -> None:
    config = {"url": world.webhook.url("/stranger"), "caBundle": Authority().bundle}
    world.configure("Validating", "stranger", world.hook("/stranger", clientConfig=config))
    code, refused, _ = world.create("stranger", "stranger")
    assert code == 500
    assert refused["message"].endswith(
        "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    )
    assert world.webhook.reviews("/stranger") == []


def test_a_dry_run_does_not_reach_one_with_side_effects(world: World) -> None:
    world.webhook.answers["/v1beta1"] = allowed
    hook = world.hook("/v1beta1", admissionReviewVersions=["v1beta1"], sideEffects="NoneOnDryRun")
    world.configure("Validating", "old", hook)
    assert world.create("old", "v1beta1", "?dryRun=All")[0] == 201
    (review,) = world.webhook.reviews("/v1beta1")
    assert review["apiVersion"] == "admission.k8s.io/v1beta1"


def test_deleting_shows_what_goes_and_cannot_be_patched(world: World) -> None:
    rule = {"operations": ["DELETE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["configmaps"]}
    assert world.create("going", "gone")[0] == 201
    world.webhook.answers["/gone"] = allowed
    world.configure("Mutating", "gone", world.hook("/gone", rules=[rule]))
    assert world.server.ask("DELETE", f"{_MAPS}/going?gracePeriodSeconds=7")[0] == 200
    (review,) = world.webhook.reviews("/gone")
    request = review["request"]
    assert (request["operation"], request["object"], request["name"]) == ("DELETE", None, "going")
    assert request["oldObject"]["metadata"]["name"] == "going"
    assert request["options"] == {
        "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "gracePeriodSeconds": 7,
    }  # fmt: skip


def test_an_object_is_sent_in_the_version_that_the_rule_names(world: World) -> None:
    rule = {
        "operations": ["CREATE"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"],
        "resources": ["horizontalpodautoscalers"],
    }  # fmt: skip
    world.webhook.answers["/scaler"] = patching({"op": "replace", "path": "/spec/maxReplicas", "value": 9})
    world.configure("Mutating", "scaler", world.hook("/scaler", rules=[rule]))
    scaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "one", "labels": {"hook": "scaler"}},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
    }  # fmt: skip
    code, made, _ = world.server.ask("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", scaler)
    assert (code, made["apiVersion"], made["spec"]["maxReplicas"]) == (201, "autoscaling/v2", 9)
    (review,) = world.webhook.reviews("/scaler")
    request = review["request"]
    assert request["kind"] == {"group": "autoscaling", "version": "v1", "kind": "HorizontalPodAutoscaler"}
    assert request["requestKind"]["version"] == request["requestResource"]["version"] == "v2"
    assert request["object"]["spec"]["targetCPUUtilizationPercentage"] == 80


def test_a_service_leads_to_what_is_behind_it(world: World, tmp_path: Path) -> None:
    authority = Authority()
    with listening(authority.issue(tmp_path, "hook.default.svc")) as behind:
        behind.answers["/in/there"] = allowed
        service = {"namespace": "default", "name": "hook", "path": "/in/there", "port": behind.port}
        config = {"service": service, "caBundle": authority.bundle}
        world.configure("Validating", "service", world.hook("/service", clientConfig=config))
        code, refused, _ = world.create("served", "service")
        assert code == 500
        url = f"https://hook.default.svc:{behind.port}/in/there?timeout=5s"
        assert refused["message"].endswith(f'failed to call webhook: Post "{url}": service "hook" not found')
        spec = {"type": "ExternalName", "externalName": "localhost"}
        made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook"}, "spec": spec}
        assert world.server.ask("POST", "/api/v1/namespaces/default/services", made)[0] == 201
        assert world.create("served", "service")[0] == 201
        assert len(behind.reviews("/in/there")) == 1


def test_configurations_are_never_asked_about(world: World) -> None:
    rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    world.webhook.answers["/all"] = lambda review: reviewed(review, allowed=False)
    selector = {"matchLabels": {"hook": "all"}}
    world.configure("Validating", "all", world.hook("/all", rules=[rule], objectSelector=selector))
    document = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "free", "labels": {"hook": "all"}}, "webhooks": [],
    }  # fmt: skip
    assert world.server.ask("POST", f"{_HOOKS}/mutatingwebhookconfigurations", document)[0] == 201
    code, refused, _ = world.create("not-free", "all")
    assert (code, refused["message"]) == (
        400, 'admission webhook "all.hooks.example.com" denied the request without explanation',
    )  # fmt: skip


def test_what_is_only_asked_or_connected_is_shown_too(world: World) -> None:
    rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["pods/*", "bindings"]}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shown"}}
    assert world.server.ask("POST", "/api/v1/namespaces", namespace)[0] == 201
    world.webhook.answers["/shown"] = lambda review: reviewed(review, allowed=False)
    names = {"matchLabels": {"kubernetes.io/metadata.name": "shown"}}
    hook = world.hook("/shown", rules=[rule], objectSelector={}, namespaceSelector=names)
    world.configure("Validating", "shown", hook)
    pods = "/api/v1/namespaces/shown/pods/p"
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    assert world.server.ask("POST", f"{pods}/binding", binding)[0] == 400
    assert world.server.ask("POST", "/api/v1/namespaces/shown/bindings", binding)[0] == 400
    assert world.server.ask("POST", f"{pods}/eviction", eviction)[0] == 400
    assert world.server.ask("POST", f"{pods}/exec?command=ls&command=-l&tty=true")[0] == 400
    asked = [review["request"] for review in world.webhook.reviews("/shown")]
    assert [(each["operation"], each["kind"]["kind"], each.get("subResource", "")) for each in asked] == [
        ("CREATE", "Binding", "binding"), ("CREATE", "Binding", ""), ("CREATE", "Eviction", "eviction"),
        ("CONNECT", "PodExecOptions", "exec"),
    ]  # fmt: skip
    assert asked[-1]["object"] == {
        "kind": "PodExecOptions", "apiVersion": "v1", "command": ["ls", "-l"], "tty": True,
    }  # fmt: skip


def test_a_webhook_cannot_move_an_object_or_spoil_its_managers(world: World) -> None:
    move = {"op": "replace", "path": "/metadata/namespace", "value": "kube-system"}
    world.webhook.answers["/move"] = patching(move)
    world.configure("Mutating", "move", world.hook("/move"))
    code, refused, _ = world.create("moved", "move")
    sentence = "the namespace of the provided object does not match the namespace sent on the request"
    assert (code, refused["message"]) == (400, sentence)
    spoil = {"op": "replace", "path": "/metadata/managedFields/0/operation", "value": "Frob"}
    world.webhook.answers["/spoil"] = patching(spoil)
    world.configure("Mutating", "spoil", world.hook("/spoil"))
    code, made, headers = world.create("spoilt", "spoil")
    assert (code, made["metadata"]["managedFields"][0]["operation"]) == (201, "Update")
    assert "invalid state after admission" in headers["Warning"]


def test_conditions_choose_among_what_the_rules_choose(world: World) -> None:
    world.webhook.answers["/conditions"] = lambda review: reviewed(review, allowed=False)
    conditions = [
        {"name": "long", "expression": "object.data.a.size() > 3"},
        {"name": "may", "expression": "authorizer.group('').resource('configmaps').check('get').allowed()"},
    ]
    world.configure("Validating", "conditions", world.hook("/conditions", matchConditions=conditions))
    assert world.create("short", "conditions", a="b")[0] == 201
    assert world.webhook.reviews("/conditions") == []
    assert world.create("long", "conditions", a="bbbb")[0] == 400
    assert len(world.webhook.reviews("/conditions")) == 1
    code, refused, _ = world.create("none", "conditions", z="bbbb")
    assert code == 403
    assert refused["message"] == (
        "configmaps \"none\" is forbidden: expression 'object.data.a.size() > 3' resulted in error: no such key: a"
    )
