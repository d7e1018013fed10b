"""What `podward run` does beside identities: several containers, restarts, kept Pods, reports."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


def pod(containers: str, spec: str = "", name: str = "p", kind: str = "Pod") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{spec}  containers:\n{containers}"


def container(name: str, script: str, more: str = "") -> str:
    return f"  - {{name: {name}, image: 'busybox:root', command: [sh, -c, {json.dumps(script)}]{more}}}\n"


def test_one_containers_output_is_passed_on_untouched(podward: Podward) -> None:
    script = "printf 'a\\0b\\n'; printf '\\033[31mred'; printf err >&2"
    result = podward("run", "-f", "-", stdin=pod(container("c", script)))
    assert (result.stdout, result.stderr, result.returncode) == ("a\0b\n\033[31mred", "err", 0)


def test_lines_of_several_containers_carry_their_names_and_never_mix(podward: Podward) -> None:
    loop = "for i in $(seq 200); do echo {0}{0}{0}{0}$i; done; printf {0}end"
    manifest = pod(container("a", loop.format("a")) + container("b", loop.format("b")))
    lines = podward("run", "-f", "-", stdin=manifest).stdout.splitlines()
    for name in "ab":
        expected = [f"[{name}] {name * 4}{i}" for i in range(1, 201)] + [f"[{name}] {name}end"]
        assert [line for line in lines if line.startswith(f"[{name}]")] == expected
    assert len(lines) == 402


def test_the_exit_code_is_the_first_failure_in_the_manifests_order(podward: Podward) -> None:
    manifest = pod(container("a", "sleep 0.3; exit 5") + container("b", "exit 6") + container("c", "exit 0"))
    assert podward("run", "-f", "-", stdin=manifest).returncode == 5


def test_a_failed_container_is_restarted_with_a_fresh_root_and_the_same_volume(podward: Podward) -> None:
    script = "ls /mark 2>/dev/null; touch /mark; echo run >> /v/log; [ $(wc -l < /v/log) -ge 2 ] || exit 1; cat /v/log"
    volume = ", volumeMounts: [{name: v, mountPath: /v}]"
    spec = "  restartPolicy: OnFailure\n  volumes: [{name: v, emptyDir: {}}]\n"
    result = podward("run", "-f", "-", stdin=pod(container("c", script, volume), spec))
    assert result.stdout == "run\nrun\n", "the file of the first attempt's root is gone, the volume's stays"
    assert result.returncode == 0
    assert "exited with 1, restarting now" in result.stderr


def test_init_containers_run_in_order_and_a_failing_one_fails_the_pod(podward: Podward) -> None:
    inits = "  initContainers:\n" + container("first", "echo 1") + container("second", "echo 2; exit 4")
    result = podward("run", "-f", "-", stdin=pod(container("main", "echo never"), f"  restartPolicy: Never\n{inits}"))
    assert result.stdout == "[first] 1\n[second] 2\n"
    assert result.returncode == 4


def test_a_sidecar_is_told_to_end_when_the_work_is_done(podward: Podward) -> None:
    sidecar = "trap 'echo bye; exit 0' TERM; echo up > /v/up; while :; do sleep 0.05; done"
    mount = ", volumeMounts: [{name: v, mountPath: /v}]"
    inits = "  initContainers:\n" + container("side", sidecar, f", restartPolicy: Always{mount}")
    main = container("main", "while ! [ -e /v/up ]; do sleep 0.05; done; echo work", mount)
    volumes = "  volumes: [{name: v, emptyDir: {}}]\n"
    result = podward("run", "-f", "-", stdin=pod(main, f"  restartPolicy: Never\n{inits}{volumes}"))
    assert result.stdout == "[main] work\n[side] bye\n", result.stderr
    assert result.returncode == 0


def test_a_grace_period_is_kept_and_then_the_container_is_killed(podward: Podward) -> None:
    stubborn = "trap : TERM; echo up; while :; do sleep 0.1; done"
    manifest = pod(container("c", stubborn), "  terminationGracePeriodSeconds: 1\n")
    Path(podward.root / "stubborn.yaml").write_text(manifest, encoding="ascii")
    process = podward.start("run", "-f", str(podward.root / "stubborn.yaml"))
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    start = time.monotonic()
    podward.interrupt(process)
    assert process.returncode == 130
    assert 0.9 < time.monotonic() - start < 10


def test_several_documents_and_kinds_run_at_once(podward: Podward) -> None:
    template = container("c", "echo $HOSTNAME").replace("  - ", "      - ")
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        f"  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n{template}"
    )
    listed = {"apiVersion": "v1", "kind": "List", "items": [json.loads(json.dumps(POD_JSON))]}
    manifest = f"{deployment}---\n{pod(container('c', 'echo $HOSTNAME'), name='one')}---\n{json.dumps(listed)}\n"
    result = podward("run", "-f", "-", stdin=manifest)
    assert sorted(result.stdout.splitlines()) == ["[c] listed", "[c] one", "[c] web"], result.stderr


POD_JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "listed"},
    "spec": {"containers": [{"name": "c", "image": "busybox:root", "command": ["sh", "-c", "echo $HOSTNAME"]}]},
}


def test_the_json_report_says_who_ran_and_how_it_ended(podward: Podward) -> None:
    manifest = pod(container("c", "echo hi; exit 3", ", securityContext: {runAsUser: 1000}"))
    result = podward("run", "--verify", "-o", "json", "-f", "-", stdin=manifest)
    report = json.loads(result.stdout)
    assert result.returncode == report["exitCode"] == 3
    assert "hi" in result.stderr
    (ran,) = report["pods"][0]["containers"]
    assert ran["user"] == {"uid": 1000, "gid": 0, "supplementalGroups": [0]}
    assert ran["differences"] == []
    assert ran["predicted"] == ran["observed"]


def test_the_json_report_says_who_it_is_inside_the_user_namespace(podward: Podward) -> None:
    ids = "{runAsUser: 1000, runAsGroup: 2000, supplementalGroups: [3000]}"
    manifest = pod(container("c", "id -u"), f"  hostUsers: false\n  securityContext: {ids}\n")
    result = podward("run", "--verify", "-o", "json", "-f", "-", stdin=manifest)
    (ran,) = json.loads(result.stdout)["pods"][0]["containers"]
    assert ran["user"] == {"uid": 1000, "gid": 2000, "supplementalGroups": [2000, 3000]}
    assert ran["observed"]["uid"][0] > 65535
    assert ran["differences"] == []


def test_a_kept_pod_goes_on_is_listed_and_removed(podward: Podward) -> None:
    Path(podward.root / "kept.yaml").write_text(
        pod(container("c", "echo up; sleep 1h"), name="stays"), encoding="ascii"
    )
    started = podward("run", "--keep", "-f", str(podward.root / "kept.yaml"))
    assert "podward rm" in started.stderr
    assert podward("exec", "stays", "--", "id", "-u").stdout == "0\n"
    (listed,) = json.loads(podward("ps", "-o", "json").stdout)
    assert (listed["name"], listed["running"], listed["containers"]) == ("stays", 1, 1)
    assert podward("run", "-f", "-", stdin=pod(container("c", "true"))).returncode == 0
    assert "stays" in podward("ps").stdout, "another call does not sweep a kept Pod away"
    assert podward("rm", "stays").returncode == 0
    assert json.loads(podward("ps", "-o", "json").stdout) == []


def test_a_reader_that_goes_away_ends_the_pod(podward: Podward) -> None:
    Path(podward.root / "loud.yaml").write_text(pod(container("c", "while :; do echo y; done")), encoding="ascii")
    process = podward.start("run", "-f", str(podward.root / "loud.yaml"))
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr is not None
    process.stderr.close()


def test_host_namespaces_are_the_hosts(podward: Podward) -> None:
    spec = "  hostNetwork: true\n  hostPID: true\n  hostIPC: true\n"
    script = "for kind in net pid ipc; do readlink /proc/self/ns/$kind; done"
    result = podward("run", "--verify", "-f", "-", stdin=pod(container("c", script), spec))
    assert result.stdout.split() == [str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("net", "pid", "ipc")]
    assert "0 differ" in result.stderr


def test_environment_and_downward_fields_are_expanded(podward: Podward) -> None:
    env = (
        ", env: [{name: A, value: x}, {name: B, value: '$(A)-$(MISSING)-$$(A)'},"
        " {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"
    )
    result = podward("run", "-f", "-", stdin=pod(container("c", "echo $B $NAME", env), name="named"))
    assert result.stdout == "x-$(MISSING)-$(A) named\n", result.stderr


@pytest.mark.needs("runsc")
def test_a_pod_runs_in_a_gvisor_sandbox(podward: Podward) -> None:
    script = "id -u; uname -r; dmesg | head -1"
    manifest = pod(container("c", script, ", securityContext: {runAsUser: 1000}"))
    result = podward("run", "--runtime", "runsc", "-f", "-", stdin=manifest)
    assert result.returncode == 0, result.stderr
    user, kernel, *_ = result.stdout.splitlines()
    assert user == "1000"
    assert kernel != os.uname().release, "gVisor answers system calls with a kernel of its own"


def test_an_unsafe_sysctl_needs_the_nodes_permission(podward: Podward) -> None:
    spec = "  securityContext: {sysctls: [{name: kernel.msgmax, value: '9000'}]}\n"
    manifest = pod(container("c", "cat /proc/sys/kernel/msgmax"), spec)
    refused = podward("run", "-f", "-", stdin=manifest)
    assert refused.returncode == 1
    assert 'forbidden sysctl: "kernel.msgmax" not allowlisted' in refused.stderr
    allowed = podward("run", "--allowed-unsafe-sysctls", "kernel.msg*", "-f", "-", stdin=manifest)
    assert (allowed.returncode, allowed.stdout) == (0, "9000\n"), allowed.stderr


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("  os: {name: windows}\n", "doesn't match node OS"),
        ("  securityContext: {appArmorProfile: {type: RuntimeDefault}}\n", "AppArmor is not enabled on the host"),
    ],
)
def test_what_this_node_cannot_give_is_refused(podward: Podward, spec: str, reason: str) -> None:
    result = podward("run", "-f", "-", stdin=pod(container("c", "true"), spec))
    assert result.returncode == 1, result.stderr
    assert reason in result.stderr
    assert "<stdin>:5" in result.stderr


@pytest.mark.parametrize("defaults", ["containerd", "cri-o", "docker"])
def test_each_runtimes_defaults_run(podward: Podward, defaults: str) -> None:
    sets = {"containerd": "a80425fb", "cri-o": "000005fb", "docker": "a80425fb"}
    script = "grep CapBnd /proc/self/status"
    manifest = pod(container("c", script, ", securityContext: {seccompProfile: {type: RuntimeDefault}}"))
    result = podward("run", "--verify", "--runtime-defaults", defaults, "-f", "-", stdin=manifest)
    assert result.stdout == f"CapBnd:\t00000000{sets[defaults]}\n", result.stderr
    assert "0 differ" in result.stderr


WITH_A_VALUE = """apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {pw: hunter2}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  restartPolicy: Never
  containers:
  - name: a
    image: busybox:root
    command: ["/bin/$(PW)"]
    env: [{name: PW, valueFrom: {secretKeyRef: {name: s, key: pw}}}]
"""


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_what_a_runtime_says_of_a_command_has_no_value_of_a_secret(
    podward: Podward, tmp_path: Path, runtime: str
) -> None:
    (tmp_path / "p.yaml").write_text(WITH_A_VALUE)
    result = podward("run", "--runtime", runtime, "-f", str(tmp_path / "p.yaml"))
    assert result.returncode == 127
    assert "/bin/$(PW)" in result.stderr
    assert "hunter2" not in result.stdout + result.stderr
