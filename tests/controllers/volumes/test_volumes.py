"""Claims and volumes: who gets whom, what is made and removed, what stays; and all that for our own API server."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from controllers_at_work import CLAIMS, NODES, PODS, VOLUMES, at_work, created, gone, served, told, until
from msgspec import convert
from pods_and_nodes import raw_node, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.api.scheduling import StorageClass
from podward.client.api import Client
from podward.client.connection import Connection
from podward.controllers import scheduler
from podward.controllers.context import ControllerOptions
from podward.controllers.volumes import (
    binder,
    binding,
    ephemeral,
    local_directories,
    protection,
    pv_protection,
    pvc_protection,
    vac_protection,
)  # fmt: skip
from podward.controllers.volumes.binding import Bind, Lose, NoChange, Provision, Reclaim, TakeClass, Unbind, Wait
from podward.controllers.volumes.local_directories import PROVISIONER
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

CLASSES = BY_PLURAL["storage.k8s.io", "v1", "storageclasses"]
VACS = BY_PLURAL["storage.k8s.io", "v1", "volumeattributesclasses"]
UID = "0f0f0f0f-0000-4000-8000-000000000001"
DONE: JsonObject = {binding.BIND_COMPLETED: "yes"}
NOBODY = "no persistent volumes available for this claim and no storage class is set"


def claim(of_class: str | None = "", annotations: JsonObject | None = None, **spec: Json) -> JsonObject:
    made: JsonObject = {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec,
    }  # fmt: skip
    if of_class is not None:
        made["storageClassName"] = of_class
    metadata: JsonObject = {"name": "data", "namespace": "default", "uid": UID, "annotations": annotations or {}}
    return {"metadata": metadata, "spec": made, "status": {"phase": "Pending"}}


def volume(name: str = "v1", of_class: str = "", kept: JsonObject | None = None, **more: Json) -> JsonObject:
    spec: JsonObject = {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": of_class,
        "hostPath": {"path": "/x"},
    }  # fmt: skip
    if kept is not None:
        spec["claimRef"] = {"namespace": "default", "name": "data", **kept}
    spec |= more
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}}


def classes(mode: str = "Immediate", provisioner: str = "x", **annotations: str) -> dict[str, StorageClass]:
    raw = {
        "metadata": {"name": "c", "annotations": {key.replace("_", "-"): value for key, value in annotations.items()}},
        "provisioner": provisioner, "volumeBindingMode": mode,
    }  # fmt: skip
    return {"c": convert(raw, StorageClass)}


WAITS = classes("WaitForFirstConsumer")
IN_TREE = classes(provisioner="kubernetes.io/gce-pd")
FIRST = Wait(("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"))
TAKEN = Wait(("Warning", "FailedBinding", 'volume "v1" already bound to a different claim.'))


@pytest.mark.parametrize(
    ("wanted", "volumes", "known", "expected"),
    [
        (claim(), [volume()], {}, Bind("v1")),
        (claim(), [volume(), volume("v2", kept={"uid": UID})], {}, Bind("v2")),
        (claim(), [volume(kept={"uid": "other"})], {}, Wait(("Normal", "FailedBinding", NOBODY))),
        (claim(volumeName="v1"), [volume()], {}, Bind("v1")),
        (claim(volumeName="v1"), [], {}, Wait()),
        (claim(volumeName="v1"), [volume(kept={"name": "other"})], {}, TAKEN),
        (
            claim(volumeName="v1"),
            [volume(accessModes=["ReadOnlyMany"])],
            {},
            Wait(("Warning", "VolumeMismatch", 'Cannot bind to requested volume "v1": incompatible accessMode')),
        ),
        (claim("c"), [volume()], WAITS, FIRST),
        (claim("c"), [volume(of_class="c")], WAITS, FIRST),
        (claim("c"), [volume(of_class="c", kept={})], WAITS, Bind("v1")),
        (claim("c", {binding.SELECTED_NODE: "n1"}), [], WAITS, Provision(WAITS["c"])),
        (claim("c"), [], classes(), Provision(classes()["c"])),
        (
            claim("c"),
            [],
            {},
            Wait(("Warning", "ProvisioningFailed", 'storageclass.storage.k8s.io "c" not found')),
        ),
        (
            claim("c"),
            [],
            classes(provisioner="kubernetes.io/no-provisioner"),
            Wait(("Warning", "ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner")),
        ),
        (claim("c"), [], IN_TREE, Provision(IN_TREE["c"])),
        (claim(None), [], {"c": convert({"metadata": {"name": "c", "annotations": {binding.IS_DEFAULT: "true"}}},
                                        StorageClass)}, TakeClass("c")),
        (claim(annotations=DONE, volumeName="v1"), [volume(kept={"uid": UID})], {}, Bind("v1")),
        (claim(volumeAttributesClassName="gold"), [volume()], {}, Wait(("Normal", "FailedBinding", NOBODY))),
    ],
)  # fmt: skip
def test_a_claim_gets_what_fits_it(
    wanted: JsonObject, volumes: list[JsonObject], known: dict[str, StorageClass], expected: binding.ClaimAction
) -> None:
    there = {str(member(each, "metadata")["name"]): each for each in volumes}
    assert binding.of_claim(wanted, there, known, []) == expected


@pytest.mark.parametrize(
    ("wanted", "volumes", "reason"),
    [
        (claim(annotations=DONE), [], "ClaimLost"),
        (claim(annotations=DONE, volumeName="v1"), [], "ClaimLost"),
        (claim(annotations=DONE, volumeName="v1"), [volume(kept={"uid": "other"})], "ClaimMisbound"),
    ],
)
def test_a_claim_loses_its_volume(wanted: JsonObject, volumes: list[JsonObject], reason: str) -> None:
    there = {str(member(each, "metadata")["name"]): each for each in volumes}
    found = binding.of_claim(wanted, there, {}, [])
    assert isinstance(found, Lose)
    assert found.event[1] == reason


def phased(phase: str, kept: JsonObject | None, **annotations: str) -> JsonObject:
    made = volume(kept=kept, persistentVolumeReclaimPolicy="Delete")
    metadata: JsonObject = {"name": "v1", "annotations": {**annotations}}
    return {**made, "metadata": metadata, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("raw", "its_claim", "expected"),
    [
        (phased("", None), None, binding.VolumePhase("Available")),
        (phased("Available", {}), None, NoChange()),
        (phased("Bound", {"uid": UID}), None, binding.VolumePhase("Released")),
        (phased("Released", {"uid": UID}), None, Reclaim()),
        (phased("Released", {"uid": "older"}), claim(), Reclaim()),
        (phased("Available", {"uid": UID}), claim(), NoChange()),
        (phased("Available", {"uid": UID}), claim(volumeName="v1"), binding.VolumePhase("Bound")),
        (phased("Bound", {"uid": UID}), claim(volumeName="v1"), NoChange()),
        (phased("Available", {"uid": UID}), claim(volumeName="v2"), Unbind()),
        (
            phased("Bound", {"uid": UID}, **{binding.PROVISIONED_BY: "x"}),
            claim(volumeName="v2"),
            binding.VolumePhase("Released"),
        ),
    ],
)
def test_a_volume_is_whose_it_is(raw: JsonObject, its_claim: JsonObject | None, expected: binding.VolumeAction) -> None:
    assert binding.of_volume(raw, its_claim) == expected


def test_what_a_person_kept_for_a_claim_stays_kept() -> None:
    by_person = binding.unbound_volume(phased("Bound", {"uid": UID}))
    assert member(by_person, "spec")["claimRef"] == {"namespace": "default", "name": "data"}
    by_us = binding.unbound_volume(phased("Bound", {"uid": UID}, **{binding.BOUND_BY_CONTROLLER: "yes"}))
    assert "claimRef" not in member(by_us, "spec")


@pytest.mark.parametrize(
    ("metadata", "used", "expected"),
    [
        ({}, False, ["f"]),
        ({"finalizers": ["f"]}, False, None),
        ({"finalizers": ["f", "g"], "deletionTimestamp": "now"}, False, ["g"]),
        ({"finalizers": ["f"], "deletionTimestamp": "now"}, True, None),
        ({"deletionTimestamp": "now"}, False, None),
    ],
)
def test_what_is_used_is_kept(metadata: JsonObject, *, used: bool, expected: list[str] | None) -> None:
    assert protection.finalizers({"metadata": metadata}, "f", used=used) == expected


def test_a_directory_is_made_for_all_and_removed_with_what_is_in_it(tmp_path: Path) -> None:
    place, name, victim = tmp_path / "volumes", f"pvc-{UID}", tmp_path / "victim"
    victim.mkdir()
    (victim / "kept").touch()
    local_directories.make(str(place), name)
    assert (place.stat().st_mode & 0o777, (place / name).stat().st_mode & 0o777) == (0o700, 0o777)
    (place / name / "link").symlink_to(victim)
    local_directories.remove(str(place), name)
    assert list(place.iterdir()) == []
    (place / name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        local_directories.remove(str(place), name)
    assert (victim / "kept").exists()
    with pytest.raises(ValueError, match=r"\.\."):
        local_directories.remove(str(place), "../victim")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with served(tmp_path_factory) as found:
        yield found


MODULES = [binder, ephemeral, pv_protection, pvc_protection, vac_protection, scheduler]


def binding_volumes(connection: Connection, work: Callable[[Client], Awaitable[None]], directory: str = "") -> None:
    at_work(connection, MODULES, work, ControllerOptions(volume_directory=directory))


def phase(wanted: str) -> Callable[[JsonObject], bool]:
    return lambda raw: member(raw, "status").get("phase") == wanted


def local_volume() -> JsonObject:
    raw = volume()
    return {"metadata": {"name": "v1"}, "spec": member(raw, "spec")}


def test_a_claim_and_a_volume_find_each_other_and_part(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, VOLUMES, local_volume())
        await until(client, VOLUMES, "v1", phase("Available"))
        await created(client, CLAIMS, {**claim(), "status": {}})
        found = await until(client, CLAIMS, "data", phase("Bound"))
        assert member(found, "spec")["volumeName"] == "v1"
        assert member(member(found, "status"), "capacity") == {"storage": "1Gi"}
        assert "kubernetes.io/pvc-protection" in str(member(found, "metadata")["finalizers"])
        await until(client, VOLUMES, "v1", phase("Bound"))
        await client.delete(VOLUMES, "", "v1")
        kept = await until(client, VOLUMES, "v1", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        assert phase("Bound")(kept)
        await client.delete(CLAIMS, "default", "data")
        await gone(client, CLAIMS, "data")
        await gone(client, VOLUMES, "v1")

    binding_volumes(connection, work)


def test_a_claim_that_has_lost_its_volume_has_no_size_any_more(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, VOLUMES, local_volume())
        await created(client, CLAIMS, {**claim(), "status": {}})
        await until(client, CLAIMS, "data", phase("Bound"))
        await client.delete(VOLUMES, "", "v1")
        await client.patch(VOLUMES, "", "v1", {"metadata": {"finalizers": None}})
        found = await until(client, CLAIMS, "data", phase("Lost"))
        assert member(found, "status") == {"phase": "Lost"}

    binding_volumes(connection, work)


def test_a_directory_is_a_pods_until_its_claim_goes(connection: Connection, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        of_class: JsonObject = {
            "metadata": {"name": "here"}, "provisioner": PROVISIONER, "volumeBindingMode": "WaitForFirstConsumer",
        }  # fmt: skip
        await created(client, CLASSES, of_class)
        await created(client, NODES, raw_node("n1"))
        await created(client, CLAIMS, {**claim("here"), "status": {}})
        await told(client, "data", "WaitForFirstConsumer")
        await created(client, PODS, raw_pod(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
        await until(client, PODS, "web", lambda raw: member(raw, "spec").get("nodeName") == "n1")
        found = await until(client, CLAIMS, "data", phase("Bound"))
        name = str(member(found, "spec")["volumeName"])
        assert os.listdir(tmp_path) == [name]
        made = await until(client, VOLUMES, name, phase("Bound"))
        assert member(member(made, "spec"), "local") == {"path": f"{tmp_path}/{name}"}
        await client.delete(CLAIMS, "default", "data")
        ending = await until(client, CLAIMS, "data", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        assert phase("Bound")(ending)
        await client.delete(PODS, "default", "web", {"gracePeriodSeconds": 0})
        await gone(client, CLAIMS, "data")
        await gone(client, VOLUMES, name)
        assert os.listdir(tmp_path) == []

    binding_volumes(connection, work, str(tmp_path))


def test_what_a_claim_waits_for_is_not_told_again_for_anothers_sake(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, CLAIMS, {**claim("absent"), "status": {}})
        before = await told(client, "data", "ProvisioningFailed")
        for name in ("v1", "v2", "v3"):
            await created(client, VOLUMES, {"metadata": {"name": name}, "spec": member(volume(), "spec")})
            await until(client, VOLUMES, name, phase("Available"))
        other = claim("absent")
        await created(client, CLAIMS, {**other, "metadata": {"name": "later"}, "status": {}})
        await told(client, "later", "ProvisioningFailed")
        assert (await told(client, "data", "ProvisioningFailed"))["count"] == before["count"]

    binding_volumes(connection, work)


def test_a_driver_is_asked_for_what_kubernetes_made_itself_and_removes_what_it_has_made(connection: Connection) -> None:
    async def work(client: Client) -> None:
        of_class: JsonObject = {"metadata": {"name": "disk"}, "provisioner": "kubernetes.io/gce-pd"}
        await created(client, CLASSES, of_class)
        await created(client, CLAIMS, {**claim("disk"), "status": {}})
        asked = "volume.kubernetes.io/storage-provisioner"
        await until(client, CLAIMS, "data", lambda raw: asked in binding.annotations_of(raw))
        found = await until(client, CLAIMS, "data", lambda _raw: True)
        assert binding.annotations_of(found)[asked] == "pd.csi.storage.gke.io"
        kept: JsonObject = {"uid": UID}
        spec = {**member(volume(kept=kept, persistentVolumeReclaimPolicy="Delete"), "spec")}
        del spec["hostPath"]
        spec["csi"] = {"driver": "x.example.com", "volumeHandle": "v1"}
        await created(client, VOLUMES, {"metadata": {"name": "v1"}, "spec": spec})
        await until(client, VOLUMES, "v1", phase("Released"))
        await created(client, VOLUMES, {"metadata": {"name": "v2"}, "spec": member(volume(), "spec")})
        await until(client, VOLUMES, "v2", phase("Available"))
        assert phase("Released")(await until(client, VOLUMES, "v1", lambda _raw: True))

    binding_volumes(connection, work)


def test_a_pod_says_where_it_will_be_while_its_volume_is_made(connection: Connection) -> None:
    async def work(client: Client) -> None:
        of_class: JsonObject = {
            "metadata": {"name": "slow"}, "provisioner": "x.example.com/p", "volumeBindingMode": "WaitForFirstConsumer",
        }  # fmt: skip
        await created(client, CLASSES, of_class)
        await created(client, NODES, raw_node("n1"))
        await created(client, CLAIMS, {**claim("slow"), "status": {}})
        await created(client, PODS, raw_pod(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
        await until(client, CLAIMS, "data", lambda raw: binding.SELECTED_NODE in binding.annotations_of(raw))
        await until(client, PODS, "web", lambda raw: member(raw, "status").get("nominatedNodeName") == "n1")

    binding_volumes(connection, work)


def test_an_ephemeral_volume_gets_no_claim_that_is_somebody_elses(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, NODES, raw_node("n1"))
        taken = claim("none")
        await created(client, CLAIMS, {**taken, "metadata": {"name": "web-tmp"}, "status": {}})
        wanted: Json = [{"name": "tmp", "ephemeral": {"volumeClaimTemplate": {"spec": member(taken, "spec")}}}]
        await created(client, PODS, raw_pod(volumes=wanted))
        why = "PVC default/web-tmp was not created for pod default/web (pod is not owner)"
        assert (await told(client, "web", "FailedBinding"))["message"] == f"ephemeral volume tmp: {why}"
        assert why in str((await told(client, "web", "FailedScheduling"))["message"])

    binding_volumes(connection, work)


def test_an_ephemeral_volume_gets_a_claim_of_its_pods(connection: Connection) -> None:
    async def work(client: Client) -> None:
        template: JsonObject = {"metadata": {"labels": {"a": "b"}}, "spec": member(claim("none"), "spec")}
        wanted: Json = [{"name": "tmp", "ephemeral": {"volumeClaimTemplate": template}}]
        made = await created(client, PODS, raw_pod(volumes=wanted))
        found = await until(client, CLAIMS, "web-tmp", lambda _raw: True)
        (owner,) = member(found, "metadata")["ownerReferences"]  # type: ignore[misc,str-unpack]
        assert isinstance(owner, dict)
        assert owner["uid"] == member(made, "metadata")["uid"]
        assert member(found, "metadata")["labels"] == {"a": "b"}

    binding_volumes(connection, work)


def test_a_class_of_attributes_stays_while_a_claim_names_it(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await created(client, VACS, {"metadata": {"name": "gold"}, "driverName": "x", "parameters": {"a": "b"}})
        await until(client, VACS, "gold", lambda raw: bool(member(raw, "metadata").get("finalizers")))
        await created(client, CLAIMS, {**claim(volumeAttributesClassName="gold"), "status": {}})
        await client.delete(VACS, "", "gold")
        await until(client, VACS, "gold", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        await client.delete(CLAIMS, "default", "data")
        await gone(client, VACS, "gold")

    binding_volumes(connection, work)
