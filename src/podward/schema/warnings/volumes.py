"""Kinds of volumes that are gone, and names of pull secrets that say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.validation.raw import text

_GONE = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "ephemeral": ("ephemeral", ""),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
"""Each kind as it is printed, and what became of it; in the server's order."""


def deprecated(spec: JsonObject) -> Iterator[str]:
    """Volumes whose plugin was removed, and claims of a fraction of a byte."""
    for index, volume in enumerate(objects(spec, "volumes")):
        at = path("spec", "volumes", index)
        for kind, (printed, sentence) in _GONE.items():
            if volume.get(kind) is None:
                continue
            if sentence:
                yield f"{at / printed}: {sentence}"
            else:
                yield from _claim(member(member(volume, kind), "volumeClaimTemplate"), at / kind)


def pull_secrets(spec: JsonObject) -> Iterator[str]:
    """Names of `imagePullSecrets` that stand twice, then those that are empty."""
    seen: set[str] = set()
    names = [text(secret, "name") for secret in objects(spec, "imagePullSecrets")]
    for index, name in enumerate(names):
        if name in seen:
            yield f'{path("spec", "imagePullSecrets", index, "name")}: duplicate name "{name}"'
        seen.add(name)
    for index, name in enumerate(names):
        if not name:
            yield f'{path("spec", "imagePullSecrets", index, "name")}: invalid empty name ""'


def _claim(template: JsonObject, at: Path) -> Iterator[str]:
    storage = member(member(member(template, "spec"), "resources"), "requests").get("storage")
    amount = parse(str(storage)) if storage is not None else None
    if amount is not None and amount.milli_value % 1000:
        place = f"{at}.volumeClaimTemplate.spec.resources.requests[storage]"
        yield f'{place}: fractional byte value "{amount}" is invalid, must be an integer'
