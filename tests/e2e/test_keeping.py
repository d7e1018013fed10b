"""Kept Pods under their monitors: restarts, limits of programs in them, logs, ends of all kinds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")


@pytest.fixture
def keep(podward: Podward, tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`run --keep` of a Pod called web with one container, whose fields and script are given."""

    def kept(script: str, *words: str, fields: str = "", spec: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "web.yaml").write_text(
            f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  terminationGracePeriodSeconds: 1\n{spec}"
            "  containers:\n  - name: app\n    image: busybox:root\n"
            f"    command: [sh, -c, {json.dumps(script)}]\n{fields}",
            encoding="utf-8",
        )
        return podward("run", "--keep", *words, "-f", str(tmp_path / "web.yaml"))

    yield kept
    podward("rm", "--now", "--all")


def until(ask: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def listed(podward: Podward) -> dict[str, object]:
    (pod,) = json.loads(podward("ps", "-o", "json").stdout)
    assert isinstance(pod, dict)
    return pod


def monitor_of(podward: Podward) -> int:
    (record,) = (podward.root / "pods").glob("*/pod.json")
    return int(json.loads(record.read_text(encoding="utf-8"))["monitor"]["pid"])


Keep = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_program_has_the_limits_of_its_container(podward: Podward, keep: Keep, runtime: str) -> None:
    context = (
        "seccompProfile: {type: RuntimeDefault}, capabilities: {add: [NET_ADMIN]}, allowPrivilegeEscalation: false"
    )
    fields = f"    securityContext: {{{context}}}\n"
    asked = "grep -E '^(Cap|Seccomp:|NoNewPrivs|Groups)' /proc/self/status; cat /proc/self/cgroup"
    kept = keep(f"{asked}; exec sleep 600", "--runtime", runtime, fields=fields)
    assert kept.returncode == 0, kept.stderr
    until(lambda: "NoNewPrivs" in podward("logs", "web").stdout)
    done = podward("exec", "web", "--", "sh", "-c", asked)
    assert done.stdout == podward("logs", "web").stdout
    assert "Seccomp:\t2" in done.stdout


def test_a_container_is_restarted_and_its_earlier_run_is_remembered(podward: Podward, keep: Keep) -> None:
    script = "echo run >> /v/n; n=$(wc -l < /v/n); echo number $n; [ $n -gt 1 ] || { sleep 2; exit 3; }; exec sleep 600"
    fields = "    volumeMounts: [{name: v, mountPath: /v}]\n"
    kept = keep(script, fields=fields, spec="  restartPolicy: Always\n  volumes: [{name: v, emptyDir: {}}]\n")
    assert kept.returncode == 0, kept.stderr
    until(lambda: listed(podward)["restarts"] == 1)
    until(lambda: podward("logs", "web").stdout == "number 2\n")
    assert podward("logs", "--previous", "web").stdout == "number 1\n"
    assert podward("exec", "web", "--", "cat", "/v/n").stdout == "run\nrun\n"


def test_a_pod_that_ends_by_itself_waits_to_be_removed(podward: Podward, keep: Keep) -> None:
    assert keep("echo done; sleep 1; exit 4").returncode == 0
    until(lambda: listed(podward)["status"] == "Failed")
    assert podward("logs", "-f", "web").stdout == "done\n", "and following ends"
    refused = podward("exec", "web", "--", "id")
    assert refused.returncode == 1
    assert "does not run" in refused.stderr
    assert podward("rm", "web").returncode == 0
    assert podward.leftovers() == []


def test_following_shows_what_comes(podward: Podward, keep: Keep) -> None:
    assert keep("i=0; while [ $i -lt 5 ]; do echo line $i; i=$((i+1)); sleep 0.5; done").returncode == 0
    done = podward("logs", "-f", "--tail", "-1", "--prefix", "web")
    assert done.stdout == "".join(f"[pod/web/app] line {i}\n" for i in range(5))


def test_a_pod_whose_monitor_was_killed_is_lost_and_swept(podward: Podward, keep: Keep) -> None:
    assert keep("exec sleep 600").returncode == 0
    os.kill(monitor_of(podward), signal.SIGKILL)
    until(lambda: listed(podward)["status"] == "Lost")
    refused = podward("exec", "web", "--", "id")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert keep("exec sleep 600").returncode == 0, "the next one sweeps it"
    assert listed(podward)["status"] == "Running"
    assert podward("rm", "--now", "web").returncode == 0
    assert podward.leftovers() == []


def test_the_pre_stop_hook_runs_when_a_pod_is_removed(podward: Podward, keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    hook = "    lifecycle: {preStop: {exec: {command: [touch, /out/hook]}}}\n"
    fields = f"{hook}    volumeMounts: [{{name: out, mountPath: /out}}]\n"
    spec = f"  volumes: [{{name: out, hostPath: {{path: {tmp_path}/out}}}}]\n"
    assert keep("exec sleep 600", fields=fields, spec=spec).returncode == 0
    assert podward("rm", "web").returncode == 0
    assert (tmp_path / "out/hook").exists()


TRAPPING = """apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  terminationGracePeriodSeconds: {grace}
  volumes: [{{name: out, hostPath: {{path: {out}}}}}]
  containers:
  - name: app
    image: busybox:root
    command: [sh, -c, "trap '{asked}' TERM; while :; do sleep 0.1; done"]
    volumeMounts: [{{name: out, mountPath: /out}}]
"""


def trapping(podward: Podward, tmp_path: Path, asked: str, grace: int) -> None:
    (tmp_path / "web.yaml").write_text(TRAPPING.format(grace=grace, out=tmp_path, asked=asked), encoding="utf-8")
    assert podward("run", "--keep", str(tmp_path / "web.yaml")).returncode == 0


def test_two_who_remove_a_pod_do_not_cut_its_grace_period_short(podward: Podward, tmp_path: Path) -> None:
    trapping(podward, tmp_path, "touch /out/asked; sleep 2; touch /out/over; exit 0", 60)
    first = podward.start("rm", "web")
    until((tmp_path / "asked").exists)
    assert podward("rm", "web", "web").returncode == 0
    assert first.wait(60) == 0
    assert (tmp_path / "over").exists()


def test_now_is_now(podward: Podward, tmp_path: Path) -> None:
    """Three times: of one signal that is sent twice at once, the kernel may deliver one."""
    for _ in range(3):
        trapping(podward, tmp_path, ":", 600)
        assert podward("rm", "--now", "web", timeout=60).returncode == 0


def test_words_that_are_off_are_told(podward: Podward, keep: Keep) -> None:
    assert keep("exec sleep 600").returncode == 0
    for words in (("logs", "--since", "5", "web"), ("logs", "web", "-c", "x"), ("port-forward", "web", "0"), ("exec",)):
        done = podward(*words)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), words
    done = podward("logs", "--previous", "web")
    assert (done.returncode, "no previous run" in done.stderr) == (1, True)


@pytest.mark.needs("cni")
def test_a_network_leaves_nothing_even_after_a_kill(podward: Podward, keep: Keep, tmp_path: Path) -> None:
    fields = "    ports: [{containerPort: 80, hostPort: 28080}]\n"
    kept = keep("exec sleep 600", "--network", "--cni-conf-dir", str(tmp_path / "none"), fields=fields)
    assert kept.returncode == 0, kept.stderr
    assert re.search(r"inet 10\.", podward("exec", "web", "--", "ip", "addr", "show", "eth0").stdout)
    pod = str(listed(podward)["id"])
    bridge = json.loads((podward.root / "network/own.json").read_text(encoding="ascii"))["bridge"]
    assert bridge in os.listdir("/sys/class/net")
    assert pod in rules()
    os.kill(monitor_of(podward), signal.SIGKILL)
    until(lambda: listed(podward)["status"] == "Lost")
    assert podward("rm", "web").returncode == 0
    assert bridge not in os.listdir("/sys/class/net")
    assert pod not in rules()
    assert list((podward.root / "network/addresses/podward").glob("10.*")) == []


def rules() -> str:
    """The machine's rules of address translation, with the ids that plugins write into their comments."""
    return subprocess.run(["iptables", "-w", "-t", "nat", "-S"], capture_output=True, text=True, check=False).stdout
