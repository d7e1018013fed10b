"""PersistentVolumes say since when they are in their phase.

Specification: Kubernetes, pkg/registry/core/persistentvolume, the strategy of the status.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.server.scope import Scope

_SINCE = "lastPhaseTransitionTime"


def with_time(scope: Scope, obj: JsonObject, old: JsonObject) -> JsonObject:
    """A volume whose status says since when; any other object as it is."""
    if scope.subresource != "status" or scope.resource.qualified != "persistentvolumes":
        return obj
    now, before = member(obj, "status"), member(old, "status")
    since = now.get(_SINCE)
    if now.get("phase") != before.get("phase"):
        since = scope.parts.clock.now() if since in {None, before.get(_SINCE)} else since
    elif since is None:
        since = before.get(_SINCE)
    return obj if since is None else {**obj, "status": {**now, _SINCE: since}}
