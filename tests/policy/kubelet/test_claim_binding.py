"""Which persistent volume a claim is bound to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.claim import LabelSelector, SelectorRequirement
from podward.api.storage import PersistentVolume, PersistentVolumeClaim, Storage
from podward.policy.kubelet.claim_binding import Binding, bind
from podward.schema.label_selection import selects


def claim(name: str = "data", **spec: object) -> PersistentVolumeClaim:
    raw = {
        "metadata": {"name": name, "namespace": "shop", "uid": "u1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec},
    }
    return msgspec.convert(raw, PersistentVolumeClaim)


def volume(name: str = "disk", status: str = "", **spec: object) -> PersistentVolume:
    raw = {
        "metadata": {"name": name, "labels": {"zone": "a"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "5Gi"}, "hostPath": {"path": "/"}, **spec},
        "status": {"phase": status} if status else {},
    }
    return msgspec.convert(raw, PersistentVolume)


def bound(wanted: PersistentVolumeClaim, *volumes: PersistentVolume) -> Binding:
    return bind(wanted, Storage({("shop", "data"): wanted}, volumes))


def name_of(binding: Binding) -> str | None:
    return binding.volume.metadata.name if binding.volume is not None else None


def test_the_smallest_of_those_with_the_fewest_access_modes_is_taken() -> None:
    many = ["ReadWriteOnce", "ReadOnlyMany"]
    volumes = (
        volume("large", capacity={"storage": "9Gi"}),
        volume("small", capacity={"storage": "2Gi"}),
        volume("smaller", capacity={"storage": "1Gi"}, accessModes=many),
    )
    assert name_of(bound(claim(), *volumes)) == "small"


@pytest.mark.parametrize(
    ("spec", "other", "why"),
    [
        ({"resources": {"requests": {"storage": "6Gi"}}}, {}, "too small"),
        ({"storageClassName": "fast"}, {}, "fast"),
        ({}, {"storageClassName": "fast"}, "storageClassName"),
        ({"accessModes": ["ReadWriteMany"]}, {}, "accessMode"),
        ({"volumeMode": "Block"}, {}, "volumeMode"),
        ({"selector": {"matchLabels": {"zone": "b"}}}, {}, "selector"),
        ({"volumeName": "another"}, {}, "not described"),
        ({"volumeName": "disk", "storageClassName": "fast"}, {}, "fast"),
        ({}, {"status": "Released"}, "Released"),
        ({}, {"claimRef": {"namespace": "shop", "name": "other"}}, "kept for claim shop/other"),
        ({"volumeName": "disk"}, {"claimRef": {"namespace": "shop", "name": "other"}}, "kept for"),
        ({}, {"claimRef": {"namespace": "shop", "name": "data", "uid": "u2"}}, "uid"),
    ],
)
def test_what_does_not_fit_is_told(spec: dict[str, Any], other: dict[str, Any], why: str) -> None:
    found = bound(claim(**spec), volume(**other))
    assert found.volume is None
    assert why in found.why


def test_a_volume_that_is_kept_for_the_claim_is_its_own_whatever_its_class() -> None:
    kept = volume("kept", storageClassName="other", claimRef={"namespace": "shop", "name": "data", "uid": "u1"})
    assert name_of(bound(claim(), volume(), kept)) == "kept"
    assert name_of(bound(claim(volumeName="kept"), volume(), kept)) == "kept"


def test_a_volume_is_bound_once_in_the_order_of_claims() -> None:
    first, second = claim("first"), claim("second")
    storage = Storage({("shop", "first"): first, ("shop", "second"): second}, (volume(),))
    assert name_of(bind(first, storage)) == "disk"
    assert bind(second, storage).why == "disk: another claim has it"
    assert bind(claim("of a Pod"), storage).volume is None


def test_an_old_annotation_is_the_class() -> None:
    old = msgspec.structs.replace(
        claim(), metadata=msgspec.structs.replace(
            claim().metadata, annotations={"volume.beta.kubernetes.io/storage-class": "fast"}
        )
    )  # fmt: skip
    assert name_of(bound(old, volume(storageClassName="fast"))) == "disk"


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("In", ("a", "b"), True),
        ("In", ("b",), False),
        ("NotIn", ("b",), True),
        ("NotIn", ("a",), False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
        ("Unheard", None, False),
    ],
)
def test_selectors(operator: str, values: tuple[str, ...] | None, *, fits: bool) -> None:
    selector = LabelSelector(match_expressions=(SelectorRequirement("zone", operator, values),))
    assert selects(selector, {"zone": "a"}) is fits
