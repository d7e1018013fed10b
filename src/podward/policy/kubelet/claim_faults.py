"""What keeps a Pod from using a claim, by the objects of an API server.

Specification (kubelet, `createVolumeSpec`, `getPVCExtractPV` and `getPVSpec` of pkg/kubelet/volumemanager/populator;
k8s.io/component-helpers/storage/ephemeral; in our words): the claim must be there, and not be on its way out unless it
is protected; it must be bound, and the volume that it names must be kept for this very claim. The claim of an
`ephemeral` volume must have been made for the Pod. The sentences are the kubelet's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import claim_of
from podward.schema.validation.raw import text

PROTECTION = "kubernetes.io/pvc-protection"
Find: TypeAlias = Callable[[str], JsonObject | None]
"""An object by its name, None where an API server has none."""


def decide(pod: JsonObject, claim: Find, volume: Find) -> Mapping[str, str]:
    """By the name of a volume of the Pod whose storage is a claim: what is wrong, nothing where all is well."""
    found = {}
    for each in objects(member(pod, "spec"), "volumes"):
        name = claim_of(pod, each)
        fault = _fault(pod, each, name, claim, volume) if name else ""
        if fault:
            found[text(each, "name")] = fault
    return found


def _fault(pod: JsonObject, wanted: JsonObject, name: str, claim: Find, volume: Find) -> str:
    namespace = text(member(pod, "metadata"), "namespace")
    processing = f"error processing PVC {namespace}/{name}: "
    found = claim(name)
    if found is None:
        return f'{processing}failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found'
    fault = _unusable(found)
    if fault:
        return f"{processing}{fault}"
    if wanted.get("ephemeral") is not None and not _made_for(pod, found):
        of = f"{namespace}/{text(member(pod, 'metadata'), 'name')}"
        return f"PVC {namespace}/{name} was not created for pod {of} (pod is not owner)"
    bound = text(member(found, "spec"), "volumeName")
    fault = _not_its_own(bound, volume(bound), text(member(found, "metadata"), "uid"))
    return f"{processing}{fault}" if fault else ""


def _unusable(claim: JsonObject) -> str:
    metadata = member(claim, "metadata")
    finalizers = metadata.get("finalizers")
    if metadata.get("deletionTimestamp") and not (isinstance(finalizers, list) and PROTECTION in finalizers):
        return "PVC is being deleted"
    if member(claim, "status").get("phase") != "Bound":
        return "PVC is not bound"
    return "" if member(claim, "spec").get("volumeName") else "PVC has empty pvc.Spec.VolumeName"


def _made_for(pod: JsonObject, claim: JsonObject) -> bool:
    uid = text(member(pod, "metadata"), "uid")
    owners = objects(member(claim, "metadata"), "ownerReferences")
    return any(owner.get("controller") is True and text(owner, "uid") == uid for owner in owners)


def _not_its_own(name: str, volume: JsonObject | None, claim: str) -> str:
    """What is wrong with the volume that the claim of this uid names."""
    if volume is None:
        return f'failed to fetch PV {name} from API server: persistentvolumes "{name}" not found'
    kept = member(volume, "spec").get("claimRef")
    if not isinstance(kept, dict):
        what = "indicating it is not yet bound to the claim"
        return f"found PV object {name} but it has a nil pv.Spec.ClaimRef {what}"
    uid = text(kept, "uid")
    if uid != claim:
        return f"found PV object {name} but its pv.Spec.ClaimRef.UID {uid} does not point to claim.UID {claim}"
    return ""
