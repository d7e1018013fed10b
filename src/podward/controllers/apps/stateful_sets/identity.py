"""The names, labels and volumes by which a Pod of a StatefulSet is this one and no other.

Specification: Kubernetes, pkg/controller/statefulset/stateful_set_utils.go: a Pod is NAME-ORDINAL, says so in labels,
has that host name in the domain of the governing service, and mounts the claims TEMPLATE-NAME-ORDINAL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.history import HASH
from podward.controllers.apps.ownership import labels_of, name_of, namespace_of
from podward.controllers.apps.pods import made_from
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME, INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
_POD = re.compile(r"(.*)-([0-9]{1,9})")


def ordinal_of(owner: JsonObject, pod: JsonObject) -> int:
    """The ordinal in the Pod's name; -1 where it is not the name of one of the owner's."""
    found = _POD.fullmatch(name_of(pod))
    return int(found.group(2)) if found is not None and found.group(1) == name_of(owner) else -1


def first_of(owner: JsonObject) -> int:
    """The lowest ordinal."""
    return number(member(member(owner, "spec"), "ordinals"), "start")


def ordinals(owner: JsonObject) -> range:
    """The ordinals that are wished for."""
    first = first_of(owner)
    return range(first, first + number(member(owner, "spec"), "replicas"))


def claims_of(owner: JsonObject, ordinal: int) -> dict[str, JsonObject]:
    """The claims of a Pod, by the names of its volumes."""
    spec, found = member(owner, "spec"), dict[str, JsonObject]()
    for template in objects(spec, "volumeClaimTemplates"):
        volume, metadata = name_of(template), member(template, "metadata")
        labels: JsonObject = {**member(metadata, "labels"), **member(member(spec, "selector"), "matchLabels")}
        own: JsonObject = {
            "name": f"{volume}-{name_of(owner)}-{ordinal}",
            "namespace": namespace_of(owner),
            "labels": labels,
        }
        kept = {name: value for name, value in metadata.items() if name not in {"creationTimestamp", *own}}
        found[volume] = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {**kept, **own},
            "spec": member(template, "spec"),
        }
    return found


def pod_of(owner: JsonObject, template: JsonObject, revision: str, ordinal: int) -> JsonObject:
    """The Pod of this ordinal, with the template of a revision."""
    pod = made_from(template, owner)
    metadata, spec = member(pod, "metadata"), member(pod, "spec")
    name = f"{name_of(owner)}-{ordinal}"
    metadata.update(name=name, namespace=namespace_of(owner))
    metadata["labels"] = {**member(metadata, "labels"), **_labels(name, ordinal), HASH: revision}
    spec["hostname"] = name
    if service := text(member(owner, "spec"), "serviceName"):
        spec["subdomain"] = service
    if volumes := _volumes(owner, objects(spec, "volumes"), ordinal):
        spec["volumes"] = volumes
    return pod


def _labels(name: str, ordinal: int) -> JsonObject:
    return {NAME: name, INDEX: str(ordinal)}


def _volumes(owner: JsonObject, volumes: Iterable[JsonObject], ordinal: int) -> list[Json]:
    """The volumes of claims, which take the place of others of their names, and the others."""
    claims = claims_of(owner, ordinal)
    own: list[JsonObject] = [
        {"name": volume, "persistentVolumeClaim": {"claimName": name_of(claim)}} for volume, claim in claims.items()
    ]
    return [*own, *(each for each in volumes if text(each, "name") not in claims)]


def is_itself(owner: JsonObject, pod: JsonObject) -> bool:
    """Whether a Pod has the labels and the claims of its ordinal."""
    if labels_of(pod).get(NAME) != name_of(pod):
        return False
    has = {
        text(each, "name"): text(member(each, "persistentVolumeClaim"), "claimName")
        for each in objects(member(pod, "spec"), "volumes")
    }
    wanted = claims_of(owner, ordinal_of(owner, pod))
    return all(has.get(volume) == name_of(claim) for volume, claim in wanted.items())


def itself(owner: JsonObject, pod: JsonObject) -> JsonObject:
    """The Pod with the labels and the claims of its ordinal."""
    ordinal, metadata, spec = ordinal_of(owner, pod), member(pod, "metadata"), member(pod, "spec")
    labels: JsonObject = {**labels_of(pod), **_labels(name_of(pod), ordinal)}
    volumes = _volumes(owner, objects(spec, "volumes"), ordinal)
    return {**pod, "metadata": {**metadata, "labels": labels}, "spec": {**spec, "volumes": volumes}}
