"""The SCCs of a cluster, from documents: OpenShift's own and the written ones; and which documents are about SCCs.

A written SCC takes the place of the default one of its name, as on a cluster, where somebody has changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.document import Document
from podward.policy.scc import default_set
from podward.policy.scc.access import RESOURCE
from podward.policy.scc.new_namespace import FIRST_RANGES
from podward.schema.objects import objects_of
from podward.schema.scc.reading import KIND, SccSource, scc_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.schema.objects import Item

_ROLE_PREFIX = "system:openshift:scc:"
"""What the names of the ClusterRoles begin with that grant the use of one SCC."""


def sccs_in_force(written: Iterable[SccSource]) -> tuple[SccSource, ...]:
    """The default SCCs, or what is written in their place, and then the others, in the order in which they come."""
    raws = default_set.default_sccs()
    shipped = (scc_source(item) for raw in raws for item in objects_of(Document(default_set.SCCS_NAME, raw)))
    by_name = {source.name: source for source in shipped}
    return tuple((by_name | {source.name: source for source in written}).values())


def is_about_sccs(item: Item) -> bool:
    """Whether the object is an SCC, grants the right to use one, or gives a namespace its ranges."""
    raw = item.raw
    if item.kind == "Namespace":
        metadata = raw.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        return isinstance(annotations, dict) and any(name in annotations for name in FIRST_RANGES)
    if item.kind in {"RoleBinding", "ClusterRoleBinding"}:
        role = raw.get("roleRef")
        return isinstance(role, dict) and str(role.get("name")).startswith(_ROLE_PREFIX)
    if item.kind in {"Role", "ClusterRole"}:
        return RESOURCE in str(raw.get("rules"))
    return item.kind == KIND
