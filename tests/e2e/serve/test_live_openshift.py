"""OpenShift's constraints, from the policy to the disk: the scenario `scc` in its six steps, with the real kubectl."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from served_cluster import ServedCluster, is_ready, left_over, with_images

pytestmark = pytest.mark.needs("root", "cni", "crun", "conmon", "nft")
FILES = Path(__file__).parents[1] / "scenarios" / "scc"
IN_MONITOR = ("-n", "monitor")
_WRITTEN = "/tmp/podward-scenario"  # noqa: S108 - what stands in the manifest, in whose place is one of our own
USER = "system:serviceaccount:monitor:new-sa"


class Scenario:
    """A cluster of OpenShift, and the directory of the machine that the Pods write in."""

    def __init__(self, cluster: ServedCluster, directory: Path) -> None:
        self.cluster = cluster
        self.directory = directory

    def apply(self, name: str, **changes: Any) -> None:  # noqa: ANN401 - parts of an object
        text = (FILES / f"{name}.yaml").read_text().replace(_WRITTEN, str(self.directory))
        raw = yaml.safe_load(text)
        raw.update(changes)
        self.cluster.kubectl("apply", "-f", "-", given=json.dumps(raw))

    def pod(self) -> Any:  # noqa: ANN401 - of kubectl
        """The DeploymentConfig's Pod, once it is ready."""

        def one(pods: Any) -> bool:  # noqa: ANN401 - as above
            living = [pod for pod in pods["items"] if "deletionTimestamp" not in pod["metadata"]]
            return len(living) == 1 and is_ready(living[0])

        found = self.cluster.until(one, "pods", *IN_MONITOR, "-l", "busybox=true")
        return next(pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"])

    def inside(self, *words: str, code: int | None = 0) -> str:
        """What a command prints in its container."""
        return self.cluster.kubectl("exec", *IN_MONITOR, self.pod()["metadata"]["name"], "--", *words, code=code)

    def anew(self) -> None:
        """End its Pods."""
        self.cluster.kubectl("delete", "pods", *IN_MONITOR, "-l", "busybox=true", "--grace-period=0", "--force")


@pytest.fixture(scope="module")
def scenario(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    directory = tmp_path_factory.mktemp("host")
    cluster = ServedCluster(with_images(images, tmp_path_factory.mktemp("c")), "--openshift")
    found = Scenario(cluster, directory)
    (directory / "testHostPath").mkdir(mode=0o755)
    for name in ("namespace", "serviceaccount", "new-scc", "deploymentconfig"):
        found.apply(name)
    yield found
    cluster.end()
    assert cluster.process.returncode == 0, cluster.said()
    assert left_over(cluster.root) == []


def test_1_the_pod_is_admitted_by_its_constraint_and_is_who_it_says(scenario: Scenario) -> None:
    assert scenario.pod()["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"
    assert scenario.inside("id", "-u").strip() == "1000"
    assert scenario.inside("id", "-g").strip() == "2000"


def test_2_the_directory_is_roots_until_all_may_write(scenario: Scenario) -> None:
    assert "Permission denied" in scenario.inside("touch", "/centos/file", code=1)
    os.chmod(scenario.directory / "testHostPath", 0o777)  # noqa: S103 - as a person does
    scenario.inside("touch", "/centos/file")
    assert (scenario.directory / "testHostPath" / "file").stat().st_uid == 1000


def test_3_a_changed_constraint_refuses_and_says_what(scenario: Scenario) -> None:
    scenario.apply("new-scc-uid-range")
    scenario.anew()

    def refused(events: Any) -> bool:  # noqa: ANN401 - of kubectl
        return any("must be in the ranges: [3000, 4000]" in each["message"] for each in events["items"])

    events = scenario.cluster.until(refused, "events", *IN_MONITOR, "--field-selector", "reason=FailedCreate")
    message = next(each["message"] for each in events["items"] if "3000, 4000" in each["message"])
    expected = (
        'Error creating: pods "centos-1-" is forbidden: unable to validate against any security context constraint:'
    )
    assert message.startswith(expected)
    assert events["items"][0]["involvedObject"]["kind"] == "ReplicationController"


def test_4_a_user_of_the_range_writes_by_its_group(scenario: Scenario) -> None:
    place = scenario.directory / "testHostPath"
    os.chown(place, 5000, 6000)
    os.chmod(place, 0o770)  # noqa: S103 - as a person does
    template = yaml.safe_load((FILES / "deploymentconfig.yaml").read_text())["spec"]["template"]
    spec = template["spec"]
    spec["containers"][0]["securityContext"] = {"runAsUser": 4000}
    spec["securityContext"] = {"supplementalGroups": [6000]}
    spec["volumes"][0]["hostPath"]["path"] = str(place)
    patch = json.dumps({"spec": {"template": template}})
    scenario.cluster.kubectl("patch", "dc", "centos", *IN_MONITOR, "--type", "merge", "-p", patch)

    def writes(pods: Any) -> bool:  # noqa: ANN401 - of kubectl
        users = [each["spec"]["containers"][0]["securityContext"].get("runAsUser") for each in pods["items"]]
        return users == [4000] and is_ready(pods["items"][0])

    scenario.cluster.until(writes, "pods", *IN_MONITOR, "-l", "busybox=true")
    assert scenario.pod()["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"
    assert "6000" in scenario.inside("id", "-G").split()
    scenario.inside("touch", "/centos/by-group")


def test_5_an_ordinary_pod_gets_what_its_namespace_has(scenario: Scenario) -> None:
    words = ("--image=busybox:root", "--restart=Never", "--command", "--", "sleep", "1h")
    scenario.cluster.kubectl("run", "ordinary", *IN_MONITOR, "--as", USER.replace("new-sa", "default"), *words, code=1)
    scenario.cluster.kubectl("create", "rolebinding", "edit", "--clusterrole=edit", *IN_MONITOR, "--user=dev")
    scenario.cluster.kubectl(
        "run", "ordinary", *IN_MONITOR, "--as", "dev", "--as-group", "system:authenticated", *words
    )
    pod = scenario.cluster.until_running("ordinary", "monitor")
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert pod["spec"]["securityContext"]["fsGroup"] == 1000230000
    assert pod["spec"]["securityContext"]["seLinuxOptions"]["level"] == "s0:c15,c10"
    told = scenario.cluster.kubectl("exec", *IN_MONITOR, "ordinary", "--", "id")
    assert told.startswith("uid=1000230000")
    assert "1000230000" in told.partition("groups=")[2]


def test_6_each_namespace_has_ranges_of_its_own(scenario: Scenario) -> None:
    told = scenario.cluster.kubectl("describe", "namespace", "monitor")
    for words in ("sa.scc.mcs: s0:c15,c10", "supplemental-groups: 1000230000/10000", "uid-range: 1000230000/10000"):
        assert words in told
    for name in ("one", "other"):
        scenario.cluster.kubectl("create", "namespace", name)
    uids = {
        name: scenario.cluster.get("namespace", name)["metadata"]["annotations"]["openshift.io/sa.scc.uid-range"]
        for name in ("one", "other", "monitor")
    }
    assert len(set(uids.values())) == 3


def test_a_role_binding_is_a_second_way_to_grant_it(scenario: Scenario) -> None:
    scenario.apply("new-scc", users=[])
    scenario.anew()

    def refused(events: Any) -> bool:  # noqa: ANN401 - of kubectl
        return any('"new-scc": Forbidden: not usable by user' in each["message"] for each in events["items"])

    scenario.cluster.until(refused, "events", *IN_MONITOR, "--field-selector", "reason=FailedCreate")
    role, name = "system:openshift:scc:new-scc", "new-scc"  # as `oc adm policy add-scc-to-user` does it
    use = {"verbs": ["use"], "apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"]}
    made = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
        "rules": [{**use, "resourceNames": [name]}],
    }  # fmt: skip
    scenario.cluster.kubectl("create", "-f", "-", given=json.dumps(made))
    binding = ("clusterrolebinding", role, f"--clusterrole={role}", "--serviceaccount=monitor:new-sa")
    scenario.cluster.kubectl("create", *binding)
    assert scenario.pod()["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"


def test_hooks_of_a_rollout_run_and_are_tried_again(scenario: Scenario) -> None:
    cluster, in_hooked = scenario.cluster, ("-n", "hooked")
    cluster.kubectl("create", "namespace", "hooked")
    mount = {"name": "d", "mountPath": "/d"}
    container = {"name": "c", "image": "busybox:root", "command": ["sleep", "1h"], "volumeMounts": [mount]}
    pod = {"containers": [container], "volumes": [{"name": "d", "emptyDir": {}}], "terminationGracePeriodSeconds": 0}
    second_time = "test -e /d/once || { touch /d/once; exit 3; }; echo $OPENSHIFT_DEPLOYMENT_NAME; id -u"
    config = {
        "apiVersion": "apps.openshift.io/v1",
        "kind": "DeploymentConfig",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"app": "web"},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            "strategy": {
                "type": "Recreate",
                "recreateParams": {"pre": _hook("Retry", second_time), "post": _hook("Ignore", "exit 1")},
            },
        },
    }
    cluster.kubectl("create", *in_hooked, "-f", "-", given=json.dumps(config))

    def complete(controller: Any) -> bool:  # noqa: ANN401 - of kubectl
        return bool(controller["metadata"]["annotations"]["openshift.io/deployment.phase"] == "Complete")

    cluster.until(complete, "rc", "web-1", *in_hooked, seconds=60.0)
    hook = cluster.get("pod", "web-1-hook-pre", *in_hooked)
    assert [each["restartCount"] for each in hook["status"]["containerStatuses"]] == [1]
    name, user = cluster.kubectl("logs", "web-1-hook-pre", *in_hooked).split()
    assert (name, int(user) >= 1000000000) == ("web-1", True)
    ignored = "The post-hook failed:  (ignore), rollout of hooked/web-1 will continue"

    def told(events: Any) -> bool:  # noqa: ANN401 - as above
        return any(each["message"] == ignored for each in events["items"])

    cluster.until(told, "events", *in_hooked)


def _hook(policy: str, script: str) -> dict[str, Any]:
    command = {"containerName": "c", "command": ["sh", "-c", script], "volumes": ["d"]}
    return {"failurePolicy": policy, "execNewPod": command}
