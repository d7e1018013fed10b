"""Volumes in real Pods: who owns them, what can be written, and what can't escape."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")


def pod(script: str, volumes: list[object], mounts: list[object], **spec: object) -> str:
    container = {"name": "c", "image": "busybox:root", "command": ["sh", "-c", script], "volumeMounts": mounts}
    whole = {"restartPolicy": "Never", "volumes": volumes, "containers": [container], **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "v"}, "spec": whole})


def test_an_empty_dir_belongs_to_the_fs_group_and_is_gone_afterwards(podward: Podward) -> None:
    context = {"runAsUser": 1000, "fsGroup": 2000}
    manifest = pod(
        "stat -c '%a %u:%g' /d; touch /d/x; stat -c '%u:%g' /d/x",
        [{"name": "d", "emptyDir": {}}],
        [{"name": "d", "mountPath": "/d"}],
        securityContext=context,
    )
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.stdout == "2777 0:2000\n1000:2000\n", result.stderr


def test_memory_is_a_tmpfs_of_the_size_that_was_asked_for(podward: Podward) -> None:
    manifest = pod(
        "grep ' /d ' /proc/mounts | cut -d' ' -f3; head -c 3000000 /dev/zero > /d/x || echo full",
        [{"name": "d", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}],
        [{"name": "d", "mountPath": "/d"}],
    )
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.stdout == "tmpfs\nfull\n", result.stderr


def test_a_read_only_mount_cannot_be_written_even_by_root(podward: Podward) -> None:
    manifest = pod("touch /d/x", [{"name": "d", "emptyDir": {}}], [{"name": "d", "mountPath": "/d", "readOnly": True}])
    result = podward("run", "-f", "-", stdin=manifest)
    assert "Read-only file system" in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize("users", [True, False])
def test_a_host_path_keeps_its_owner_whatever_fs_group_says(podward: Podward, tmp_path: Path, *, users: bool) -> None:
    """Also in a user namespace, where the volume is id-mapped: root's files are root's inside."""
    tmp_path.chmod(0o755)
    (tmp_path / "file").write_text("x", encoding="ascii")
    manifest = pod(
        "stat -c '%u:%g' /h /h/file; touch /h/new && stat -c '%u:%g' /h/new",
        [{"name": "h", "hostPath": {"path": str(tmp_path), "type": "Directory"}}],
        [{"name": "h", "mountPath": "/h"}],
        securityContext={"fsGroup": 2000},
        hostUsers=users,
    )
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.stdout == "0:0\n0:0\n0:0\n", result.stderr
    made = (tmp_path / "new").stat()
    assert (made.st_uid, made.st_gid) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "place", "reason"),
    [
        ("Directory", "file", "is not a directory"),
        ("File", ".", "is not a file"),
        ("Socket", "file", "is not a socket"),
        ("CharDevice", "file", "is not a character device"),
        ("BlockDevice", "file", "is not a block device"),
        ("Directory", "absent", "is not a directory"),
    ],
)
def test_a_host_path_of_another_type_is_refused(
    podward: Podward, tmp_path: Path, kind: str, place: str, reason: str
) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    volume = {"name": "h", "hostPath": {"path": str(tmp_path / place), "type": kind}}
    result = podward("run", "-f", "-", stdin=pod("true", [volume], [{"name": "h", "mountPath": "/h"}]))
    assert result.returncode == 1
    assert "<stdin>:1: spec.volumes[0].hostPath" in result.stderr
    assert reason in result.stderr


def test_a_sub_path_is_a_part_of_the_volume_and_the_environment_may_name_it(podward: Podward) -> None:
    container = {
        "name": "c",
        "image": "busybox:root",
        "command": ["sh", "-c", "echo hi > /sub/x; echo ho > /named/y; find /all -type f | sort"],
        "env": [{"name": "WHERE", "value": "b"}],
        "volumeMounts": [
            {"name": "d", "mountPath": "/all"},
            {"name": "d", "mountPath": "/sub", "subPath": "a/deep"},
            {"name": "d", "mountPath": "/named", "subPathExpr": "$(WHERE)"},
        ],
    }
    spec = {"restartPolicy": "Never", "volumes": [{"name": "d", "emptyDir": {}}], "containers": [container]}
    manifest = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "v"}, "spec": spec})
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.stdout == "/all/a/deep/x\n/all/b/y\n", result.stderr


def test_a_sub_path_cannot_escape_by_a_link_that_a_container_planted(podward: Podward) -> None:
    plant = {
        "name": "plant",
        "image": "busybox:root",
        "command": ["ln", "-s", "/etc", "/all/link"],
        "volumeMounts": [{"name": "d", "mountPath": "/all"}],
    }
    use = {
        "name": "use",
        "image": "busybox:root",
        "command": ["cat", "/sub/hostname"],
        "volumeMounts": [{"name": "d", "mountPath": "/sub", "subPath": "link"}],
    }
    volumes = [{"name": "d", "emptyDir": {}}]
    spec = {"restartPolicy": "Never", "volumes": volumes, "initContainers": [plant], "containers": [use]}
    manifest = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "v"}, "spec": spec})
    result = podward("run", "-f", "-", stdin=manifest)
    assert os.uname().nodename not in result.stdout
    assert result.returncode != 0
    assert "subPath" in result.stderr, result.stderr


def test_containers_share_a_volume_and_a_user_namespace_writes_with_its_own_ids(podward: Podward) -> None:
    write = {
        "name": "write",
        "image": "busybox:root",
        "command": ["sh", "-c", "echo shared > /d/x; stat -c %u /d/x"],
        "volumeMounts": [{"name": "d", "mountPath": "/d"}],
    }
    read = {**write, "name": "read", "command": ["cat", "/d/x"]}
    volumes = [{"name": "d", "emptyDir": {}}]
    spec = {
        "restartPolicy": "Never",
        "hostUsers": False,
        "volumes": volumes,
        "initContainers": [write],
        "containers": [read],
    }
    manifest = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "v"}, "spec": spec})
    result = podward("run", "-f", "-", stdin=manifest)
    assert result.stdout == "[write] 0\n[read] shared\n", result.stderr


@pytest.mark.needs("runc")
@pytest.mark.parametrize(("runtime", "starts"), [("crun", True), ("runc", False)])
def test_a_mount_point_that_a_read_only_volume_lacks_is_made_by_crun_alone_as_foreseen(
    podward: Podward, runtime: str, *, starts: bool
) -> None:
    manifest = pod(
        "true",
        [{"name": "d", "emptyDir": {}}, {"name": "o", "emptyDir": {}}],
        [{"name": "d", "mountPath": "/d", "readOnly": True}, {"name": "o", "mountPath": "/d/o"}],
    )
    explained = podward("explain", "--runtime", runtime, "-f", "-", stdin=manifest)
    assert ("runc can't make this mount point" in " ".join(explained.stdout.split())) is not starts
    result = podward("run", "--verify", "--runtime", runtime, "-f", "-", stdin=manifest)
    assert result.returncode == (0 if starts else 128), result.stderr
    assert ("foreseen; runc create" in result.stderr) is not starts
