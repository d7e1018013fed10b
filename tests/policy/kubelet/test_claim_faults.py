"""Why an API server's claim can't be used, in the kubelet's sentences."""

from __future__ import annotations

from typing import Any

import pytest

from podward.policy.kubelet import claim_faults

POD: Any = {
    "metadata": {"name": "db", "namespace": "shop", "uid": "u"},
    "spec": {
        "volumes": [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "e", "ephemeral": {"volumeClaimTemplate": {}}},
            {"name": "other", "emptyDir": {}},
        ]
    },
}
BOUND: Any = {"metadata": {"uid": "c"}, "spec": {"volumeName": "disk"}, "status": {"phase": "Bound"}}
DISK: Any = {"spec": {"claimRef": {"uid": "c"}}}
OF_POD: Any = {"ownerReferences": [{"uid": "u", "controller": True}], "uid": "c"}
WRONG = "error processing PVC shop/data: "


def faults(claim: Any, disk: Any = DISK) -> Any:  # noqa: ANN401  # JSON
    own = {**BOUND, "metadata": OF_POD}
    return claim_faults.decide(POD, {"data": claim, "db-e": own}.get, {"disk": disk}.get)


def test_a_claim_that_is_bound_to_its_own_volume_has_no_fault() -> None:
    assert faults(BOUND) == {}


@pytest.mark.parametrize(
    ("claim", "disk", "said"),
    [
        (None, DISK, 'failed to fetch PVC from API server: persistentvolumeclaims "data" not found'),
        ({**BOUND, "status": {"phase": "Pending"}}, DISK, "PVC is not bound"),
        ({**BOUND, "status": {}}, DISK, "PVC is not bound"),
        ({**BOUND, "spec": {}}, DISK, "PVC has empty pvc.Spec.VolumeName"),
        ({**BOUND, "metadata": {"uid": "c", "deletionTimestamp": "now"}}, DISK, "PVC is being deleted"),
        (BOUND, None, 'failed to fetch PV disk from API server: persistentvolumes "disk" not found'),
        (
            BOUND,
            {"spec": {}},
            "found PV object disk but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim",
        ),
        (
            BOUND,
            {"spec": {"claimRef": {"uid": "x"}}},
            "found PV object disk but its pv.Spec.ClaimRef.UID x does not point to claim.UID c",
        ),
    ],
)
def test_a_fault_is_the_kubelets_sentence(claim: Any, disk: Any, said: str) -> None:  # noqa: ANN401  # JSON
    assert faults(claim, disk)["v"] == WRONG + said


def test_a_claim_that_goes_but_is_protected_is_used() -> None:
    going = {**BOUND, "metadata": {"uid": "c", "deletionTimestamp": "now", "finalizers": [claim_faults.PROTECTION]}}
    assert faults(going) == {}


def test_another_pods_ephemeral_claim_is_not_used() -> None:
    found = claim_faults.decide(POD, {"data": BOUND, "db-e": BOUND}.get, {"disk": DISK}.get)
    assert found == {"e": "PVC shop/db-e was not created for pod shop/db (pod is not owner)"}
