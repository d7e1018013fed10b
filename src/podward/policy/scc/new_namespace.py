"""What OpenShift gives a namespace when it is created: ids and an SELinux level of its own.

Specification: OpenShift cluster-policy-controller, namespace SCC allocation (July 2026): the annotations with which
SCC admission reads a namespace are written once, and never over those that are there. Which ranges are free depends
on the cluster; here every namespace gets those of a cluster's first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.core import Namespace, ObjectMeta
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FIRST_RANGES: Mapping[str, str] = {
    UID_RANGE: "1000000000/10000",
    SUPPLEMENTAL_GROUPS: "1000000000/10000",
    MCS: "s0:c1,c0",
}
"""The ranges of the first namespace of a cluster."""
DEMANDED = (UID_RANGE, MCS)
"""Annotations without which SCC admission refuses every Pod of a namespace."""


def with_ranges(name: str, namespace: Namespace | None) -> Namespace:
    """The namespace with ranges of its own; as it is where it has any, and a new one where it is not there."""
    metadata = namespace.metadata if namespace is not None else ObjectMeta(name=name)
    written = metadata.annotations or {}
    if namespace is not None and any(annotation in written for annotation in FIRST_RANGES):
        return namespace
    annotations: dict[str, str | None] = {**FIRST_RANGES, **written}
    return Namespace(ObjectMeta(name=name, labels=metadata.labels, annotations=annotations))


def missing(annotations: Collection[str]) -> tuple[str, ...]:
    """The annotations of a cluster's namespaces that a namespace with these lacks."""
    return tuple(name for name in DEMANDED if name not in annotations)
