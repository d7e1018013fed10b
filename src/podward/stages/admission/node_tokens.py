"""Which tokens of service accounts a node may ask for: those of its own Pods, for audiences that these name.

Specification: Kubernetes, plugin/pkg/admission/noderestriction admitServiceAccount, with
ServiceAccountNodeAudienceRestriction on. An audience is one of a Pod if a projected volume asks for a token of it, or
the driver of a CSI volume does; otherwise the node must be allowed to
`request-serviceaccounts-token-audience`. Volumes in the form of before CSI name no driver here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.authorization import Attributes
from podward.api.gotext import quote
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import claim_of
from podward.schema.validation.raw import text, texts
from podward.stages.admission.served_facts import missing, refused

if TYPE_CHECKING:
    from podward.api.admission import AdmissionRequest
    from podward.api.json_value import JsonObject
    from podward.api.status import Status
    from podward.stages.admission.served_facts import Served

_VERB = "request-serviceaccounts-token-audience"


def question(request: AdmissionRequest, obj: JsonObject) -> Attributes:
    """Whether the node may ask for tokens for this audience, whatever its Pods name."""
    return Attributes(
        request.user, _VERB, resource=_audience(obj), name=request.name, namespace=request.namespace, version="v1"
    )


def refusal(asked: Served, obj: JsonObject, node: str) -> Status | None:
    """Why the node gets no such token."""
    reference = member(member(obj, "spec"), "boundObjectRef")
    name, uid = text(reference, "name"), text(reference, "uid")
    if text(reference, "apiVersion") != "v1" or text(reference, "kind") != "Pod" or not name:
        return refused(asked, obj, "node requested token not bound to a pod")
    if not uid:
        return refused(asked, obj, "node requested token with a pod binding without a uid")
    pod = asked.objects.get("pods", asked.request.namespace, name)
    if pod is None:
        return missing("pod", name)
    if uid != text(member(pod, "metadata"), "uid"):
        other = "does not match the UID in record. The object might have been deleted and then recreated"
        return refused(asked, obj, f"the UID in the bound object reference ({uid}) {other}")
    if text(member(pod, "spec"), "nodeName") != node:
        return refused(asked, obj, "node requested token bound to a pod scheduled on a different node")
    why = _audience_refused(asked, obj, pod)
    return refused(asked, obj, why) if why else None


def _audience_refused(asked: Served, obj: JsonObject, pod: JsonObject) -> str:
    if len(texts(member(obj, "spec"), "audiences")) > 1:
        return "node may only request 0 or 1 audiences"
    audience, errors = _audience(obj), []
    for volume in objects(member(pod, "spec"), "volumes"):
        sources = objects(member(volume, "projected"), "sources")
        if any(_names(source, audience) for source in sources):
            return ""
        driver = _driver(asked, pod, volume)
        if driver.startswith(_LOST):
            errors.append(driver.removeprefix(_LOST))
        elif driver and (found := asked.objects.get("csidrivers", "", driver)) is None:
            errors.append(f"csidriver.storage.k8s.io {quote(driver)} not found")
        elif driver and any(
            text(each, "audience") == audience for each in objects(member(found or {}, "spec"), "tokenRequests")
        ):
            return ""
    if errors:
        why = errors[0] if len(set(errors)) == 1 else f"[{', '.join(dict.fromkeys(errors))}]"
        return f"error validating audience {quote(audience)}: {why}"
    if asked.granted:
        return ""
    who = asked.request.user.username
    return (
        f"audience {quote(audience)} not found in pod spec volume, {who} is not authorized to request tokens for this"
        " audience"
    )


_LOST = "\0"
"""Begins what is no driver, but why there is none."""


def _driver(asked: Served, pod: JsonObject, volume: JsonObject) -> str:
    if isinstance(volume.get("csi"), dict):
        return text(member(volume, "csi"), "driver")
    claim = claim_of(pod, volume)
    if not claim:
        return ""
    found = asked.objects.get("persistentvolumeclaims", asked.request.namespace, claim)
    if found is None:
        return f"{_LOST}persistentvolumeclaim {quote(claim)} not found"
    name = text(member(found, "spec"), "volumeName")
    stored = asked.objects.get("persistentvolumes", "", name)
    if stored is None:
        return f"{_LOST}persistentvolume {quote(name)} not found"
    return text(member(member(stored, "spec"), "csi"), "driver")


def _names(source: JsonObject, audience: str) -> bool:
    return "serviceAccountToken" in source and text(member(source, "serviceAccountToken"), "audience") == audience


def _audience(obj: JsonObject) -> str:
    return next(iter(texts(member(obj, "spec"), "audiences")), "")
