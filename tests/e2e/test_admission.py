"""The scenario of security context constraints, from the policy to the disk: admitted, then run as it was stored."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from podward_command import PROJECT, Podward

SCC = Path(__file__).parent / "policies" / "scc"
HOST = "/tmp/podward-scenario/testHostPath"  # noqa: S108  # the scenario's own
NAMESPACE = ("--namespace", str(SCC / "namespace.yaml"))
SELINUX = Path("/sys/fs/selinux/enforce").exists()
ORDINARY = """apiVersion: v1
kind: Pod
metadata: {name: ordinary}
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: busybox:root
    command: [cat, /proc/self/status]
"""
pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


def admitted(podward: Podward, *words: str, stdin: str = "") -> str:
    ran = podward("admit", *words, stdin=stdin)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def status(text: str) -> dict[str, list[str]]:
    return {name: value.split() for name, _, value in (line.partition(":") for line in text.splitlines())}


def test_an_ordinary_pod_gets_restricted_v2_and_its_process_has_it(podward: Podward) -> None:
    """Step 5."""
    stored = admitted(podward, "-f", "-", *NAMESPACE, stdin=ORDINARY)
    pod = yaml.safe_load(stored)
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert pod["spec"]["securityContext"]["seLinuxOptions"] == {"level": "s0:c15,c10"}
    ran = podward("run", "--verify", "-f", "-", stdin=stored)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"\b20 fields, 0 differ", ran.stderr)
    seen = status(ran.stdout)
    assert seen["Uid"] == ["1000230000"] * 4
    assert "1000230000" in seen["Groups"]
    assert seen["NoNewPrivs"] == ["1"]
    assert seen["Seccomp"] == ["2"]
    assert {seen[f"Cap{name}"][0] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}


@pytest.mark.skipif(SELINUX, reason="this kernel enforces the label")
def test_the_label_is_in_the_runtime_spec_and_told_not_to_be_enforced(podward: Podward) -> None:
    """Step 5: a runtime on such a host leaves the field out, which runc would refuse; the label goes as annotation."""
    stored = admitted(podward, "-f", "-", *NAMESPACE, stdin=ORDINARY)
    ran = podward("run", "-f", "-", stdin=stored)
    label = "system_u:system_r:container_t:s0:c15,c10"
    assert f"podward: note: ordinary/c: the SELinux label {label} is not enforced: this kernel has no SELinux" in (
        ran.stderr.splitlines()
    )
    found = json.loads(podward("explain", "-f", "-", "-o", "json", stdin=stored).stdout)
    stages = {s["stage"]: s["assignments"] for s in found["pods"][0]["containers"][0]["stages"]}
    carried = [made for made in stages["oci"] if made["value"] == label]
    assert [made["reason"] for made in carried] == ["carried, not enforceable on this kernel"]


def test_a_kept_pod_has_the_label_in_its_config_json(podward: Podward) -> None:
    stored = admitted(podward, "-f", "-", *NAMESPACE, stdin=ORDINARY)
    kept = podward("run", "--keep", "-f", "-", stdin=stored)
    try:
        (config,) = podward.root.glob("pods/*/containers/c/*/config.json")
        spec = json.loads(config.read_bytes())
        written = (spec.get("annotations") or {}).get("podward.dev/selinux-label", "")
        assert "s0:c15,c10" in (spec["process"].get("selinuxLabel") or written)
        assert spec["process"]["user"]["uid"] == 1000230000
    finally:
        (number,) = re.findall(r"`podward rm (\S+)`", kept.stderr)
        assert podward("rm", number).returncode == 0


@pytest.fixture
def host_directory() -> Iterator[Path]:
    """The scenario's directory of the host: root's, mode 0755."""
    directory = Path(HOST)
    directory.mkdir(parents=True, exist_ok=True)
    os.chown(directory, 0, 0)
    directory.chmod(0o755)
    yield directory
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()
    directory.parent.rmdir()


def deployment(command: str, **changes: Any) -> str:  # noqa: ANN401  # JSON
    """The scenario's DeploymentConfig with another command, and changes to its Pod's spec."""
    found = yaml.safe_load((SCC / "deploymentconfig.yaml").read_text(encoding="utf-8"))
    spec = found["spec"]["template"]["spec"]
    spec["containers"][0]["command"] = ["sh", "-c", command]
    spec["containers"][0]["securityContext"].update(changes.pop("container", {}))
    spec.update(changes)
    return json.dumps(found)


def test_the_deployment_is_admitted_by_its_own_scc_and_runs_as_it_says(podward: Podward, host_directory: Path) -> None:
    """Steps 1 and 2."""
    words = ("-f", "-", "--scc", str(SCC / "new-scc.yaml"), *NAMESPACE)
    stored = admitted(podward, *words, stdin=deployment("cat /proc/self/status; touch /centos/x"))
    pod = yaml.safe_load(stored)
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"
    assert pod["metadata"]["annotations"]["security.openshift.io/validated-scc-subject-type"] == "serviceaccount"
    ran = podward("run", "--restart", "Never", "-f", "-", stdin=stored)
    assert status(ran.stdout)["Uid"] == ["1000"] * 4
    assert status(ran.stdout)["Gid"] == ["2000"] * 4
    assert "/centos/x: Permission denied" in ran.stderr
    assert ran.returncode == 1
    host_directory.chmod(0o777)
    assert podward("run", "--restart", "Never", "-f", "-", stdin=stored).returncode == 0
    assert (host_directory / "x").stat().st_uid == 1000


def test_binding_a_role_is_a_second_way_to_grant_the_scc(podward: Podward, tmp_path: Path) -> None:
    """Step 1, as `oc adm policy add-scc-to-user new-scc -z new-sa` does it."""
    text = (SCC / "new-scc.yaml").read_text(encoding="utf-8")
    mine = 'users: ["system:serviceaccount:monitor:new-sa"]'
    assert mine in text
    policy = tmp_path / "scc.yaml"
    policy.write_text(text.replace(mine, "users: []"), encoding="utf-8")
    words = ("-f", "-", *NAMESPACE, "--scc")
    assert podward("admit", *words, str(policy), stdin=deployment("id")).returncode == 1
    policy.write_text(
        policy.read_text(encoding="utf-8")
        + """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: system:openshift:scc:new-scc}
