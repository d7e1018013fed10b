"""OpenShift's constraints, from the policy to the Pod that is stored, with kubectl: the scenario `scc`.

There is no controller of DeploymentConfigs: what it would have made in the end, a ReplicationController's Pod, is
created here in the name of who does that.
"""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openshift_server import openshift_server

KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
FILES = Path(__file__).parent / "scenarios" / "scc"
CONTROLLER = "system:serviceaccount:kube-system:replication-controller"
UIDS = "openshift.io/sa.scc.uid-range"
pytestmark = pytest.mark.skipif(not KUBECTL.exists(), reason="kubectl is not in the environment")


class Kubectl:
    """kubectl at one server."""

    def __init__(self, config: Path) -> None:
        self._words = [str(KUBECTL), "--kubeconfig", str(config), "--cache-dir", str(config.parent / "cache")]

    def run(self, *words: str, sent: object = None) -> subprocess.CompletedProcess[str]:
        text = None if sent is None else json.dumps(sent)
        command = [*self._words, *words]
        return subprocess.run(command, check=False, input=text, capture_output=True, text=True, timeout=30)

    def said(self, *words: str) -> str:
        found = self.run(*words)
        assert found.returncode == 0, found.stderr
        return found.stdout

    def create(self, obj: object, user: str = CONTROLLER) -> dict[str, Any] | str:
        """The object that is stored, or why it is not."""
        found = self.run("create", "-f", "-", "-o", "json", "--as", user, sent=obj)
        if found.returncode:
            return found.stderr
        made: dict[str, Any] = json.loads(found.stdout)
        return made


@pytest.fixture(scope="module", name="kubectl")
def _kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    directory = tmp_path_factory.mktemp("scenario")
    config = directory / "config"
    with openshift_server(directory, "--kubeconfig", str(config)):
        kubectl = Kubectl(config)
        names = ("namespace", "serviceaccount", "new-scc", "deploymentconfig")
        kubectl.said("apply", *(f"--filename={FILES / name}.yaml" for name in names))
        kubectl.said("create", "serviceaccount", "default", "-n", "monitor")
        yield kubectl


def _pod(**context: object) -> dict[str, Any]:
    """The Pod that the DeploymentConfig's first ReplicationController makes."""
    config = yaml.safe_load((FILES / "deploymentconfig.yaml").read_text())
    spec = config["spec"]["template"]["spec"]
    spec["containers"][0]["securityContext"] |= context
    metadata = {"generateName": "centos-1-", "namespace": "monitor", "labels": {"busybox": "true"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _scc_of(pod: dict[str, Any] | str) -> str:
    assert isinstance(pod, dict), pod
    found: str = pod["metadata"]["annotations"]["openshift.io/scc"]
    return found


def test_the_pod_is_admitted_by_its_constraint(kubectl: Kubectl) -> None:
    pod = kubectl.create(_pod())
    assert _scc_of(pod) == "new-scc"
    assert isinstance(pod, dict)
    context = pod["spec"]["containers"][0]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (1000, 2000)
    assert "centos" in kubectl.said("get", "dc", "-n", "monitor")
    assert "new-scc" in kubectl.said("get", "scc")


def test_a_role_binding_is_a_second_way_to_grant_it(kubectl: Kubectl) -> None:
    own = '{"users": []}'
    kubectl.said("patch", "scc", "new-scc", "--type", "merge", "-p", own)
    refused = kubectl.create(_pod())
    assert isinstance(refused, str)
    assert 'provider "new-scc": Forbidden: not usable by user or serviceaccount' in refused
    use = {"verbs": ["use"], "apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"]}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:openshift:scc:new-scc"},
        "rules": [{**use, "resourceNames": ["new-scc"]}],
    }
    assert isinstance(kubectl.create(role, "podward-admin"), str)  # --as is somebody without the right
    assert kubectl.run("create", "-f", "-", sent=role).returncode == 0
    binding = ("clusterrolebinding", "system:openshift:scc:new-scc", "--clusterrole", "system:openshift:scc:new-scc")
    kubectl.said("create", *binding, "--serviceaccount", "monitor:new-sa")
    assert _scc_of(kubectl.create(_pod())) == "new-scc"
    kubectl.said("delete", "clusterrolebinding", "system:openshift:scc:new-scc")
    kubectl.said("replace", "-f", str(FILES / "new-scc.yaml"))
    assert _scc_of(kubectl.create(_pod())) == "new-scc"


def test_a_changed_constraint_refuses_and_says_what(kubectl: Kubectl) -> None:
    kubectl.said("replace", "-f", str(FILES / "new-scc-uid-range.yaml"))
    refused = kubectl.create(_pod())
    assert isinstance(refused, str)
    assert 'pods "centos-1-" is forbidden: unable to validate against any security context constraint: [' in refused
    assert "provider new-scc: .containers[0].runAsUser: Invalid value: 1000: must be in the ranges: [3000, 4000]" in (
        refused
    )
    assert 'provider "privileged": Forbidden: not usable by user or serviceaccount' in refused
    assert _scc_of(kubectl.create(_pod(runAsUser=4000))) == "new-scc"


def test_an_ordinary_pod_gets_what_its_namespace_has(kubectl: Kubectl) -> None:
    spec = {"containers": [{"name": "c", "image": "busybox:root"}]}
    metadata = {"name": "ordinary", "namespace": "monitor"}
    pod = kubectl.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    assert _scc_of(pod) == "restricted-v2"
    assert isinstance(pod, dict)
    assert pod["spec"]["securityContext"]["fsGroup"] == 1000230000
    assert pod["spec"]["securityContext"]["seLinuxOptions"] == {"level": "s0:c15,c10"}
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1000230000


def test_a_namespace_is_described_with_its_own_ranges(kubectl: Kubectl) -> None:
    described = kubectl.said("describe", "ns", "monitor")
    for line in ("sa.scc.mcs: s0:c15,c10", "supplemental-groups: 1000230000/10000", "uid-range: 1000230000/10000"):
        assert line in described
    assert UIDS in kubectl.said("describe", "project", "monitor")
    for name in ("another", "third"):
        kubectl.said("create", "namespace", name)
    ready = ("wait", "--for=jsonpath={.metadata.annotations}", "--timeout=10s", "ns/another", "ns/third")
    kubectl.said(*ready)
    namespaces = json.loads(kubectl.said("get", "ns", "-o", "json"))["items"]
    ranges = [each["metadata"]["annotations"][UIDS] for each in namespaces]
    assert len(set(ranges)) == len(ranges)


def test_kubectl_knows_the_kinds(kubectl: Kubectl) -> None:
    listed = kubectl.said("api-resources", "--api-group=apps.openshift.io")
    assert "deploymentconfigs" in listed
    assert kubectl.run("auth", "can-i", "use", "scc/anyuid", "--as", "somebody", "-n", "monitor").stdout == "no\n"
    assert kubectl.said("auth", "can-i", "use", "scc/restricted-v2", "--as", "somebody", "-n", "monitor") == "yes\n"
    assert "monitor" in kubectl.said("get", "projects")
    scaled = kubectl.said("scale", "dc/centos", "--replicas=2", "-n", "monitor")
    assert "scaled" in scaled
