"""`podward` as an ordinary user: the same Pods run, the kernel says what was predicted, and what can't be is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ordinary_user import CLONE, HOME, LOCKED, OrdinaryUser
from proofs import examples, seed

pytestmark = pytest.mark.needs("root", "crun", "busybox", "umoci", "newuidmap")
SCENARIOS = Path(__file__).parent / "scenarios"
FIRST = 3_000_000_000
"""Ids that no machine gives away: above those of all people and services, below what is an error."""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> OrdinaryUser:
    """A user with as many ids as two Pods with user namespaces take, and the example images."""
    return OrdinaryUser(61_611, tmp_path_factory.mktemp("user"), f"{FIRST}:131072").with_images()


@pytest.fixture(autouse=True)
def nothing_left(user: OrdinaryUser) -> Iterator[None]:
    """Whatever ran, the user has no process and no Pod afterwards."""
    yield
    user.wait_for_the_end()
    pods = user.directory / ".local/share/podward/pods"
    assert not pods.exists() or os.listdir(pods) == []


def scenario(name: str) -> str:
    """A scenario's manifest, which says who it is and ends."""
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    return text.replace("sleep 1h", "id")


def pod(container: object = None, **spec: object) -> str:
    """A Pod with one container of the example images."""
    ctr = {"name": "ctr", "image": "busybox:root", "command": ["id"], **(container or {})}  # type: ignore[dict-item]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod"},
            "spec": {"restartPolicy": "Never", "containers": [ctr], **spec},
        }
    )


def shell(script: str) -> dict[str, object]:
    return {"command": ["sh", "-ec", script]}


def verified(user: OrdinaryUser, manifest: str, *words: str) -> str:
    """What a Pod prints, each of whose processes was as it had been predicted."""
    done = user.run("run", "--verify", *words, "-", stdin=manifest)
    assert done.returncode == 0, done.stderr
    assert ", 0 differ" in done.stderr
    return done.stdout


# --- the scenarios ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manifest", "groups"),
    [("implicit-groups", "3000,4000,50000"), ("strict-supplementalgroups-policy", "3000,4000")],
)
@pytest.mark.parametrize("runtime", ["crun", pytest.param("runc", marks=pytest.mark.needs("runc"))])
def test_groups(user: OrdinaryUser, manifest: str, groups: str, runtime: str) -> None:
    printed = verified(user, scenario(f"groups/{manifest}"), "--runtime", runtime)
    assert printed.startswith(f"uid=1000(user-defined-in-image) gid=3000 groups={groups}")


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("root-image", "container has runAsNonRoot and image will run as root"),
        ("named-user-image", "container has runAsNonRoot and image has non-numeric user (www-data)"),
        ("explicit-root", "container's runAsUser breaks non-root policy"),
    ],
)
def test_who_must_not_be_root_is_refused(user: OrdinaryUser, manifest: str, reason: str) -> None:
    done = user.run("run", "-", stdin=scenario(f"nonroot/{manifest}"))
    assert done.returncode == 1
    assert reason in done.stderr


def test_who_need_not_be_root_runs(user: OrdinaryUser) -> None:
    manifest = pod({"image": "busybox:1000"}, securityContext={"runAsNonRoot": True})
    assert verified(user, manifest).startswith("uid=1000")


def test_capabilities(user: OrdinaryUser) -> None:
    """A container without NET_ADMIN can't make the device, with it the kernel may lack the driver."""
    done = user.run("run", "--verify", "-", stdin=scenario("capabilities/net-admin"))
    assert done.stderr.count(", 0 differ") == 3, done.stderr
    assert "[root-without-net-admin] refused" in done.stdout
    assert "[user-with-net-admin] refused" in done.stdout
    assert "[root-with-net-admin] CapEff:\t00000000a80435fb" in done.stdout
    assert "[user-with-net-admin] CapEff:\t0000000000000000" in done.stdout


def test_root_inside_is_nobody_outside(user: OrdinaryUser) -> None:
    """Two such Pods at a time have ids of their own, of which none is the user's."""
    roots = []
    for _ in range(2):
        kept = user.run(
            "run", "--keep", "-", stdin=(SCENARIOS / "userns/rootless-root.yaml").read_text(encoding="utf-8")
        )
        assert kept.returncode == 0, kept.stderr
    for word in json.loads(user.run("ps", "-o", "json").stdout):
        inside = user.run("exec", word["id"], "--", "sh", "-c", "id -u; cat /proc/self/uid_map").stdout.split()
        assert inside[:2] == ["0", "0"]
        assert inside[3] == "65536"
        roots.append(int(inside[2]))
    outside = {int(line.split()[0]): line for line in user.processes() if "sleep 1h" in line}
    uids = {int(Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("Uid:")[1].split()[0]) for pid in outside}
    assert uids == {FIRST, FIRST + 65536}
    assert sorted(roots) == [1, 65537]
    assert user.run("rm", "--now", "--all").returncode == 0


