"""Which ReplicaSet is the newest of a Deployment, which number each has, and what is copied to it.

Specification: Kubernetes, pkg/controller/deployment/util: FindNewReplicaSet, SetNewReplicaSetAnnotations, Revision. The
newest is the oldest of those with the Deployment's template, but for the label pod-template-hash. Numbers that it had
earlier stay in an annotation of at most 2000 characters. Annotations of the Deployment are copied, but for those that
belong to one of the two alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.controllers.apps.deployments.sizes import DESIRED, LARGEST, replicas_of, surge
from podward.controllers.apps.hashes import template_hash
from podward.controllers.apps.ownership import annotations_of, controller_reference, name_of, namespace_of
from podward.controllers.apps.pods import created_at
from podward.documents.raw_fields import member
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import Json, JsonObject

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
ROLLBACK = "deprecated.deployment.rollback.to"
_OWN = frozenset(("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, LARGEST, ROLLBACK))
"""Annotations that are not copied."""
_LONGEST_HISTORY = 2000
_LONGEST_NAME = 253
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
"""What Go's ParseInt reads as 64 bits, near enough."""


def revision_of(obj: JsonObject) -> int:
    """Its number; 0 where it has none."""
    written = annotations_of(obj).get(REVISION)
    return int(written) if isinstance(written, str) and _NUMBER.fullmatch(written) else 0


def by_age(sets: Iterable[JsonObject]) -> list[JsonObject]:
    """The ReplicaSets, the oldest first."""
    return sorted(sets, key=lambda found: (created_at(found), name_of(found)))


def by_revision(sets: Iterable[JsonObject]) -> list[JsonObject]:
    """The ReplicaSets, the lowest number first."""
    return sorted(sets, key=lambda found: (revision_of(found), created_at(found), name_of(found)))


def newest(deployment: JsonObject, sets: Iterable[JsonObject]) -> JsonObject | None:
    """The ReplicaSet that the Deployment now wants."""
    return next((found for found in by_age(sets) if has_same_template(deployment, found)), None)


def has_same_template(one: JsonObject, other: JsonObject) -> bool:
    """Whether their Pods would be the same but for the hash."""
    return same(template_of(one), template_of(other))


def template_of(obj: JsonObject) -> JsonObject:
    """The template without the hash."""
    template = member(member(obj, "spec"), "template")
    labels = {name: value for name, value in member(member(template, "metadata"), "labels").items() if name != HASH}
    return {**template, "metadata": {**member(template, "metadata"), "labels": labels}}


def last_revision(sets: Iterable[JsonObject]) -> int:
    """The number before the highest; 0 where there is none."""
    numbers = sorted((revision_of(found) for found in sets), reverse=True)
    return numbers[1] if len(numbers) > 1 else 0


def made(deployment: JsonObject) -> JsonObject:
    """A ReplicaSet of the Deployment's template, without replicas and annotations yet."""
    spec = member(deployment, "spec")
    collisions = member(deployment, "status").get("collisionCount")
    found = template_hash(member(spec, "template"), collisions if type(collisions) is int else None)
    template, selector = member(spec, "template"), member(spec, "selector")
    labels: JsonObject = {**member(member(template, "metadata"), "labels"), HASH: found}
    references: list[Json] = [controller_reference(deployment)]
    own: JsonObject = {
        "replicas": 0,
        "selector": {**selector, "matchLabels": {**member(selector, "matchLabels"), HASH: found}},
        "template": {**template, "metadata": {**member(template, "metadata"), "labels": labels}},
    }
    if least := number(spec, "minReadySeconds"):
        own["minReadySeconds"] = least
    metadata: JsonObject = {
        "name": f"{name_of(deployment)[: _LONGEST_NAME - 1 - len(found)]}-{found}",
        "namespace": namespace_of(deployment),
        "labels": labels,
        "annotations": {},
        "ownerReferences": references,
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": own}


def annotations_for(deployment: JsonObject, found: JsonObject, revision: int) -> JsonObject:
    """The annotations of the newest ReplicaSet, whose number is to be `revision` or higher."""
    copied = {name: value for name, value in annotations_of(deployment).items() if name not in _OWN}
    annotations = {**annotations_of(found), **copied}
    before = text(annotations, REVISION)
    if before and not _NUMBER.fullmatch(before):
        return annotations
    if int(before or 0) >= revision:
        return annotations
    annotations[REVISION] = str(revision)
    if before:
        annotations[HISTORY] = _history(text(annotations, HISTORY), before)
    return annotations


def _history(earlier: str, revision: str) -> str:
    """The numbers with one more; of too many the earliest are left out."""
    listed = [*filter(None, earlier.split(",")), revision]
    while len(",".join(listed)) > _LONGEST_HISTORY:
        listed = listed[1:]
    return ",".join(listed)


def sized_annotations(deployment: JsonObject, annotations: JsonObject) -> JsonObject:
    """The annotations with the Deployment's size: by these it is seen that it was scaled."""
    wished = replicas_of(deployment)
    return {**annotations, DESIRED: str(wished), LARGEST: str(wished + surge(deployment))}


def rolled_back(deployment: JsonObject, to: JsonObject) -> JsonObject:
    """The Deployment with the template and the annotations of one of its ReplicaSets."""
    own = {name: value for name, value in annotations_of(deployment).items() if name in _OWN}
    copied = {name: value for name, value in annotations_of(to).items() if name not in _OWN}
    return {
        **deployment,
        "metadata": {**member(deployment, "metadata"), "annotations": {**own, **copied}},
        "spec": {**member(deployment, "spec"), "template": template_of(to)},
    }
