"""Volumes of a node's Pods: objects of a real API server, read as a node may read them, on a real kernel's disk."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import Server
from node_volumes import CLAIMS, DISKS, MAPS, NODE, PODS, SECRETS, Here, ok, run, until
from private_mounts import private_mounts

from podward.api.cri import IDMapping, ImageSpec
from podward.api.json_value import Json, JsonObject
from podward.api.referenced_objects import TrustAnchors
from podward.client.connection import Connection, load
from podward.documents.raw_fields import member
from podward.errors import NodeError
from podward.node import kept_volumes, volumes
from podward.node.objects import Objects
from podward.node.volume_verbs import objects as objects_of

__all__ = ["private_mounts"]
pytestmark = [pytest.mark.needs("root"), pytest.mark.usefixtures("private_mounts")]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    directory = tmp_path_factory.mktemp("server")
    config = directory / "kubeconfig"
    server = Server(directory, "--kubeconfig", str(config), "--authorization-mode", "Node,RBAC")
    for path, obj in (
        ("nodes", {"metadata": {"name": NODE}}),
        ("namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
    ):
        made = server.ask("POST", f"/api/v1/{path}", obj)
        assert made[0] == 201, made
    yield load(str(config))
    server.process.terminate()
    server.process.communicate()


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def owner(path: str) -> tuple[int, int, int]:
    facts = os.stat(path)
    return facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)


def is_mount(path: str) -> bool:
    return os.path.ismount(path)


def closed(directory: str) -> bool:
    return stat.S_IMODE(os.stat(directory).st_mode) == 0o700


def is_there(path: str) -> bool:
    return os.path.lexists(path)


def write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)


def is_link(path: str) -> bool:
    return os.path.islink(path)


def mounted_below(path: str) -> int:
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return mounts.read().count(path)


def make_directory(path: Path) -> None:
    path.mkdir()


def listed(path: str) -> list[str]:
    return sorted(os.listdir(path))


def target(path: str) -> str:
    return os.readlink(path)


def secret(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name}, "stringData": dict(data)}


def of_secret(name: str, **more: Json) -> JsonObject:
    return {"name": "v", "secret": {"secretName": name, **more}}


def test_addresses_change_no_volume(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        pod = await here.pod([{"name": "v", "emptyDir": {}}])
        assert (await here.volumes.prepare(pod)).ready, here.told
        at = here.at(pod, "volumes", "v")
        os.rmdir(at)
        assert (await here.volumes.prepare(pod, ip="10.0.0.7")).ready
        assert not is_there(at)
        member(pod, "metadata")["labels"] = {"a": "b"}
        assert (await here.volumes.prepare(pod, ip="10.0.0.7")).ready
        assert is_there(at)

    run(connection, str(tmp_path), work)


def test_a_secret_is_on_a_tmpfs_and_follows_within_two_seconds(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        ok(await here.admin.create(SECRETS, "default", secret("follows", fruit="carrot", user="bugs")))
        pod = await here.pod([of_secret("follows", defaultMode=0o400)], securityContext={"fsGroup": 2000})
        assert (await here.volumes.prepare(pod)).ready, here.told
        at = here.at(pod, "volumes", "v")
        assert is_mount(at)
        assert (read(f"{at}/fruit"), *owner(f"{at}/fruit")) == ("carrot", 0, 2000, 0o440)
        before = target(f"{at}/..data")
        change: Json = {"stringData": {"fruit": "turnip"}, "data": {"user": None}}
        ok(await here.admin.patch(SECRETS, "default", "follows", change))
        await until(lambda: read(f"{at}/fruit") == "turnip", 2.0)
        assert target(f"{at}/..data") != before
        await until(lambda: not is_there(f"{at}/user"))
        ok(await here.admin.delete(SECRETS, "default", "follows"))
        await until(lambda: bool(here.told))
        assert (
            here.told[0] == 'Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "follows" not found'
        )
        assert (read(f"{at}/fruit"), (await here.volumes.prepare(pod)).ready) == ("turnip", True)
        assert await here.volumes.remove(str(member(pod, "metadata")["uid"])) == ()
        assert listed(here.at(pod)) == ["volumes.lock"]

    run(connection, str(tmp_path), work)


def test_what_is_missing_for_two_minutes_is_told_of_the_pod(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: Here) -> None:
        pod = await here.pod([of_secret("overdue"), {"name": "e", "emptyDir": {}}])
        assert (await here.volumes.prepare(pod)).unmounted == ("v",)
        assert len(here.told) == 1
        monkeypatch.setattr(volumes, "_PATIENCE", 0.0)
        assert (await here.volumes.prepare(pod)).unmounted == ("v",)
        lists = "unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]"
        what = f"Unable to attach or mount volumes: {lists}: context deadline exceeded"
        assert here.told[-1] == f"Warning FailedMount {what}"

    run(connection, str(tmp_path), work)


def test_what_is_missing_is_told_in_the_kubelets_words_and_awaited(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        items: Json = [{"key": "absent", "path": "x"}]
        pod = await here.pod(
            [
                of_secret("later"),
                {"name": "m", "configMap": {"name": "later", "items": items}},
                {"name": "o", "secret": {"secretName": "never", "optional": True}},
                {"name": "h", "hostPath": {"path": str(tmp_path / "nothing"), "type": "Directory"}},
                {"name": "c", "persistentVolumeClaim": {"claimName": "unclaimed"}},
            ]
        )
        ok(await here.admin.create(MAPS, "default", {"metadata": {"name": "later"}, "data": {"k": "v"}}))
        first = await here.volumes.prepare(pod)
        assert (first.unmounted, first.ready) == (("v", "m", "h", "c"), False)
        failed = "Warning FailedMount MountVolume.SetUp failed for volume"
        lists = "unmounted volumes=[v m h c], unattached volumes=[], failed to process volumes=[c]"
        absent = 'persistentvolumeclaims "unclaimed" not found'
        claim = f"error processing PVC default/unclaimed: failed to fetch PVC from API server: {absent}"
        assert here.told == [
            f'{failed} "v" : secret "later" not found',
            f'{failed} "m" : configmap references non-existent config key: absent',
            f'{failed} "h" : hostPath type check failed: {tmp_path}/nothing is not a directory',
            f"Warning FailedMount Unable to attach or mount volumes: {lists}: {claim}",
        ]
        assert (await here.volumes.prepare(pod)).retry == 2 * first.retry
        uid = str(member(pod, "metadata")["uid"])
        here.changed.clear()
        ok(await here.admin.create(SECRETS, "default", secret("later", a="1")))
        await until(lambda: uid in here.changed)
        assert (await here.volumes.prepare(pod)).unmounted == ("m", "h", "c")
        assert [name for name in listed(here.at(pod, "volumes", "o")) if not name.startswith("..")] == []

    run(connection, str(tmp_path), work)


def test_a_token_is_the_pods_own_and_renewed_when_its_time_has_come(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: Here) -> None:
        token: Json = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}
        labels: Json = {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}
        pod = await here.pod([{"name": "v", "projected": {"sources": [token, labels]}}])
        assert (await here.volumes.prepare(pod)).ready, here.told
        at = here.at(pod, "volumes", "v")
        first = read(f"{at}/token")
        claims = json.loads(base64.urlsafe_b64decode(first.split(".")[1] + "=="))
        metadata = member(pod, "metadata")
        assert claims["aud"] == ["vault"]
        assert claims["kubernetes.io"]["pod"] == {"name": metadata["name"], "uid": metadata["uid"]}
        assert claims["exp"] - claims["iat"] == 600
        assert owner(f"{at}/token") == (0, 0, 0o644)
        assert read(f"{at}/labels") == 'app="x"'
        changed = ok(
            await here.admin.patch(PODS, "default", str(metadata["name"]), {"metadata": {"labels": {"app": "y"}}})
        )
        assert (await here.volumes.prepare(changed)).ready
        assert (read(f"{at}/labels"), read(f"{at}/token")) == ('app="y"', first)
        monkeypatch.setattr(time, "time", lambda: claims["exp"] - 100)
        assert (await here.volumes.prepare(changed)).ready
        assert read(f"{at}/token") != first

    run(connection, str(tmp_path), work)


def test_volumes_outlive_the_node_and_go_with_their_pods(connection: Connection, tmp_path: Path) -> None:
    pods: list[JsonObject] = []

    async def first(here: Here) -> None:
        ok(await here.admin.create(SECRETS, "default", secret("kept", a="1")))
        memory: JsonObject = {"name": "mem", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
        disk: JsonObject = {"name": "disk", "emptyDir": {}}
        for _ in range(2):
            pod = await here.pod([of_secret("kept"), memory, disk], securityContext={"fsGroup": 7})
            assert (await here.volumes.prepare(pod)).ready, here.told
            pods.append(pod)
        for name in ("mem", "disk"):
            assert owner(here.at(pods[0], "volumes", name))[1:] == (7, 0o3777 if name == "mem" else 0o2777)
            write(here.at(pods[0], "volumes", name, "data"), name)

    async def second(here: Here) -> None:
        uids = tuple(str(member(pod, "metadata")["uid"]) for pod in pods)
        assert await here.volumes.sweep(uids[:1]) == ()
        assert listed(str(tmp_path)) == [uids[0]]
        ok(await here.admin.delete(SECRETS, "default", "kept"))
        assert (await here.volumes.prepare(pods[0])).ready
        assert [read(here.at(pods[0], "volumes", *steps)) for steps in (("mem", "data"), ("disk", "data"), ("v", "a"))]
        assert await here.volumes.remove(uids[0]) == ()

    run(connection, str(tmp_path), first)
    run(connection, str(tmp_path), second)
    assert mounted_below(str(tmp_path)) == 0


def test_pods_that_go_at_once_leave_nothing_that_is_followed(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        objects, pods = Objects(here.admin, here.changed.append), []
        for number in range(4):
            ok(await here.admin.create(SECRETS, "default", secret(f"goes{number}", a="1")))
            pods.append(await here.pod([of_secret(f"goes{number}"), {"name": "m", "configMap": {"name": "shared"}}]))
        found = await asyncio.gather(*map(objects.of, pods))
        assert [len(each.documents) for each in found] == [1] * 4
        uids = [str(member(pod, "metadata")["uid"]) for pod in pods]
        await asyncio.gather(*map(objects.forget, uids[1:]))
        here.changed.clear()
        assert (objects.secret("default", "goes0") is None, objects.secret("default", "goes1")) == (False, None)
        ok(await here.admin.create(MAPS, "default", {"metadata": {"name": "shared"}}))
        await until(lambda: here.changed == uids[:1])
        await objects.forget(uids[0])
        await objects.close()

    run(connection, str(tmp_path), work)


def test_what_a_container_gets_is_its_messages(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        ok(await here.admin.create(SECRETS, "default", secret("shown", a="1")))
        listing: Json = [
            {"name": "v", "mountPath": "/one", "subPath": "a"},
            {"name": "disk", "mountPath": "/two", "subPathExpr": "$(IP)/in"},
            {"name": "img", "mountPath": "/three", "subPath": "etc"},
            {"name": "disk", "mountPath": "/four"},
        ]
        variable: Json = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
        broken: Json = [{"name": "disk", "mountPath": "/x", "subPath": "out"}]
        image: JsonObject = {"name": "img", "image": {"reference": "app:1"}}
        pod = await here.pod(
            [of_secret("shown"), {"name": "disk", "emptyDir": {}}, image],
            containers=[
                {"name": "good", "image": "none", "volumeMounts": listing, "env": [variable]},
                {"name": "bad", "image": "none", "volumeMounts": broken},
            ],
        )
        ids = IDMapping(0, 65536 * 7, 65536)
        assert (await here.volumes.prepare(pod, ids)).ready, here.told
        uid = str(member(pod, "metadata")["uid"])
        answer = await here.volumes.mounts(uid, "good", "10.0.0.9")
        assert answer.refusal == ""
        one, two, three, four = answer.mounts
        assert (read(one.host_path), one.readonly, one.uid_mappings, one.gid_mappings) == ("1", True, (ids,), (ids,))
        assert is_there(here.at(pod, "volumes", "disk", "10.0.0.9", "in"))
        assert (two.readonly, four.host_path) == (False, here.at(pod, "volumes", "disk"))
        assert (three.image_sub_path, three.host_path) == ("etc", "")
        assert three.image == ImageSpec("app:1", user_specified_image="app:1")
        os.symlink("/", here.at(pod, "volumes", "disk", "out"))
        refused = await here.volumes.mounts(uid, "bad")
        assert refused.refusal == 'failed to prepare subPath for volumeMount "disk" of container "bad"'
        assert (await here.volumes.mounts(uid, "good", "10.0.0.9")).mounts == answer.mounts
        assert await here.volumes.remove(uid) == ()

    run(connection, str(tmp_path), work)


def test_a_claim_leads_to_its_volume(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        local = tmp_path / "disk"
        make_directory(local)
        spec: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        claim = ok(await here.admin.create(CLAIMS, "default", {"metadata": {"name": "data"}, "spec": spec}))
        pod = await here.pod(
            [{"name": "c", "persistentVolumeClaim": {"claimName": "data"}}],
            securityContext={"fsGroup": 3000, "fsGroupChangePolicy": "OnRootMismatch"},
        )
        assert not (await here.volumes.prepare(pod)).ready
        assert here.told[0].endswith("error processing PVC default/data: PVC is not bound")
        kept: Json = {"namespace": "default", "name": "data", "uid": member(claim, "metadata")["uid"]}
        at: Json = {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}
        disk: JsonObject = {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Mi"},
            "local": {"path": str(local)},
            "claimRef": kept,
            "nodeAffinity": {"required": {"nodeSelectorTerms": [at]}},
        }
        ok(await here.admin.create(DISKS, "", {"metadata": {"name": "d"}, "spec": disk}))
        ok(await here.admin.patch(CLAIMS, "default", "data", {"spec": {"volumeName": "d"}}))
        bound: Json = {"status": {"phase": "Bound"}}
        ok(await here.admin.patch(CLAIMS, "default", "data", bound, subresource="status"))
        assert (await here.volumes.prepare(pod)).ready, here.told
        (mount,) = (await here.volumes.mounts(str(member(pod, "metadata")["uid"]), "ctr")).mounts
        assert (mount.host_path, owner(str(local))[1]) == (str(local), 3000)
        assert await here.volumes.remove(str(member(pod, "metadata")["uid"])) == ()
        assert is_there(str(local))

    run(connection, str(tmp_path / "pods"), work)


def test_a_runtime_that_sees_no_mount_of_ours_gets_plain_directories(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        ok(await here.admin.create(SECRETS, "default", secret("plain", a="1")))
        in_memory: JsonObject = {"name": "mem", "emptyDir": {"medium": "Memory"}}
        of_files: Json = [{"name": "v", "mountPath": "/one", "subPath": "a"}, {"name": "mem", "mountPath": "/two"}]
        written: Json = [{"name": "mem", "mountPath": "/x", "subPath": "s"}]
        containers: Json = [
            {"name": "good", "image": "none", "volumeMounts": of_files},
            {"name": "bad", "image": "none", "volumeMounts": written},
        ]
        pod = await here.pod([of_secret("plain"), in_memory], containers=containers)
        assert (await here.volumes.prepare(pod)).ready, here.told
        uid = str(member(pod, "metadata")["uid"])
        memory = kept_volumes.memory_of(here.at(pod))
        one, two = (await here.volumes.mounts(uid, "good")).mounts
        assert (read(one.host_path), two.host_path) == ("1", f"{memory}/volumes/mem")
        assert (one.host_path.startswith(f"{memory}/volumes/v/"), one.host_path.endswith("/a")) == (True, True)
        assert closed(memory)
        assert closed(os.path.dirname(memory))
        assert not is_link(one.host_path)
        assert "no subPath is safe" in (await here.volumes.mounts(uid, "bad")).refusal
        assert mounted_below(str(tmp_path)) == 0
        assert await here.volumes.remove(uid) == ()
        assert not is_there(os.path.dirname(memory))

    run(connection, str(tmp_path), work, mounts=False)


def test_what_is_kept_in_memory_is_in_nobody_elses_directory(tmp_path: Path) -> None:
    theirs = Path(kept_volumes.memory_of(f"{tmp_path}/pods/uid")).parent
    theirs.mkdir(mode=0o755)
    try:
        with pytest.raises(NodeError, match="no place"):
            kept_volumes.make_memory(f"{tmp_path}/pods/uid")
    finally:
        theirs.rmdir()


def test_nothing_is_removed_where_somebody_elses_link_leads(tmp_path: Path) -> None:
    theirs = Path(kept_volumes.memory_of(f"{tmp_path}/pods/uid")).parent
    (tmp_path / "elsewhere" / "uid").mkdir(parents=True)
    theirs.symlink_to(tmp_path / "elsewhere")
    try:
        kept_volumes.remove(f"{tmp_path}/pods/uid")
    finally:
        theirs.unlink()
    assert (tmp_path / "elsewhere" / "uid").is_dir()


def test_trust_bundles_are_asked_for_where_a_pod_has_some(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        source: Json = {"clusterTrustBundle": {"name": "roots", "path": "roots.pem"}}
        pod = await here.pod([])
        spec: JsonObject = {**member(pod, "spec"), "volumes": [{"name": "v", "projected": {"sources": [source]}}]}
        objects = Objects(here.admin, here.changed.append)
        asked: JsonObject = {**pod, "spec": spec}  # a server without the feature, as this one, drops the field
        assert (await objects.of(pod)).unread == ()
        assert "while getting ClusterTrustBundle: " in (await objects.of(asked)).unread[0]
        made: JsonObject = {
            "apiVersion": "certificates.k8s.io/v1beta1",
            "kind": "ClusterTrustBundle",
            "metadata": {"name": "roots", "labels": {"a": "b"}},
            "spec": {"trustBundle": "PEM", "signerName": "x"},
        }
        assert objects_of(asked, (made,)).trust_bundles == (TrustAnchors("roots", "PEM", "x", {"a": "b"}),)
        await objects.close()

    run(connection, str(tmp_path), work)