# --- what a user's Pods have of the machine ---------------------------------------------------------------------------


@pytest.mark.parametrize("defaults", ["containerd", "cri-o", "docker"])
@pytest.mark.parametrize("shared", ["hostNetwork", "hostPID", "hostIPC"])
def test_the_machines_namespaces_are_shared_as_predicted(user: OrdinaryUser, shared: str, defaults: str) -> None:
    manifest = pod({"securityContext": {"runAsUser": 7}}, **{shared: True})
    assert "uid=7" in verified(user, manifest, "--runtime-defaults", defaults)


def test_a_tree_that_is_removed_is_made_anew(user: OrdinaryUser) -> None:
    """The overlay keeps notes of what is gone, as a user may."""
    assert (
        verified(user, pod(shell("rm -r /var; mkdir -p /var/new; ls /var; mv /usr /other; ls /other"))) == "new\nbin\n"
    )


def test_volumes_of_a_pod_with_a_user_namespace_have_its_ids(user: OrdinaryUser) -> None:
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}}]
    mounts = [
        {"name": "disk", "mountPath": "/disk"},
        {"name": "disk", "mountPath": "/sub", "subPath": "made/below"},
        {"name": "memory", "mountPath": "/memory"},
    ]
    script = (
        "stat -c '%u:%g' /disk /disk/made /sub /memory /etc/hosts /bin/busybox; touch /disk/new /sub/new /memory/new"
    )
    container = {**shell(script), "volumeMounts": mounts}
    manifest = pod(container, hostUsers=False, volumes=volumes, securityContext={"fsGroup": 2000})
    assert verified(user, manifest).split() == ["0:2000", "0:0", "0:0", "0:2000", "0:0", "0:0"]


def test_no_files_of_the_machine_are_mapped(user: OrdinaryUser) -> None:
    volumes = [{"name": "host", "hostPath": {"path": "/usr/share"}}]
    manifest = pod({"volumeMounts": [{"name": "host", "mountPath": "/host"}]}, hostUsers=False, volumes=volumes)
    done = user.run("run", "-", stdin=manifest)
    assert done.returncode == 1
    assert "without root no files of the machine can be mapped" in done.stderr
    assert "would be refused" not in user.run("explain", "-", stdin=pod()).stdout
    assert "no files of the machine can be mapped" in user.run("explain", "-", stdin=manifest).stdout


@pytest.mark.parametrize(
    ("context", "refused"),
    [
        ({"runAsUser": 1000230000}, "uid 1000230000 is none of this user's: without root there are 0 to 131072 here"),
        ({"runAsGroup": 131073}, "gid 131073 is none of this user's"),
        ({"supplementalGroups": [5, 200000]}, "gid 200000 is none of this user's"),
        ({"fsGroup": 200000}, "gid 200000 is none of this user's"),
    ],
)
def test_ids_that_the_user_lacks_are_refused(user: OrdinaryUser, context: dict[str, object], refused: str) -> None:
    manifest = pod(securityContext={"runAsUser": 1, **context})
    done = user.run("run", "-", stdin=manifest)
    assert done.returncode == 1
    assert refused in done.stderr
    assert refused in " ".join(user.run("explain", "-", stdin=manifest).stdout.split())


@pytest.mark.parametrize("readonly", [True, False])
@pytest.mark.parametrize("runtime", ["crun", pytest.param("runc", marks=pytest.mark.needs("runc"))])
def test_the_machines_mounts_keep_their_flags(user: OrdinaryUser, runtime: str, *, readonly: bool) -> None:
    """What the kernel locks is predicted: crun keeps it, runc fails where its own flags would take its place."""
    mounts = [{"name": "host", "mountPath": "/host", "readOnly": readonly}]
    volumes = [{"name": "host", "hostPath": {"path": LOCKED}}]
    manifest = pod({**shell("mount | grep /host"), "volumeMounts": mounts}, volumes=volumes)
    if runtime == "runc" and readonly:
        done = user.run("run", "--verify", "--runtime", runtime, "-", stdin=manifest)
        assert "is locked in a user namespace" in done.stderr
        assert "(foreseen; runc create" in done.stderr
    else:
        printed = verified(user, manifest, "--runtime", runtime)
        assert f"({'ro' if readonly else 'rw'},nosuid,nodev,noexec," in printed


def test_limits_are_told_not_to_hold(user: OrdinaryUser) -> None:
    done = user.run("run", "-", stdin=pod({"resources": {"limits": {"memory": "64Mi"}}}))
    assert "the limits of ctr are not enforced: no cgroups can be made here" in done.stderr
    assert done.returncode == 0


