"""NamespaceAutoProvision: a namespace that is not there is made by the first who creates something in it.

Specification: Kubernetes, plugin/pkg/admission/namespace/autoprovision.
"""

from __future__ import annotations

from podward.api.admission import NAMESPACES, AdmissionRequest, Operation
from podward.schema.resources import BY_KIND
from podward.server.catalog import key_of
from podward.server.first_objects import make_missing
from podward.server.scope import Parts

NAME = "NamespaceAutoProvision"
_RESOURCE = BY_KIND["v1", "Namespace"]


async def provide(parts: Parts, asked: AdmissionRequest) -> None:
    """Make the namespace of a request that creates something."""
    if asked.operation is not Operation.CREATE or asked.dry_run or not asked.namespace or asked.resource == NAMESPACES:
        return
    if await parts.store.get(key_of(_RESOURCE, "", asked.namespace)) is None:
        await make_missing(parts, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": asked.namespace}})
