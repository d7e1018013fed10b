"""What a client is warned of about a Service.

Specification: Kubernetes, pkg/api/service GetWarningsForService.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema.strategies import ip
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"


def of_service(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    """Of a Service."""
    spec, found = member(obj, "spec"), list[str]()
    if _HINTS in member(member(obj, "metadata"), "annotations"):
        found.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
    if text(spec, "clusterIP") not in {"", "None"}:
        found += _forms(spec, "clusterIPs")
    kind = text(spec, "type")
    headless = kind == "ClusterIP" and text(spec, "clusterIP") == "None"
    if headless:
        found += _headless_warnings(spec)
    found += _forms(spec, "externalIPs")
    if spec.get("externalIPs") and not headless and kind != "ExternalName":
        found.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if text(spec, "loadBalancerIP"):
        found += ip.warned(text(spec, "loadBalancerIP"), path("spec", "loadBalancerIP"))
    for index, value in enumerate(texts(spec, "loadBalancerSourceRanges")):
        found += ip.range_warned(value, path("spec", "loadBalancerSourceRanges", index))
    return (*found, *_type_warnings(spec, kind))


def _forms(spec: JsonObject, name: str) -> list[str]:
    written = enumerate(texts(spec, name))
    return [warning for index, value in written for warning in ip.warned(value, path("spec", name, index))]


def _type_warnings(spec: JsonObject, kind: str) -> list[str]:
    found: list[str] = []
    if kind == "ExternalName" and spec.get("externalIPs"):
        found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and text(spec, "externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found


def _headless_warnings(spec: JsonObject) -> list[str]:
    ignored = {"loadBalancerIP": bool(spec.get("loadBalancerIP")), "externalIPs": bool(spec.get("externalIPs"))}
    ignored["SessionAffinity"] = text(spec, "sessionAffinity") != "None"
    return [f"spec.{name} is ignored for headless services" for name, is_set in ignored.items() if is_set]


def of_status(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    """Of its status."""
    found: list[str] = []
    for index, one in enumerate(objects(member(member(obj, "status"), "loadBalancer"), "ingress")):
        if text(one, "ip"):
            found += ip.warned(text(one, "ip"), path("status", "loadBalancer", "ingress", index))
    return tuple(found)
