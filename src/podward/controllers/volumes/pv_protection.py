"""The PV protection controller: a PersistentVolume that is bound stays until it is not (see `protection`)."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.controllers.context import Context
from podward.controllers.volumes.binder import VOLUMES
from podward.controllers.volumes.protection import Protection
from podward.documents.raw_fields import member


async def make(context: Context) -> Protection:
    """The controller."""
    client = await context.client_for("pv-protection-controller")
    volumes = context.informers.of(VOLUMES)
    return Protection("pv-protection-controller", client, volumes, "kubernetes.io/pv-protection", _is_bound)


async def _is_bound(volume: JsonObject) -> bool:
    return member(volume, "status").get("phase") == "Bound"
