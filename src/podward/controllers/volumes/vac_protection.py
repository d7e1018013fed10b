"""The protection controller of VolumeAttributesClasses: one that claims or volumes name stays (see `protection`)."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.client.informer import Change, key_of
from podward.controllers.context import Context
from podward.controllers.volumes.binder import CLAIMS, VOLUMES
from podward.controllers.volumes.protection import Protection
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

VACS = BY_PLURAL["storage.k8s.io", "v1", "volumeattributesclasses"]
_NAME, _FINALIZER = "volumeattributesclass-protection-controller", "kubernetes.io/vac-protection"


async def make(context: Context) -> Protection:
    """The controller."""
    client = await context.client_for(_NAME)
    claims, volumes = context.informers.of(CLAIMS), context.informers.of(VOLUMES)

    async def is_used(of_class: JsonObject) -> bool:
        name = key_of(of_class)[1]
        return any(name in _named(each) for informer in (claims, volumes) for each in informer.items())

    protection = Protection(_NAME, client, context.informers.of(VACS), _FINALIZER, is_used)

    def on_user(change: Change) -> None:
        for obj in filter(None, (change.old, change.new)):
            for name in _named(obj):
                protection.look_at("", name)

    claims.listeners.append(on_user)
    volumes.listeners.append(on_user)
    return protection


def _named(obj: JsonObject) -> set[str]:
    """The classes that a claim or a volume names, has, or is to get."""
    spec, status = member(obj, "spec"), member(obj, "status")
    found = {
        text(spec, "volumeAttributesClassName"),
        text(status, "currentVolumeAttributesClassName"),
        text(member(status, "modifyVolumeStatus"), "targetVolumeAttributesClassName"),
    }
    return found - {""}
