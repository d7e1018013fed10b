"""Admission plugins that a server is told to have, and the file that configures them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running
from warm_command import run

_CONFIGURATION = """apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline}
    exemptions: {namespaces: [free]}
- name: EventRateLimit
  path: events.yaml
- name: ResourceQuota
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ResourceQuotaConfiguration
    limitedResources: [{resource: services, matchContains: [loadbalancers]}]
"""
_EVENTS = """apiVersion: eventratelimit.admission.k8s.io/v1alpha1
kind: Configuration
limits: [{type: Namespace, qps: 1, burst: 2}]
"""
_ALICE = "alice-token"
_ENABLED = "NamespaceAutoProvision,EventRateLimit,OwnerReferencesPermissionEnforcement,AlwaysPullImages"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("told")
    file = directory / "admission.yaml"
    file.write_text(_CONFIGURATION)
    (directory / "events.yaml").write_text(_EVENTS)
    flags = ("--enable-admission-plugins", _ENABLED, "--admission-control-config-file", str(file))
    with running(directory, *flags, "--disable-admission-plugins", "ServiceAccount") as server:
        yield server


def _pod(name: str, **container: object) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i", **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_namespace_is_made_by_who_uses_it_first(told: Server) -> None:
    assert told.ask("GET", "/api/v1/namespaces/first")[0] == 404
    code, made, _ = told.ask("POST", "/api/v1/namespaces/first/pods", _pod("one"))
    assert code == 201, made
    assert made["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert told.ask("GET", "/api/v1/namespaces/first")[1]["status"] == {"phase": "Active"}
    assert told.ask("POST", "/api/v1/namespaces/second/pods?dryRun=All", _pod("one"))[0] == 404


def test_the_cluster_has_a_standard_and_a_namespace_is_exempt(told: Server) -> None:
    risky = _pod("risky", securityContext={"privileged": True})
    code, refused, _ = told.ask("POST", "/api/v1/namespaces/default/pods", risky)
    assert (code, 'violates PodSecurity "baseline:latest"' in refused["message"]) == (403, True)
    assert told.ask("POST", "/api/v1/namespaces/free/pods", risky)[0] == 201


def test_events_are_limited_by_namespace(told: Server) -> None:
    def tell(namespace: str, name: str) -> int:
        event = {"metadata": {"name": name}, "involvedObject": {"namespace": namespace}}
        code, answer, _ = told.ask("POST", f"/api/v1/namespaces/{namespace}/events", event)
        if code == 429:
            assert answer["message"] == f"Too many requests: limit reached on type Namespace for key {namespace}"
        return code

    assert 429 in [tell("events", f"e{number}") for number in range(20)]
    assert tell("default", "e") == 201


def test_what_is_limited_comes_from_a_quota_only(told: Server) -> None:
    service = {"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    code, refused, _ = told.ask("POST", "/api/v1/namespaces/default/services", service)
    assert (code, refused["message"]) == (
        403, 'services "s" is forbidden: insufficient quota to consume: services.loadbalancers',
    )  # fmt: skip


def test_who_may_not_delete_does_not_give_owners(told: Server) -> None:
    role = {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "patch"]}]}
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1/namespaces/default"
    assert told.ask("POST", f"{path}/roles", {"metadata": {"name": "maker"}, **role})[0] == 201
    of = {"apiGroup": group, "kind": "Role", "name": "maker"}
    subjects = [{"kind": "User", "apiGroup": group, "name": "alice"}]
    binding = {"metadata": {"name": "maker"}, "roleRef": of, "subjects": subjects}
    assert told.ask("POST", f"{path}/rolebindings", binding)[0] == 201
    maps = "/api/v1/namespaces/default/configmaps"
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    free = {"metadata": {"name": "free", "ownerReferences": [owner]}}
    assert told.ask("POST", maps, free, token=_ALICE)[0] == 201
    held = {"metadata": {"name": "held", "ownerReferences": [{**owner, "blockOwnerDeletion": True}]}}
    code, refused, _ = told.ask("POST", maps, held, token=_ALICE)
    assert (code, "refers to a resource you can't set finalizers on" in refused["message"]) == (403, True)
    patch: dict[str, Any] = {"metadata": {"ownerReferences": []}}
    code, refused, _ = told.ask(
        "PATCH",
        f"{maps}/free",
        patch,
        token=_ALICE,
        Content_Type="application/merge-patch+json",
    )
    assert (code, "cannot set an ownerRef on a resource you can't delete" in refused["message"]) == (403, True)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--enable-admission-plugins", "AlwaysPullImage"), "did you mean AlwaysPullImages?"),
        (("--disable-admission-plugins", "podsecurity"), "did you mean PodSecurity?"),
        (("--enable-admission-plugins", "ImagePolicyWebhook"), "kube-apiserver has ImagePolicyWebhook"),
        (("--enable-admission-plugins", "EventRateLimit"), "EventRateLimit needs its limits"),
        (("--admission-control-config-file", "none.yaml"), "none.yaml: cannot be read"),
    ],
)
def test_what_makes_no_sense_does_not_start(tmp_path: Path, flags: tuple[str, ...], why: str) -> None:
    done = run("apiserver", "--data-dir", str(tmp_path / "d"), "--secure-port", "0", *flags, cwd=tmp_path)
    assert done.returncode != 0
    assert why in done.stderr
    assert "Traceback" not in done.stderr
