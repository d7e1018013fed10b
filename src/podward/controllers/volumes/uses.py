"""Which Pods use a claim.

Specification: Kubernetes, pkg/controller/volume/common PodPVCIndexFunc, k8s.io/component-helpers storage/ephemeral
(VolumeClaimName, VolumeIsForPod).
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number, text


def names_claim(pod: JsonObject, claim: str) -> bool:
    """Whether one of the Pod's volumes is this claim of its namespace, or one that is made for it under this name."""
    return any(
        member(volume, "persistentVolumeClaim").get("claimName") == claim
        or ("ephemeral" in volume and ephemeral_claim(pod, volume) == claim)
        for volume in objects(member(pod, "spec"), "volumes")
    )


def ephemeral_claim(pod: JsonObject, volume: JsonObject) -> str:
    """The name of the claim that is made for an ephemeral volume."""
    return f"{text(member(pod, 'metadata'), 'name')}-{text(volume, 'name')}"


def is_for(pod: JsonObject, claim: JsonObject) -> bool:
    """Whether a claim was made for this Pod."""
    uid = member(pod, "metadata").get("uid")
    owners = objects(member(claim, "metadata"), "ownerReferences")
    return any(each.get("controller") is True and each.get("uid") == uid for each in owners)


def keeps(pod: JsonObject, claim: JsonObject) -> bool:
    """Whether a claim must not go because of this Pod: a kubelet has it, or may have it."""
    spec, name = member(pod, "spec"), text(member(claim, "metadata"), "name")
    if not text(spec, "nodeName"):
        return False
    for volume in objects(spec, "volumes"):
        if member(volume, "persistentVolumeClaim").get("claimName") == name:
            return True
        made = "ephemeral" in volume and ephemeral_claim(pod, volume) == name and is_for(pod, claim)
        if made and not _is_shut_down(pod):
            return True
    return False


def _is_shut_down(pod: JsonObject) -> bool:
    metadata = member(pod, "metadata")
    return "deletionTimestamp" in metadata and number(metadata, "deletionGracePeriodSeconds") == 0