rules:
- {apiGroups: [security.openshift.io], resources: [securitycontextconstraints], resourceNames: [new-scc], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: system:openshift:scc:new-scc, namespace: monitor}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:openshift:scc:new-scc}
subjects: [{kind: ServiceAccount, name: new-sa, namespace: monitor}]
""",
        encoding="utf-8",
    )
    stored = yaml.safe_load(admitted(podward, *words, str(policy), stdin=deployment("id")))
    assert stored["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"


def test_another_range_refuses_it_and_says_what_is_wrong_with_which_field(podward: Podward) -> None:
    """Step 3."""
    words = ("-f", str(SCC / "deploymentconfig.yaml"), "--scc", str(SCC / "new-scc-uid-range.yaml"), *NAMESPACE)
    ran = podward("admit", *words)
    assert (ran.returncode, ran.stdout) == (1, "")
    said = 'pods "centos-1-" is forbidden: unable to validate against any security context constraint: ['
    assert said in ran.stderr
    wrong = "runAsUser: Invalid value: 1000: must be in the ranges: [3000, 4000]"
    assert f"provider new-scc: .containers[0].{wrong}" in ran.stderr


def test_a_group_and_a_uid_of_the_range_are_admitted_and_may_write(podward: Podward, host_directory: Path) -> None:
    """Step 4."""
    os.chown(host_directory, 5000, 6000)
    host_directory.chmod(0o770)
    own = deployment(
        "cat /proc/self/status; touch /centos/x",
        container={"runAsUser": 4000},
        securityContext={"supplementalGroups": [6000]},
    )
    stored = admitted(podward, "-f", "-", "--scc", str(SCC / "new-scc-uid-range.yaml"), *NAMESPACE, stdin=own)
    ran = podward("run", "--restart", "Never", "--verify", "-f", "-", stdin=stored)
    assert ran.returncode == 0, ran.stderr
    assert "6000" in status(ran.stdout)["Groups"]
    assert (host_directory / "x").stat().st_uid == 4000


def test_an_explained_pod_is_run_as_it_was_admitted(podward: Podward) -> None:
    ran = podward("explain", "-f", "-", *NAMESPACE, "--verify", "-o", "json", stdin=ORDINARY)
    assert ran.returncode == 0, ran.stderr
    (container,) = json.loads(ran.stdout)["pods"][0]["containers"]
    assert container["observed"]["uid"] == [1000230000] * 4
    assert container["observed"] == container["predicted"]
    table = podward("explain", "-f", "-", *NAMESPACE, "--verify", stdin=ORDINARY).stdout
    assert "OBSERVED" in table
    assert "!" not in table  # which would mark a difference


def test_verifying_does_not_run_what_admission_refuses(podward: Podward, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile = ORDINARY.replace("spec:\n", "spec:\n  hostNetwork: true\n").replace(
        "command: [cat, /proc/self/status]", f"command: [touch, {mark}]"
    )
    ran = podward("explain", "-f", "-", *NAMESPACE, "--verify", "-o", "json", stdin=hostile)
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["pods"][0]["containers"] == []
    assert not mark.exists()


EXAMPLES = [e for e in sorted((PROJECT / "examples").glob("[0-9]*.yaml")) if "# admitted by:" in e.read_text("utf-8")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_admitted_by_the_policy_it_names_and_then_runs_as_it_says(
    podward: Podward, example: Path
) -> None:
    (policy,), (printed,) = (
        re.findall(rf"^# {word}: (.*)$", example.read_text("utf-8"), re.MULTILINE)
        for word in ("admitted by", "admitted prints")
    )
    stored = admitted(podward, "-f", str(example))
    assert yaml.safe_load(stored)["metadata"]["annotations"]["openshift.io/scc"] == policy
    ran = podward("run", "--verify", "-f", "-", stdin=stored)
    assert re.search(printed, ran.stdout), ran.stdout
    assert " 0 differ" in ran.stderr


def test_there_are_examples_of_admission() -> None:
    assert len(EXAMPLES) >= 2
