"""What a kubelet does while a Pod runs: standard input, terminals, probes, lifecycle hooks, a network."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import pytest
from case_corpus import write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")


def pod(fields: str, spec: str = "", script: str = "true") -> str:
    """A Pod of one container with these fields."""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  terminationGracePeriodSeconds: 2\n{spec}"
        f"  containers:\n  - name: c\n    image: busybox:root\n    command: [sh, -c, {json.dumps(script)}]\n{fields}"
    )


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_standard_input_is_the_containers_where_it_asks_for_it(podward: Podward, tmp_path: Path, runtime: str) -> None:
    words = ("run", "--runtime", runtime, "-f")
    asks = write(tmp_path, "asks.yaml", pod("    stdin: true\n    stdinOnce: true\n", script="cat"))
    assert podward(*words, asks, stdin="through\n").stdout == "through\n"
    silent = write(tmp_path, "silent.yaml", pod("", script="cat"))
    assert podward(*words, silent, stdin="not\n").stdout == ""


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_container_that_asks_for_a_terminal_has_one(podward: Podward, tmp_path: Path, runtime: str) -> None:
    file = write(tmp_path, "pod.yaml", pod("    stdin: true\n    tty: true\n", script="test -t 0 && test -t 1 && tty"))
    done = podward("run", "--verify", "--runtime", runtime, "-f", file)
    assert done.returncode == 0, done.stderr
    assert re.search(r"/dev/(pts/0|console)\r?\n", done.stdout)
    assert not re.search(r"[1-9]\d* differ", done.stderr)


def test_a_failing_liveness_probe_restarts_the_container(podward: Podward, tmp_path: Path) -> None:
    script = "echo run >> /v/log; [ $(wc -l < /v/log) -gt 1 ] && { echo again; exit 0; }; sleep 20"
    fields = (
        "    livenessProbe: {exec: {command: [test, -e, /v/never]}, periodSeconds: 1, failureThreshold: 2}\n"
        "    volumeMounts: [{name: v, mountPath: /v}]\n"
    )
    spec = "  restartPolicy: OnFailure\n  volumes: [{name: v, emptyDir: {}}]\n"
    done = podward("run", "-f", write(tmp_path, "pod.yaml", pod(fields, spec, script)), timeout=50)
    assert (done.returncode, done.stdout) == (0, "again\n"), done.stderr
    assert "iveness" in done.stderr


def test_a_liveness_probe_that_succeeds_changes_nothing(podward: Podward, tmp_path: Path) -> None:
    times = "periodSeconds: 1, timeoutSeconds: 30, failureThreshold: 1"
    fields = f"    livenessProbe: {{exec: {{command: ['true']}}, {times}}}\n"
    done = podward("run", "-f", write(tmp_path, "pod.yaml", pod(fields, script="sleep 3; echo end")))
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_probes_reach_the_pods_own_network(podward: Podward, tmp_path: Path, kind: str) -> None:
    ask = {"http": "httpGet: {path: /, port: 8080}", "tcp": "tcpSocket: {port: 8080}"}[kind]
    side = (
        "  initContainers:\n  - name: server\n    image: busybox:root\n    restartPolicy: Always\n"
        "    command: [sh, -c, 'sleep 2; echo ready > /tmp/index.html; exec httpd -f -h /tmp -p 8080']\n"
        f"    startupProbe: {{{ask}, periodSeconds: 1, failureThreshold: 30}}\n"
    )
    script = "wget -q -O - http://127.0.0.1:8080/ || echo too early"
    done = podward("run", "-f", write(tmp_path, "pod.yaml", pod("", f"  restartPolicy: Never\n{side}", script)))
    assert done.stdout == "[c] ready\n", done.stderr


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_post_start_hook_runs_in_the_container(podward: Podward, tmp_path: Path, runtime: str) -> None:
    fields = "    lifecycle: {postStart: {exec: {command: [sh, -c, 'id -u > /tmp/hook']}}}\n"
    script = "i=0; while ! [ -s /tmp/hook ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done; cat /tmp/hook"
    file = write(tmp_path, "pod.yaml", pod(fields, script=script))
    done = podward("run", "--runtime", runtime, "-f", file)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_a_failing_post_start_hook_ends_the_container(podward: Podward, tmp_path: Path) -> None:
    fields = "    lifecycle: {postStart: {exec: {command: ['false']}}}\n"
    done = podward("run", "-f", write(tmp_path, "pod.yaml", pod(fields, script="sleep 15")), timeout=50)
    assert done.returncode != 0
    assert "postStart" in done.stderr


def test_a_pre_stop_hook_runs_before_the_signal(podward: Podward, tmp_path: Path) -> None:
    fields = "    lifecycle: {preStop: {exec: {command: [sh, -c, 'echo hook >> /tmp/order']}}}\n"
    script = "trap 'cat /tmp/order; echo signal; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    text = pod(fields, script=script).replace("PeriodSeconds: 2", "PeriodSeconds: 20")
    process = podward.start("run", "-f", write(tmp_path, "pod.yaml", text))
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(0.3)
    out, _ = podward.interrupt(process, signal.SIGINT)
    assert out == "hook\nsignal\n"


@pytest.mark.needs("cni")
def test_a_pod_has_a_network_of_its_own_where_it_is_asked_for(podward: Podward, tmp_path: Path) -> None:
    file = write(tmp_path, "pod.yaml", pod("", script="ip -4 -o addr show eth0; cat /etc/hosts"))
    done = podward("run", "--verify", "--network", "-f", file)
    assert done.returncode == 0, done.stderr
    found = re.search(r"eth0 +inet (\d+\.\d+\.\d+\.\d+)/", done.stdout)
    assert found
    assert f"{found.group(1)}\tp\n" in done.stdout, "the kubelet's hosts file has its address"


def test_without_one_there_is_loopback_alone(podward: Podward, tmp_path: Path) -> None:
    done = podward("run", "-f", write(tmp_path, "pod.yaml", pod("", script="ip -o link | wc -l")))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
