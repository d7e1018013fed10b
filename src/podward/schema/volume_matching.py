"""Which persistent volume fits a claim.

Specification (k8s.io/component-helpers storage/volume, `FindMatchingVolume`, in our words):
- A volume is large enough, of the same volume mode, and has the access modes that the claim asks for.
- For a claim that it is not kept for it is free, of the same storage class, and its labels fit the claim's selector. No
  class is a class of its own. A volume whose status says that it is not Available is not free.
- Of those that fit, the one with the fewest access modes is taken, and of these the smallest.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api.quantity import QuantityError, parse
from podward.api.storage import CLASS_ANNOTATION, PersistentVolume, PersistentVolumeClaim
from podward.schema.label_selection import selects

FILESYSTEM = "Filesystem"
_AVAILABLE = "Available"


def preference(volume: PersistentVolume) -> tuple[int, int]:
    """The smaller this is, the better the volume is for any claim that it fits."""
    return len(volume.spec.access_modes or ()), capacity(volume)


def unfit(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """What keeps any claim like this from the volume, also one that it is kept for."""
    if capacity(volume) < asked_for(claim):
        return "requested PV is too small"
    if (volume.spec.volume_mode or FILESYSTEM) != (claim.spec.volume_mode or FILESYSTEM):
        return "incompatible volumeMode"
    if not set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ()):
        return "incompatible accessMode"
    return ""


def not_chosen(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """What keeps a claim from a volume that is nobody's."""
    if (volume.status.phase or _AVAILABLE) != _AVAILABLE:
        return f"its phase is {volume.status.phase}"
    if claim.spec.selector is not None and not selects(claim.spec.selector, volume.metadata.labels or {}):
        return "the claim's selector does not match its labels"
    return other_class(volume, claim)


def other_class(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """Whether the volume is of another class than the claim."""
    own, wanted = class_of(volume), class_of(claim)
    return "" if own == wanted else f"storageClassName does not match: {own or 'none'} is not {wanted or 'none'}"


def class_of(thing: PersistentVolume | PersistentVolumeClaim) -> str:
    """The storage class: an old annotation takes precedence over the field."""
    written = (thing.metadata.annotations or {}).get(CLASS_ANNOTATION)
    return written if written is not None else thing.spec.storage_class_name or ""


def capacity(volume: PersistentVolume) -> int:
    """How much the volume holds, in billionths of a byte."""
    return _units(volume.spec.capacity or {})


def asked_for(claim: PersistentVolumeClaim) -> int:
    """How much the claim asks for, in billionths of a byte."""
    return _units((claim.spec.resources.requests if claim.spec.resources else None) or {})


def _units(amounts: Mapping[str, str | int | float]) -> int:
    try:
        return parse(str(amounts.get("storage", 0))).units
    except QuantityError:
        return 0
