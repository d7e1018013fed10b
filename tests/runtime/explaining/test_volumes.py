"""Volumes of a Pod that is explained: what would be there, and that nothing is made."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from podward.api.core import VolumeMount
from podward.api.cri import IDMapping
from podward.api.effective import Place
from podward.api.pod_facts import PodFacts
from podward.documents.document import Document
from podward.policy.hints.facts import FileFacts
from podward.runtime.explaining.volumes import POD, DryVolumes, shift
from podward.schema.view import pod_view

RANGE = IDMapping(0, 65536, 65536)


def volumes(listed: list[dict[str, object]], mapping: IDMapping | None = None, **context: object) -> DryVolumes:
    mounts: list[object] = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in listed]
    spec: object = {
        "securityContext": context,
        "volumes": listed,
        "containers": [{"name": "ctr", "image": "x", "volumeMounts": mounts}],
    }
    raw = {"metadata": {"name": "p"}, "spec": spec}
    made = DryVolumes(PodFacts(pod_view(raw), Place(Document("pod.yaml", raw).name)), mapping)  # type: ignore[arg-type]  # JSON
    assert not made.prepare().refused
    return made


def test_an_empty_directory_is_given_to_the_fs_group_as_a_kubelet_would() -> None:
    (found,) = volumes([{"name": "v", "emptyDir": {}}], fsGroup=2000).facts
    assert found.root == FileFacts(0, 2000, stat.S_IFDIR | 0o2777)
    (plain,) = volumes([{"name": "v", "emptyDir": {}}]).facts
    assert plain.root == FileFacts(0, 0, stat.S_IFDIR | 0o777)
    assert not os.path.exists(POD)


def test_ids_of_files_are_those_of_the_pods_range() -> None:
    (found,) = volumes([{"name": "v", "emptyDir": {}}], RANGE, fsGroup=2000).facts
    assert found.root is not None
    assert (found.root.uid, found.root.gid) == (65536, 65536 + 2000)
    assert shift(70000, RANGE) == 65534


def test_a_host_path_is_looked_at_and_a_missing_one_is_not_made(tmp_path: Path) -> None:
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.mkdir(mode=0o750)
    os.chown(there, 5, 6)
    listed: list[dict[str, object]] = [
        {"name": "a", "hostPath": {"path": str(there)}},
        {"name": "b", "hostPath": {"path": str(missing), "type": "DirectoryOrCreate"}},
    ]
    first, second = volumes(listed, fsGroup=2000).facts
    assert first.root == FileFacts(5, 6, stat.S_IFDIR | 0o750)
    assert second.root == FileFacts(0, 0, stat.S_IFDIR | 0o755)
    assert not missing.exists()


@pytest.mark.needs("setfacl")
def test_an_access_control_list_reads_as_getfacl_prints_it(tmp_path: Path) -> None:
    subprocess.run(["setfacl", "-m", "u:1000:rw-,g:50:r-x", tmp_path], check=True)
    printed = subprocess.run(["getfacl", "-nacE", tmp_path], check=True, capture_output=True, text=True).stdout
    (found,) = volumes([{"name": "a", "hostPath": {"path": str(tmp_path)}}]).facts
    assert found.root is not None
    short = [line.replace("user:", "u:").replace("group:", "g:").replace("mask:", "m:") for line in printed.split()]
    assert found.root.acl.split(",") == [line.replace("other:", "o:") for line in short]


def test_a_sub_path_that_leads_out_of_its_volume_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    raw = {
        "metadata": {"name": "p"},
        "spec": {
            "volumes": [{"name": "v", "hostPath": {"path": str(tmp_path)}}],
            "containers": [
                {"name": "ctr", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "out/ssl"}]},
                {"name": "new", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "made"}]},
            ],
        },
    }
    pod = pod_view(raw)  # type: ignore[arg-type]  # JSON
    made = DryVolumes(PodFacts(pod, Place("pod.yaml")), None)
    made.prepare()
    bad, fine = (made.mounts(container, Place("pod.yaml")) for container in pod.spec.containers or ())
    assert bad.decision.refused
    assert not fine.decision.refused
    assert not (tmp_path / "made").exists()


def test_what_a_volume_that_would_be_made_lacks() -> None:
    listed: list[dict[str, object]] = [
        {"name": "v", "emptyDir": {}},
        {"name": "d", "downwardAPI": {"items": [{"path": "deep/name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    made = volumes(listed)
    lacks = {
        (name, inside): made.lacks(VolumeMount(name=name, mount_path="/x"), inside)
        for name in ("v", "d", "none")
        for inside in ("deep/name", "why")
    }
    assert {asked for asked, lacking in lacks.items() if lacking} == {("v", "deep/name"), ("v", "why"), ("d", "why")}
    assert made.lacks(VolumeMount(name="d", mount_path="/x", sub_path="deep"), "why")
    assert not made.lacks(VolumeMount(name="d", mount_path="/x", sub_path="deep"), "name")
    assert [name for name in ("v", "d", "none") if made.readonly(name)] == ["d"]
