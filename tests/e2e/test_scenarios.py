"""The scenarios of who a process is, end to end with `podward run` alone; the kernel is the witness."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from podward_command import Podward

SCENARIOS = Path(__file__).parent / "scenarios"
pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


def status_of(pid: str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def entry_of(process: subprocess.Popen[str]) -> str:
    """The pid of the container's process: podward's child that executes the image's busybox."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        for child in children:
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{child}/exe") == "/bin/busybox":
                    return child
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("the container's process did not appear")


def lives(pid: str) -> bool:
    """Whether the process is there and no zombie, whose parent has yet to hear of its end."""
    try:
        return status_of(pid)["State"][0] != "Z"
    except FileNotFoundError:
        return False


def running(podward: Podward, manifest: str) -> subprocess.Popen[str]:
    return podward.start("run", "-f", str(SCENARIOS / manifest))


@pytest.mark.parametrize(
    ("manifest", "groups"),
    [("implicit-groups", "3000 4000 50000"), ("strict-supplementalgroups-policy", "3000 4000")],
)
def test_groups(podward: Podward, manifest: str, groups: str) -> None:
    process = running(podward, f"groups/{manifest}.yaml")
    status = status_of(entry_of(process))
    assert status["Uid"].split() == ["1000"] * 4
    assert status["Gid"].split() == ["3000"] * 4
    assert status["Groups"] == groups
    assert status["NoNewPrivs"] == "1"
    podward.interrupt(process)
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("root-image", r"container has runAsNonRoot and image will run as root"),
        ("named-user-image", r"container has runAsNonRoot and image has non-numeric user \(www-data\), cannot verify"),
        ("explicit-root", r"container's runAsUser breaks non-root policy"),
    ],
)
def test_nonroot_is_refused_before_it_starts(podward: Podward, manifest: str, reason: str) -> None:
    result = podward("run", "-f", str(SCENARIOS / f"nonroot/{manifest}.yaml"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert re.search(rf'{reason}.*\(pod: "nonroot-\S+_default\(\S+\)", container: ctr\)', result.stderr), result.stderr
    assert re.search(rf"{manifest}\.yaml:\d+: spec\.", result.stderr), result.stderr


def test_a_numeric_user_of_the_image_is_accepted_as_non_root(podward: Podward) -> None:
    manifest = """
apiVersion: v1
kind: Pod
metadata: {name: numeric}
spec:
  securityContext: {runAsNonRoot: true}
  containers:
  - {name: ctr, image: "busybox:1000", command: ["id", "-u"]}
"""
    result = podward("run", "-f", "-", stdin=manifest)
    assert (result.returncode, result.stdout) == (0, "1000\n"), result.stderr


def test_capabilities_are_what_root_and_users_really_get(podward: Podward) -> None:
    result = podward("run", "--verify", "-f", str(SCENARIOS / "capabilities/net-admin.yaml"))
    said: dict[str, str] = {}
    for line in result.stdout.splitlines():
        name, _, text = line.removeprefix("[").partition("] ")
        said[name] = f"{said.get(name, '')}{text}\n"
    # A kernel built without the dummy driver says so, and only to who is permitted to ask.
    allowed = "allowed" in said["root-with-net-admin"]
    assert allowed or "[root-with-net-admin] ip: RTNETLINK answers: Operation not supported" in result.stderr
    assert "CapEff:\t00000000a80435fb" in said["root-with-net-admin"]
    assert "refused" in said["root-without-net-admin"]
    assert "CapEff:\t00000000a80425fb" in said["root-without-net-admin"]
    assert "refused" in said["user-with-net-admin"]
    assert "CapEff:\t0000000000000000" in said["user-with-net-admin"]
    assert "CapBnd:\t00000000a80435fb" in said["user-with-net-admin"]
    assert result.stderr.count("0 differ") == 3
    assert result.returncode == 0


def test_net_admin_lets_root_make_a_network_device(podward: Podward) -> None:
    """As the scenario above, with a kind of device that more kernels have."""
    manifest = """
apiVersion: v1
kind: Pod
metadata: {name: bridge}
spec:
  restartPolicy: Never
  containers:
  - name: with
    image: busybox:root
    command: ["sh", "-c", "ip link add br0 type bridge && echo allowed"]
    securityContext: {capabilities: {add: ["NET_ADMIN"]}}
  - name: without
    image: busybox:root
    command: ["sh", "-c", "ip link add br1 type bridge || echo refused"]
"""
    result = podward("run", "-f", "-", stdin=manifest)
    assert "[with] allowed" in result.stdout, result.stderr
    assert "[without] refused" in result.stdout


def test_root_inside_is_nobody_outside_and_no_two_pods_share_a_range(podward: Podward) -> None:
    pods = [running(podward, "userns/rootless-root.yaml") for _ in range(2)]
    ranges = []
    for process in pods:
        pid = entry_of(process)
        inside, outside, length = Path(f"/proc/{pid}/uid_map").read_text(encoding="ascii").split()
        assert (inside, length) == ("0", "65536")
        assert int(outside) >= 65536
        assert status_of(pid)["Uid"].split() == [outside] * 4
        ranges.append(int(outside))
        assert process.stdout is not None
        assert process.stdout.readline().startswith("uid=0(root)")
    assert abs(ranges[0] - ranges[1]) >= 65536
    for process in pods:
        podward.interrupt(process)
        assert process.returncode == 130


def test_a_localhost_seccomp_profile_denies_unshare(podward: Podward, tmp_path: Path) -> None:
    """The profile lies in the node's directory, as for a kubelet; it denies one system call with EACCES."""
    profiles = tmp_path / "seccomp"
    profiles.mkdir()
    rule = '{"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}'
    (profiles / "no-unshare.json").write_text(
        f'{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]}}', encoding="ascii"
    )
    manifest = """
apiVersion: v1
kind: Pod
metadata: {name: localhost}
spec:
  restartPolicy: Never
  containers:
  - name: ctr
    image: busybox:root
    command: ["sh", "-c", "grep Seccomp: /proc/self/status; unshare -U true; mkdir /still-works && echo fine"]
    securityContext:
      seccompProfile: {type: Localhost, localhostProfile: no-unshare.json}
"""
    result = podward("run", "--verify", "--seccomp-root", str(profiles), "-f", "-", stdin=manifest)
    assert "Seccomp:\t2" in result.stdout, result.stderr
    assert "fine" in result.stdout
    assert re.search(r"unshare.*Permission denied", result.stderr), result.stderr
    assert "0 differ" in result.stderr


def test_a_missing_or_broken_localhost_profile_is_a_clear_refusal(podward: Podward, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="ascii")
    for profile, expected in (("absent.json", "absent.json"), ("broken.json", "broken.json")):
        manifest = f"""
apiVersion: v1
kind: Pod
metadata: {{name: localhost}}
spec:
  containers:
  - name: ctr
    image: busybox:root
    command: ["true"]
    securityContext:
      seccompProfile: {{type: Localhost, localhostProfile: {profile}}}
"""
        result = podward("run", "--seccomp-root", str(tmp_path), "-f", "-", stdin=manifest)
        assert result.returncode in (1, 2)
        assert expected in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_pod_and_cleans_up(podward: Podward, number: signal.Signals) -> None:
    process = running(podward, "groups/implicit-groups.yaml")
    entry_of(process)
    start = time.monotonic()
    podward.interrupt(process, number)
    assert process.returncode == 128 + number
    assert time.monotonic() - start < 10, "a process that ignores the signal is not waited for in vain"


def test_what_a_killed_podward_left_is_removed_by_the_next_call(podward: Podward) -> None:
    process = running(podward, "userns/rootless-root.yaml")
    pid = entry_of(process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert lives(pid)
    assert os.listdir(podward.root / "pods")
    assert podward.own_cgroups()
    result = podward("run", "-f", str(SCENARIOS / "nonroot/root-image.yaml"))
    assert result.returncode == 1
    assert not lives(pid)
    assert podward.leftovers() == []


@pytest.mark.needs("runc", "runsc", "catatonit")
@pytest.mark.parametrize("runtime", ["crun", "runc", "runsc"])
def test_a_podward_killed_at_any_moment_leaves_nothing_after_the_next_call(podward: Podward, runtime: str) -> None:
    """The next call uses another OCI runtime: it need not be asked about containers that another one made."""
    example = Path(__file__).parent.parent.parent / "examples" / "11-init-and-sidecar.yaml"
    for milliseconds in range(40, 200, 20):
        process = podward.start("run", "--runtime", runtime, "-f", str(example))
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
        assert podward("run", "-f", str(SCENARIOS / "nonroot/root-image.yaml")).returncode == 1
        assert podward.leftovers() == [], f"killed after {milliseconds} ms"
