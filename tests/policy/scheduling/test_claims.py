"""On which nodes a Pod's claims can be had."""

from __future__ import annotations

import pytest
from msgspec import convert, to_builtins
from pods_and_nodes import node, pod

from podward.api.json_value import Json, JsonObject
from podward.api.scheduling import PlacedVolume, StorageClass
from podward.policy.scheduling.choice import Choice, Cluster, Refusal, choose
from podward.policy.scheduling.claims import Plan, Storage, claim_facts, plan

WAIT = "WaitForFirstConsumer"


def claim(name: str = "data", size: str = "1Gi", of_class: str = "slow", **more: Json) -> JsonObject:
    """A claim; `volume` is what it is bound to."""
    annotations: JsonObject = {}
    spec: JsonObject = {
        "accessModes": more.pop("modes", ["ReadWriteOnce"]), "storageClassName": of_class,
        "resources": {"requests": {"storage": size}},
    }  # fmt: skip
    if (volume := more.pop("volume", None)) is not None:
        spec["volumeName"] = volume
        annotations["pv.kubernetes.io/bind-completed"] = "yes"
    if (selected := more.pop("selected", None)) is not None:
        annotations["volume.kubernetes.io/selected-node"] = selected
    metadata: JsonObject = {"name": name, "namespace": "default", "uid": name, "annotations": annotations, **more}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}


def volume(name: str, there: str = "", size: str = "1Gi", of_class: str = "slow") -> PlacedVolume:
    spec: JsonObject = {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": of_class,
        "hostPath": {"path": "/x"},
    }  # fmt: skip
    if there:
        expression: JsonObject = {"key": "kubernetes.io/hostname", "operator": "In", "values": [there]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return convert({"metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}}, PlacedVolume)


def classes(mode: str = WAIT, provisioner: str = "x") -> dict[str, StorageClass]:
    raw = {"metadata": {"name": "slow"}, "provisioner": provisioner, "volumeBindingMode": mode}
    return {"slow": convert(raw, StorageClass)}


def storage(*claims: JsonObject, volumes: tuple[PlacedVolume, ...] = (), **of_class: str) -> Storage:
    facts = {("default", found.name): found for found in map(claim_facts, claims)}
    return Storage(facts, {each.metadata.name or "": each for each in volumes}, classes(**of_class))


def using(*names: str) -> Json:
    return [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (storage(claim(volume="v1"), volumes=(volume("v1", "n2"),)), ("n2",)),
        (storage(claim(volume="v1"), volumes=(volume("v1"),)), ("n1", "n2")),
        (storage(claim(volume="v1")), "2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
        (storage(), 'persistentvolumeclaim "data" not found'),
        (storage(claim(), mode="Immediate"), "pod has unbound immediate PersistentVolumeClaims"),
        (storage(claim(deletionTimestamp="now")), 'persistentvolumeclaim "data" is being deleted'),
        (storage(claim(), volumes=(volume("v1", "n2"),), provisioner="kubernetes.io/no-provisioner"), ("n2",)),
        (
            storage(claim(), provisioner="kubernetes.io/no-provisioner"),
            "2 node(s) didn't find available persistent volumes to bind",
        ),
        (storage(claim()), ("n1", "n2")),
        (storage(claim(selected="n1")), ("n1",)),
    ],
)
def test_a_pod_goes_where_its_claims_are(there: Storage, expected: tuple[str, ...] | str) -> None:
    found = choose(pod(volumes=using("data")), Cluster((node("n1"), node("n2")), storage=there))
    told = found.nodes if isinstance(found, Choice) else found.sentence
    assert told == (expected if isinstance(expected, tuple) else f"0/2 nodes are available: {expected}.")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"topology.kubernetes.io/zone": "z2"}, ("n2", "n3")),
        ({"failure-domain.beta.kubernetes.io/zone": "z1__z2"}, ("n1", "n2", "n3")),
        ({"topology.kubernetes.io/region": "r9"}, ("n3",)),
        ({"topology.kubernetes.io/zone": "z1__"}, ("n1", "n2", "n3")),
    ],
)
def test_a_volume_of_a_zone_is_had_there_alone(written: dict[str, str], expected: tuple[str, ...]) -> None:
    of_zone = convert({**to_builtins(volume("v1")), "metadata": {"name": "v1", "labels": written}}, PlacedVolume)
    there = storage(claim(volume="v1"), volumes=(of_zone,))
    nodes = (
        *(node(f"n{number}", labels={"topology.kubernetes.io/zone": f"z{number}"}) for number in (1, 2)),
        node("n3"),
    )
    assert choose(pod(volumes=using("data")), Cluster(nodes, storage=there)) == Choice(expected)


def test_a_volume_of_another_zone_is_told() -> None:
    labels: Json = {"topology.kubernetes.io/zone": "z2"}
    of_zone = convert({**to_builtins(volume("v1")), "metadata": {"name": "v1", "labels": labels}}, PlacedVolume)
    there = storage(claim(volume="v1"), volumes=(of_zone,))
    elsewhere = node("n1", labels={"topology.kubernetes.io/zone": "z1"})
    found = choose(pod(volumes=using("data")), Cluster((elsewhere,), storage=there))
    assert isinstance(found, Refusal)
    assert found.sentence == "0/1 nodes are available: 1 node(s) had no available volume zone."


def test_small_claims_leave_large_volumes_to_large_ones() -> None:
    there = storage(claim("big", "5Gi"), claim("small", "1Gi"), volumes=(volume("v5", size="5Gi"), volume("v1")))
    assert plan(pod(volumes=using("big", "small")), node("n1"), there) == Plan((("small", "v1"), ("big", "v5")))


def test_what_no_volume_fits_is_made() -> None:
    there = storage(claim("big", "5Gi"), volumes=(volume("v1"),))
    assert plan(pod(volumes=using("big")), node("n1"), there) == Plan((), ("big",))


def test_an_ephemeral_volume_waits_for_its_claim() -> None:
    found = choose(pod(volumes=[{"name": "tmp", "ephemeral": {}}]), Cluster((node("n1"),)))
    assert not isinstance(found, Choice)
    assert found.sentence == (
        "0/1 nodes are available: "
        'waiting for ephemeral volume controller to create the persistentvolumeclaim "web-tmp".'
    )


def test_what_is_one_pods_is_no_other_pods() -> None:
    there = storage(claim(volume="v1", modes=["ReadWriteOncePod"]), volumes=(volume("v1"),))
    taken = node("n1", pod("a", "n1", volumes=using("data")))
    found = choose(pod(volumes=using("data")), Cluster((taken,), storage=there))
    assert not isinstance(found, Choice)
    assert "ReadWriteOncePod access mode already in-use by another pod" in found.sentence
