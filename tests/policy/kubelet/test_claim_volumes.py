"""What is mounted for a claim, and what is known of drivers' volumes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.core import Pod
from podward.api.storage import CsiDriver, PersistentVolume, PersistentVolumeClaim, Storage
from podward.api.volume import Volume
from podward.policy.kubelet import claim_volumes, drivers

POD: dict[str, Any] = {
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {"containers": [{"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
}
CLAIM = {"metadata": {"name": "data", "namespace": "shop"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def storage(source: dict[str, Any], claim: dict[str, Any] = CLAIM, policy: str = "") -> Storage:
    volume = {
        "metadata": {"name": "disk"},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **source},
    }
    driver = {"metadata": {"name": "d"}, "spec": {"fsGroupPolicy": policy}}
    return Storage(
        {("shop", "data"): msgspec.convert(claim, PersistentVolumeClaim)},
        (msgspec.convert(volume, PersistentVolume),),
        {"d": msgspec.convert(driver, CsiDriver)} if policy else {},
    )


def resolved(source: dict[str, Any], held: Storage) -> claim_volumes.ClaimedVolume:
    volume = msgspec.convert({"name": "v", **source}, Volume)
    return claim_volumes.resolve(volume, msgspec.convert(POD, Pod), held)


def claimed(held: Storage, **more: object) -> claim_volumes.ClaimedVolume:
    return resolved({"persistentVolumeClaim": {"claimName": "data", **more}}, held)


def test_the_hosts_files_and_a_nodes_directory_are_mounted() -> None:
    assert claimed(storage({"hostPath": {"path": "/srv"}})).host_path is not None
    assert claimed(storage({"local": {"path": "/srv"}})).local is not None


def test_a_claim_that_nobody_described_or_bound_is_stood_in_for() -> None:
    assert "is not described" in claimed(Storage()).stand_in
    unbound = claimed(storage({"storageClassName": "fast", "hostPath": {"path": "/"}}), readOnly=True)
    assert "bound to no volume (disk: storageClassName" in unbound.stand_in
    assert unbound.readonly


def test_an_ephemeral_volume_has_a_claim_of_its_own() -> None:
    made = resolved(
        {"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}},
        storage({"hostPath": {"path": "/"}}),
    )
    assert (made.claim, bool(made.stand_in)) == ("db-v", True)


def test_a_block_volume_can_not_be_mounted() -> None:
    block = {**CLAIM, "spec": {"volumeMode": "Block"}}
    assert "volumeMode Block" in claimed(storage({"hostPath": {"path": "/"}}, block)).refusal


@pytest.mark.parametrize(
    ("source", "policy", "says"),
    [
        ({"nfs": {"server": "nas", "path": "/x"}}, "", "leaves an nfs volume alone"),
        ({"iscsi": {"targetPortal": "p", "iqn": "i"}}, "", "gives the files"),
        ({"iscsi": {"targetPortal": "p", "iqn": "i", "readOnly": True}}, "", "read-only"),
        ({"csi": {"driver": "d", "volumeHandle": "h"}}, "File", "gives the files"),
        ({"csi": {"driver": "d", "volumeHandle": "h", "fsType": "ext4"}}, "None", "leaves it alone"),
        ({"csi": {"driver": "d", "volumeHandle": "h", "fsType": "ext4"}}, "", "gives the files"),
        ({"csi": {"driver": "d", "volumeHandle": "h"}}, "", "leaves it alone"),
        ({"flexVolume": {"driver": "a/b"}}, "", "the driver says"),
        ({"awsElasticBlockStore": {"fsType": "ext4"}}, "", "ebs.csi.aws.com"),
    ],
)
def test_what_fs_group_does_to_a_drivers_volume(source: dict[str, Any], policy: str, says: str) -> None:
    driver = claimed(storage(source, policy=policy)).driver
    assert driver is not None
    assert says in f"{driver.what} {driver.fs_group}"


def test_a_volume_that_several_nodes_write_is_left_alone() -> None:
    many = storage({"csi": {"driver": "d", "fsType": "ext4"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"]})
    assert "gives" in (claimed(many).driver or drivers.DriverVolume("", "")).fs_group
    claim = {**CLAIM, "spec": {"accessModes": ["ReadWriteMany"]}}
    alone = storage({"csi": {"driver": "d", "fsType": "ext4"}, "accessModes": ["ReadWriteMany"]}, claim)
    assert "alone" in (claimed(alone).driver or drivers.DriverVolume("", "")).fs_group


def test_a_drivers_volume_of_the_pod_is_described() -> None:
    volume = msgspec.convert({"name": "v", "nfs": {"server": "nas", "path": "/x", "readOnly": True}}, Volume)
    found = drivers.of_volume("nfs", volume, Storage())
    assert (found.what, found.readonly) == ("nfs nas:/x", True)
    inline = msgspec.convert({"name": "v", "csi": {"driver": "d", "fsType": "ext4"}}, Volume)
    assert "gives" in drivers.of_volume("csi", inline, Storage()).fs_group