def test_a_network_of_its_own_is_refused(user: OrdinaryUser) -> None:
    done = user.run("run", "--network", "-", stdin=pod())
    assert done.returncode == 2
    assert "only root can give Pods a network of their own" in done.stderr


def test_doctor_tells_what_a_user_lacks(user: OrdinaryUser) -> None:
    report = json.loads(user.run("doctor", "-o", "json").stdout)
    found = {check["name"]: check for check in report["checks"] if check["group"] == "without root"}
    assert report["ready"]
    assert found["subordinate ids"]["found"].startswith(f"uids {user.uid}, {FIRST}-{FIRST + 131071}")
    assert found["cgroups"]["state"] == "limited"
    assert found["hostUsers: false"]["found"] == "2 such Pods at a time"


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_random_pods_are_what_was_predicted(user: OrdinaryUser) -> None:
    pods = examples(15)
    prove = (f"{CLONE}/.venv/bin/python", f"{CLONE}/tests/e2e/prove.py")
    words = user.words(*prove, "--pods", str(pods), "--runtime", "crun", *seed())
    result = subprocess.run(words, capture_output=True, text=True, timeout=590, check=False)
    assert result.stdout.splitlines()[-1:] == [f"{pods} pods, 0 differ"], result.stdout + result.stderr


# --- Pods that stay, and calls that are killed ------------------------------------------------------------------------


def test_a_kept_pod_is_reached_by_later_calls(user: OrdinaryUser) -> None:
    kept = user.run("run", "--keep", "-", stdin=pod(shell("echo begun; sleep 1000"), hostUsers=False))
    assert kept.returncode == 0, kept.stderr
    assert user.run("logs", "pod").stdout == "begun\n"
    assert user.run("exec", "pod", "--", "id", "-u").stdout == "0\n"
    assert json.loads(user.run("ps", "-o", "json").stdout)[0]["status"] == "Running"
    assert user.run("rm", "pod").returncode == 0


def test_a_killed_call_leaves_nothing(user: OrdinaryUser) -> None:
    with user.started("run", "-", stdin=pod(shell("echo begun; sleep 1000"))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.kill()
    user.wait_for_the_end()
    assert user.run("run", "-", stdin=pod()).returncode == 0


def test_a_killed_call_is_swept_while_another_pod_runs(user: OrdinaryUser) -> None:
    assert user.run("run", "--keep", "-", stdin=pod(shell("sleep 1000"))).returncode == 0
    with user.started("run", "-", stdin=pod(shell("echo begun; sleep 999"), hostPID=True)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.kill()
    assert any("sleep 999" in line for line in user.processes())
    assert user.run("run", "-", stdin=pod()).returncode == 0
    assert not any("sleep 999" in line for line in user.processes())
    assert any("sleep 1000" in line for line in user.processes())
    assert user.run("rm", "--now", "--all").returncode == 0


@pytest.mark.parametrize("host_users", [True, False])
def test_a_namespace_whose_holder_was_killed_is_found_again(user: OrdinaryUser, *, host_users: bool) -> None:
    assert user.run("run", "--keep", "-", stdin=pod(shell("sleep 1000"), hostUsers=host_users)).returncode == 0
    holder = json.loads((user.directory / "run/podward/holder").read_bytes())["process"]["pid"]
    os.kill(holder, signal.SIGKILL)
    assert user.run("exec", "pod", "--", "id", "-u").stdout == "0\n"
    assert user.run("rm", "--now", "pod").returncode == 0


# --- a user without ranges --------------------------------------------------------------------------------------------


def test_who_has_no_ranges_is_root_alone(tmp_path: Path) -> None:
    lone = OrdinaryUser(61_612, tmp_path / "home").with_images("busybox-root")
    assert verified(lone, pod()).startswith("uid=0(root) gid=0(root)")
    done = lone.run("run", "-", stdin=pod(securityContext={"runAsUser": 1}))
    assert "uid 1 is none of this user's: without root there is 0 alone here" in done.stderr
    context = lone.directory / "context"
    (context / "Containerfile").write_text("FROM scratch\nCOPY --chown=7 rootfs/bin /bin\n", encoding="ascii")
    built = lone.run("image", "build", "-t", "others:1", f"{HOME}/context")
    assert "it has files of users or groups that are none of yours" in built.stderr
    report = json.loads(lone.run("doctor", "-o", "json").stdout)
    (ids,) = (check for check in report["checks"] if check["name"] == "subordinate ids")
    assert ids["state"] == "limited"
    lone.wait_for_the_end()


def test_a_directory_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    other = OrdinaryUser(61_613, tmp_path / "home")
    (tmp_path / "home/run/podward").mkdir(parents=True)
    done = other.run("image", "ls")
    assert done.returncode == 1
    assert "it is not a directory of ours that nobody else may write" in done.stderr
    assert other.processes() == []
